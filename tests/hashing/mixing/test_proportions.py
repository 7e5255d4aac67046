"""Weights by size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.mixing.proportions import proportional, temperature, uniform, unimax


def published_unimax(sizes, budget, epochs):
    """Algorithm 1 of the paper, as it stands."""
    amounts, left = [0.0] * len(sizes), budget
    order = sorted(range(len(sizes)), key=lambda place: sizes[place])
    for rank, place in enumerate(order):
        even = left / (len(sizes) - rank)
        amounts[place] = min(even, epochs * sizes[place])
        left -= amounts[place]
    return [amount / budget for amount in amounts]


def test_by_size():
    assert proportional([1, 3, 0]).tolist() == [0.25, 0.75, 0.0]
    assert uniform([1, 3, 0]).tolist() == [0.5, 0.5, 0.0]


def test_temperature_is_between():
    assert temperature([1, 9], 1).tolist() == pytest.approx([0.1, 0.9])
    assert temperature([1, 9], 2).tolist() == pytest.approx([0.25, 0.75])
    assert temperature([1, 9, 0], float("inf")).tolist() == [0.5, 0.5, 0.0]
    assert temperature([1, 1e300, 0], 1e-3).tolist() == [0.0, 1.0, 0.0]
    with pytest.raises(ConfigError, match="a temperature is above 0"):
        temperature([1, 2], 0)
    with pytest.raises(ConfigError):
        temperature([1, 2], float("nan"))


def test_golden_unimax():
    assert unimax([10, 100, 1000], 300, 4).tolist() == pytest.approx([40 / 300, 130 / 300, 130 / 300])
    with pytest.raises(ConfigError, match="sources hold the budget"):
        unimax([10, 10], 100, 4)
    with pytest.raises(InputError):
        unimax([], 100, 4)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.floats(0.01, 1), st.floats(0.5, 4))
def test_unimax_is_published(sizes, part, epochs):
    budget = part * epochs * sum(sizes)
    np.testing.assert_allclose(unimax(sizes, budget, epochs), published_unimax(sizes, budget, epochs), atol=1e-9)
