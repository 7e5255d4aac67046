"""Fast Similarity Sketch: its definition, and the statistics that make it worth its time.

The variance is compared with a simulation published for it: about half of MinHash's for sets smaller than the sketch.
"""

from math import sqrt

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numba import njit

from tamis.hashing.bands import band_keys
from tamis.hashing.fss import empty_bins, fss_fill, fss_round
from tamis.hashing.mix import fmix64
from tamis.hashing.oph import EMPTY

from . import oracle

SHINGLES = st.lists(st.integers(0, oracle.M64), min_size=1, max_size=40)


def fss(shingles, k, seed):
    bins, work = np.full(k, EMPTY), np.empty(len(shingles), np.uint64)
    values, own = np.array(shingles, np.uint64), np.uint64(oracle.derive_seed(seed, "fss"))
    fss_round(bins, values, len(values), 0, own, work)
    fss_fill(bins, values, len(values), own, work)
    return bins.tolist()


def test_golden():
    # Changing these is a format change.
    assert fss([1, 2, 3], 8, 0) == [
        0xC9A7284632118,
        0x15EF2AEEB202A9,
        0x4B7E0343CDFD4,
        0x2A7E188D7950DD,
        0x3B60EFF845EA6E,
        0x6C72FA8ED3A44,
        0x4CCB4D2F2CC1C,
        0x21973C5CC172B8,
    ]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(SHINGLES, st.sampled_from([1, 2, 7, 64, 100]), st.integers(0, 50))
def test_it_is_its_definition(shingles, k, seed):
    assert fss(shingles, k, seed) == oracle.fss_signature(shingles, k, seed)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(SHINGLES, SHINGLES, st.sampled_from([1, 8, 64]))
def test_sketches_merge_to_that_of_the_union(left, right, k):
    merged = np.minimum(np.array(fss(left, k, 3), np.uint64), np.array(fss(right, k, 3), np.uint64))
    assert merged.tolist() == fss(left + right, k, 3)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(SHINGLES, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(shingles, random):
    again = shingles + shingles[:3]
    random.shuffle(again)
    assert fss(again, 32, 0) == fss(shingles, 32, 0)


def test_one_shingle_fills_every_bin_in_twice_as_many_rounds_at_most():
    rounds = [value >> 51 for value in fss([42], 64, 0)]
    assert max(rounds) < 128
    assert min(rounds) == 0


@pytest.mark.parametrize("k", [1, 5, 64])
def test_empty_bins(k):
    bins = np.full(k, EMPTY)
    assert empty_bins(bins) == k
    bins[k // 2] = 0
    assert empty_bins(bins) == k - 1


@njit
def _simulate(trials, common, left, right, k, rows):
    f = common + left + right
    elements = np.empty(f, np.uint64)
    for i in range(f):
        elements[i] = fmix64(np.uint64(i + (1 << 40)))  # unlike the seeds
    bins, keys, work = np.empty((2, k), np.uint64), np.empty((2, k // rows), np.uint64), np.empty(f, np.uint64)
    result = np.empty((trials, 2), np.int64)
    for t in range(trials):
        seed = fmix64(np.uint64(t + 1))
        bins[:] = EMPTY
        other = np.concatenate((elements[:common], elements[common + left :]))
        for number in range(2):
            part = elements[: common + left] if number == 0 else other
            fss_round(bins[number], part, len(part), 0, seed, work)
            fss_fill(bins[number], part, len(part), seed, work)
            band_keys(bins[number], rows, np.uint64(0), keys[number])
        result[t, 0] = (bins[0] == bins[1]).sum()
        result[t, 1] = (keys[0] == keys[1]).sum()
    return result


def simulate(f, similarity, *, k=128, rows=13, trials=3000):
    """Return (agreement of each trial, whether each shares a band) for a union of f elements."""
    common = round(f * similarity)
    left = (f - common + 1) // 2
    result = _simulate(trials, common, left, f - common - left, k, rows)
    return result[:, 0] / k, result[:, 1] > 0


@pytest.mark.parametrize(("f", "rho"), [(4, 0.51), (8, 0.48), (32, 0.51), (64, 0.47), (128, 0.56), (512, 0.77)])
def test_the_variance_is_about_half_of_that_of_minhash(f, rho):
    agreement, _ = simulate(f, 0.5)
    measured = agreement.var(ddof=1) / (0.25 / 128)
    assert measured == pytest.approx(rho, rel=0.06 + 4 * sqrt(2 / 3000))  # the published numbers are simulated, too


@pytest.mark.parametrize(("f", "similarity"), [(2, 0.5), (8, 0.25), (8, 0.875), (64, 0.5), (512, 0.875)])
def test_the_estimate_is_unbiased(f, similarity):
    agreement, _ = simulate(f, similarity)
    assert agreement.mean() == pytest.approx(similarity, abs=4 * agreement.std() / sqrt(3000))


@pytest.mark.parametrize("f", [2, 8, 64, 512])
def test_the_ends_of_the_scale_are_exact(f):
    agreement, shared = simulate(f, 0.0, trials=500)
    assert (agreement.max(), shared.any()) == (0, False)
    agreement, shared = simulate(f, 1.0, trials=500)
    assert (agreement.min(), shared.all()) == (1, True)


@pytest.mark.parametrize(("f", "similarity"), [(10, 0.5), (20, 0.7), (50, 0.8), (50, 0.9), (200, 0.8)])
def test_banding_keeps_its_curve_for_short_texts(f, similarity):
    _, shared = simulate(f, similarity)
    expected = 1 - (1 - similarity**13) ** 9
    assert shared.mean() == pytest.approx(expected, abs=0.025)
