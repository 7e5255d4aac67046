"""One-permutation hashing with optimal densification (Shrivastava, ICML 2017, arXiv 1703.04664).

Each shingle is hashed once. The high bits choose one of k bins and each bin keeps its least hash. A bin
that stays empty copies an *originally* non-empty bin, probed by a random function u(bin, attempt) that
is the same for every document; copying from a bin that was itself filled would stay unbiased but inflate
the variance (``docs/sketches.md``). Values are whole hashes, whose high bits name their bin, so values of
different bins never match by accident.

Probing one bin after another costs k/m attempts a bin where m of k bins are filled: thousands for a short text. But in
which order a bin meets all others depends on the functions alone. With the place of every bin in every order
tabled, the donors of all empty bins at once are the least of m rows of the table, sixty-four columns at a time.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .intrinsics import BLOCK, STRIP, least_rows, trailing_zeros, unlike
from .kernel import inner_kernel, kernel
from .mix import GOLDEN_GAMMA, derive_seed, fmix64, scale, signed
from .tokens import padded

EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
"""Mark of a bin without a shingle; a hash equal to it is lowered by one."""

TABLED_BINS = STRIP
"""Most bins that the table of orders is made for: places fit a byte, and the table the second-level cache."""

TABLED_ATTEMPTS = 64
"""Probes read from a table; later ones, rare where the table of orders serves short texts, are computed."""

_1 = np.uint64(1)
_32 = np.uint64(32)


class Donors(NamedTuple):
    """Where empty bins take their values from.

    Attributes:
        seed: seed of the probes.
        attempts: uint16, shape (TABLED_ATTEMPTS, k): u(bin, attempt) for the first attempts.
        places: uint8, shape (k, STRIP): ``places[d, i]`` is the place of bin d in the order of bin i, 0 for i itself;
            no rows where k is more than ``TABLED_BINS``.
        orders: uint8, shape (k, STRIP): ``orders[i, p]`` is the bin at place p in the order of bin i.
    """

    seed: np.uint64
    attempts: NDArray[np.uint16]
    places: NDArray[np.uint8]
    orders: NDArray[np.uint8]


@inner_kernel
def oph_values(shingles: NDArray[np.uint64], count: int, seed: np.uint64, out: NDArray[np.uint64]) -> None:
    """Hash the first ``count`` shingles into ``out``, never to ``EMPTY``; both have room for ``padded(count)``."""
    for i in range(padded(count)):
        value = fmix64(shingles[i] ^ seed)
        out[i] = value - np.uint64(value == EMPTY)


@inner_kernel
def oph_update(
    bins: NDArray[np.uint64], shingles: NDArray[np.uint64], count: int, seed: np.uint64, work: NDArray[np.uint64]
) -> None:
    """Lower ``bins`` (uint64, shape (k,)) by the first ``count`` shingle hashes, in place.

    ``shingles`` and ``work`` (scratch) have room for ``padded(count)``.
    """
    k = np.uint64(len(bins))
    oph_values(shingles, count, seed, work)
    for i in range(count):
        value = work[i]
        bin_ = scale(value, k)
        bins[bin_] = min(bins[bin_], value)  # no branch: which hash is least cannot be predicted


@inner_kernel
def donor(seed: np.uint64, bin_: int, attempt: int, k: int) -> int:
    """Return u(bin, attempt): where an empty bin looks for its value, in 0..k-1."""
    probe = (np.uint64(bin_) << _32 | np.uint64(attempt)) * GOLDEN_GAMMA
    return signed(scale(fmix64(probe ^ seed), np.uint64(k)))


@kernel
def _attempts(seed: np.uint64, k: int, attempts: int) -> NDArray[np.uint16]:
    table = np.empty((attempts, k), np.uint16)
    for attempt in range(attempts):
        for bin_ in range(k):
            table[attempt, bin_] = donor(seed, bin_, attempt, k)
    return table


@kernel
def _orders(seed: np.uint64, k: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return (places, orders): in which order each bin meets the others, itself first."""
    places, orders = np.zeros((k, STRIP), np.uint8), np.zeros((k, STRIP), np.uint8)
    for bin_ in range(k):
        met = np.zeros(k, np.bool_)
        met[bin_] = True
        orders[bin_, 0] = bin_
        count, attempt = 1, 0
        while count < k:
            other = donor(seed, bin_, attempt, k)
            attempt += 1
            if not met[other]:
                met[other] = True
                places[other, bin_] = count
                orders[bin_, count] = other
                count += 1
    return places, orders


@lru_cache(maxsize=16)
def donors(seed: int, k: int) -> Donors:
    """Return where the empty ones of k bins take their values from, by the seed of the run."""
    own = np.uint64(derive_seed(seed, "donor"))
    places, orders = _orders(own, k if k <= TABLED_BINS else 0)
    return Donors(own, _attempts(own, k, TABLED_ATTEMPTS), places, orders)


@inner_kernel
def filled_bins(bins: NDArray[np.uint64], out: NDArray[np.uint16]) -> int:
    """List the bins that are not empty in ``out`` (uint16, shape (k + 1,)); return their number."""
    count, at = 0, 0
    while at + BLOCK <= len(bins):
        marks = unlike(bins, at, EMPTY)
        while marks:
            out[count] = at + trailing_zeros(marks)
            count += 1
            marks &= marks - _1
        at += BLOCK
    while at < len(bins):
        out[count] = at
        count += bins[at] != EMPTY
        at += 1
    return count


@inner_kernel
def densify(
    bins: NDArray[np.uint64],
    donors: Donors,
    filled: NDArray[np.uint16],
    least: NDArray[np.uint8],
    out: NDArray[np.uint64],
) -> None:
    """Fill ``out`` (uint64, at most k long) from ``bins``, of which one at least is not empty.

    Args:
        bins: uint64, shape (k,), with ``EMPTY`` marks.
        donors: where empty bins take their values from.
        filled: uint16 scratch, shape (k + 1,).
        least: uint8 scratch, shape (STRIP,).
        out: the densified values of the first ``len(out)`` bins.
    """
    count = filled_bins(bins, filled)
    if 2 * count < len(bins) <= len(donors.places):
        least_rows(donors.places, filled, count, least)
        for i in range(len(out)):
            out[i] = bins[donors.orders[i, np.uint64(least[i])]]
    else:
        probe(bins, donors, filled, out)


@inner_kernel
def probe(bins: NDArray[np.uint64], donors: Donors, empty: NDArray[np.uint16], out: NDArray[np.uint64]) -> None:
    """Fill ``out`` as ``densify`` does, attempt by attempt.

    All empty bins try their first donor, then those still empty their second, and so on: the same probes as one bin
    after another, without a branch that depends on the data.
    """
    attempts = donors.attempts
    left = 0
    for i in range(len(out)):
        out[i] = bins[i]
        empty[left] = i
        left += bins[i] == EMPTY
    attempt = 0
    while left > 0:
        still = 0
        for j in range(left):
            i = signed(empty[j])
            source = (
                signed(attempts[attempt, i]) if attempt < len(attempts) else donor(donors.seed, i, attempt, len(bins))
            )
            out[i] = bins[source]
            empty[still] = i
            still += bins[source] == EMPTY
        left = still
        attempt += 1
