"""Error and rank correlation, against SciPy and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from tamis.hashing.compression.agreement import kendall_tau, rmse


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_tau_is_that_of_scipy(pairs):
    one, other = np.array(pairs, np.float64).T
    expected = kendalltau(one, other).statistic if len(set(one)) > 1 and len(set(other)) > 1 else np.nan
    assert kendall_tau(one, other) == pytest.approx(expected, nan_ok=True)


def test_rmse_is_in_points():
    assert rmse(np.array([0.5, 0.7]), np.array([0.4, 0.7])) == pytest.approx(100 * np.sqrt(0.01 / 2))
