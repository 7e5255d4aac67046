import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import InputError
from tamis.pipeline.blocking.pair_counts import pair_counts
from tamis.pipeline.blocking.pairs import pairs_of_one_table, pairs_table

LEFT, RIGHT = pa.array(list("abcd")), pa.array([f"r{i}" for i in range(120)])


def table(some, make=pairs_table):
    left, right = (pa.array([pair[i] for pair in some], pa.string()) for i in (0, 1))
    return make(left, right, np.ones(len(some)), "b", np.ones(len(some), np.int64))


def test_by_hand():
    pairs = table([("a", f"r{i}") for i in range(101)] + [("b", "r0"), ("b", "r1"), ("c", "r0")])
    left, right = pair_counts(pairs, LEFT, RIGHT)
    assert (left.records, left.without, left.most, left.median) == (4, 1, 101, 1.5)
    assert left.bins == ((0, 0, 1), (1, 1, 1), (2, 5, 1), (6, 10, 0), (11, 100, 0), (101, 1000, 1))
    assert right.bins == ((0, 0, 19), (1, 1, 99), (2, 5, 2))
    assert right.as_json() == {
        "records": 120, "without": 19, "most": 3, "median": 1.0,
        "bins": [{"from": 0, "to": 0, "records": 19}, {"from": 1, "to": 1, "records": 99},
                 {"from": 2, "to": 5, "records": 2}],
    }  # fmt: skip


def test_within_one_table_both_ends_count():
    counts, right = pair_counts(table([("a", "b"), ("a", "c")], pairs_of_one_table), LEFT, None)
    assert right is None
    assert counts.bins == ((0, 0, 1), (1, 1, 2), (2, 5, 1))


def test_no_pairs():
    left, right = pair_counts(table([]), LEFT, RIGHT)
    assert (left.bins, right.bins, left.without) == (((0, 0, 4),), ((0, 0, 120),), 4)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from(RIGHT.to_pylist())), max_size=150))
def test_against_counting(some):
    left, right = pair_counts(table(sorted(some)), LEFT, RIGHT)
    for side, ids, which in ((left, LEFT.to_pylist(), 0), (right, RIGHT.to_pylist(), 1)):
        counts = [sum(pair[which] == i for pair in some) for i in ids]
        assert side.bins[0][0] == 0
        assert [low for low, _, _ in side.bins[1:]] == [high + 1 for _, high, _ in side.bins[:-1]]
        assert [n for _, _, n in side.bins] == [sum(a <= n <= b for n in counts) for a, b, _ in side.bins]
        assert side.bins[-1][0] <= side.most == max(counts) <= side.bins[-1][1]
        assert side.median == np.median(counts)


def test_unknown_ids():
    with pytest.raises(InputError, match="the right_id of all pairs"):
        pair_counts(table([("a", "q")]), LEFT, RIGHT)
