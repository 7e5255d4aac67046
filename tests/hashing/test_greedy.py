import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.greedy import decide

from .oracle import read_only

PAIRS = st.sets(st.tuples(st.integers(0, 15), st.integers(0, 15)).filter(lambda pair: pair[0] > pair[1]), max_size=40)


def decide_all(pairs, n, cuts=()):
    """Return ({dropped: keeper}, final state), deciding in several calls cut at the given places."""
    pairs, state, keepers = sorted(pairs), np.zeros(n, np.uint8), {}
    places = [0, *sorted(cut % (len(pairs) + 1) for cut in cuts), len(pairs)]
    for start, stop in zip(places[:-1], places[1:], strict=True):
        part = pairs[start:stop]
        worse, better = (read_only([pair[side] for pair in part], np.int64) for side in (0, 1))
        deciding = decide(worse, better, state)
        assert deciding.dtype == np.bool_
        for (row, keeper), decides in zip(part, deciding.tolist(), strict=True):
            if decides:
                assert row not in keepers
                keepers[row] = keeper
    return keepers, state.tolist()


def by_definition(pairs, n):
    """A row is dropped iff it has a pair with a kept row; its keeper is the best-ranked such row."""
    kept, keepers = set(), {}
    for row in range(n):
        witnesses = [better for worse, better in pairs if worse == row and better in kept]
        if witnesses:
            keepers[row] = min(witnesses)
        else:
            kept.add(row)
    return keepers


@settings(max_examples=300, derandomize=True, deadline=None)
@given(PAIRS, st.lists(st.integers(0, 40), max_size=4))
def test_decisions_are_the_definition_however_they_are_cut(pairs, cuts):
    expected = by_definition(pairs, 16)
    assert decide_all(pairs, 16, cuts) == (expected, [int(row in expected) for row in range(16)])


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], {}),
        ([(1, 0)], {1: 0}),
        ([(1, 0), (2, 1)], {1: 0}),  # no chains: 2 resembles only a dropped row
        ([(1, 0), (2, 1), (3, 2)], {1: 0, 3: 2}),
        ([(2, 0), (2, 1)], {2: 0}),  # the best-ranked keeper
        ([(1, 0), (2, 1), (2, 0)], {1: 0, 2: 0}),
        ([(1, 0), (3, 1), (3, 2)], {1: 0, 3: 2}),  # the best is itself dropped
    ],
)
def test_small_cases(pairs, expected):
    assert decide_all(pairs, 4)[0] == expected


def test_a_large_random_graph():
    rng = np.random.default_rng(0)
    ends = rng.integers(0, 2000, (6000, 2))
    pairs = {(max(a, b), min(a, b)) for a, b in ends.tolist() if a != b}
    expected, kept = {}, set()
    partners = {}
    for worse, better in sorted(pairs):
        partners.setdefault(worse, []).append(better)
    for row in range(2000):
        witness = next((better for better in partners.get(row, []) if better in kept), None)
        if witness is None:
            kept.add(row)
        else:
            expected[row] = witness
    assert decide_all(pairs, 2000)[0] == expected
    assert decide_all(pairs, 2000, cuts=range(0, 6000, 7))[0] == expected


def test_rows_dropped_by_an_earlier_call_are_not_keepers():
    state = np.array([1, 0, 0], np.uint8)
    worse, better = read_only([1, 2, 2], np.int64), read_only([0, 0, 1], np.int64)
    assert decide(worse, better, state).tolist() == [False, False, True]
    assert state.tolist() == [1, 0, 1]
