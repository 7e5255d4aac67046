"""Set functions in plain Python, straight from their formulas, and the best set by trying all."""

import itertools
import math

import numpy as np

from tamis.hashing.selection.feature_based import feature_based
from tamis.hashing.selection.set_function import gain
from tamis.hashing.selection.sparse_columns import sparse_columns
from tamis.hashing.sparse_topk import SparseRows

GOLDEN = [[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]]


def graph(matrix, *, both_ways=False, itself=None):
    """Return columns of a matrix of similarities [row][item], zeros left out."""
    matrix = np.asarray(matrix, np.float64)
    rows, items = np.nonzero(matrix)
    bounds = np.searchsorted(rows, np.arange(len(matrix) + 1)).astype(np.int64)
    return sparse_columns(bounds, items, matrix[rows, items], matrix.shape[1], both_ways=both_ways, itself=itself)


def vectors(seed, n, d=4):
    """Return vectors with no negative component, of length 1."""
    made = np.abs(np.random.Generator(np.random.PCG64(seed)).normal(size=(n, d)))
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def cosines(made):
    return made @ made.T


def features(matrix, **options):
    """Return a feature-based function of a matrix [item][feature], zeros left out."""
    matrix = np.asarray(matrix, np.float64)
    items, terms = np.nonzero(matrix)
    bounds = np.searchsorted(items, np.arange(len(matrix) + 1)).astype(np.int64)
    rows = SparseRows(bounds, terms.astype(np.int32), matrix[items, terms])
    return feature_based(rows, matrix.shape[1], **options)


def facility_location(s, chosen):
    return sum(max([0.0, *(row[j] for j in chosen)]) for row in s)


def saturated_coverage(s, chosen, share):
    return sum(min(sum(row[j] for j in chosen), share * sum(row)) for row in s)


def graph_cut(s, chosen, cost):
    return sum(row[j] for row in s for j in chosen) - cost * sum(s[i][j] for i in chosen for j in chosen)


def log_determinant(s, chosen, ridge=1.0):
    some = np.asarray(s)[np.ix_(chosen, chosen)] + ridge * np.eye(len(chosen))
    return float(np.linalg.slogdet(some)[1])


def feature_value(x, chosen, phi=math.sqrt):
    return sum(phi(sum(x[j][t] for j in chosen)) for t in range(len(x[0])))


def best_value(value, n, k):
    """Return the best value of up to k of n items."""
    return max(value(list(some)) for size in range(k + 1) for some in itertools.combinations(range(n), size))


def best_within(value, costs, limit):
    """Return the best value of items that cost no more than ``limit``."""
    every = range(len(costs))
    return max(
        value(list(some))
        for size in range(len(costs) + 1)
        for some in itertools.combinations(every, size)
        if sum(costs[j] for j in some) <= limit
    )


def check_against(function, value, order):
    """Add items one by one and compare every gain with the formula."""
    n, chosen = function.size, []
    assert function.value() == 0.0
    for item in order:
        before = value(chosen)
        rest = np.array([j for j in range(n) if j not in chosen], np.int64)
        expected = [value([*chosen, j]) - before for j in rest.tolist()]
        np.testing.assert_allclose(function.gains(rest), expected, atol=1e-7)
        assert gain(function, item) == function.add(item)
        chosen.append(item)
        assert abs(function.value() - value(chosen)) < 1e-6
    assert function.fresh().value() == 0.0
    np.testing.assert_allclose(
        function.fresh().gains(np.arange(n)), [value([j]) for j in range(n)], atol=1e-7
    )  # a fresh one shares no state
