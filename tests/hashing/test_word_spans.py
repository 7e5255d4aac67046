"""Where words stand, against the definition of a word and against what the kernels count."""

import brute_force
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.fingerprint import fingerprint
from tamis.hashing.sketch import sketch_plan
from tamis.hashing.unicode_table import words_v1
from tamis.hashing.word_spans import word_spans

from . import oracle

CHARACTERS = "abcXYZ019_ \t\r\n-.'\0éÉßİﬃΐςΣ\u0301\u0345中あー한กา\u0e48か\u3099بيت\u064eשלום😀👍\ufe0f𐐀𐐨𠀀\u200d"
TEXTS = st.text(CHARACTERS, max_size=60) | st.text(st.characters(codec="utf-8"), max_size=30)


def spans(texts):
    """Return (start, stop, lone) of the words of each text."""
    found = word_spans(*oracle.packed(texts), words_v1())
    words = [*zip(found.start.tolist(), found.stop.tolist(), found.lone.tolist(), strict=True)]
    assert len(words) == found.bounds[-1]
    return [words[a:b] for a, b in zip(found.bounds, found.bounds[1:], strict=False)]


def counted(texts):
    """Return how many words the large kernel counts in each text."""
    plan = sketch_plan(values=8, unit="word", shingle=1)
    return fingerprint(*oracle.packed(texts), plan, banding=None, seed=0).tokens.tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" .\0", []),
        ("The end", [("The", False), ("end", False)]),
        ("ab中文c", [("ab", False), ("中", True), ("文", True), ("c", False)]),
        ("か\u3099ไทย", [("か", True), ("\u3099", True), ("ไ", True), ("ท", True), ("ย", True)]),
        ("cafe\u0301 Straße", [("cafe\u0301", False), ("Straße", False)]),
        ("بَيت😀x", [("بَيت", False), ("x", False)]),
    ],
)
def test_words(text, expected):
    data = text.encode()
    assert [(data[a:b].decode(), lone) for a, b, lone in spans([text])[0]] == expected


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_spans_hold_the_words(texts):
    found = spans(texts)
    assert [len(words) for words in found] == counted(texts)
    for text, words in zip(texts, found, strict=True):
        parts = [text.encode()[a:b].decode() for a, b, _ in words]
        assert [oracle.words(part) for part in parts] == [[word] for word in oracle.words(text)]
        assert [lone for _, _, lone in words] == [
            len(part) == 1 and oracle.character_class(part) == oracle.LONE for part in parts
        ]


def agreed(character):
    """Whether the simple definition of ``brute_force`` classes a character as the profile does."""
    between = f"a{character}a"
    return brute_force.tokens(between) == [word.decode() for word in oracle.words(between)]


AGREED = st.text([*filter(agreed, CHARACTERS)], max_size=60) | st.text(
    st.characters(codec="utf-8").filter(agreed), max_size=30
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(AGREED)
def test_spans_spelled_out_are_the_tokens_of_brute_force(text):
    data = text.encode()
    parts = [data[a:b].decode() for a, b, _ in spans([text])[0]]
    assert brute_force.tokens(" ".join(parts)) == brute_force.tokens(text)
    assert [brute_force.tokens(part) for part in parts] == [[token] for token in brute_force.tokens(text)]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=30) | TEXTS.map(lambda text: text.encode()[:-1] + b"\xff z"))
def test_bytes_that_are_no_text_end_it(data):
    (words,) = spans([data])
    assert [len(words)] == counted([data])


def test_long_texts():
    text = " ".join(f"wörd{i}" for i in range(20_000)) + "中" * 3000
    found = spans([text, "a", text])
    assert [len(words) for words in found] == counted([text, "a", text]) == [23_000, 1, 23_000]
    assert found[0] == found[2]
    assert np.all(np.diff([place for a, b, _ in found[0] for place in (a, b)]) >= 0)
