"""A number and what it counts, as a sentence says it."""


def counted(number: int, one: str, several: str | None = None) -> str:
    """Return a number with its noun, and perhaps a verb, in the singular or the plural.

    Args:
        number: of things.
        one: said of one.
        several: said of none or several; default: with an s.

    >>> counted(1, "row"), counted(1200, "row"), counted(0, "match", "matches")
    ('1 row', '1,200 rows', '0 matches')
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
