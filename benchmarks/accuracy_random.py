"""Sketches of random sets: variance, candidate rates, and the mistakes that these measures must catch.

Every trial draws new elements, so it is a trial of new hash functions; tables that are made from the seed of a run
(donors, multipliers) are those of ``PLANS`` runs in turn. Formulas are for two sets of similarity J whose union has f
elements, in sketches of k values.

References: Shrivastava, *Optimal Densification for Fast and Accurate Minwise Hashing*, ICML 2017; Dahlgaard, Knudsen
and Thorup, *Fast Similarity Sketching*, FOCS 2017; Khan et al., *LSHBloom*, arXiv 2411.04257 (the summed band key).
"""

import math
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tamis.hashing.bands import band_keys
from tamis.hashing.fss import fss_fill
from tamis.hashing.lsh import hit_probability
from tamis.hashing.minhash import minhash_update, permutations
from tamis.hashing.mix import GOLDEN_GAMMA, fmix64
from tamis.hashing.oph import EMPTY, donor
from tamis.hashing.sketch import FSS, KINDS, SketchPlan, SketchScratch, complete, lower, no_sketch_scratch, sketch_plan

Row = dict[str, Any]

PLANS = 50
"""Runs whose tables are used in turn: enough to average over the luck of one, and quick to make."""

ROOM = 64
"""Elements behind the last one that kernels may read and write: their loops run on to whole vectors."""

UNIONS = (4, 8, 16, 32, 64, 128, 256, 512, 2048)

FSS_SIMULATED = {4: 0.51, 8: 0.48, 16: 0.50, 32: 0.51, 64: 0.47, 128: 0.56, 256: 0.65, 512: 0.77}
"""Variance ratio of Fast Similarity Sketch by union size, k = 128: a simulation apart from this one, good to 6 %."""

RIGHT, FILLED, WEAK, SENTINEL = range(4)
"""Ways to fill empty bins: ours, and three that are wrong."""

WEAK_ATTEMPTS = 100
"""Attempts after which the weak probes give up, as in the code they come from."""

_1 = np.uint64(1)


class Shape(NamedTuple):
    """Two sets by the sizes of their parts: in the left one only, in both, in the right one only."""

    left: int
    common: int
    right: int


def shape_of(union: int, similarity: float) -> Shape:
    """Return two sets of that union and similarity, the elements in one of them only dealt evenly."""
    common = round(union * similarity)
    left = (union - common + 1) // 2
    return Shape(left, common, union - common - left)


@cache
def plans(kind: str, values: int) -> tuple[SketchPlan, ...]:
    """Return the plans of ``PLANS`` runs."""
    return tuple(sketch_plan(kind, values=values, seed=seed) for seed in range(PLANS))


@njit(nogil=True)
def sketch_set(
    elements: NDArray[np.uint64],
    count: int,
    plan: SketchPlan,
    scratch: SketchScratch,
    work: NDArray[np.uint64],
    partial: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> None:
    """Sketch the first ``count`` elements as the product does; ``elements`` and ``work`` have ``ROOM`` more."""
    partial[:] = EMPTY
    lower(partial, elements, count, plan, work)
    if plan.kind == FSS:
        fss_fill(partial, elements, count, plan.seed, work)
    complete(partial, plan, scratch, out)


@njit(nogil=True)
def _fill_from_filled(bins: NDArray[np.uint64], seed: np.uint64, out: NDArray[np.uint64]) -> None:
    """Densify with donors that may have been empty themselves: what a published crate does."""
    out[:] = bins
    for i in range(len(bins)):
        attempt = 0
        while out[i] == EMPTY:
            out[i] = out[donor(seed, i, attempt, len(bins))]
            attempt += 1


@njit(nogil=True)
def _fill_by_weak_probes(bins: NDArray[np.uint64], seed: np.uint64, out: NDArray[np.uint64]) -> None:
    """Densify by probes that are one multiplication of a small number, and give up: from code of the SLIDE lineage."""
    bits = 0
    while 1 << bits < len(bins):
        bits += 1
    multiplier = np.uint32(seed | _1)
    for i in range(len(bins)):
        out[i] = bins[i]
        attempt = 1
        while out[i] == EMPTY and attempt <= WEAK_ATTEMPTS:
            product = np.uint32(multiplier * np.uint32(((i + 1) << 6) + attempt)) << np.uint32(3)
            out[i] = bins[np.uint32(product) >> np.uint32(32 - bits)]
            attempt += 1


@njit(nogil=True)
def _draw(elements: NDArray[np.uint64], trial: int) -> None:
    """Fill the array with the random elements of a trial."""
    start = fmix64(np.uint64(trial + 1))
    for i in range(len(elements)):
        elements[i] = fmix64(start + np.uint64(i + 1) * GOLDEN_GAMMA)


@njit(nogil=True)
def _trials(
    first: int, number: int, shape: Shape, plan: SketchPlan, scheme: int, bands: int, rows: int
) -> NDArray[np.int64]:
    """Sketch two random sets again and again.

    Returns:
        int64, shape (number, 3): equal values; whether a band is shared; values left empty in the left sketch.
    """
    left, common, right = shape
    elements = np.zeros(left + common + right + ROOM, np.uint64)
    work, partial = np.zeros(len(elements), np.uint64), np.empty(plan.values, np.uint64)
    out, keys = np.empty((2, plan.values), np.uint64), np.empty((2, bands), np.uint64)
    scratch = no_sketch_scratch(plan)
    result = np.empty((number, 3), np.int64)
    for t in range(number):
        _draw(elements, first + t)
        own = fmix64(np.uint64(first + t) ^ GOLDEN_GAMMA)
        for side in range(2):
            members = elements[left * side :]
            count = common + (right if side else left)
            if scheme == RIGHT:
                sketch_set(members, count, plan, scratch, work, partial, out[side])
            else:
                partial[:] = EMPTY
                lower(partial, members, count, plan, work)
                if scheme == FILLED:
                    _fill_from_filled(partial, own, out[side])
                elif scheme == WEAK:
                    _fill_by_weak_probes(partial, own, out[side])
                else:
                    out[side] = partial
            band_keys(out[side], rows, np.uint64(0), keys[side])
        result[t, 0] = (out[0] == out[1]).sum()
        result[t, 1] = (keys[0] == keys[1]).any()
        result[t, 2] = (out[0] == EMPTY).sum()
    return result


def simulate(
    kind: str,
    union: int,
    similarity: float,
    *,
    values: int,
    trials: int,
    scheme: int = RIGHT,
    banding: tuple[int, int] = (0, 1),
) -> NDArray[np.int64]:
    """Return what ``_trials`` does, over the plans in turn."""
    each = -(-trials // PLANS)
    shape = shape_of(union, similarity)
    return np.concatenate(
        [_trials(number * each, each, shape, plan, scheme, *banding) for number, plan in enumerate(plans(kind, values))]
    )


@njit(nogil=True)
def _ideal_fss(trials: int, shape: Shape, k: int, seed: int) -> NDArray[np.int64]:
    """Return the equal values of two Fast Similarity Sketches made with random numbers: int64, shape (trials,)."""
    np.random.seed(seed)
    left, common, right = shape
    f = left + common + right
    least, element, reached = np.empty((2, k)), np.empty((2, k), np.int64), np.empty((2, k), np.int64)
    equal = np.empty(trials, np.int64)
    for t in range(trials):
        reached[:] = 2 * k
        number, missing = 0, 2 * k
        while missing > 0:
            for e in range(f):
                bin_ = np.random.randint(k) if number < k else number - k
                value = np.random.random()
                for side in range(2):
                    if left * side <= e < left + common + right * side and reached[side, bin_] >= number:
                        fresh = reached[side, bin_] > number
                        if fresh or value < least[side, bin_]:
                            least[side, bin_], element[side, bin_], reached[side, bin_] = value, e, number
                        missing -= fresh
            number += 1
        equal[t] = (element[0] == element[1]).sum()
    return equal


def densification_ratio(union: int, k: int) -> float:
    """Return the variance ratio of optimal densification: ((1 + A/k) f - k) / (f - 1), whatever J.

    A = E[2N + N(N-1)/m] counts ordered pairs of places that share a donor, where N of k bins are empty and m = k - N
    are not; the distribution of m is that of f balls in k urns.
    """
    m = np.arange(k + 1)
    filled = np.zeros(k + 1)
    filled[0] = 1.0
    for _ in range(union):
        filled[1:] = filled[1:] * m[1:] / k + filled[:-1] * (k - m[:-1]) / k
        filled[0] = 0.0
    empty = k - m[1:]
    sharing = float((filled[1:] * (2 * empty + empty * (empty - 1) / m[1:])).sum())
    return ((1 + sharing / k) * union - k) / (union - 1)


def ratio_of(equal: NDArray[np.int64], similarity: float, k: int) -> tuple[float, float]:
    """Return (variance of the estimate over that of ideal MinHash, its standard error)."""
    estimate = equal / k
    deviation = (estimate - estimate.mean()) ** 2
    unit = similarity * (1 - similarity) / k
    return float(deviation.mean() / unit), float(deviation.std() / math.sqrt(len(equal)) / unit)


def variance(
    trials: int, *, sizes: Iterable[int] = (128, 256), similarities: Iterable[float] = (0.5, 0.75)
) -> list[Row]:
    """Return the variance ratio of each kind by sketch size, similarity and union size."""
    found = []
    for k in sizes:
        for similarity in similarities:
            for union in UNIONS:
                row: Row = {"k": k, "J": similarity, "f": union, "oph_reference": densification_ratio(union, k)}
                if k == 128 and union in FSS_SIMULATED:
                    row["fss_reference"] = FSS_SIMULATED[union]
                ideal = _ideal_fss(2 * trials, shape_of(union, similarity), k, union)
                row["fss_ideal"], row["fss_ideal_error"] = ratio_of(ideal, similarity, k)
                row["minhash_reference"] = 1.0
                for kind in KINDS:
                    equal = simulate(kind, union, similarity, values=k, trials=trials)[:, 0]
                    row[kind], row[f"{kind}_error"] = ratio_of(equal, similarity, k)
                    row[f"{kind}_mean"] = float(equal.mean() / k)
                found.append(row)
    return found


BANDED = ((10, 0.0), (10, 0.5), (20, 0.7), (50, 0.5), (50, 0.8), (50, 0.9), (200, 0.8))
"""Union sizes and similarities of the banding table."""

BANDING = (9, 13)
"""What the balanced rule gives for a threshold of 0.8 and 128 values."""


def banding(trials: int) -> list[Row]:
    """Return the share of pairs that share a band, for short texts."""
    found = []
    for union, similarity in BANDED:
        row: Row = {"f": union, "s": similarity, "theory": hit_probability(similarity, *BANDING)}
        for kind in KINDS:
            shared = simulate(kind, union, similarity, values=128, trials=trials, banding=BANDING)[:, 1]
            row[kind] = float(shared.mean())
            row[f"{kind}_error"] = float(shared.std() / math.sqrt(len(shared)))
        found.append(row)
    return found


WRONG_RATIOS = {FILLED: {8: 13.9, 32: 4.0, 64: 2.1}, WEAK: {8: 8.6, 32: 2.3, 64: 1.5}}
"""Variance ratios of the two mistakes in an earlier simulation, k = 128, by union size."""

SENTINEL_RATES = {(10, 0.0): 0.998, (10, 0.5): 1.0, (50, 0.5): 0.598, (200, 0.8): 0.634}
"""Candidate rates where empty bins keep their mark, in an earlier simulation: 9 x 13 of 128, by (f, s)."""


def wrong_variances(trials: int) -> list[Row]:
    """Return variance ratios of the two wrong densifications, beside ours."""
    found = []
    for scheme, name in ((FILLED, "donors taken from filled bins"), (WEAK, "weak probe hash, 100 attempts")):
        for union, earlier in WRONG_RATIOS[scheme].items():
            wrong = simulate("oph", union, 0.5, values=128, trials=trials, scheme=scheme)
            ours = simulate("oph", union, 0.5, values=128, trials=trials)
            reference = densification_ratio(union, 128)
            row: Row = {"mistake": name, "f": union, "earlier": earlier, "reference": reference}
            row["wrong"], row["wrong_error"] = ratio_of(wrong[:, 0], 0.5, 128)
            row["ours"], row["ours_error"] = ratio_of(ours[:, 0], 0.5, 128)
            row["wrong_mean"] = float(wrong[:, 0].mean() / 128)
            row["left_empty"] = float(wrong[:, 2].mean() / 128)
            found.append(row)
    return found


def sentinel_rates(trials: int) -> list[Row]:
    """Return candidate rates where empty bins keep their mark, beside ours."""
    found = []
    for (union, similarity), earlier in SENTINEL_RATES.items():
        settings: Any = {"values": 128, "trials": trials, "banding": BANDING}
        wrong = simulate("oph", union, similarity, scheme=SENTINEL, **settings)
        ours = simulate("oph", union, similarity, **settings)
        found.append(
            {
                "f": union,
                "s": similarity,
                "theory": hit_probability(similarity, *BANDING),
                "earlier": earlier,
                "wrong": float(wrong[:, 1].mean()),
                "ours": float(ours[:, 1].mean()),
            }
        )
    return found


@njit(nogil=True)
def _merges(trials: int, size: int, plan: SketchPlan) -> NDArray[np.int64]:
    """Sketch two disjoint random sets and their union, and merge.

    Returns:
        int64, shape (trials, 2): values that differ from the union's after merging finished sketches, and after merging
        partial ones.
    """
    k = plan.values
    elements = np.zeros(2 * size + ROOM, np.uint64)
    work, partial = np.zeros(len(elements), np.uint64), np.empty((2, k), np.uint64)
    out, union = np.empty((3, k), np.uint64), np.empty(k, np.uint64)
    scratch = no_sketch_scratch(plan)
    result = np.empty((trials, 2), np.int64)
    for t in range(trials):
        _draw(elements, t)
        sketch_set(elements, 2 * size, plan, scratch, work, partial[0], union)
        for side in range(2):
            sketch_set(elements[size * side :], size, plan, scratch, work, partial[side], out[side])
        for i in range(k):
            out[0, i] = min(out[0, i], out[1, i])
            partial[0, i] = min(partial[0, i], partial[1, i])
        complete(partial[0], plan, scratch, out[2])
        result[t, 0] = (out[0] != union).sum()
        result[t, 1] = (out[2] != union).sum()
    return result


def merges(trials: int) -> list[Row]:
    """Return the share of wrong values after merging finished sketches and partial ones, by size of each set."""
    found = []
    for kind in ("oph", "fss"):
        for size in (4, 32, 128, 512):
            differing = _merges(trials, size, plans(kind, 128)[0]).mean(axis=0) / 128
            found.append({"kind": kind, "size": size, "finished": float(differing[0]), "partial": float(differing[1])})
    return found


@njit(nogil=True)
def _keys_of_random_sets(
    number: int, size: int, functions: NDArray[np.uint64], bands: int, rows: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the summed and the mixed band keys of unrelated sets: uint64, shape (number, bands) each."""
    values, elements = np.empty(functions.shape[1], np.uint64), np.zeros(size + ROOM, np.uint64)
    work = np.zeros(size + ROOM, np.uint64)
    sums, keys = np.zeros((number, bands), np.uint64), np.empty((number, bands), np.uint64)
    for n in range(number):
        _draw(elements, n)
        values[:] = EMPTY
        minhash_update(values, elements, size, functions, 32, work)
        for band in range(bands):
            for row in range(rows):
                sums[n, band] += values[band * rows + row]
        band_keys(values, rows, np.uint64(0), keys[n])
    return sums, keys


def false_flags(number: int, *, size: int = 1000, bands: int = 42, rows: int = 6) -> Row:
    """Return how many of some unrelated sets are flagged as seen before, by summed keys and by ours.

    Minima of n elements crowd near zero, so sums of r of them collide with a probability of about
    C(2r - 2, r - 1) / 2^(2r - 1) (n + 1) / 2^32 a band.
    """
    sums, keys = _keys_of_random_sets(number, size, permutations(0, 256, 32), bands, rows)
    collision = math.comb(2 * rows - 2, rows - 1) / 2 ** (2 * rows - 1) * (size + 1) / 2**32
    return {
        "sets": number,
        "size": size,
        "expected": number * (number - 1) / 2 * bands * collision,
        "summed": _seen_before(sums),
        "ours": _seen_before(keys),
    }


def _seen_before(keys: NDArray[np.uint64]) -> int:
    """Return how many rows have a key in some column that an earlier row has in the same column."""
    flagged = np.zeros(len(keys), np.bool_)
    for column in keys.T:
        _, first = np.unique(column, return_index=True)
        again = np.ones(len(keys), np.bool_)
        again[first] = False
        flagged |= again
    return int(flagged.sum())
