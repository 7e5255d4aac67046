import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from scipy.stats import binom

from tamis.hashing.errors import InputError
from tamis.pipeline.blocking.measures import clopper_pearson, measure_pairs
from tamis.pipeline.blocking.pairs import pairs_table

LEFT, RIGHT = pa.array(list("abcd")), pa.array(list("vwxyz"))


def pairs(*some):
    """Return a table of pairs, the best first, each of rank 1."""
    scores = np.linspace(1.0, 0.1, len(some))
    left, right = (pa.array([pair[i] for pair in some], pa.string()) for i in (0, 1))
    return pairs_table(left, right, scores, "b", np.ones(len(some), np.int64))


def gold(*some):
    return pa.table({"left_id": [a for a, _ in some], "right_id": [b for _, b in some]})


def test_by_hand_of_two_tables():
    found = measure_pairs(
        pairs("av", "aw", "bx", "cv", "cz", "dy"), gold("av", "bx", "cy", "dy", "dy", "dz"), LEFT, RIGHT, "score"
    )
    assert (found.pairs, found.possible, found.matches, found.found) == (6, 20, 5, 3)
    assert (found.pc, found.pq, found.f1, found.cssr, found.reduction_ratio) == (0.6, 0.5, 6 / 11, 0.3, 0.7)
    assert found.recall_at == {1: 0.4, 3: 0.6, 10: 0.6}  # the best 4, 12 and 40 pairs
    assert (found.pc_low, found.pc_high) == pytest.approx((0.146633, 0.947255), abs=1e-6)


def test_by_hand_of_one_table():
    found = measure_pairs(pairs("ab", "cd"), gold("ba", "bc"), LEFT, None)
    assert (found.pairs, found.possible, found.matches, found.found) == (2, 6, 2, 1)
    assert (found.pc, found.pq, found.f1) == (0.5, 0.5, 0.5)


def test_no_pairs():
    found = measure_pairs(pairs(), gold("av"), LEFT, RIGHT)
    assert (found.pc, found.pq, found.f1, found.cssr, found.reduction_ratio) == (0.0, 0.0, 0.0, 0.0, 1.0)
    assert (found.pc_low, found.pc_high) == (0.0, pytest.approx(0.975))
    assert found.recall_at == {1: 0.0, 3: 0.0, 10: 0.0}


CELLS = st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("vwxyz")))


@settings(max_examples=150, derandomize=True, deadline=None)
@given(CELLS, CELLS.filter(bool))
def test_against_python_sets(said, true):
    order = sorted(said)
    found = measure_pairs(pairs(*order), gold(*true), LEFT, RIGHT, "score")
    assert (found.pairs, found.matches, found.found) == (len(said), len(true), len(said & true))
    assert found.recall_at == {n: len(set(order[: 4 * n]) & true) / len(true) for n in (1, 3, 10)}
    assert found.pc_low <= found.pc <= found.pc_high


@pytest.mark.parametrize(("found", "total"), [(0, 1), (1, 1), (3, 5), (995, 1000), (500, 1000), (0, 30)])
def test_the_interval_is_where_each_tail_has_a_fortieth(found, total):
    low, high = clopper_pearson(found, total)
    if found:
        assert binom.sf(found - 1, total, low) == pytest.approx(0.025)
    else:
        assert low == 0.0
    if found < total:
        assert binom.cdf(found, total, high) == pytest.approx(0.025)
    else:
        assert high == 1.0


@pytest.mark.parametrize(
    ("said", "true", "right", "message"),
    [
        (["av"], ["aq"], RIGHT, "the right_id of all matches.*the first 'q'"),
        (["av"], ["qv", "rv"], RIGHT, "the left_id of all matches.*2 others, the first 'q'"),
        (["aq"], ["av"], RIGHT, "the right_id of all pairs"),
        (["av"], [], RIGHT, "there are matches"),
        (["ab"], ["cc"], None, "matches are of two records each"),
        (["ab", "ba"], ["ab"], None, "1 pair both ways round"),
        (["av"], ["av"], RIGHT[:0], "there are records to pair"),
    ],
)
def test_what_cannot_be_measured(said, true, right, message):
    matches = gold(*true) if true else pa.table({"left_id": pa.array([], "str"), "right_id": pa.array([], "str")})
    with pytest.raises(InputError, match=message):
        measure_pairs(pairs(*said), matches, LEFT, right)
