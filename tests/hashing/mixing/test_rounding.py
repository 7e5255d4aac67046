"""Budgets as whole numbers, against rules carried out one by one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.mixing.budgets import taylor_softmax
from tamis.hashing.mixing.rounding import floor_and_deal, largest_remainder


def dealt_one_by_one(shares, total, sizes):
    """The published rule, a unit at a time."""
    whole = math.fsum(shares)
    budgets = [math.floor(share / whole * total) for share in shares]
    for place in range(total - sum(budgets)):
        budgets[place % len(budgets)] += 1
    budgets = [min(budget, size) for budget, size in zip(budgets, sizes, strict=True)]
    while sum(budgets) < total:
        for place in range(len(budgets)):
            if sum(budgets) < total and budgets[place] < sizes[place]:
                budgets[place] += 1
    return budgets


def test_golden_budgets():
    graph_cut, facility_location = taylor_softmax([1.70, 0.88, 0.66]), taylor_softmax([2.1, 0.8, 0.1])
    assert floor_and_deal(graph_cut, 100, [100, 100, 100]).tolist() == [51, 27, 22]
    assert largest_remainder(graph_cut, 100).tolist() == [50, 27, 23]
    assert floor_and_deal(facility_location, 1000, [500, 500, 500]).tolist() == [500, 310, 190]
    assert largest_remainder(facility_location, 1000, [500, 500, 500]).tolist() == [500, 329, 171]


def test_overflow_goes_round():
    # 50, 27, 22 and 1 more for the first; the first holds 10, so 41 go round: 21 and 20
    assert floor_and_deal([0.5, 0.2735, 0.2265], 100, [10, 100, 100]).tolist() == [10, 48, 42]
    assert floor_and_deal([0.5, 0.2735, 0.2265], 100, [10, 30, 100]).tolist() == [10, 30, 60]


def test_a_share_of_nothing_stays_nothing():
    assert floor_and_deal([1, 0, 1], 5, [9, 9, 9]).tolist() == [3, 0, 2]
    assert largest_remainder([0, 1, 1], 5).tolist() == [0, 3, 2]
    assert largest_remainder([0.3, 0.7], 0, [4, 4]).tolist() == [0, 0]


def test_a_single_source_gets_all():
    assert floor_and_deal([0.1], 7, [7]).tolist() == [7]
    assert largest_remainder([5.0], 7).tolist() == [7]


def test_very_large_budgets_add_up():
    shares = [1 / 3, 1 / 7, 11 / 21, 1e-9]
    for budgets in (floor_and_deal(shares, 2**52, [2**52] * 4), largest_remainder(shares, 2**52)):
        assert sum(budgets.tolist()) == 2**52


def test_parts_that_rounding_made_too_large_are_given_back():
    total = 8_614_285_305_078_785  # 2 and 7 ninths of it, as floats rounded down, are one more
    expected = [1_914_285_623_350_841, 6_699_999_681_727_944]
    assert floor_and_deal([2, 7], total, [total, total]).tolist() == expected
    assert largest_remainder([2, 7], total).tolist() == expected


@pytest.mark.parametrize("rule", [floor_and_deal, largest_remainder])
def test_more_than_there_is_is_refused(rule):
    with pytest.raises(ConfigError, match="budget is no more than what its sources hold; found a budget of 31"):
        rule([1, 1], 31, [10, 20])
    with pytest.raises(ConfigError, match="no more than what its sources hold"):
        rule([1, 0], 11, [10, 20])  # what has no share is not taken
    with pytest.raises(ConfigError):
        rule([1, 1], -1, [10, 20])
    with pytest.raises(InputError, match="above 0"):
        rule([0, 0], 1, [10, 20])
    with pytest.raises(InputError, match="nan in place 1"):
        rule([1, float("nan")], 1, [10, 20])
    with pytest.raises(InputError, match="one for each source"):
        rule([1, 1], 1, [10])


CASES = st.integers(1, 7).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(0.01, 10), min_size=n, max_size=n), st.lists(st.integers(0, 40), min_size=n, max_size=n)
    )
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(CASES, st.floats(0, 1))
def test_the_published_rule_is_carried_out(case, part):
    shares, sizes = case
    total = int(sum(sizes) * part)
    assert floor_and_deal(shares, total, sizes).tolist() == dealt_one_by_one(shares, total, sizes)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(CASES, st.floats(0, 1))
def test_largest_remainders_are_near_their_quotas(case, part):
    shares, sizes = case
    total = int(sum(sizes) * part)
    budgets = largest_remainder(shares, total, sizes)
    assert sum(budgets.tolist()) == total
    assert (budgets >= 0).all()
    assert (budgets <= np.array(sizes)).all()
    free = largest_remainder(shares, total)
    assert np.abs(free - np.array(shares) / sum(shares) * total).max() < 1 + 1e-9


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=6, unique=True), st.integers(0, 500), st.randoms())
def test_the_order_of_sources_does_not_matter(shares, total, random):
    order = random.sample(range(len(shares)), len(shares))
    whole = sum(shares)
    rests = [share * total % whole for share in shares]
    if len(set(rests)) == len(rests):  # no ties
        budgets = largest_remainder(shares, total)
        assert largest_remainder([shares[i] for i in order], total).tolist() == budgets[order].tolist()
