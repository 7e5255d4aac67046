import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.keyed_order import keyed_order

I64 = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-(2**63), -1, 0, 7, 2**63 - 1]) | I64, st.integers(-50, 50)), max_size=60))
def test_order_of_pairs(pairs):
    keys, rows = np.array([p[0] for p in pairs], np.int64), np.array([p[1] for p in pairs], np.int64)
    order = keyed_order(keys, rows)
    assert sorted(order.tolist()) == list(range(len(pairs)))
    assert [pairs[i] for i in order] == sorted(pairs)


@pytest.mark.parametrize("keys", [1, 3, 1000])
def test_long_and_short_runs_of_equal_keys(keys):
    rng = np.random.default_rng(keys)
    some, rows = rng.integers(0, keys, 5000), rng.permutation(5000)
    assert keyed_order(some, rows).tolist() == np.lexsort((rows, some)).tolist()
