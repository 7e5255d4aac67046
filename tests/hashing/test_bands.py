import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numba import njit

from tamis.hashing.bands import band_keys
from tamis.hashing.sketch import KINDS, sketch_plan, sketch_shingles

from . import oracle

SEED = 0x1234_5678_9ABC_DEF0


def keys(signature, bands, rows, seed=SEED):
    out = np.empty(bands, np.uint64)
    band_keys(np.array(signature, np.uint64), rows, np.uint64(seed), out)
    return out.tolist()


def test_golden():
    # Changing these is a format change: indexes on disk hold band keys.
    assert keys(range(12), 3, 4) == [0x9246A0B387C668ED, 0x41119127CF55B5A0, 0xB09E3A85260378B8]
    assert keys([oracle.EMPTY] * 4, 2, 2, seed=0) == [0x629196B348D4F6FF, 0xC012D19ED60B5E43]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    st.lists(st.integers(0, oracle.M64), min_size=24, max_size=30),
    st.sampled_from([(1, 24), (24, 1), (4, 6), (3, 7)]),
    st.integers(0, oracle.M64),
)
def test_keys_are_their_definition(signature, shape, seed):
    assert keys(signature, *shape, seed) == oracle.band_keys(signature, *shape, seed)


def test_the_order_of_rows_matters():
    assert len({keys(rows, 1, 4)[0] for rows in itertools.permutations([1, 2, 3, 4])}) == 24


def test_the_number_of_the_band_matters():
    assert len(set(keys([7] * 40, 10, 4))) == 10


def test_every_row_and_the_seed_matter():
    base = keys([5] * 8, 2, 4)
    for row in range(8):
        changed = [5] * 8
        changed[row] ^= 1
        assert [a == b for a, b in zip(base, keys(changed, 2, 4), strict=True)] == [row >= 4, row < 4]
    assert not set(base) & set(keys([5] * 8, 2, 4, seed=SEED + 1))


def test_values_beyond_the_bands_do_not_matter():
    assert keys([1, 2, 3, 4, 5], 2, 2) == keys([1, 2, 3, 4, 9], 2, 2)


@njit
def _sketch_random_sets(count, size, plan, state):
    elements = np.empty(size, np.uint64)
    out = np.empty((count, plan.values), np.uint64)
    for i in range(count):
        for j in range(size):  # splitmix64
            state += np.uint64(0x9E3779B97F4A7C15)
            x = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            elements[j] = x ^ (x >> np.uint64(31))
        out[i] = sketch_shingles(elements, plan)
    return out


@njit
def _all_keys(signatures, bands, rows, seed):
    out = np.empty((len(signatures), bands), np.uint64)
    for i in range(len(signatures)):
        band_keys(signatures[i], rows, seed, out[i])
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_different_sets_share_no_key(kind):
    """5,000 random sets of 1,000, 42 bands of 6 rows: the sums published for LSHBloom collide about 15 times."""
    signatures = _sketch_random_sets(5000, 1000, sketch_plan(kind), np.uint64(1))
    found = _all_keys(signatures, 42, 6, np.uint64(SEED))
    assert [len(np.unique(column)) for column in found.T] == [5000] * 42
    assert len(np.unique(found)) == 5000 * 42
    if kind == "minhash":  # the test can tell: the sum of 32-bit values, as published, makes unrelated sets collide
        sums = (signatures[:, : 42 * 6] >> np.uint64(32)).reshape(5000, 42, 6).sum(axis=2)
        collisions = sum(5000 - len(np.unique(column)) for column in sums.T)
        assert 3 <= collisions <= 31
