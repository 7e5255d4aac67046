"""Curves against counting by Python for every cut and every budget."""

from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError, InputError
from tamis.pipeline.blocking.curves import Curve, bands, curve_of
from tamis.pipeline.blocking.measures import clopper_pearson, measure_pairs
from tamis.pipeline.blocking.pairs import pairs_table

LEFT, RIGHT = pa.array(list("abcd")), pa.array(list("vwxyz"))
PAIR = st.tuples(st.sampled_from("abcd"), st.sampled_from("vwxyz"))
FOUND = st.dictionaries(PAIR, st.tuples(st.integers(1, 4), st.sampled_from([0.25, 0.5, 1.0])), max_size=20)
GOLD = st.sets(PAIR, min_size=1)


def table(found):
    """Return a table of pairs of ``{pair: (rank, score)}``."""
    left, right = ([pair[i] for pair in found] for i in (0, 1))
    ranks, scores = (np.array([value[i] for value in found.values()], kind) for i, kind in ((0, np.int64), (1, float)))
    return pairs_table(pa.array(left, pa.string()), pa.array(right, pa.string()), scores, "b", ranks)


def gold(some):
    left, right = (pa.array([pair[i] for pair in some], pa.string()) for i in (0, 1))
    return pa.table({"left_id": left, "right_id": right})


def test_by_hand():
    found = {
        ("a", "v"): (1, 0.9),
        ("b", "w"): (1, 0.5),
        ("c", "x"): (1, 0.5),
        ("a", "w"): (2, 0.7),
        ("b", "x"): (2, 0.4),
        ("c", "v"): (4, 0.2),
    }
    true = gold([("a", "v"), ("a", "w"), ("c", "x"), ("c", "v"), ("d", "z")])
    ranked = curve_of(table(found), true, LEFT, RIGHT, "rank")
    assert (ranked.cuts.tolist(), ranked.pairs.tolist(), ranked.found.tolist()) == ([1, 2, 4], [3, 5, 6], [2, 3, 4])
    assert ranked.recall.tolist() == [0.4, 0.6, 0.8]
    scored = curve_of(table(found), true, LEFT, RIGHT, "score")
    assert scored.cuts.tolist() == [0.9, 0.7, 0.5, 0.4, 0.2]
    assert (scored.pairs.tolist(), scored.found.tolist()) == ([1, 2, 4, 5, 6], [1, 2, 3, 3, 4])
    assert [ranked.recall_of(n) for n in (0, 2, 3, 4, 5, 6, 99)] == [0.0, 0.0, 0.4, 0.4, 0.6, 0.8, 0.8]
    assert ranked.area(4) == 0.2  # nothing, nothing, 2 and 2 of 5
    assert ranked.area(10) == (2 + 2 + 3 + 4 * 5) / 50
    assert [ranked.first_with(target) for target in (0.0, 0.4, 0.41, 0.8, 0.81)] == [0, 0, 1, 2, None]
    assert ranked.as_json() == {
        "by": "rank",
        "cuts": [1.0, 2.0, 4.0],
        "pairs": [3, 5, 6],
        "found": [2, 3, 4],
        "recall": [0.4, 0.6, 0.8],
        "low": pytest.approx([0.052745, 0.146633, 0.283582], abs=1e-6),
        "high": pytest.approx([0.853367, 0.947255, 0.994949], abs=1e-6),
    }


@settings(max_examples=200, derandomize=True, deadline=None)
@given(FOUND, GOLD, st.sampled_from(["rank", "score"]), st.integers(1, 30))
def test_against_counting(found, true, by, budget):
    curve = curve_of(table(found), gold(true), LEFT, RIGHT, by)
    value = {pair: rank if by == "rank" else -score for pair, (rank, score) in found.items()}
    cuts = sorted(set(value.values()))
    above = [{pair for pair in found if value[pair] <= cut} for cut in cuts]
    assert curve.cuts.tolist() == [abs(cut) for cut in cuts]
    assert curve.pairs.tolist() == [len(some) for some in above]
    assert curve.found.tolist() == [len(some & true) for some in above]
    at = [max([len(some & true) for some in above if len(some) <= n], default=0) for n in range(1, budget + 1)]
    assert curve.recall_of(budget) == at[-1] / len(true)
    assert curve.area(budget) == pytest.approx(float(Fraction(sum(at), budget * len(true))), rel=1e-15)
    for target in (0.25, 0.5, 0.9):
        enough = [i for i, some in enumerate(above) if Fraction(len(some & true), len(true)) >= Fraction(target)]
        assert curve.first_with(target) == (enough[0] if enough else None)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(FOUND, GOLD, st.sampled_from(["rank", "score"]), st.randoms(use_true_random=False))
def test_what_a_curve_is(found, true, by, random):
    pairs = table(found)
    curve = curve_of(pairs, gold(true), LEFT, RIGHT, by)
    assert np.all(np.diff(curve.pairs) > 0)
    assert np.all(np.diff(curve.found) >= 0)
    measured = measure_pairs(pairs, gold(true), LEFT, RIGHT, by)
    assert (curve.recall[-1] if len(curve) else 0.0) == measured.pc
    for budget, recall in measured.recall_at.items():  # ties are not waited for there
        assert curve.recall_of(budget * len(LEFT)) <= recall
    order = list(range(len(pairs)))
    random.shuffle(order)
    assert curve_of(pairs.take(pa.array(order, pa.int64())), gold(true), LEFT, RIGHT, by).as_json() == curve.as_json()


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 3)), min_size=1, max_size=60), st.integers(2, 20))
def test_thinned(steps, most):
    pairs = np.unique([n for n, _ in steps])
    found = np.cumsum([more for _, more in steps])[: len(pairs)]
    curve = Curve("score", -np.arange(len(pairs), dtype=float), pairs, found, int(found[-1]) + 1)
    thin = curve.thinned(most)
    assert len(thin) <= max(2, most)
    points = list(zip(curve.cuts, curve.pairs, curve.found, strict=True))
    kept = list(zip(thin.cuts, thin.pairs, thin.found, strict=True))
    assert set(kept) <= set(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    if len(points) <= most:
        assert kept == points


def test_thinned_points_are_close():
    pairs = np.arange(1, 1_000_001)
    thin = Curve("score", -pairs.astype(float), pairs, pairs, 1_000_000).thinned()
    assert (len(thin), thin.pairs[0], thin.pairs[-1]) == (thin.pairs.size, 1, 1_000_000)
    assert len(thin) <= 400
    assert float(np.max(thin.pairs[60:] / thin.pairs[59:-1])) < 1.1


def test_no_pairs():
    curve = curve_of(table({}), gold([("a", "v")]), LEFT, RIGHT, "rank")
    assert (len(curve), curve.recall_of(9), curve.area(9), curve.first_with(0.0)) == (0, 0.0, 0.0, None)
    assert curve.thinned().as_json()["pairs"] == []


def test_bands_are_those_of_each():
    found = np.array([0, 1, 5, 9, 10])
    low, high = bands(found, 10)
    assert [(a, b) for a, b in zip(low, high, strict=True)] == [clopper_pearson(n, 10) for n in found.tolist()]


def test_within_one_table_it_does_not_matter_which_is_left():
    pairs = table({("a", "b"): (1, 0.5), ("c", "d"): (2, 0.5)})
    curve = curve_of(pairs, gold([("d", "c"), ("b", "c")]), LEFT, None, "rank")
    assert (curve.found.tolist(), curve.matches) == ([0, 1], 2)


def test_what_cannot_be():
    with pytest.raises(InputError, match="there are matches"):
        curve_of(table({}), gold([]), LEFT, RIGHT, "rank")
    with pytest.raises(ConfigError, match="at least one pair"):
        curve_of(table({}), gold([("a", "v")]), LEFT, RIGHT, "rank").area(0)
