"""Facility location over near similarities: bounds that hold, exact gains, and the choice of exact similarities."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.selection import near_location as module
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.near_columns import near_columns
from tamis.hashing.selection.near_location import NearLocation

SEEDS = st.integers(0, 10**6)


def vectors(seed, n, d=4, centres=3):
    """Return vectors in tight groups, some of them twice."""
    made = np.random.Generator(np.random.PCG64(seed))
    middle = made.normal(size=(centres, d))
    found = middle[made.integers(0, centres, n)] + made.normal(scale=0.2, size=(n, d))
    found[n // 2 :: 3] = found[0]
    return found


def matrix(columns):
    return np.array([columns.column(j)[1] for j in range(columns.n_items)], np.int64)


def gains_of(similarities, best):
    return np.maximum(0, similarities - best).sum(axis=1)


def chosen_one_by_one(similarities, count, least):
    """Choose the item that adds most, of equal ones the lower."""
    best, left = np.zeros(similarities.shape[1], np.int64), list(range(len(similarities)))
    chosen, added = [], []
    while left and len(chosen) < count:
        gains = gains_of(similarities[left], best)
        place = int(np.argmax(gains))
        if gains[place] < least:
            break
        chosen.append(left.pop(place))
        added.append(int(gains[place]))
        best = np.maximum(best, similarities[chosen[-1]])
    return chosen, added, best


def test_golden():
    columns = dense_columns(np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]]))
    state = NearLocation(near_columns(columns))
    one = 1 << 30
    assert state.bounds(np.arange(4)).tolist() == pytest.approx([1.8 * one, 2.4 * one, 1.6 * one, one], abs=state.width)
    chosen, added, _ = state.choose(4, np.arange(4), state.bounds(np.arange(4)), least=0)
    assert chosen.tolist() == [1, 3, 2, 0]
    assert added.tolist() == pytest.approx([2.4 * one, one, 0.4 * one, 0.2 * one], abs=50)
    assert state.value == sum(added.tolist())


@settings(max_examples=40, derandomize=True, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 40), few=st.sampled_from([1, 2, 8, 64]), square=st.booleans())
def test_bounds_hold_and_gains_are_exact(seed, n, few, square):
    rows = None if square else vectors(seed + 1, 30)
    columns = dense_columns(vectors(seed, n), rows, threads=2)
    similarities, items = matrix(columns), np.arange(n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEW", few)
        state = NearLocation(near_columns(columns))
    best = np.zeros(columns.n_rows, np.int64)
    for item in np.random.Generator(np.random.PCG64(seed)).permutation(n)[:6].tolist():
        expected = gains_of(similarities, best)
        bounds = state.bounds(items)
        assert (bounds >= expected).all()
        assert (bounds - state.width <= expected).all()
        assert state.bounds(items).tolist() == bounds.tolist()  # once rows are listed too
        for count in (0, 1, 3, n):
            assert state.highest(count, items, bounds).tolist() == np.sort(expected)[max(0, n - count) :].tolist()
            assert state.highest(0, items[:0], bounds[:0]).tolist() == []
        assert state.add(item) == expected[item]
        best = np.maximum(best, similarities[item])
        assert state.value == best.sum()


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=SEEDS,
    n=st.integers(1, 60),
    few=st.sampled_from([1, 4, 64]),
    bits=st.sampled_from([12, 26]),
    d=st.integers(1, 9),
)
def test_the_choice_is_that_of_exact_similarities(seed, n, few, bits, d):
    columns = dense_columns(vectors(seed, n, d), bits=bits)
    items = np.arange(n)
    for count, least in ((n, 0), (n, 1), (n // 3, 0)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_FEW", few)
            state = NearLocation(near_columns(columns))
        chosen, added, _ = state.choose(count, items, state.bounds(items), least=least)
        expected = chosen_one_by_one(matrix(columns), count, least)
        assert (chosen.tolist(), added.tolist()) == expected[:2]
        assert state.value == expected[2].sum()


def test_rows_are_listed_when_they_are_few():
    columns = dense_columns(np.random.Generator(np.random.PCG64(3)).normal(size=(200, 6)))
    state = NearLocation(near_columns(columns))
    items = np.arange(200)
    state.choose(60, items, state.bounds(items), least=0)
    state.bounds(items)
    counts = state._state.counts
    able = state._state.near[:200, :200] > state._state.floor[:200]
    assert counts.max() <= 200 // 64
    assert (counts >= 0).sum() > 100
    for item in items[counts >= 0].tolist():
        assert state._state.able[item, : counts[item]].tolist() == np.flatnonzero(able[item]).tolist()


def test_too_many_that_are_alike(monkeypatch):
    columns = dense_columns(np.ones((50, 3)))
    monkeypatch.setattr(module, "_ALWAYS", 1000)
    items = np.arange(50)
    state = NearLocation(near_columns(columns))
    assert state.choose(5, items, state.bounds(items), least=0) is None  # each of 50 may be the best: 2500 similarities
    assert NearLocation(near_columns(columns)).highest(50, items, state.bounds(items)) is None
    state = NearLocation(near_columns(columns))
    assert state.highest(1, items, state.bounds(items)) is None
    monkeypatch.setattr(module, "_ALWAYS", 6000)  # at the first step and at the second; then none is asked for again
    state = NearLocation(near_columns(columns))
    assert state.choose(5, items, state.bounds(items), least=0)[0].tolist() == [0, 1, 2, 3, 4]
