import itertools
from math import prod

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.shingles import BYTE, CHAR, WORD, next_tokens, no_scratch, start_of
from tamis.hashing.unicode_table import words_v1
from tamis.hashing.words import WINDOW, decode, word_at

from . import oracle

# Letters of every class and width beside separators, so that random texts have words.
CHARACTERS = "abcXYZ019_ \t\r\n-.'\0éÉßİﬃΐςΣ\u0301\u0345中あー한กา\u0e48က😀👍\ufe0f𐐀𐐨𠀀\u200d"
TEXTS = st.text(CHARACTERS, min_size=15, max_size=60) | st.text(st.characters(codec="utf-8"), max_size=30)


def hashes(text, unit=WORD):
    """Return (token hashes, offset of an error or -1) of a text, window by window."""
    data, offsets = oracle.packed([text])
    start, end = int(offsets[0]), int(offsets[1])
    scratch, cursor, found = no_scratch(), start_of(start), []
    while cursor.at < end:
        typed = cursor._replace(state=np.uint64(cursor.state))  # Python returns it as an int of either sign
        cursor, made, _, error = next_tokens(data, typed, end, unit, words_v1(), scratch)
        found += scratch.tokens[:made].tolist()
        if error >= 0:
            return found, error - start
    return found, -1


def test_golden():
    # The hashes of profile words-v1: changing one is a format change.
    expected = {
        "a": [0xCDBE378D5BE6FB01],
        "tamis": [0x7B3A4F3D4F3606A8],
        "Straße": [0x2F92C907B9C5ABA1],
        "sieve_42": [0x8FADC9CE8A39F9F1],
        "flour-mill": [0xCB6FC32A117FD974, 0xC7D2B8F281920FAB],
        "internationalisation": [0xB78AE87A38B0DAF8],
        "中文": [0x293F511F72E0D94E, 0xFE6D388629921CE5],
    }
    assert {word: hashes(word)[0] for word in expected} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \r\n\t-'\0", []),
        ("a\0b", ["a", "b"]),
        ("one\r\ntwo\rthree", ["one", "two", "three"]),
        ("don't well-known snake_case", ["don", "t", "well", "known", "snake_case"]),
        ("3.14 1,000", ["3", "14", "1", "000"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("İstanbul", ["i\u0307stanbul"]),
        ("eﬃcient", ["efficient"]),
        ("ΜΆΪΟΣ Μάϊος", ["μάϊοσ", "μάϊοσ"]),
        ("中文abc漢字", ["中", "文", "abc", "漢", "字"]),
        ("ラーメン", ["ラ", "ー", "メ", "ン"]),
        ("か\u3099", ["か", "\u3099"]),
        ("สวัสดี", ["ส", "ว", "ั", "ส", "ด", "ี"]),
        ("한국어 위키", ["한국어", "위키"]),
        ("cafe\u0301 café", ["cafe\u0301", "café"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("ab中", ["ab", "中"]),
        ("中ab", ["中", "ab"]),
        ("hi👍there 😀", ["hi", "there"]),
        ("a\u200db a\u00adb", ["a", "b", "a", "b"]),
        ("❤\ufe0f", ["\ufe0f"]),  # a variation selector is a mark
        ("1\ufe0f\u20e3", ["1\ufe0f\u20e3"]),
        ("ꭰ𐐀", ["Ꭰ𐐨"]),
    ],
)
def test_words(text, expected):
    # The definition of a word: changing a line is a format change.
    assert oracle.words(text) == [word.encode() for word in expected]
    assert hashes(text) == (oracle.tokens(text), -1)


@pytest.mark.parametrize("size", [*range(1, 26), 31, 32, 33, 64, 65])
def test_tokens_of_every_size(size):
    word = "abcdefghijklmnopqrstuvwxyz0123456789"[:size].ljust(size, "_")
    for text in (word, word.upper(), f"{word} {word}", f"中{word}中"):
        assert hashes(text) == (oracle.tokens(text), -1)
    assert hashes(word)[0] == [oracle.token_hash(word.encode())]


@pytest.mark.parametrize("character", ["é", "É", "한", "ﬃ", "ΐ", "𐐀", "İ"])
def test_characters_across_the_borders_of_words_of_eight_bytes(character):
    for before in range(9):
        text = "x" * before + character + "yz" + character * 7
        assert hashes(text) == (oracle.tokens(text), -1), before


@pytest.mark.parametrize("word", ["x" * 100_001, "É" * 60_000, "ΐ" * 20_000, "ab_9" * 50_000])
def test_tokens_longer_than_a_page(word):
    assert hashes(f"{word} tail") == (oracle.tokens(f"{word} tail"), -1)


def test_size_is_part_of_a_token():
    # Zero bytes cannot occur in a token, but the definition does not rest on that.
    padded = [oracle.token_hash(b"a" + bytes(n)) for n in range(20)]
    assert len(set(padded)) == 20


@pytest.mark.parametrize("filler", ["ab ", "中", "a中", "éb ", "longer_than_eight_bytes ", "ΐ"])
def test_texts_that_end_around_a_window(filler):
    for size in [*range(WINDOW - 70, WINDOW + 10), *range(2 * WINDOW - 5, 2 * WINDOW + 6)]:
        text = (filler * size)[: size // len(filler.encode()) * len(filler)]
        assert hashes(text) == (oracle.tokens(text), -1), size


@pytest.mark.parametrize("word", ["x", "seventeen_letters", "Straße", "中", "ΐ", "ﬃ", "👍", " ", "é"])
@pytest.mark.parametrize("filler", ["x", " ", "_a "])
def test_anything_across_the_border_of_two_windows(word, filler):
    for before in range(WINDOW - 20, WINDOW + 4):
        text = (filler * before)[:before] + word + "y z"
        assert hashes(text) == (oracle.tokens(text), -1), before
        assert hashes(text, CHAR) == (oracle.characters(text), -1), before


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.integers(0, 70), TEXTS, TEXTS, st.sampled_from(["x", " ", "aB ", "中"]))
def test_random_texts_around_the_border_of_two_windows(back, one, other, filler):
    text = (filler * WINDOW)[: max(0, WINDOW // len(filler.encode()) * len(filler) - back)] + one + other
    assert hashes(text) == (oracle.tokens(text), -1)
    assert hashes(text, CHAR) == (oracle.characters(text), -1)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(TEXTS)
def test_random_texts(text):
    assert hashes(text) == (oracle.tokens(text), -1)
    assert hashes(text, CHAR) == (oracle.characters(text), -1)
    assert hashes(text, BYTE) == ([oracle.token_hash(bytes([byte])) for byte in text.encode()], -1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" -- ", ""),
        ("a", "a"),
        (" Two  Words. ", "two words"),
        ("don't", "don t"),
        ("中文", "中文"),
        ("中 文a, b", "中 文a b"),
        ("Straße ﬃ", "strasse ffi"),
        ("a\u200db", "a b"),
    ],
)
def test_characters(text, expected):
    # The definition of characters: those of the words, one space where there is something between two words.
    assert oracle.characters(text) == [oracle.token_hash(c.encode()) for c in expected]
    assert hashes(text, CHAR) == (oracle.characters(text), -1)


# --- blocks of 64 ASCII bytes, which are read eight bytes at a time where 72 are left

ASCII = "".join(map(chr, range(128)))
LONG_TEXTS = st.lists(
    st.text(ASCII, min_size=40, max_size=90)
    | st.text("aZ_ 9.", min_size=40, max_size=150)
    | st.sampled_from(["é", "中"]),
    max_size=5,
).map("".join)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(LONG_TEXTS)
def test_random_texts_of_ascii_blocks(text):
    assert hashes(text) == (oracle.tokens(text), -1)


@pytest.mark.parametrize("filler", ["x", "X", " ", "_"])
def test_every_ascii_byte_at_every_place_of_a_block(filler):
    for character in ASCII:
        text = "".join(filler * i + character + filler * (63 - i) for i in range(64)) + " " * 72
        assert hashes(text) == (oracle.tokens(text), -1), character


@pytest.mark.parametrize("filler", ["x", "aB 9_. ", "a "])
@pytest.mark.parametrize("odd", ["é", "中", "😀", "\u0301"])
def test_one_character_that_is_not_ascii_at_every_place(filler, odd):
    for at in range(140):
        text = (filler * 240)[:at] + odd + (filler * 240)[: 240 - at]
        assert hashes(text) == (oracle.tokens(text), -1), at


@pytest.mark.parametrize("filler", [b"x", b"aB 9_. ", b" "])
def test_one_bad_byte_at_every_place(filler):
    for at in range(200):
        data = (filler * 240)[:at] + b"\xff" + (filler * 240)[: 200 - at]
        assert hashes(data)[1] == at


@pytest.mark.parametrize("filler", ["x", "ab ", "a "])
def test_texts_that_end_around_a_block(filler):
    for size in range(56, 150):
        text = (filler * size)[:size]
        assert hashes(text) == (oracle.tokens(text), -1), size


# --- strict UTF-8

MALFORMED = {
    "stray continuation": b"\x80",
    "stray last continuation": b"\xbf",
    "two stray continuations": b"\x80\xbf",
    "truncated 2": b"\xc3",
    "truncated 3 after 1": b"\xe4",
    "truncated 3 after 2": b"\xe4\xb8",
    "truncated 4 after 1": b"\xf0",
    "truncated 4 after 2": b"\xf0\x9f",
    "truncated 4 after 3": b"\xf0\x9f\x98",
    "lead before ascii": b"\xc3A",
    "lead before lead": b"\xe4\xb8\xc3\xa9",
    "third byte missing": b"\xf0\x9fA\x80",
    "overlong slash 2": b"\xc0\xaf",
    "overlong nul": b"\xc0\x80",
    "overlong delete": b"\xc1\xbf",
    "overlong slash 3": b"\xe0\x80\xaf",
    "overlong last 3": b"\xe0\x9f\xbf",
    "overlong slash 4": b"\xf0\x80\x80\xaf",
    "overlong last 4": b"\xf0\x8f\xbf\xbf",
    "first surrogate": b"\xed\xa0\x80",
    "last surrogate": b"\xed\xbf\xbf",
    "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "above the last": b"\xf4\x90\x80\x80",
    "far above the last": b"\xf7\xbf\xbf\xbf",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "fe": b"\xfe",
    "ff": b"\xff",
    "utf-16 mark": b"\xff\xfea\x00",
    "latin-1": b"caf\xe9 au lait",
}


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED)
def test_malformed_bytes_are_found_where_python_finds_them(bad):
    for prefix, suffix in itertools.product([b"", b"a", b"word ", "é中😀".encode()], [b"", b" tail"]):
        data = prefix + bad + suffix
        assert oracle.error_offset(data) >= 0
        assert hashes(data)[1] == oracle.error_offset(data), data


EDGES = [*MALFORMED.values(), *(text.encode() for text in ["a", " ", "é", "中", "😀"])]
EDGE_BYTES = b"\x00a\x7f\x80\x8f\x90\x9f\xa0\xbf\xc1\xc2\xdf\xe0\xed\xef\xf0\xf4\xf5\xff"


@settings(max_examples=500, derandomize=True, deadline=None)
@given(
    st.binary(max_size=12)
    | st.lists(st.sampled_from(EDGES), max_size=4).map(b"".join)
    | st.lists(st.sampled_from(EDGE_BYTES), max_size=8).map(bytes)
)
def test_random_bytes_are_accepted_as_python_accepts_them(data):
    offset = oracle.error_offset(data)
    found, error = hashes(data)
    assert error == offset
    if offset < 0:
        assert found == oracle.tokens(data.decode())


def decoded(data):
    """Return (code point, bytes) of the first character, or (-1, 0)."""
    code, size, valid = decode(word_at(np.frombuffer(data, np.uint8), 0), len(data))
    return (code, size) if valid else (-1, 0)


def test_every_code_point_is_decoded():
    codes = [code for code in range(0x80, 0x110000, 7) if not 0xD800 <= code < 0xE000]
    codes += [0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF]
    for code in codes:
        data = chr(code).encode()
        assert decoded(data) == (code, len(data))


def test_every_pair_of_bytes_is_judged_as_python_judges_it():
    for lead in range(0x80, 0x100):
        for second in range(0x100):
            data = bytes([lead, second])
            assert (decoded(data)[1] == 2) == (oracle.error_offset(data) < 0), data


def test_the_end_of_a_text_ends_its_characters():
    word = word_at(np.frombuffer("中".encode(), np.uint8), 0)
    assert [decode(word, left)[2] for left in range(4)] == [False, False, False, True]
    assert decode(word, 3) == (ord("中"), 3, True)


# --- quality


def test_short_tokens_do_not_collide():
    words = [f"{a}{b}{c}" for a in "abcdefgh" for b in range(1000) for c in "xyz_"]
    assert len({oracle.token_hash(word.encode()) for word in words}) == len(words)


@pytest.mark.parametrize("size", [3, 8, 12, 16, 24])
def test_a_changed_bit_changes_the_hash(size):
    rng = np.random.default_rng(size)
    for bit in range(8 * size):
        word = int.from_bytes(rng.bytes(size))
        one, other = (value.to_bytes(size) for value in (word, word ^ 1 << bit))
        assert oracle.token_hash(one) != oracle.token_hash(other)


DIGITS, HEX, LETTERS = "0123456789", "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("202401{:02}{:02}{:02}300{}", [range(1, 29), range(24), range(60), range(10)]),
        ("123456{}{}89{}{}123{}", [DIGITS] * 5),
        ("sensors{}abc{}xyz{}", [LETTERS] * 3),
        ("deadbee{}012{}cde{}000000{}", [HEX] * 4),
        ("abcdefgh1234567{}890{}abc{}", [HEX] * 3),
        ("абв{}г{}д{}", ["абвгдежзийклмнопрстуфхцчшщъыьэюя"] * 3),
    ],
    ids=["timestamps of 16 digits", "digits", "letters", "hexadecimal digits", "words 2 and 3", "Cyrillic letters"],
)
def test_serial_tokens_of_two_words_do_not_collide(template, parts):
    """One multiplication between two words would let changes at the end of one and in the next cancel out."""
    serials = [template.format(*values) for values in itertools.product(*parts)]
    assert len(set(hashes(" ".join(serials))[0])) == len(serials) == prod(map(len, parts))
