from math import sqrt

import datasketch
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numba import njit

from tamis.hashing.minhash import minhash_update, permutations
from tamis.hashing.mix import fmix64

from . import oracle

WORK = np.empty(100, np.uint64)


def minhash(shingles, k, seed, bits=64):
    values = np.full(k, oracle.EMPTY, np.uint64)
    minhash_update(values, np.array(shingles, np.uint64), len(shingles), permutations(seed, k, bits), bits, WORK)
    return values.tolist()


def test_golden():
    # Changing these is a format change.
    assert minhash([1, 2, 3], 4, 0) == [0x475AC4C8ED21B427, 0x182693C1D080841E, 0x5D19545922D46138, 0x4441881CAF27FE6C]
    assert minhash([1, 2, 3], 4, 0, bits=32) == [0x507687D2, 0x0FEE7AE4, 0x02204545, 0x2910940E]


@pytest.mark.parametrize("seed", [0, 1, (1 << 32) - 1, 1 << 32, (1 << 63) - 1])
@pytest.mark.parametrize("bits", [32, 64])
def test_functions_are_drawn_as_datasketch_draws_them(seed, bits):
    drawn = permutations(seed, 300, bits)
    assert drawn.tolist() == [*map(list, oracle.minhash_functions(seed, 300, bits))]
    if seed < 1 << 32:
        theirs = datasketch.MinHash(300, seed=seed, scheme=f"affine{bits}")
        assert drawn.tolist() == theirs.permutations.tolist()


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(st.integers(0, oracle.M64), min_size=1, max_size=30),
    st.integers(1, 40),
    st.integers(0, 50),
    st.sampled_from([32, 64]),
)
def test_update_is_its_definition(shingles, k, seed, bits):
    assert minhash(shingles, k, seed, bits) == oracle.minhash_signature(shingles, k, seed, bits)


@pytest.mark.parametrize("bits", [32, 64])
def test_updates_add_up(bits):
    values = np.full(64, oracle.EMPTY, np.uint64)
    for part in (range(10), range(10, 11), range(0), range(11, 50)):
        minhash_update(values, np.array(part, np.uint64), len(part), permutations(0, 64, bits), bits, WORK)
    assert values.tolist() == minhash(range(50), 64, 0, bits)


@pytest.mark.parametrize("bits", [32, 64])
def test_no_shingles_change_nothing(bits):
    assert minhash([], 8, 0, bits) == [oracle.EMPTY] * 8


def test_update_reads_only_the_first_shingles():
    values = np.full(8, oracle.EMPTY, np.uint64)
    minhash_update(values, np.arange(10, dtype=np.uint64), 4, permutations(0, 8, 64), 64, WORK)
    assert values.tolist() == minhash(range(4), 8, 0)


@njit
def _agreements(trials, common, left, right, k, bits):
    """Return how many values two sets share, under many seeds."""
    elements = np.empty(common + left + right, np.uint64)
    for i in range(len(elements)):
        elements[i] = fmix64(np.uint64(i + (1 << 40)))  # unlike the seeds
    functions, work = np.empty((2, k), np.uint64), np.empty(len(elements), np.uint64)
    values = np.empty((2, k), np.uint64)
    equal = np.empty(trials, np.int64)
    for t in range(trials):
        for j in range(k):
            functions[0, j] = fmix64(np.uint64(2 * (t * k + j) + 1)) | np.uint64(1)
            functions[1, j] = fmix64(np.uint64(2 * (t * k + j) + 2))
        values[:] = np.uint64(oracle.EMPTY)
        minhash_update(values[0], elements, common + left, functions, bits, work)
        minhash_update(values[1], elements, common, functions, bits, work)
        minhash_update(values[1], elements[common + left :], right, functions, bits, work)
        equal[t] = (values[0] == values[1]).sum()
    return equal


@pytest.mark.parametrize("f", [8, 64, 512])
@pytest.mark.parametrize("similarity", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("bits", [32, 64])
def test_the_estimate_is_unbiased_and_binomial(f, similarity, bits):
    common = int(f * similarity)
    estimate = _agreements(2000, common, (f - common) // 2, (f - common) // 2, 128, bits) / 128
    assert estimate.mean() == pytest.approx(similarity, abs=4 * estimate.std() / sqrt(2000))
    assert estimate.var(ddof=1) == pytest.approx(similarity * (1 - similarity) / 128, rel=4 * sqrt(2 / 2000))


def test_the_ends_of_the_scale_are_exact():
    assert _agreements(500, 0, 5, 5, 128, 64).max() == 0
    assert _agreements(500, 5, 0, 0, 128, 64).min() == 128
