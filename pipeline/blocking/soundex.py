"""American Soundex: names that sound alike have one code (Russell 1918; the rules of the US National Archives).

The first letter stays. Of the others, vowels, H, W and Y are left out, the rest are digits of six groups, of equal
digits beside each other one stays, those parted by H or W count as beside each other, and there are three digits.
Letters are those of the Latin alphabet without their marks; all else is left out.
"""

import unicodedata

_DIGITS = {
    letter: digit
    for digit, letters in {"1": "BFPV", "2": "CGJKQSXZ", "3": "DT", "4": "L", "5": "MN", "6": "R"}.items()
    for letter in letters
}


def soundex(name: str) -> str:
    """Return the code of a name; empty where it has no letter.

    >>> [soundex(name) for name in ("Robert", "Ashcraft", "Tymczak", "Núñez", "7")]
    ['R163', 'A261', 'T522', 'N520', '']
    """
    letters = [c for c in unicodedata.normalize("NFD", name).upper() if "A" <= c <= "Z"]
    if not letters:
        return ""
    code, last = letters[0], _DIGITS.get(letters[0], "")
    for letter in letters[1:]:
        digit = _DIGITS.get(letter, "")
        if digit and digit != last:
            code += digit
        if letter not in "HW":
            last = digit
    return f"{code[:4]:0<4}"
