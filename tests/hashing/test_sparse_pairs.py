import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.ngrams import count_ngrams
from tamis.hashing.sparse_pairs import pair_cosines, pair_jaccards
from tamis.hashing.sparse_topk import SparseRows, inverted, nearest, tfidf_rows
from tamis.hashing.unicode_table import words_v1

from .oracle import packed

ROWS = st.lists(st.dictionaries(st.integers(0, 9), st.integers(1, 5), max_size=6), min_size=1, max_size=6)


def sparse(rows):
    bounds = np.cumsum([0, *map(len, rows)])
    terms = np.array([term for row in rows for term in sorted(row)], np.int32)
    weights = np.array([row[term] for row in rows for term in sorted(row)], np.float64)
    return SparseRows(bounds, terms, weights)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(ROWS)
def test_pairs_are_measured_as_sets_and_vectors(rows):
    one = sparse(rows)
    first, second = (side.ravel() for side in np.indices((len(rows), len(rows))))
    cosines = pair_cosines(one, first, second)
    jaccards = pair_jaccards(one.bounds, one.terms, first, second)
    for i, j, product, share in zip(first, second, cosines, jaccards, strict=True):
        a, b = rows[i], rows[j]
        assert product == sum(a[term] * b[term] for term in a.keys() & b.keys())
        assert share == (len(a.keys() & b.keys()) / len(a.keys() | b.keys()) if a or b else 0.0)


def test_by_hand():
    one = sparse([{1: 2, 3: 1}, {1: 3, 2: 1, 3: 1}, {}])
    first, second = np.array([0, 0, 2]), np.array([1, 2, 2])
    assert pair_cosines(one, first, second).tolist() == [7.0, 0.0, 0.0]
    assert pair_jaccards(one.bounds, one.terms, first, second).tolist() == [pytest.approx(2 / 3), 0.0, 0.0]


def test_cosines_have_the_bits_of_the_search():
    rng = np.random.default_rng(3)
    words = ["".join(rng.choice(list("abcdef"), size)) for size in rng.integers(2, 8, 30)]
    texts = [" ".join(rng.choice(words, int(rng.integers(2, 10)))) for _ in range(200)]
    counts = count_ngrams(*packed(texts), 3, 4, words_v1())
    rows = tfidf_rows(counts)
    found = nearest(rows, inverted(rows, len(counts.keys)), 5, 0)
    queries, places = np.nonzero(found.rows >= 0)
    again = pair_cosines(rows, queries, found.rows[queries, places].astype(np.int64))
    assert again.tolist() == found.scores[queries, places].tolist()
