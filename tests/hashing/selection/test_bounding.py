"""Bounding against the best of all sets."""

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.hashing.selection.bounding import bounded
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.greedy import greedy
from tamis.hashing.selection.optimum import Budget
from tamis.hashing.selection.pairwise import graph_cut, pairwise

from . import set_cases


def test_golden_bounds():
    columns = set_cases.graph([[0, 1.0, 0, 0], [1.0, 0, 0.5, 0], [0, 0.5, 0, 0], [0, 0, 0, 0]])
    known = bounded(pairwise(columns, np.array([9.0, 5.0, 4.9, 1.0]), 1.0), 2)
    # least: 8, 3.5, 4.4, 1; most: 9, 5, 4.9, 1: the first is in, the last is out; then 5 - 1 is less than 4.4
    assert (known.chosen.tolist(), known.undecided.tolist(), known.discarded.tolist()) == ([0, 2], [], [1, 3])


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.data())
def test_what_is_known_is_true_of_every_best_set(seed, n, data):
    k = data.draw(st.integers(0, n))
    made = np.random.Generator(np.random.PCG64(seed))
    upper = np.triu(np.where(made.random((n, n)) < 0.4, made.integers(1, 5, (n, n)) / 4, 0.0), 1)
    worth, beta = made.integers(0, 17, n) / 4, float(made.integers(0, 5)) / 4
    function = pairwise(set_cases.graph(upper + upper.T), worth, beta)
    known = bounded(function, k)
    assert sorted([*known.chosen, *known.undecided, *known.discarded]) == list(range(n))

    def value(some):
        return sum(worth[j] for j in some) - beta * sum(upper[a, b] for a, b in itertools.combinations(some, 2))

    values = {some: value(some) for some in itertools.combinations(range(n), k)}
    best = [set(some) for some, one in values.items() if one == max(values.values())]
    for some in best:
        assert set(known.chosen.tolist()) <= some
        assert not set(known.discarded.tolist()) & some
    rest = greedy(function, Budget(k - len(known.chosen)), start=known.chosen, among=known.undecided)
    assert len(rest.items) + len(known.chosen) == k
    assert rest.value <= max(values.values()) + 1e-9


def test_without_cost_everything_is_known():
    columns = set_cases.graph(np.ones((5, 5)) - np.eye(5))
    known = bounded(pairwise(columns, np.array([3.0, 1.0, 5.0, 2.0, 4.0]), 0.0), 2)
    assert (known.chosen.tolist(), known.discarded.tolist()) == ([2, 4], [0, 1, 3])
    alike = bounded(pairwise(columns, np.ones(5), 1.0), 2)
    assert alike.undecided.tolist() == [0, 1, 2, 3, 4]


def test_what_is_refused():
    with pytest.raises(ConfigError, match="graph; found DenseColumns"):
        bounded(graph_cut(dense_columns(set_cases.vectors(1, 3))), 1)
    with pytest.raises(ConfigError, match="0 to 3 items; found 4"):
        bounded(graph_cut(set_cases.graph(set_cases.GOLDEN)), 4)
