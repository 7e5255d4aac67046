"""Facility location on a graph and on vectors, held or made in blocks, against its formula."""

import numpy as np
import pytest

from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.facility_location import FacilityLocation, coverage
from tamis.hashing.selection.greedy import greedy
from tamis.hashing.selection.optimum import Budget

from . import set_cases


def test_golden_gains():
    function = FacilityLocation(set_cases.graph(set_cases.GOLDEN))
    assert function.gains(np.arange(3)).tolist() == pytest.approx([2.0, 2.1, 1.3], abs=1e-8)
    assert [function.add(j) for j in (1, 2, 0)] == pytest.approx([2.1, 0.8, 0.1], abs=1e-8)
    assert function.value() == pytest.approx(3.0, abs=1e-8)


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_rows_need_not_be_the_items(memory):
    items, rows = set_cases.vectors(1, 7), set_cases.vectors(2, 11)
    similarities = rows @ items.T
    function = FacilityLocation(dense_columns(items, rows, memory=memory))
    set_cases.check_against(function, lambda chosen: set_cases.facility_location(similarities, chosen), [4, 0, 6])
    function = FacilityLocation(set_cases.graph(similarities))
    set_cases.check_against(function, lambda chosen: set_cases.facility_location(similarities, chosen), [4, 0, 6])


def test_a_graph_has_zeros_where_it_has_no_entry():
    similarities = [[0.5, 0.0, 0.25], [0.0, 0.0, 1.5], [0.0, 0.75, 0.0], [0.0, 0.0, 0.0]]
    function = FacilityLocation(set_cases.graph(similarities))
    set_cases.check_against(function, lambda chosen: set_cases.facility_location(similarities, chosen), [2, 1, 0])
    assert function.value() == 0.5 + 1.5 + 0.75


def test_a_negative_similarity_counts_as_zero():
    function = FacilityLocation(set_cases.graph([[-0.5, 0.25], [-1.0, -1.0]]))
    assert function.gains(np.arange(2)).tolist() == [0.0, 0.25]
    assert [function.add(0), function.add(1)] == [0.0, 0.25]


def test_coverage_is_the_value_of_all_at_once():
    made = set_cases.vectors(3, 40)
    function = FacilityLocation(dense_columns(made))
    chosen = np.arange(0, 40, 2)
    for item in chosen.tolist():
        function.add(item)
    assert coverage(dense_columns(made, memory=0), chosen) == function.value()
    assert coverage(dense_columns(made), np.array([], np.int64)) == 0.0


def test_golden_gains_beyond_what_is_covered():
    columns = set_cases.graph([[0.5, 0.0, 0.25], [0.0, 0.0, 1.5], [0.0, 0.75, 0.0]])
    covered = (np.array([0.25, 1.0, 1.0]) / columns.unit).astype(np.int32)
    function = FacilityLocation(columns, covered)
    assert function.value() == 2.25
    assert function.gains(np.arange(3)).tolist() == [0.25, 0.0, 0.5]
    assert [function.add(2), function.add(0), function.add(1)] == [0.5, 0.25, 0.0]
    assert (function.value(), function.fresh().value()) == (3.0, 2.25)


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("budget", [Budget(9), Budget(30, np.arange(60) % 7 + 1)])
@pytest.mark.parametrize("method", ["lazy", "naive", "stochastic"])
def test_what_a_start_covers_is_a_start(method, budget, held):
    columns = dense_columns(set_cases.vectors(5, 60))
    if held:
        assert columns.held is not None
    start = np.array([3, 17, 40])
    rest = np.setdiff1d(np.arange(60), start)
    state = FacilityLocation(columns)
    for item in start.tolist():
        state.add(item)
    begun = greedy(FacilityLocation(columns), budget, method=method, start=start)
    covered = greedy(FacilityLocation(columns, state.best), budget, method=method, among=rest)
    assert covered.items.tolist() == begun.items.tolist()
    assert covered.gains.tolist() == begun.gains.tolist()
    assert (covered.value, covered.bound) == (begun.value, begun.bound)
    assert covered.items.tolist() != greedy(FacilityLocation(columns), budget, method=method).items.tolist()
