"""Parts of sparse vectors beside each other, against dense arrays."""

import numpy as np
from numpy.testing import assert_allclose

from tamis.hashing.ngrams import TermCounts
from tamis.hashing.sparse_parts import beside_each_other, weighted_sum
from tamis.hashing.sparse_topk import SparseRows


def counts(rows, n_terms):
    """Return the counts of ``[{term: count}]``."""
    bounds = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    terms = np.array([term for row in rows for term in sorted(row)], np.int32)
    often = np.array([row[term] for row in rows for term in sorted(row)], np.int32)
    texts_with = np.array([sum(term in row for row in rows) for term in range(n_terms)], np.int64)
    return TermCounts(np.arange(n_terms, dtype=np.uint64) + 100 * n_terms, texts_with, bounds, terms, often)


ONE = counts([{0: 2, 2: 1}, {}, {2: 3}], 3)
OTHER = counts([{}, {}, {0: 1, 1: 4}], 2)


def test_counts_of_both():
    found = beside_each_other([ONE, OTHER])
    assert found.bounds.tolist() == [0, 2, 2, 5]
    assert found.terms.tolist() == [0, 2, 2, 3, 4]
    assert found.counts.tolist() == [2, 1, 3, 1, 4]
    assert found.texts_with.tolist() == [1, 0, 2, 1, 1]
    assert len(set(found.keys.tolist())) == 5


def dense(rows, n_terms):
    matrix = np.zeros((len(rows.bounds) - 1, n_terms))
    for i in range(len(matrix)):
        part = slice(rows.bounds[i], rows.bounds[i + 1])
        assert (np.diff(rows.terms[part]) > 0).all()
        matrix[i, rows.terms[part]] = rows.weights[part]
    return matrix


def test_products_are_weighted_means_of_products():
    one = SparseRows(ONE.bounds, ONE.terms, np.array([0.6, 0.8, 1.0]))
    other = SparseRows(OTHER.bounds, OTHER.terms, np.array([0.8, 0.6]))
    found = weighted_sum([(one, ONE.texts_with), (other, OTHER.texts_with)], [1.0, 3.0])
    assert found.n_terms == 5
    matrix = dense(found.rows, 5)
    assert_allclose(np.linalg.norm(matrix, axis=1), [1.0, 0.0, 1.0])
    # the third text has both parts, the first one lacks the second: 0.8 of it is in common, in a quarter of the third
    assert_allclose(matrix @ matrix.T, [[1.0, 0.0, 0.8 * 0.5], [0.0, 0.0, 0.0], [0.8 * 0.5, 0.0, 1.0]])


def test_rarer_terms_come_first():
    one = SparseRows(ONE.bounds, ONE.terms, np.array([0.6, 0.8, 1.0]))
    found = weighted_sum([(one, ONE.texts_with)], [2.0])
    assert found.rows.terms.tolist() == [1, 2, 2]  # in 1, 2, 2 texts; the term of no text is 0
    assert_allclose(found.rows.weights, [0.6, 0.8, 1.0])
