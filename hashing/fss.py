"""Fast Similarity Sketch (Dahlgaard, Knudsen and Thorup, FOCS 2017, arXiv 1704.04370).

In round i < k every shingle is hashed to a random bin, in round k + j all of them to bin j; a bin keeps the least
value of the first round that reached it, and rounds go on until no bin is empty. The first round is one-permutation
hashing; the rounds after it give an empty bin a shingle that is drawn afresh from the whole set, where densification
copies a neighbour's. So a text with fewer shingles than bins is represented by each of them about equally often, and
the variance is about half of MinHash's.

A value is the round in its high bits and 51 bits of the hash: values of an earlier round are always less, so bins take
the minimum whatever the order, and sketches of two sets merge to the sketch of their union.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel
from .mix import GOLDEN_GAMMA, fmix64, scale
from .oph import EMPTY

HASH_BITS = 51
"""Bits of a value below the round: 2 * 4096 rounds leave so many."""

_SHIFT = np.uint64(HASH_BITS)
_HASH = np.uint64((1 << HASH_BITS) - 1)


@inner_kernel
def fss_round(
    bins: NDArray[np.uint64],
    shingles: NDArray[np.uint64],
    count: int,
    number: int,
    seed: np.uint64,
    work: NDArray[np.uint64],
) -> None:
    """Lower ``bins`` (uint64, shape (k,)) by one round of the first ``count`` shingle hashes, in place.

    Args:
        number: of the round, 0 to 2k - 1.
        seed: of the sketch.
        work: uint64 scratch, as long as ``count`` or longer.
    """
    k = np.uint64(len(bins))
    own = fmix64(seed + np.uint64(number) * GOLDEN_GAMMA)
    high = np.uint64(number) << _SHIFT
    for i in range(count):
        work[i] = fmix64(shingles[i] ^ own)
    if number < len(bins):
        for i in range(count):
            bin_ = scale(work[i], k)
            value = high | (work[i] & _HASH)
            bins[bin_] = min(bins[bin_], value - np.uint64(value == EMPTY))
    else:
        bin_ = np.uint64(number) - k
        for i in range(count):
            value = high | (work[i] & _HASH)
            bins[bin_] = min(bins[bin_], value - np.uint64(value == EMPTY))


@inner_kernel
def empty_bins(bins: NDArray[np.uint64]) -> int:
    """Return how many bins are empty."""
    empty = 0
    for i in range(len(bins)):
        empty += bins[i] == EMPTY
    return empty


@inner_kernel
def fss_fill(
    bins: NDArray[np.uint64], shingles: NDArray[np.uint64], count: int, seed: np.uint64, work: NDArray[np.uint64]
) -> None:
    """Go through the rounds after the first, until no bin is empty; ``count`` is at least one."""
    number = 1
    while empty_bins(bins) > 0:
        fss_round(bins, shingles, count, number, seed, work)
        number += 1
