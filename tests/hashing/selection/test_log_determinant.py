"""The log-determinant against that of a library."""

import math

import numpy as np
import pytest

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.log_determinant import LogDeterminant

from . import set_cases


def test_golden_gains():
    function = LogDeterminant(set_cases.graph(set_cases.GOLDEN))
    expected = [math.log(2), math.log(2 - 0.1**2 / 2)]
    assert [function.add(0), function.add(2)] == pytest.approx(expected, abs=1e-8)
    assert function.monotone


@pytest.mark.parametrize("ridge", [1.0, 0.25])
def test_gains_are_those_of_the_formula(ridge):
    made = set_cases.vectors(9, 14, 20)
    similarities = set_cases.cosines(made)
    for columns in (dense_columns(made), dense_columns(made, memory=0), set_cases.graph(similarities, both_ways=True)):
        function = LogDeterminant(columns, ridge)
        order = [7, 2, 3, 0, 13, 12, 11, 10, 9, 8]  # more than there is room for at first
        set_cases.check_against(function, lambda some: set_cases.log_determinant(similarities, some, ridge), order)
        assert function.monotone is (ridge >= 1)


def test_what_is_refused():
    function = LogDeterminant(set_cases.graph([[1.0, 3.0], [3.0, 1.0]]))
    function.add(0)
    with pytest.raises(InputError, match="item 1 with 1 others"):
        function.gains(np.array([1]))
    with pytest.raises(InputError, match="both directions"):
        LogDeterminant(set_cases.graph([[1.0, 0.5], [0.25, 1.0]]))
    with pytest.raises(ConfigError, match="ridge"):
        LogDeterminant(set_cases.graph(set_cases.GOLDEN), 0.0)
