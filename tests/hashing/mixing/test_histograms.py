"""Histograms of parts add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.mixing.histograms import Histograms, equal_draws

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4)), min_size=1, max_size=30)


def counted(rows):
    names = sorted({name for name, _ in rows})
    return Histograms.of({name: np.bincount([b for n, b in rows if n == name], minlength=5) for name in names})


@settings(max_examples=60, derandomize=True, deadline=None)
@given(ROWS, ROWS, ROWS)
def test_merged_parts_are_the_whole(one, two, three):
    merged = counted(one).merge(counted(two), counted(three))
    whole = counted(one + two + three)
    assert merged.names == whole.names
    assert merged.counts.tolist() == whole.counts.tolist()
    assert merged.totals.sum() == len(one + two + three)


def test_thinned_histograms_are_of_equally_many_draws():
    counts = np.array([[600, 300, 100], [6, 3, 1], [600, 300, 100], [0, 5, 0], [6 * 10**8, 3 * 10**8, 10**8]])
    thin = equal_draws(counts, 50, seed=3)
    assert thin.sum(axis=1).tolist() == [50, 10, 50, 5, 50]
    assert (thin <= counts).all()
    assert thin[0].tolist() == thin[2].tolist()
    assert thin[1].tolist() == [6, 3, 1]
    many = np.mean([equal_draws(counts[:1], 50, seed=seed)[0] for seed in range(400)], axis=0)
    np.testing.assert_allclose(many, [30, 15, 5], atol=0.5)
    with pytest.raises(ConfigError, match="`draws` is 1 to"):
        equal_draws(counts, 0, seed=3)


def test_other_buckets_are_refused():
    with pytest.raises(InputError, match="same buckets"):
        Histograms.of({"a": np.zeros(2, np.int64), "b": np.zeros(3, np.int64)})
    with pytest.raises(InputError, match="same buckets"):
        Histograms.of({})
    one, other = (Histograms.of({"a": np.ones(n, np.int64)}) for n in (2, 3))
    with pytest.raises(InputError, match="same buckets"):
        one.merge(other)
