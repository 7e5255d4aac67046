"""Graph cut and other pairwise functions against their formulas."""

import numpy as np
import pytest

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.pairwise import graph_cut, pairwise

from . import set_cases


def test_golden_gains():
    function = graph_cut(set_cases.graph(set_cases.GOLDEN), 0.4)
    assert [function.add(j) for j in (1, 0, 2)] == pytest.approx([1.70, 0.88, 0.66], abs=1e-8)


@pytest.mark.parametrize("cost", [0.0, 0.4, 1.0])
def test_graph_cut_is_its_formula(cost):
    made = set_cases.vectors(5, 8)
    similarities = set_cases.cosines(made)
    for columns in (dense_columns(made), dense_columns(made, memory=0), set_cases.graph(similarities, both_ways=True)):
        function = graph_cut(columns, cost)
        set_cases.check_against(function, lambda chosen: set_cases.graph_cut(similarities, chosen, cost), [7, 2, 3, 0])
        assert function.monotone is (cost <= 0.5)


def test_four_of_a_kind():
    function = graph_cut(set_cases.graph(np.ones((4, 4))), 0.4)
    assert [function.add(j) for j in range(4)] == pytest.approx([3.6, 2.8, 2.0, 1.2], abs=1e-8)


def test_pairwise_is_worth_less_what_is_shared():
    columns = set_cases.graph([[0, 2.0, 0], [2.0, 0, 1.0], [0, 1.0, 0]])
    function = pairwise(columns, np.array([1.0, 4.0, 2.0]), 0.5)
    assert [function.add(j) for j in (1, 2, 0)] == [4.0, 1.5, 0.0]
    assert function.monotone
    assert not pairwise(columns, np.array([1.0, 1.0, 2.0]), 0.5).monotone


def test_what_is_refused():
    with pytest.raises(InputError, match="not negative; found -0.25"):
        graph_cut(set_cases.graph([[1.0, -0.25], [-0.25, 1.0]]))
    with pytest.raises(InputError, match="both directions"):
        graph_cut(set_cases.graph([[1.0, 0.5], [0.25, 1.0]]))
    with pytest.raises(InputError, match="both directions"):
        graph_cut(dense_columns(set_cases.vectors(1, 3), set_cases.vectors(2, 3)))
    with pytest.raises(ConfigError, match="lambda"):
        graph_cut(set_cases.graph(set_cases.GOLDEN), -1.0)
    with pytest.raises(InputError, match="finite worth"):
        pairwise(set_cases.graph(set_cases.GOLDEN), np.array([1.0, np.nan, 1.0]), 1.0)
    with pytest.raises(ConfigError, match="at least 0"):
        pairwise(set_cases.graph(set_cases.GOLDEN), np.ones(3), float("nan"))
