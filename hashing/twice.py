"""Which keys surely occur once: a bitmap of two-bit counts, saturating at two.

One pass marks keys, a second asks. A key that occurs twice is always found; a key that occurs once is found by mistake
with a probability of about the number of keys over the number of slots.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import GOLDEN_GAMMA

_6 = np.uint64(6)
_63 = np.uint64(63)
_1 = np.uint64(1)


def bits_for(size_bytes: int) -> int:
    """Return how many bits of a hash counts of ``size_bytes`` can tell apart, at least 16.

    >>> bits_for(1 << 20)
    22
    """
    return max(16, (size_bytes * 4).bit_length() - 1)


def no_counts(bits: int) -> NDArray[np.uint64]:
    """Return counts of zero for 2^bits slots: uint64, shape (2, 2^bits / 64), a bitmap of "once" and one of "twice"."""
    return np.zeros((2, 1 << (bits - 6)), np.uint64)


@kernel
def mark(keys: NDArray[np.int64], counts: NDArray[np.uint64], bits: int) -> None:
    """Count keys, in place."""
    shift = np.uint64(64 - bits)
    once, twice = counts[0], counts[1]
    for i in range(len(keys)):
        slot = np.uint64(keys[i]) * GOLDEN_GAMMA >> shift
        bit = _1 << (slot & _63)
        word = slot >> _6
        if once[word] & bit:
            twice[word] |= bit
        else:
            once[word] |= bit


@kernel
def seen_twice(keys: NDArray[np.int64], counts: NDArray[np.uint64], bits: int) -> NDArray[np.bool_]:
    """Return whether each key may occur twice: bool, shape (n,)."""
    shift = np.uint64(64 - bits)
    twice = counts[1]
    out = np.empty(len(keys), np.bool_)
    for i in range(len(keys)):
        slot = np.uint64(keys[i]) * GOLDEN_GAMMA >> shift
        out[i] = (twice[slot >> _6] >> (slot & _63)) & _1
    return out
