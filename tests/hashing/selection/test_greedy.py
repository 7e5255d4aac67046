"""Greedy choice: golden orders, the best of all sets, and one choice by every way."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.facility_location import FacilityLocation
from tamis.hashing.selection.greedy import _draw, greedy
from tamis.hashing.selection.log_determinant import LogDeterminant
from tamis.hashing.selection.optimum import Budget
from tamis.hashing.selection.pairwise import graph_cut
from tamis.hashing.selection.saturated_coverage import SaturatedCoverage

from . import set_cases

SHARE = 1 - 1 / math.e
SEEDS = st.integers(0, 10**6)
NAMES = ("facility location", "saturated coverage", "graph cut", "log-determinant", "features")


def case(name, seed, n, d=4):
    """Return a function and its formula."""
    made = set_cases.vectors(seed, n, d)
    s = set_cases.cosines(made)
    if name == "facility location":
        return FacilityLocation(dense_columns(made)), lambda some: set_cases.facility_location(s, some)
    if name == "saturated coverage":
        return SaturatedCoverage(dense_columns(made), 0.3), lambda some: set_cases.saturated_coverage(s, some, 0.3)
    if name == "graph cut":
        return graph_cut(dense_columns(made)), lambda some: set_cases.graph_cut(s, some, 0.4)
    if name == "log-determinant":
        return LogDeterminant(dense_columns(made)), lambda some: set_cases.log_determinant(s, some)
    counts = np.random.Generator(np.random.PCG64(seed)).poisson(0.6, (n, 6)).astype(float)
    return set_cases.features(counts), lambda some: set_cases.feature_value(counts, some)


def test_golden_orders():
    columns = set_cases.graph(set_cases.GOLDEN)
    for method in ("naive", "lazy"):
        cut = greedy(graph_cut(columns, 0.4), Budget(3), method=method)
        assert cut.items.tolist() == [1, 0, 2]
        assert cut.gains.tolist() == pytest.approx([1.70, 0.88, 0.66], abs=1e-8)
        located = greedy(FacilityLocation(columns), Budget(3), method=method)
        assert located.items.tolist() == [1, 2, 0]
        assert located.gains.tolist() == pytest.approx([2.1, 0.8, 0.1], abs=1e-8)
        assert (located.value, located.bound, located.ratio) == pytest.approx((3.0, 3.0, 1.0), abs=1e-8)


def test_all_of_a_kind_go_by_number():
    for method in ("naive", "lazy"):
        found = greedy(graph_cut(set_cases.graph(np.ones((4, 4))), 0.4), Budget(9), method=method)
        assert found.items.tolist() == [0, 1, 2, 3]  # all of them, the last one too
        assert found.gains.tolist() == pytest.approx([3.6, 2.8, 2.0, 1.2], abs=1e-8)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, derandomize=True, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 9), k=st.integers(1, 4))
def test_a_choice_is_near_the_best(name, seed, n, k):
    function, value = case(name, seed, n)
    found = greedy(function, Budget(k))
    best = set_cases.best_value(value, n, k)
    assert found.value == pytest.approx(value(found.items.tolist()), abs=1e-6)
    assert found.gains.sum() == pytest.approx(found.value, abs=1e-9)
    assert found.value >= SHARE * best - 1e-6
    assert found.bound >= best - 1e-6
    assert (np.diff(found.gains) <= 1e-9).all()
    assert function.value() == 0.0  # left as it was


def test_near_the_best_of_twelve():
    for seed in range(4):
        function, value = case("facility location", seed, 12)
        found, best = greedy(function, Budget(4)), set_cases.best_value(value, 12, 4)
        assert SHARE * best - 1e-6 <= found.value <= best + 1e-6 <= found.bound + 2e-6


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, derandomize=True, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 9), limit=st.integers(1, 14))
def test_a_choice_within_a_cost_is_near_the_best(name, seed, n, limit):
    function, value = case(name, seed, n)
    costs = np.random.Generator(np.random.PCG64(seed)).integers(1, 9, n)
    found = greedy(function, Budget(limit, costs))
    best = set_cases.best_within(value, costs.tolist(), limit)
    assert costs[found.items].sum() <= limit
    assert found.value == pytest.approx(value(found.items.tolist()), abs=1e-6)
    assert found.value >= SHARE / 2 * best - 1e-6
    assert found.bound >= best - 1e-6
    naive = greedy(function, Budget(limit, costs), method="naive")
    assert found.items.tolist() == naive.items.tolist()


def test_one_large_item_beats_many_small_ones():
    function = set_cases.features([[4.0, 0], [0, 10000.0]])
    found = greedy(function, Budget(100, np.array([1, 100])))  # 2 / 1 is more than 100 / 100, and leaves 99
    assert (found.items.tolist(), found.gains.tolist(), found.value) == ([1], [100.0], 100.0)
    assert found.bound == pytest.approx(2 + 0.99 * 100)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, derandomize=True, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 60))
def test_lazy_is_naive(name, seed, n):
    function, _ = case(name, seed, n)
    lazy, naive = (greedy(function, Budget(n), method=method) for method in ("lazy", "naive"))
    assert lazy.items.tolist() == naive.items.tolist()
    assert lazy.gains.tolist() == naive.gains.tolist()
    assert sorted(lazy.items.tolist()) == list(range(n))
    part = greedy(function, Budget(n // 2))
    assert part.items.tolist() == lazy.items[: n // 2].tolist()


@settings(max_examples=40, derandomize=True, deadline=None)
@given(SEEDS, st.integers(1, 25))
def test_lazy_is_naive_with_ties(seed, n):
    made = np.random.Generator(np.random.PCG64(seed))
    similarities = made.integers(0, 3, (8, n)) * 1.0
    function = FacilityLocation(set_cases.graph(similarities))
    for costs in (None, made.integers(1, 4, n)):
        lazy, naive = (greedy(function, Budget(n, costs), method=method) for method in ("lazy", "naive"))
        assert lazy.items.tolist() == naive.items.tolist()


def test_items_in_another_order():
    made = set_cases.vectors(8, 30)
    order = np.random.Generator(np.random.PCG64(8)).permutation(30)
    keys = np.arange(30) * 7 + 1
    for method in ("naive", "lazy", "stochastic"):
        first = greedy(FacilityLocation(dense_columns(made)), Budget(9), method=method, keys=keys)
        function = FacilityLocation(dense_columns(made[order]))
        again = greedy(function, Budget(9), method=method, keys=keys[order])
        assert order[again.items].tolist() == first.items.tolist()
        assert again.gains.tolist() == first.gains.tolist()


def test_a_start_is_added_to():
    function, value = case("facility location", 3, 12)
    whole = greedy(function, Budget(5))
    rest = greedy(function, Budget(3), start=whole.items[:2])
    assert rest.items.tolist() == whole.items[2:].tolist()
    assert rest.value == whole.value
    other = greedy(function, Budget(2), start=np.array([7, 4]))
    best = max(value([7, 4, a, b]) for a in range(12) for b in range(12))
    assert other.value <= best + 1e-6 <= other.bound + 2e-6
    assert not set(other.items.tolist()) & {7, 4}


def test_among_some():
    function, _ = case("facility location", 3, 12)
    some = np.array([9, 2, 5, 4])
    found = greedy(function, Budget(9), among=some, start=np.array([5]))
    assert sorted(found.items.tolist()) == [2, 4, 9]


def test_until_loss():
    function = graph_cut(set_cases.graph(np.ones((4, 4))), 1.0)  # 3, 1, -1, -3
    assert not function.monotone
    assert greedy(function, Budget(4)).gains.tolist() == [3.0, 1.0, -1.0, -3.0]
    for method in ("naive", "lazy", "stochastic"):
        found = greedy(function, Budget(4), until_loss=True, method=method)
        assert (found.gains.tolist(), found.value, found.bound) == ([3.0, 1.0], 4.0, 12.0)


def test_stochastic_golden():
    function, _ = case("facility location", 5, 40)
    found = greedy(function, Budget(6), method="stochastic", seed=1, epsilon=0.3)
    assert found.items.tolist() == [20, 14, 28, 33, 15, 4]
    assert found.items.tolist() != greedy(function, Budget(6), method="stochastic", seed=2, epsilon=0.3).items.tolist()
    assert sorted(greedy(function, Budget(99), method="stochastic").items.tolist()) == list(range(40))


def test_a_draw_brings_a_uniform_sample_to_the_front():
    def mixed(x):
        for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):
            x = (x ^ x >> shift) * factor % 2**64
        return x ^ x >> 33

    left = np.arange(10)
    _draw(left, 4, np.uint64(77), 5)
    expected, state = list(range(10)), mixed(77 ^ mixed(5))
    for i in range(4):
        state = mixed((state + 0x9E3779B97F4A7C15) % 2**64)
        other = i + (state >> 32) * (10 - i) // 2**32
        expected[i], expected[other] = expected[other], expected[i]
    assert left.tolist() == expected
    counts = np.zeros(10, np.int64)
    for step in range(2000):
        left = np.arange(10)
        _draw(left, 3, np.uint64(1), step)
        counts[left[:3]] += 1
    assert counts.sum() == 6000
    assert ((counts - 600) ** 2 / 420).sum() < 24  # chi-square, 9 degrees of freedom: above 21.7 once in 100


def test_stochastic_is_near_greedy_on_average():
    ratios = []
    for seed in range(20):
        function, _ = case("facility location", seed, 200, 8)
        drawn = greedy(function, Budget(20), method="stochastic", seed=seed)
        ratios.append(drawn.value / greedy(function, Budget(20)).value)
        assert drawn.value <= drawn.bound
    assert np.mean(ratios) >= 0.95
    assert min(ratios) >= SHARE - 0.05


def test_stochastic_within_a_cost():
    function, _ = case("facility location", 5, 40)
    costs = np.arange(1, 41)
    found = greedy(function, Budget(60, costs), method="stochastic", seed=3)
    assert costs[found.items].sum() <= 60
    assert found.value >= 0.9 * greedy(function, Budget(60, costs)).value


def test_lazy_asks_for_less():
    function, _ = case("facility location", 5, 200)
    lazy, naive = (greedy(function, Budget(50), method=method) for method in ("lazy", "naive"))
    assert lazy.evaluations < naive.evaluations / 3


def test_nothing_to_choose():
    function, _ = case("facility location", 5, 4)
    for method in ("naive", "lazy", "stochastic"):
        found = greedy(function, Budget(0), method=method)
        assert (found.items.tolist(), found.value, found.bound, found.ratio) == ([], 0.0, 0.0, 1.0)
        found = greedy(function, Budget(3), among=np.array([], np.int64), method=method)
        assert (found.items.tolist(), found.value) == ([], 0.0)
        found = greedy(function, Budget(2, np.full(4, 3)), method=method)
        assert (found.items.tolist(), found.bound) == ([], 0.0)


def test_what_is_refused():
    function, _ = case("facility location", 5, 4)
    with pytest.raises(ConfigError, match="from 0 to 3; found 1 to 4"):
        greedy(function, Budget(1), start=np.array([1, 4]))
    with pytest.raises(ConfigError, match="once"):
        greedy(function, Budget(1), among=np.array([1, 1]))
    with pytest.raises(ConfigError, match="epsilon"):
        greedy(function, Budget(1), method="stochastic", epsilon=1.0)
    with pytest.raises(ConfigError, match="found greedy"):
        greedy(function, Budget(1), method="greedy")
