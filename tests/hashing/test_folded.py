import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from tamis.hashing.folded import character_ngrams, folded_texts, folded_words
from tamis.hashing.unicode_table import FOLDED, words_v1

from . import oracle

CHARACTERS = "abcXYZ019_ \t-.'\0éÉßİﬃΐςΣ\u0301\u0345中あ한กา\u0e48か\u3099בيת😀👍𐐀𐐨𠀀"
TEXTS = st.lists(st.text(CHARACTERS, max_size=20) | st.text(st.characters(codec="utf-8"), max_size=12), max_size=6)


def listed(parts):
    whole = bytes(parts.data)
    texts = [whole[a:b].decode() for a, b in zip(parts.offsets, parts.offsets[1:], strict=False)]
    assert parts.offsets[-1] == len(whole)
    return [texts[a:b] for a, b in zip(parts.bounds, parts.bounds[1:], strict=False)]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(TEXTS)
def test_words_are_those_of_the_definition(texts):
    found = listed(folded_words(*oracle.packed(texts), words_v1()))
    assert found == [[word.decode() for word in oracle.words(text)] for text in texts]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(TEXTS)
def test_folding_leaves_all_but_letters(texts):
    found = listed(folded_texts(*oracle.packed(texts), words_v1()))
    expected = ["".join(c.casefold() if oracle.character_class(c) == FOLDED else c for c in text) for text in texts]
    assert found == [[text] for text in expected]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(TEXTS, st.integers(1, 5))
def test_ngrams_are_slices(texts, n):
    found = listed(character_ngrams(*oracle.packed(texts), n))
    assert found == [
        [text[i : i + n] for i in range(len(text) - n + 1)] if len(text) >= n else [text] if text else []
        for text in texts
    ]


def test_by_hand():
    packed = oracle.packed(["Straße, 中文 ÉA-b", "", "..."])
    assert listed(folded_texts(*packed, words_v1())) == [["strasse, 中文 éa-b"], [""], ["..."]]
    assert listed(folded_words(*packed, words_v1())) == [["strasse", "中", "文", "éa", "b"], [], []]
    assert listed(character_ngrams(*oracle.packed(["naïve", "ab"]), 3)) == [["naï", "aïv", "ïve"], ["ab"]]


def test_no_texts():
    none = np.zeros(1, np.uint8), np.zeros(1, np.int64)
    assert listed(folded_words(*none, words_v1())) == listed(character_ngrams(*none, 2)) == []
