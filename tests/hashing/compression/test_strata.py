"""Groups of items of like difficulty."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.compression.strata import strata_of


def test_golden():
    means = np.array([0.9, 0.1, 0.5, 0.5, 0.0, 1.0, 0.3, 0.7])
    assert [one.tolist() for one in strata_of(means, 4, by_spread=False)] == [[4, 1], [6, 2], [3, 7], [0, 5]]
    assert [one.tolist() for one in strata_of(means, 4)] == [[4, 1, 6], [2], [3], [7, 0, 5]]


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), min_size=1, max_size=40), st.data(), st.booleans())
def test_every_item_is_in_one_group_and_none_is_empty(means, data, by_spread):
    k = data.draw(st.integers(1, len(means)))
    groups = strata_of(np.array(means), k, by_spread=by_spread)
    assert len(groups) == k
    assert min(len(group) for group in groups) >= 1
    assert np.concatenate(groups).tolist() == sorted(range(len(means)), key=lambda i: (means[i], i))
