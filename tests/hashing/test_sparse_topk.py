"""Nearest texts against a dense computation in plain Python, in the order of summation that is promised."""

import functools
import math
import operator

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing import sparse_topk
from tamis.hashing.ngrams import count_ngrams
from tamis.hashing.sparse_topk import inverted, nearest, tfidf_rows
from tamis.hashing.unicode_table import words_v1

from . import oracle

TEXTS = st.lists(st.text("abcé中 ", max_size=12), min_size=1, max_size=12)


def vectors(texts, sublinear=True, smooth=True):
    found = count_ngrams(*oracle.packed(texts), 3, 4, words_v1())
    return tfidf_rows(found, sublinear=sublinear, smooth=smooth), len(found.keys)


def dense(texts, sublinear=True, smooth=True):
    """Return the weights of each text by term number, computed one by one."""
    found = count_ngrams(*oracle.packed(texts), 3, 4, words_v1())
    more, rows = int(smooth), []
    for low, high in zip(found.bounds, found.bounds[1:], strict=False):
        row = {}
        for term, count in zip(found.terms[low:high].tolist(), found.counts[low:high].tolist(), strict=True):
            idf = math.log((more + len(texts)) / (more + int(found.texts_with[term]))) + 1.0
            row[term] = (1.0 + math.log(count) if sublinear else count) * idf
        length = math.sqrt(sum(weight * weight for weight in row.values()))
        rows.append({term: weight / length for term, weight in row.items()})
    return rows


def added(numbers):
    """Return the plain sum, one after another: that of Python 3.12 is more exact."""
    return functools.reduce(operator.add, numbers, 0.0)


def best(rows, queries, k, own):
    """Return the rows and scores that ``nearest`` should: all scores, sorted."""
    found = []
    for q, query in enumerate(queries):
        scores = [added(query[t] * row[t] for t in sorted(query.keys() & row.keys())) for row in rows]
        some = [(-score, i) for i, score in enumerate(scores) if score > 0 and not (own >= 0 and i == own + q)]
        found.append([(i, -score) for score, i in sorted(some)[:k]])
    return found


def listed(found):
    return [
        [(int(i), float(score)) for i, score in zip(*pair, strict=True) if i >= 0]
        for pair in zip(found.rows, found.scores, strict=True)
    ]


def rows_of(sparse):
    return [
        dict(zip(sparse.terms[a:b].tolist(), sparse.weights[a:b].tolist(), strict=True))
        for a, b in zip(sparse.bounds, sparse.bounds[1:], strict=False)
    ]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(TEXTS, st.booleans(), st.booleans())
def test_weights_are_those_of_the_formula(texts, sublinear, smooth):
    found, expected = rows_of(vectors(texts, sublinear, smooth)[0]), dense(texts, sublinear, smooth)
    assert [row.keys() for row in found] == [row.keys() for row in expected]
    for row, other in zip(found, expected, strict=True):
        assert list(row.values()) == pytest.approx(list(other.values()), rel=1e-12)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(TEXTS, st.integers(1, 15), st.data())
def test_nearest_is_the_sorted_list_of_all_scores_to_the_bit(texts, k, data):
    rows, n_terms = vectors(texts)
    weights, index = rows_of(rows), inverted(rows, n_terms)
    assert listed(nearest(rows, index, k, -1)) == best(weights, weights, k, -1)
    assert listed(nearest(rows, index, k, 0)) == best(weights, weights, k, 0)
    first = data.draw(st.integers(0, len(texts) - 1))
    part = rows.part(first, len(texts))
    assert listed(nearest(part, index, k, first)) == best(weights, weights[first:], k, first)


def records(seed, n):
    """Return texts in which words are shared by many, and every fourth is nearly the one before."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abcdefghij"), size)) for size in rng.integers(2, 9, 60)]
    texts = []
    for i in range(n):
        if i % 4 == 3:
            texts.append(texts[-1] + " " + words[int(rng.integers(60))])
        else:
            texts.append(" ".join(words[j] for j in np.minimum(rng.zipf(1.3, 12) - 1, 59)) + f" id{i}x{i * 7919}")
    return texts


@pytest.mark.parametrize("k", [1, 2, 10, 300])
def test_leaving_lists_early_changes_no_bit(k):
    texts = records(3, 250)
    rows, n_terms = vectors(texts)
    weights = rows_of(rows)
    assert listed(nearest(rows, inverted(rows, n_terms), k, 0)) == best(weights, weights, k, 0)


def test_lists_are_left_early_in_that_test():
    rows, n_terms = vectors(records(3, 250))
    index, stops = inverted(rows, n_terms), 0
    sums, kept = np.zeros(250), np.zeros(250, np.int32)
    for q in range(250):
        low, high = rows.bounds[q], rows.bounds[q + 1]
        sums[:] = 0.0
        at, _, _ = sparse_topk._add_up.py_func(
            rows.terms[low:high], rows.weights[low:high], index, q, 3, sums, np.zeros(1), kept
        )
        stops += at < high - low
    assert stops > 20


def test_equal_scores_go_by_number():
    rows, n_terms = vectors(["sift", "grain", "sift", "", "sift", "sift"])
    found = nearest(rows, inverted(rows, n_terms), 3, 0)
    assert found.rows.tolist() == [[2, 4, 5], [-1] * 3, [0, 4, 5], [-1] * 3, [0, 2, 5], [0, 2, 4]]
    assert found.scores[0].tolist() == [found.scores[0, 0]] * 3
    assert found.scores[0, 0] == pytest.approx(1.0)
    assert found.scores[1].tolist() == [0.0] * 3


def test_no_texts():
    rows, n_terms = vectors(["", ""])
    found = nearest(rows, inverted(rows, n_terms), 2, -1)
    assert found.rows.tolist() == [[-1, -1]] * 2
    assert nearest(rows.part(0, 0), inverted(rows, n_terms), 2, -1).rows.shape == (0, 2)


def test_golden_scores():
    rows, n_terms = vectors(["the tamis sifts flour", "a tamis sifts the flour", "flour mill"])
    found = nearest(rows, inverted(rows, n_terms), 2, 0)
    assert found.rows.tolist() == [[1, 2], [0, 2], [0, 1]]
    assert found.scores == pytest.approx(
        np.array(
            [
                [0.9709115351713888, 0.24314215834477249],
                [0.970911535171389, 0.236069526223408],
                [0.24314215834477249, 0.236069526223408],
            ]
        ),
        rel=1e-12,
    )
