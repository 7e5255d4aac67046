"""One-permutation hashing with optimal densification (Shrivastava, ICML 2017, arXiv 1703.04664).

Each shingle is hashed once. The high bits choose one of k bins and each bin keeps its least hash. A bin
that stays empty copies an *originally* non-empty bin, probed by a random function u(bin, attempt) that
is the same for every document; copying from a bin that was itself filled would stay unbiased but inflate
the variance (``docs/architecture.md``). Values are whole hashes, whose high bits name their bin, so values of
different bins never match by accident.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import GOLDEN_GAMMA, derive_seed, fmix64, scale

EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
"""Mark of a bin without a shingle; a hash equal to it is lowered by one."""

TABLED_ATTEMPTS = 64
"""Probes read from a table; later ones, rare outside very short texts, are computed."""

_1 = np.uint64(1)
_32 = np.uint64(32)


@kernel
def oph_update(bins: NDArray[np.uint64], shingles: NDArray[np.uint64], count: int, seed: np.uint64) -> None:
    """Lower ``bins`` (uint64, shape (k,)) by the first ``count`` shingle hashes, in place."""
    k = np.uint64(len(bins))
    for i in range(count):
        value = fmix64(shingles[i] ^ seed)
        if value == EMPTY:
            value -= _1
        bin_ = int(scale(value, k))
        bins[bin_] = min(bins[bin_], value)  # no branch: which hash is least cannot be predicted


@kernel
def donor(seed: np.uint64, bin_: int, attempt: int, k: int) -> int:
    """Return u(bin, attempt): where an empty bin looks for its value, in 0..k-1."""
    probe = (np.uint64(bin_) << _32 | np.uint64(attempt)) * GOLDEN_GAMMA
    return int(scale(fmix64(probe ^ seed), np.uint64(k)))


@kernel
def _donor_table(seed: np.uint64, k: int, attempts: int) -> NDArray[np.uint16]:
    table = np.empty((attempts, k), np.uint16)
    for attempt in range(attempts):
        for bin_ in range(k):
            table[attempt, bin_] = donor(seed, bin_, attempt, k)
    return table


@lru_cache(maxsize=16)
def donor_table(seed: int, k: int) -> NDArray[np.uint16]:
    """Return u(bin, attempt) for the first attempts: uint16, shape (TABLED_ATTEMPTS, k)."""
    return _donor_table(np.uint64(derive_seed(seed, "donor")), k, TABLED_ATTEMPTS)


@kernel
def densify(bins: NDArray[np.uint64], donors: NDArray[np.uint16], seed: np.uint64, out: NDArray[np.uint64]) -> None:
    """Fill ``out`` (uint64, at most k long) from ``bins``, of which one at least is not empty.

    All empty bins try their first donor, then those still empty their second, and so on: the same probes as one bin
    after another, without a branch that depends on the data.

    Args:
        bins: uint64, shape (k,), with ``EMPTY`` marks.
        donors: the table of ``donor_table``.
        seed: the seed it was made with, for the attempts beyond it.
        out: the densified values of the first ``len(out)`` bins.
    """
    empty = np.empty(len(out) + 1, np.int64)
    left = 0
    for i in range(len(out)):
        out[i] = bins[i]
        empty[left] = i
        left += bins[i] == EMPTY
    attempt = 0
    while left > 0:
        still = 0
        for j in range(left):
            i = empty[j]
            source = int(donors[attempt, i]) if attempt < len(donors) else donor(seed, i, attempt, len(bins))
            out[i] = bins[source]
            empty[still] = i
            still += bins[source] == EMPTY
        left = still
        attempt += 1
