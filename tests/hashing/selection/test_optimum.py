"""How much more items could add, against trying all."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.selection.optimum import Budget, most_more

from . import set_cases

GAINS = st.lists(st.integers(-3, 9), min_size=1, max_size=8)


def test_golden_bounds():
    gains = np.array([1.0, 5.0, 3.0, -2.0])
    assert most_more(gains, np.arange(4), Budget(2)) == 8.0
    assert most_more(gains, np.arange(4), Budget(9)) == 9.0
    assert most_more(gains, np.arange(4), Budget(5, np.array([1, 4, 2, 1]))) == 6.75
    assert most_more(gains[[1]], np.array([1]), Budget(2, np.array([1, 4, 2, 1]))) == 2.5
    assert most_more(gains, np.arange(4), Budget(0)) == 0.0


@settings(max_examples=100, derandomize=True, deadline=None)
@given(GAINS, st.integers(0, 12), st.data())
def test_no_filling_is_worth_more(gains, limit, data):
    costs = data.draw(st.lists(st.integers(1, 5), min_size=len(gains), max_size=len(gains)))
    every = np.arange(len(gains))

    def value(some):
        return sum(gains[j] for j in some)

    counted = most_more(np.array(gains, float), every, Budget(limit))
    assert counted == set_cases.best_value(value, len(gains), min(limit, len(gains)))
    filled = most_more(np.array(gains, float), every, Budget(limit, np.array(costs)))
    assert filled >= set_cases.best_within(value, costs, limit) - 1e-9


def test_what_is_refused():
    with pytest.raises(ConfigError, match="negative; found -1"):
        Budget(-1).check(3)
    with pytest.raises(InputError, match="whole cost; found float64"):
        Budget(1, np.ones(3)).check(3)
    with pytest.raises(InputError, match="whole cost; found int64"):
        Budget(1, np.ones(2, np.int64)).check(3)
    with pytest.raises(InputError, match="above 0; found item 1"):
        Budget(1, np.array([1, 0, 2])).check(3)
