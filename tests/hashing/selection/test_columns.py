"""Similarities as whole numbers."""

import numpy as np
import pytest

from tamis.hashing.selection.columns import whole


@pytest.mark.parametrize(
    ("values", "units", "unit"),
    [
        ([1.0, 0.5, 0.0], [1 << 30, 1 << 29, 0], 2.0**-30),
        ([0.25], [1 << 30], 2.0**-32),
        ([3.0, -1.5], [3 << 28, -3 << 27], 2.0**-28),
        ([1e-300], None, None),
        ([0.0], [0], 2.0**-30),
        ([], [], 2.0**-30),
    ],
)
def test_the_highest_is_near_2_to_the_30(values, units, unit):
    found, one = whole(np.array(values), max(map(abs, values), default=0.0))
    if units is not None:
        assert (found.tolist(), one) == (units, unit)
    np.testing.assert_allclose(found * one, values, rtol=1e-9)
