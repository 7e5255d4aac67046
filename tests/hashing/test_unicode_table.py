import hashlib
import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tamis.hashing.unicode_table import FOLDED, LONE, SEPARATOR, WORD, words_v1

UNICODE_DATA = Path("/usr/share/unicode")

# How the characters of scripts without spaces are called, and the characters that only they use.
LONE_NAMES = (
    "CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH", "IDEOGRAPHIC ", "HANGZHOU NUMERAL", "VERTICAL IDEOGRAPHIC",
    "PARENTHESIZED IDEOGRAPH", "CIRCLED IDEOGRAPH", "OLD CHINESE ITERATION", "VIETNAMESE ALTERNATE", "COUNTING ROD",
    "HIRAGANA ", "KATAKANA ", "HALFWIDTH KATAKANA", "KATAKANA-HIRAGANA", "HENTAIGANA", "VERTICAL KANA", "MASU MARK",
    "COMBINING KATAKANA-HIRAGANA", "BOPOMOFO ", "THAI ", "LAO ", "KHMER ", "MYANMAR ",
)  # fmt: skip


@cache
def entries():
    """The table's entry of every code point."""
    table = words_v1()
    return table.blocks.reshape(-1, 256)[table.pages].reshape(-1)


@cache
def categories():
    """The interpreter's general category of every code point."""
    return np.array([unicodedata.category(chr(code)) for code in range(0x110000)])


def folding(code):
    table, entry = words_v1(), int(entries()[code])
    return int(table.fold_bytes[entry >> 2]).to_bytes(8, "little")[: int(table.fold_size[entry >> 2])].decode()


def kind(character):
    return int(entries()[ord(character)]) & 3


def test_golden():
    # Changing these is a format change: every token of every text is looked up here.
    table = words_v1()
    shapes = {name: (array.dtype.name, array.shape) for name, array in table._asdict().items()}
    assert shapes == {
        "pages": ("uint16", (4352,)),
        "blocks": ("uint16", (34304,)),
        "fold_bytes": ("uint64", (1505,)),
        "fold_size": ("uint8", (1505,)),
        "ascii_fold": ("uint8", (128,)),
    }
    assert np.bincount(entries() & 3).tolist() == [973_726, 39_619, 1_504, 99_263]
    digest = hashlib.blake2b(digest_size=16)
    for array in (entries(), table.fold_bytes, table.fold_size):
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    assert digest.hexdigest() == "f97e2f3cb774249d2fca4f508aa26e01"


def test_words_are_letters_marks_numbers_and_underscore():
    word = np.char.startswith(categories(), ("L",)) | np.char.startswith(categories(), ("M",))
    word |= np.char.startswith(categories(), ("N",))
    word[ord("_")] = True
    different = np.flatnonzero(word != (entries() & 3 != SEPARATOR))
    if unicodedata.unidata_version == "15.0.0":
        assert different.tolist() == []
    elif unicodedata.unidata_version < "15.0.0":  # what this Python does not know yet
        assert set(categories()[different]) <= {"Cn"}
    else:  # what Unicode 15.0 did not know yet
        assert set(entries()[different] & 3) <= {SEPARATOR}


def test_scripts_without_spaces_give_a_token_per_character():
    known = np.flatnonzero((categories() != "Cn") & (entries() & 3 != SEPARATOR)).tolist()
    names = {code: unicodedata.name(chr(code), "") for code in known}
    lone = {code for code, name in names.items() if name.startswith(LONE_NAMES) and "TALLY MARK" not in name}
    assert lone == {code for code in known if int(entries()[code]) & 3 == LONE}


def test_folding_is_full_case_folding():
    for code in np.flatnonzero(entries() & 3 == FOLDED).tolist():
        assert folding(code) == chr(code).casefold(), hex(code)
    for code in np.flatnonzero(entries() & 3 == WORD).tolist():
        assert chr(code) == chr(code).casefold(), hex(code)


def test_foldings_fit_the_layout():
    sizes = words_v1().fold_size
    assert sizes[0] == 0
    assert 1 <= sizes[1:].min() <= sizes.max() <= 8


def test_ascii_agrees_with_the_table():
    expected = [ord(chr(c).casefold()) if chr(c).isalnum() or chr(c) == "_" else 0 for c in range(128)]
    assert words_v1().ascii_fold.tolist() == expected


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("a", WORD), ("7", WORD), ("_", WORD), ("é", WORD), ("\u0301", WORD), ("ʼ", WORD), ("²", WORD), ("½", WORD),
        ("한", WORD), ("ᄒ", WORD), ("ع", WORD), ("अ", WORD), ("\u094d", WORD), ("𐐨", WORD), ("Ꭰ", WORD),
        ("A", FOLDED), ("ß", FOLDED), ("İ", FOLDED), ("ﬃ", FOLDED), ("ΐ", FOLDED), ("ꭰ", FOLDED), ("𐐀", FOLDED),
        ("ς", FOLDED), ("Ⅷ", FOLDED), ("Ａ", FOLDED), ("\u0345", FOLDED),
        ("中", LONE), ("々", LONE), ("〇", LONE), ("あ", LONE), ("ア", LONE), ("ｱ", LONE), ("ー", LONE), ("ㄅ", LONE),
        ("\u3099", LONE), ("ก", LONE), ("\u0e31", LONE), ("๑", LONE), ("ກ", LONE), ("ក", LONE), ("က", LONE),
        ("𠀀", LONE),
        (" ", SEPARATOR), ("\0", SEPARATOR), ("\r", SEPARATOR), ("-", SEPARATOR), ("'", SEPARATOR), ("’", SEPARATOR),
        ("\u00a0", SEPARATOR), ("\u200b", SEPARATOR), ("\u200c", SEPARATOR), ("\u200d", SEPARATOR),
        ("\u00ad", SEPARATOR), ("\ufeff", SEPARATOR), ("。", SEPARATOR), ("・", SEPARATOR), ("฿", SEPARATOR),
        ("😀", SEPARATOR), ("👍", SEPARATOR), ("❤", SEPARATOR), ("Ⓐ", SEPARATOR), ("\U0010ffff", SEPARATOR),
        ("\ue000", SEPARATOR),
    ],
    ids=lambda value: f"U+{ord(value):04X}" if isinstance(value, str) else None,
)  # fmt: skip
def test_classes(character, expected):
    # Changing these is a format change.
    assert kind(character) == expected


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("A", "a"),
        ("ß", "ss"),
        ("ẞ", "ss"),
        ("İ", "i\u0307"),
        ("ﬃ", "ffi"),
        ("ΐ", "ι\u0308\u0301"),
        ("ς", "σ"),
        ("K", "k"),  # the Kelvin sign
        ("ꭰ", "Ꭰ"),  # Cherokee folds to its capitals
        ("𐐀", "𐐨"),  # Deseret
        ("ŉ", "ʼn"),
        ("ᾂ", "ἂι"),
        ("\u0345", "ι"),
    ],
    ids=lambda value: f"U+{ord(value[0]):04X}",
)
def test_foldings(character, expected):
    # Changing these is a format change.
    assert folding(ord(character)) == expected


@pytest.mark.skipif(not UNICODE_DATA.is_dir(), reason="needs the Unicode data files (Debian: unicode-data)")
def test_the_table_can_be_rebuilt():
    build = pytest.importorskip("tamis.hashing.tables.build")
    if build.VERSION not in (UNICODE_DATA / "Scripts.txt").read_text()[:80]:
        pytest.skip(f"the Unicode data files are not those of {build.VERSION}")
    table = words_v1()
    for name, array in build.build(UNICODE_DATA).items():
        assert array.dtype == getattr(table, name).dtype
        assert array.tolist() == getattr(table, name).tolist(), name
