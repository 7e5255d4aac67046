"""Overlaps over filled buckets, against those over all."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.mixing.sparse_overlap import FilledBuckets


def test_golden():
    filled = FilledBuckets.of(np.array([[0.0, 0.25, 0.75], [0.0, 0.0, 1.0]]))
    assert filled.bounds.tolist() == [0, 2, 3]
    assert filled.buckets.tolist() == [1, 2, 2]
    assert filled.mixed(np.array([0.5, 0.5])).tolist() == [0.0, 0.125, 0.875]
    assert filled.overlaps(np.array([0.5, 0.25, 0.25])).tolist() == [0.25 + np.sqrt(0.75) * 0.5, 0.5]


ROWS = st.lists(st.lists(st.sampled_from([0.0, 0.0, 0.1, 0.5, 2.0]), min_size=5, max_size=5), min_size=1, max_size=6)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(ROWS, st.integers(0, 2**32))
def test_empty_buckets_add_nothing(rows, seed):
    shares = np.array(rows)
    weights = np.random.Generator(np.random.PCG64(seed)).dirichlet(np.ones(len(rows)))
    filled = FilledBuckets.of(shares)
    mix = filled.mixed(weights)
    assert mix.tolist() == (shares * weights[:, None]).sum(axis=0).tolist()  # the same bits
    np.testing.assert_allclose(filled.overlaps(mix), np.sqrt(shares * mix).sum(axis=1), rtol=1e-13)
