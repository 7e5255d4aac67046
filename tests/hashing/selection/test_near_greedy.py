"""Greedy by near similarities: every number that greedy by exact ones answers, or none."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.selection import facility_location, near_location
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.facility_location import FacilityLocation
from tamis.hashing.selection.greedy import greedy
from tamis.hashing.selection.near_columns import near_columns
from tamis.hashing.selection.near_greedy import greedy_nearly
from tamis.hashing.selection.optimum import Budget
from tamis.hashing.selection.parts import greedy_in_parts
from tamis.hashing.selection.saturated_coverage import SaturatedCoverage

from . import set_cases

NONE = np.array([], np.int64)


def by_exact_ones(columns, budget, **options):
    """Return the choice by all similarities, made first."""
    assert columns.held is not None
    return greedy(FacilityLocation(columns), budget, **options)


def facts(found):
    return found.items.tolist(), found.gains.tolist(), found.value, found.bound


@settings(max_examples=80, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 60),
    m=st.sampled_from([0, 1, 40]),
    d=st.integers(1, 12),
    bits=st.sampled_from([12, 26]),
    k=st.integers(0, 70),
    until_loss=st.booleans(),
)
def test_all_numbers_are_those_of_exact_similarities(seed, n, m, d, bits, k, until_loss):
    made = np.random.Generator(np.random.PCG64(seed))
    items = made.normal(size=(n, d))
    items[n // 3 :: 2] = items[n // 4]  # ties
    rows = made.normal(size=(m, d)) if m else None
    start = made.permutation(n)[: int(made.integers(0, 3))].astype(np.int64)
    among = made.permutation(n)[: int(made.integers(0, n + 1))].astype(np.int64) if seed % 2 else None
    options = {"start": start, "among": among, "until_loss": until_loss}
    with pytest.MonkeyPatch.context() as patch:
        told = []
        patch.setattr(
            "tamis.hashing.selection.greedy.greedy_nearly",
            lambda *a, **b: told.append(greedy_nearly(*a, **b)) or told[-1],
        )
        nearly = greedy(FacilityLocation(dense_columns(items, rows, bits=bits)), Budget(k), **options)
        assert told[0] is nearly
    expected = by_exact_ones(dense_columns(items, rows, bits=bits), Budget(k), **options)
    assert facts(nearly) == facts(expected)


def test_a_larger_choice():
    made = np.random.Generator(np.random.PCG64(11))
    vectors = made.normal(size=(40, 24))[made.zipf(1.5, 1500) % 40] + made.normal(scale=0.3, size=(1500, 24))
    for k in (1, 7, 150, 1499):
        nearly = greedy(FacilityLocation(dense_columns(vectors, threads=1 + k % 2)), Budget(k))
        assert facts(nearly) == facts(by_exact_ones(dense_columns(vectors), Budget(k)))
        assert len(nearly.items) == k
        assert nearly.value <= nearly.bound


def test_far_apart_items_are_bounded_at_the_start():
    columns = dense_columns(np.eye(6))
    found = greedy_nearly(FacilityLocation(columns), Budget(2), np.arange(6), start=NONE, until_loss=False)
    assert (found.items.tolist(), found.bound) == ([0, 1], pytest.approx(2.0, abs=1e-7))
    assert not columns.made


def test_where_it_is_not_sooner(monkeypatch):
    vectors = set_cases.vectors(3, 12)
    items = np.arange(12)

    def asked(function, budget):
        return greedy_nearly(function, budget, items, start=NONE, until_loss=False)

    assert asked(FacilityLocation(dense_columns(vectors)), Budget(3)) is not None
    assert asked(FacilityLocation(dense_columns(vectors)), Budget(3, np.ones(12, np.int64))) is None
    assert asked(FacilityLocation(dense_columns(vectors, memory=0)), Budget(3)) is None
    assert asked(FacilityLocation(set_cases.graph(set_cases.cosines(vectors))), Budget(3)) is None
    assert asked(SaturatedCoverage(dense_columns(vectors), 0.3), Budget(3)) is None
    columns = dense_columns(vectors)
    assert columns.held is not None
    assert asked(FacilityLocation(columns), Budget(3)) is None
    monkeypatch.setattr(near_location, "_ALWAYS", 5)
    assert asked(FacilityLocation(dense_columns(vectors)), Budget(3)) is None
    found = greedy(FacilityLocation(dense_columns(vectors)), Budget(3))  # exact similarities instead
    assert facts(found) == facts(by_exact_ones(dense_columns(vectors), Budget(3)))


def test_near_similarities_are_made_once(monkeypatch):
    calls = []
    monkeypatch.setattr(facility_location, "near_columns", lambda columns: calls.append(1) or near_columns(columns))
    function = FacilityLocation(dense_columns(set_cases.vectors(3, 40)))
    greedy(function, Budget(3))
    greedy_in_parts(function, Budget(5), 3)
    assert calls == [1]


def test_other_methods_are_not_asked(monkeypatch):
    monkeypatch.setattr(facility_location, "near_columns", None)
    found = [greedy(FacilityLocation(dense_columns(set_cases.vectors(3, 12))), Budget(3), method="naive")]
    found += [greedy(FacilityLocation(dense_columns(set_cases.vectors(3, 12), memory=0)), Budget(3))]
    assert found[0].items.tolist() == found[1].items.tolist()
