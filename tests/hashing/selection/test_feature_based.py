"""Feature-based functions against their formula."""

import math

import numpy as np
import pytest

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.selection.feature_based import feature_based
from tamis.hashing.sparse_topk import SparseRows

from . import set_cases

COUNTS = [[4, 0, 0], [1, 1, 0], [0, 0, 9], [0, 0, 0]]


def test_golden_gains():
    function = set_cases.features(COUNTS)
    assert function.gains(np.arange(4)).tolist() == [2.0, 2.0, 3.0, 0.0]
    assert [function.add(j) for j in (2, 0, 1, 3)] == [3.0, 2.0, math.sqrt(5) - 2 + 1, 0.0]


@pytest.mark.parametrize(("curve", "phi"), [("sqrt", math.sqrt), ("log1p", math.log1p)])
def test_gains_are_those_of_the_formula(curve, phi):
    counts = np.random.Generator(np.random.PCG64(4)).poisson(0.7, (9, 6)).astype(float)
    function = set_cases.features(counts, curve=curve)
    set_cases.check_against(function, lambda some: set_cases.feature_value(counts, some, phi), [8, 1, 4, 3, 0])


def test_weights_of_features():
    function = set_cases.features(COUNTS, weights=np.array([0.5, 0.0, 2.0]))
    assert function.gains(np.arange(4)).tolist() == [1.0, 0.5, 6.0, 0.0]


def test_what_is_refused():
    def made(terms, shares, n_features=3, **options):
        rows = SparseRows(np.array([0, 1, len(terms)]), np.array(terms, np.int32), np.array(shares, np.float64))
        return feature_based(rows, n_features, **options)

    assert made([2, 0, 1], [1.0, 1.0, 1.0]).size == 2
    with pytest.raises(InputError, match="-1.0 at 1"):
        made([2, 0, 1], [1.0, -1.0, 1.0])
    with pytest.raises(InputError, match="nan at 0"):
        made([2, 0, 1], [float("nan"), 1.0, 1.0])
    with pytest.raises(InputError, match="from 0 to 1"):
        made([2, 0, 1], [1.0, 1.0, 1.0], 2)
    with pytest.raises(InputError, match="ascend; found entry 2"):
        made([2, 1, 1], [1.0, 1.0, 1.0])
    with pytest.raises(InputError, match="has a weight"):
        made([2, 0, 1], [1.0, 1.0, 1.0], weights=np.ones(2))
    with pytest.raises(ConfigError, match="curve"):
        made([2, 0, 1], [1.0, 1.0, 1.0], curve="log")
