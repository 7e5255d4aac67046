"""Rounds: which groups have a last choice, and how much their parts choose."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.pipeline.selection.groups import Groups
from tamis.pipeline.selection.rounds import MANY, MORE, TIMES, cells, rounds_of


def groups(rows, limits, parts, words=None):
    """Return groups of some rows."""
    count = len(rows)
    return Groups(
        tuple(f"g{i}" for i in range(count)),
        ("",) * count,
        np.array(rows),
        np.array(rows if words is None else words),
        np.array(limits),
        words is not None,
        np.array(parts),
        sum(limits),
    )


def test_one_part_chooses_all():
    found = rounds_of(groups([50, 20], [7, 20], [1, 1]), np.array([50, 20]))
    assert (found.limits.tolist(), found.merged, found.by_part) == ([7, 20], frozenset(), frozenset())


def test_parts_choose_more_than_their_share():
    found = rounds_of(groups([1000], [40], [4]), np.array([260, 240, 250, 250]))
    assert found.limits.tolist() == [40] * 4
    found = rounds_of(groups([1000], [400], [8]), np.array([125] * 8))
    assert found.limits.tolist() == [TIMES * 50 + MORE] * 8
    assert found.merged == {0}


def test_words_count_as_rows_of_mean_length():
    found = rounds_of(groups([1000], [4000], [8], words=[10_000]), np.array([1250] * 8))
    assert found.limits.tolist() == [TIMES * 500 + MORE * 10] * 8


def test_large_groups_are_settled_by_parts():
    found = rounds_of(groups([1000], [400], [4]), np.array([260, 240, 250, 250]), most=100_000)
    assert found.limits.tolist() == [104, 96, 100, 100]
    assert (found.merged, found.by_part) == (frozenset(), frozenset({0}))
    few = rounds_of(groups([1000], [4 * MANY - 1], [4]), np.array([250] * 4), most=100)
    assert (few.merged, few.by_part) == (frozenset({0}), frozenset())


def test_cells():
    rounds = rounds_of(groups([1000, 5], [400, 2], [4, 1]), np.array([250, 250, 250, 250, 5]), most=100_000)
    assert cells(np.array([0, 0, 1]), np.array([0, 3, 4]), rounds).tolist() == [0, 3, -2]


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=12), st.floats(0.01, 1.0), st.sampled_from([10, 10**5, 10**9])
)
@settings(max_examples=80, derandomize=True, deadline=None)
def test_parts_choose_enough(held, share, most):
    rows = sum(held)
    limit = max(1, int(share * rows))
    found = rounds_of(groups([rows], [limit], [len(held)]), np.array(held), most=most)
    if found.merged:
        assert (found.limits <= limit).all()
        assert found.limits.sum() >= limit
    else:
        assert found.limits.sum() == limit
        assert (found.limits <= held).all() or len(held) == 1
