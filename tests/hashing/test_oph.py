"""One-permutation hashing: its definition, and the statistics that only the right donors have.

Formulas: Var = R(1-R)/k * rho, rho = ((1 + A/k) f - k) / (f - 1), A = E[2N + N(N-1)/m] for a union of f elements in k
bins of which N are empty and m are not. Simulations tolerate four standard deviations and have fixed seeds.
"""

from math import sqrt

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numba import njit

from tamis.hashing.bands import band_keys
from tamis.hashing.mix import fmix64
from tamis.hashing.oph import (
    EMPTY,
    TABLED_ATTEMPTS,
    TABLED_BINS,
    Donors,
    densify,
    donor,
    donors,
    filled_bins,
    oph_update,
    probe,
)

from . import oracle

SHINGLES = st.lists(st.integers(0, oracle.M64), min_size=1, max_size=40)
SIZES = st.sampled_from([1, 2, 3, 7, 64, 100, 256])


WORK = np.empty(1 << 14, np.uint64)
STRIP = np.empty(256, np.uint8)


def bins_of(shingles, k, seed):
    bins, room = np.full(k, EMPTY), np.zeros(len(shingles) + 64, np.uint64)
    room[: len(shingles)] = shingles
    oph_update(bins, room, len(shingles), np.uint64(seed), WORK)
    return bins


def densified(bins, seed, length=None, untabled=False):
    """Densify by the seed of a run and return a list."""
    k, out = len(bins), np.empty(length or len(bins), np.uint64)
    chosen = donors(seed, k)
    if untabled:
        none = np.empty((0, 256), np.uint8)
        chosen = Donors(chosen.seed, np.empty((0, k), np.uint16), none, none)
    densify(np.array(bins, np.uint64), chosen, np.empty(k + 1, np.uint16), STRIP, out)
    return out.tolist()


# --- the definition


def test_golden():
    # Changing these is a format change.
    zero, one, five = 0x0B5181C509F8D8CE, 0x3ABF2A20650683E7, 0xB456BCFC34C2CB2C
    bins = bins_of([1, 2, 3], 8, 0)
    assert bins[[0, 1, 5]].tolist() == [zero, one, five]
    assert (bins == EMPTY).tolist() == [False, False, True, True, True, False, True, True]
    assert densified(bins, 0) == [zero, one, zero, zero, five, five, one, five]
    assert donors(0, 256).attempts[:3, :4].tolist() == [[244, 254, 82, 81], [31, 15, 250, 136], [113, 252, 194, 246]]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(SHINGLES, SIZES, st.integers(0, oracle.M64))
def test_update_is_its_definition(shingles, k, seed):
    assert bins_of(shingles, k, seed).tolist() == oracle.oph_bins(shingles, k, seed)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(SHINGLES, SIZES, st.integers(0, 50))
def test_densify_is_its_definition(shingles, k, seed):
    bins = oracle.oph_bins(shingles, k, oracle.derive_seed(seed, "oph"))
    assert densified(bins, seed) == oracle.densify(bins, oracle.derive_seed(seed, "donor"))
    assert densified(bins, seed) == oracle.oph_signature(shingles, k, seed)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(SHINGLES, SHINGLES, SIZES)
def test_partial_sketches_merge_by_minimum(left, right, k):
    merged = np.minimum(bins_of(left, k, 9), bins_of(right, k, 9))
    assert merged.tolist() == bins_of(left + right, k, 9).tolist()


def test_update_reads_only_the_first_shingles():
    bins = np.full(16, EMPTY)
    oph_update(bins, np.arange(64, dtype=np.uint64), 4, np.uint64(0), WORK)
    assert bins.tolist() == oracle.oph_bins(range(4), 16, 0)


@pytest.mark.parametrize("k", [1, 3, 128, 4096])
def test_values_stay_in_the_bin_of_their_high_bits(k):
    bins = bins_of(range(2 * k), k, 5).tolist()
    home = [oracle.scale(value, k) for value in bins if value != EMPTY]
    assert home == [bin_ for bin_ in range(k) if bins[bin_] != EMPTY]


def test_a_hash_equal_to_the_mark_is_lowered():
    x = oracle.EMPTY  # the element whose hash is all ones, by the inverse of the finaliser
    x ^= x >> 33
    x = x * pow(0xC4CEB9FE1A85EC53, -1, 1 << 64) & oracle.M64
    x ^= x >> 33
    x = x * pow(0xFF51AFD7ED558CCD, -1, 1 << 64) & oracle.M64
    shingle = x ^ x >> 33
    assert oracle.fmix64(shingle) == oracle.EMPTY
    assert bins_of([shingle ^ 77], 4, 77).tolist() == [oracle.EMPTY] * 3 + [oracle.EMPTY - 1]


def test_one_shingle_fills_every_bin():
    (value,) = set(densified(bins_of([42], 256, 0), 0))
    assert value == oracle.fmix64(42)


@pytest.mark.parametrize("k", [1, 2, 100, 256, 4096])
def test_the_table_holds_the_first_probes(k):
    table = donors(3, k).attempts
    seed = oracle.derive_seed(3, "donor")
    assert table.dtype == np.uint16
    assert table.shape == (TABLED_ATTEMPTS, k)
    for attempt in (0, 1, TABLED_ATTEMPTS - 1):
        expected = [oracle.donor(seed, bin_, attempt, k) for bin_ in range(k)]
        assert table[attempt].tolist() == expected
        assert [donor(np.uint64(seed), bin_, attempt, k) for bin_ in range(k)] == expected


@pytest.mark.parametrize("k", [1, 2, 5, 100, 256])
def test_orders_are_those_in_which_bins_probe(k):
    chosen, seed = donors(3, k), oracle.derive_seed(3, "donor")
    for bin_ in (0, k // 2, k - 1):
        order, attempt = [bin_], 0
        while len(order) < k:
            other = oracle.donor(seed, bin_, attempt, k)
            order += [other] * (other not in order)
            attempt += 1
        assert chosen.orders[bin_, :k].tolist() == order
        assert chosen.places[order, bin_].tolist() == list(range(k))


def test_more_bins_than_a_byte_has_numbers_have_no_table():
    assert donors(3, TABLED_BINS + 1).places.shape == (0, 256)
    assert donors(3, TABLED_BINS).places.shape == (256, 256)


@pytest.mark.parametrize("k", [1, 63, 64, 65, 130, 256, 300])
def test_filled_bins(k):
    bins = np.full(k, EMPTY)
    bins[:: max(1, k // 7)] = 5
    bins[-1] = 0
    out = np.empty(k + 1, np.uint16)
    count = filled_bins(bins, out)
    assert out[:count].tolist() == np.flatnonzero(bins != EMPTY).tolist()


@pytest.mark.parametrize("k", [8, 64, 128, 200, 256])
def test_tables_and_probes_choose_the_same_donors(k):
    for f in range(1, k, 1 + k // 16):
        bins, chosen = bins_of([oracle.fmix64(i) for i in range(f)], k, f), donors(f, k)
        probed = np.empty(k, np.uint64)
        probe(bins, chosen, np.empty(k + 1, np.uint16), probed)
        assert densified(bins, f) == probed.tolist() == densified(bins, f, untabled=True)


@pytest.mark.parametrize("k", [256, 300])
def test_probes_beyond_the_table_go_on(k):
    bins = [oracle.EMPTY] * k
    bins[200] = 200 << 55
    bins[17] = 17 << 55
    filled = densified(bins, 1)
    assert filled == oracle.densify(bins, oracle.derive_seed(1, "donor"))
    assert set(filled) == {200 << 55, 17 << 55}
    assert densified(bins, 1, untabled=True) == filled


def test_a_prefix_can_be_densified_alone():
    bins = bins_of(range(20), 128, 0)
    for length in (1, 117, 127, 128):
        assert densified(bins, 0, length=length) == densified(bins, 0)[:length]


def test_donors_are_bins_that_were_not_empty_at_first():
    # Bin 0 first probes an empty bin: a scheme that copies filled bins would take what that bin was filled with.
    for seed in range(200):
        first, second = donors(seed, 8).attempts[:2, 1]
        if first == 0 and second not in (0, 1):
            break
    source = int(second)
    fill_of_0 = next(int(d) for d in donors(seed, 8).attempts[:, 0] if int(d) not in (0, 1))
    bins = [oracle.EMPTY, oracle.EMPTY, *(1000 + i for i in range(2, 8))]
    assert densified(bins, seed) == [1000 + fill_of_0, 1000 + source, *bins[2:]]


def test_probes_are_uniform_and_unlike_each_other():
    k = 64
    probes = np.array([donor(np.uint64(1), bin_, attempt, k) for bin_ in range(k) for attempt in range(1000)])
    counts = np.bincount(probes, minlength=k)
    assert ((counts - 1000) ** 2 / 1000).sum() < 63 + 4 * sqrt(2 * 63)
    rows = probes.reshape(k, 1000)
    equal = sum(int((rows[i] == rows[i + 1]).sum()) for i in range(k - 1))
    assert abs(equal - 63_000 / k) < 4 * sqrt(63_000 / k)


# --- the statistics


@njit
def _fill_from_filled(bins, seed, out):
    """Densify wrongly, as a published crate does: a donor may be a bin that was itself filled."""
    out[:] = bins
    for i in range(len(bins)):
        attempt = 0
        while out[i] == EMPTY:
            out[i] = out[donor(seed, i, attempt, len(bins))]
            attempt += 1


@njit
def _simulate(trials, common, left, right, k, rows, scheme):
    """Sketch two sets under many seeds; return (equal values, shared bands, empty bins of the left set)."""
    f = common + left + right
    elements = np.zeros(f + 64, np.uint64)
    for i in range(f):
        elements[i] = fmix64(np.uint64(i + (1 << 40)))  # unlike the seeds
    none = np.empty((0, 256), np.uint8)
    filled, least, work = np.empty(k + 1, np.uint16), np.empty(256, np.uint8), np.empty(f + 64, np.uint64)
    bins, out = np.empty((2, k), np.uint64), np.empty((2, k), np.uint64)
    keys = np.empty((2, k // rows), np.uint64)
    result = np.empty((trials, 3), np.int64)
    for t in range(trials):
        seed, probe_seed = fmix64(np.uint64(2 * t + 1)), fmix64(np.uint64(2 * t + 2))
        bins[:] = EMPTY
        oph_update(bins[0], elements, common + left, seed, work)
        oph_update(bins[1], elements, common, seed, work)
        oph_update(bins[1], elements[common + left :], right, seed, work)
        for side in range(2):
            if scheme == 0:
                densify(
                    bins[side], Donors(probe_seed, np.empty((0, k), np.uint16), none, none), filled, least, out[side]
                )
            elif scheme == 1:
                _fill_from_filled(bins[side], probe_seed, out[side])
            else:
                out[side] = bins[side]
            band_keys(out[side], rows, np.uint64(0), keys[side])
        result[t, 0] = (out[0] == out[1]).sum()
        result[t, 1] = (keys[0] == keys[1]).sum()
        result[t, 2] = (bins[0] == EMPTY).sum()
    return result


OPTIMAL, FILLED, UNDENSIFIED = range(3)


def simulate(f, similarity, *, k=128, rows=13, trials=3000, scheme=OPTIMAL):
    """Return (agreement of each trial, whether each shares a band, empty bins of each) for a union of f elements."""
    common = round(f * similarity)
    assert common == pytest.approx(f * similarity)
    left = (f - common + 1) // 2
    result = _simulate(trials, common, left, f - common - left, k, rows, scheme)
    return result[:, 0] / k, result[:, 1] > 0, result[:, 2]


def exact_rho(f, k):
    occupied = np.zeros(k + 1)  # occupied[m]: probability that m bins are not empty
    occupied[0] = 1.0
    m = np.arange(k + 1)
    for _ in range(f):
        occupied[1:] = occupied[1:] * m[1:] / k + occupied[:-1] * (k - m[:-1]) / k
        occupied[0] = 0.0
    empty = k - m[1:]
    a = (occupied[1:] * (2 * empty + empty * (empty - 1) / m[1:])).sum()
    return ((1 + a / k) * f - k) / (f - 1)


def measured_rho(f, similarity, k=128, **options):
    agreement, _, _ = simulate(f, similarity, k=k, **options)
    return agreement.var(ddof=1) / (similarity * (1 - similarity) / k)


def test_the_formula_gives_the_published_table():
    table = {4: 1.63, 8: 1.51, 16: 1.42, 32: 1.31, 64: 1.15, 128: 0.95, 256: 0.79, 512: 0.79, 2048: 0.94}
    assert {f: round(exact_rho(f, 128), 2) for f in table} == table
    assert [round(exact_rho(f, 256), 2) for f in (4, 8, 32, 128, 256, 512)] == [1.65, 1.54, 1.41, 1.15, 0.95, 0.79]


@pytest.mark.parametrize("f", [8, 64, 512])
@pytest.mark.parametrize("similarity", [0.5, 0.75])
def test_variance_is_that_of_optimal_densification(f, similarity):
    assert measured_rho(f, similarity) == pytest.approx(exact_rho(f, 128), rel=4 * sqrt(2 / 3000))


@pytest.mark.parametrize(("f", "rho"), [(8, 13.9), (32, 4.0), (64, 2.1)])
def test_donors_from_filled_bins_have_a_variance_that_shows(f, rho):
    # The mean alone would not tell: it stays right.
    agreement, _, _ = simulate(f, 0.5, scheme=FILLED)
    assert agreement.mean() == pytest.approx(0.5, abs=4 * agreement.std() / sqrt(3000))
    measured = measured_rho(f, 0.5, scheme=FILLED)
    assert measured == pytest.approx(rho, rel=0.15)
    assert measured > 1.5 * exact_rho(f, 128)


@pytest.mark.parametrize(
    ("f", "similarity"),
    [
        (2, 0.5),
        (8, 0.25),
        (8, 0.5),
        (8, 0.875),
        (64, 0.25),
        (64, 0.5),
        (64, 0.875),
        (512, 0.25),
        (512, 0.5),
        (512, 0.875),
    ],
)
def test_the_estimate_is_unbiased(f, similarity):
    agreement, _, _ = simulate(f, similarity, trials=5000)
    assert agreement.mean() == pytest.approx(similarity, abs=4 * agreement.std() / sqrt(5000))


@pytest.mark.parametrize("f", [2, 8, 64, 512])
def test_sets_without_common_elements_never_agree(f):
    agreement, shared, _ = simulate(f, 0.0, trials=1000)
    assert agreement.max() == 0
    assert not shared.any()


@pytest.mark.parametrize("f", [1, 2, 8, 64, 512])
def test_equal_sets_always_agree(f):
    agreement, shared, _ = simulate(f, 1.0, trials=1000)
    assert agreement.min() == 1
    assert shared.all()


@pytest.mark.parametrize(
    ("f", "similarity"), [(10, 0.0), (10, 0.5), (20, 0.7), (50, 0.5), (50, 0.8), (50, 0.9), (200, 0.8)]
)
def test_banding_keeps_its_curve_for_short_texts(f, similarity):
    _, shared, _ = simulate(f, similarity)
    expected = 1 - (1 - similarity**13) ** 9
    assert shared.mean() == pytest.approx(expected, abs=4 * sqrt(expected * (1 - expected) / 3000))


def test_signatures_with_empty_bins_would_lose_the_curve():
    assert simulate(10, 0.0, scheme=UNDENSIFIED)[1].mean() > 0.99
    assert simulate(50, 0.5, scheme=UNDENSIFIED)[1].mean() == pytest.approx(0.598, abs=0.04)


@pytest.mark.parametrize("f", [4, 32, 128])
def test_the_number_of_empty_bins(f):
    _, _, empty = simulate(f, 1.0)
    assert empty.mean() == pytest.approx(128 * (1 - 1 / 128) ** f, abs=4 * empty.std() / sqrt(3000))
