"""N-grams and their counts against their definition, character by character."""

from collections import Counter

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.ngrams import count_ngrams
from tamis.hashing.unicode_table import words_v1

from . import oracle

CHARACTERS = "abcABC01_ \t-.'\0éÉßİﬃΐς\u0301中文あ한\u0e48שלום😀𐐀𠀀"
TEXTS = st.lists(st.text(CHARACTERS, max_size=25), max_size=8)


def runs(text):
    """Return the runs of folded characters of words with nothing between."""
    found = "".join(fold(character) for character in text).split("\n")
    return [run for run in found if run]


def fold(character):
    kind = oracle.character_class(character)
    return "\n" if kind == oracle.SEPARATOR else character.casefold() if kind == oracle.FOLDED else character


def ngrams(text, least, most):
    found = Counter()
    for run in runs(text):
        padded = f" {run} "
        sizes = range(least, most + 1) if len(padded) >= least else [len(padded)]
        found.update(padded[i : i + n] for n in sizes for i in range(len(padded) - n + 1))
    return found


def shingle(ngram):
    return oracle.shingle_hash([oracle.token_hash(character.encode()) for character in ngram])


def counted(texts, least, most):
    """Return the counts of each text by the key of the term, and check what does not depend on texts."""
    found = count_ngrams(*oracle.packed(texts), least, most, words_v1())
    rows = []
    for low, high in zip(found.bounds, found.bounds[1:], strict=False):
        terms = found.terms[low:high].tolist()
        assert terms == sorted(set(terms))
        rows.append(dict(zip(found.keys[terms].tolist(), found.counts[low:high].tolist(), strict=True)))
    with_it = Counter(key for row in rows for key in row)
    order = sorted(with_it, key=lambda key: (with_it[key], key))
    assert found.keys.tolist() == order
    assert found.texts_with.tolist() == [with_it[key] for key in order]
    return rows


@settings(max_examples=200, derandomize=True, deadline=None)
@given(TEXTS, st.integers(1, 5), st.integers(0, 3))
def test_counts_are_those_of_the_definition(texts, least, more):
    expected = [{shingle(g): n for g, n in ngrams(text, least, least + more).items()} for text in texts]
    assert counted(texts, least, least + more) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" .-", {}),
        ("a", {" a ": 1}),
        ("A-a", {" a ": 2}),
        ("abab", {" aba": 1, "abab": 1, "bab ": 1}),
        ("Straße", {" str": 1, "stra": 1, "tras": 1, "rass": 1, "asse": 1, "sse ": 1}),
        ("中文b", {" 中文b": 1, "中文b ": 1}),
    ],
)
def test_n_grams_of_four(text, expected):
    assert ngrams(text, 4, 4) == expected
    assert counted([text], 4, 4) == [{shingle(g): n for g, n in expected.items()}]


def test_many_distinct_n_grams_and_long_texts():
    rng = np.random.default_rng(7)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyzßΐ中 "))
    texts = ["".join(rng.choice(letters, size)) for size in (0, 40_000, 3, 20_000, 1)]
    assert counted(texts, 2, 5) == [{shingle(g): n for g, n in ngrams(text, 2, 5).items()} for text in texts]


def test_bytes_that_are_not_utf8_end_their_text():
    assert counted([b"ab \xffcd", b"ab"], 3, 3) == counted([b"ab", b"ab"], 3, 3)


def test_golden_values():
    found = count_ngrams(*oracle.packed(["Tamis sifts", "sifts"]), 5, 6, words_v1())
    assert found.terms.tolist() == GOLDEN_TERMS
    assert found.keys.tolist() == GOLDEN_KEYS


GOLDEN_KEYS = [
    0x46C8ED79793D5285,
    0x4906B4A2755E66EF,
    0xB15AE47C7E429952,
    0xF566B1F97468AEA9,
    0xFE225354A701A3BD,
    0x5C28D79576A8E6AC,
    0x828C494FCD73005E,
    0x95011B7CEA8E5A1A,
    0x9C7CB635955C7AB4,
    0xE4A63FA55C347297,
]
GOLDEN_TERMS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5, 6, 7, 8, 9]
