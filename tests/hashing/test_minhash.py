from math import sqrt

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numba import njit

from tamis.hashing.minhash import function_seeds, minhash_update
from tamis.hashing.mix import fmix64

from . import oracle


def minhash(shingles, k, seed):
    values = np.full(k, oracle.EMPTY, np.uint64)
    minhash_update(values, np.array(shingles, np.uint64), len(shingles), function_seeds(seed, k))
    return values.tolist()


def test_golden():
    # Changing these is a format change.
    assert minhash([1, 2, 3], 4, 0) == [0x453622D434554AFA, 0x67B4289FAFEADA84, 0x1375EDE416B4BC5A, 0x42CDF8251DCA3E3F]


def test_seeds_are_derived_one_by_one():
    assert function_seeds(5, 300).tolist() == [oracle.derive_seed(5, f"minhash {i}") for i in range(300)]
    assert function_seeds(5, 100).tolist() == function_seeds(5, 300)[:100].tolist()


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.integers(0, oracle.M64), min_size=1, max_size=30), st.integers(1, 40), st.integers(0, 50))
def test_update_is_its_definition(shingles, k, seed):
    assert minhash(shingles, k, seed) == oracle.minhash_signature(shingles, k, seed)


def test_updates_add_up():
    values = np.full(64, oracle.EMPTY, np.uint64)
    for part in (range(10), range(10, 11), range(11, 50)):
        minhash_update(values, np.array(part, np.uint64), len(part), function_seeds(0, 64))
    assert values.tolist() == minhash(range(50), 64, 0)


def test_update_reads_only_the_first_shingles():
    values = np.full(8, oracle.EMPTY, np.uint64)
    minhash_update(values, np.arange(10, dtype=np.uint64), 4, function_seeds(0, 8))
    assert values.tolist() == minhash(range(4), 8, 0)


@njit
def _agreements(trials, common, left, right, k):
    """Return how many values two sets share, under many seeds."""
    elements = np.empty(common + left + right, np.uint64)
    for i in range(len(elements)):
        elements[i] = fmix64(np.uint64(i + (1 << 40)))  # unlike the seeds
    seeds = np.empty(k, np.uint64)
    values = np.empty((2, k), np.uint64)
    equal = np.empty(trials, np.int64)
    for t in range(trials):
        for j in range(k):
            seeds[j] = fmix64(np.uint64(t * k + j + 1))
        values[:] = np.uint64(oracle.EMPTY)
        minhash_update(values[0], elements, common + left, seeds)
        minhash_update(values[1], elements, common, seeds)
        minhash_update(values[1], elements[common + left :], right, seeds)
        equal[t] = (values[0] == values[1]).sum()
    return equal


@pytest.mark.parametrize("f", [8, 64, 512])
@pytest.mark.parametrize("similarity", [0.25, 0.5, 0.75])
def test_the_estimate_is_unbiased_and_binomial(f, similarity):
    common = int(f * similarity)
    estimate = _agreements(2000, common, (f - common) // 2, (f - common) // 2, 128) / 128
    assert estimate.mean() == pytest.approx(similarity, abs=4 * estimate.std() / sqrt(2000))
    assert estimate.var(ddof=1) == pytest.approx(similarity * (1 - similarity) / 128, rel=4 * sqrt(2 / 2000))


def test_the_ends_of_the_scale_are_exact():
    assert _agreements(500, 0, 5, 5, 128).max() == 0
    assert _agreements(500, 5, 0, 0, 128).min() == 128
