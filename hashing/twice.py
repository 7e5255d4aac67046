"""Which keys surely occur once: a bitmap of two-bit counts, saturating at two.

One pass marks keys, a second asks. A key that occurs twice is always found; a key that occurs once is found by mistake
with a probability of about the number of keys over the number of slots.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import GOLDEN_GAMMA, signed

_6 = np.uint64(6)
_63 = np.uint64(63)
_1 = np.uint64(1)
_BLOCK = 2048


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
def mark(keys: NDArray[np.int64], counts: NDArray[np.uint64], bits: int, part: int, parts: int) -> None:
    """Count the keys of one part of the slots, in place; different threads may count different parts.

    Keys of other parts are sorted out first, without a branch that nobody can predict.
    """
    shift = np.uint64(64 - bits)
    first, end = np.uint64((part << bits) // parts >> 6 << 6), np.uint64(((part + 1) << bits) // parts >> 6 << 6)
    once, twice = counts[0], counts[1]
    slots = np.empty(_BLOCK + 1, np.uint64)
    for start in range(0, len(keys), _BLOCK):
        count = 0
        for i in range(start, min(start + _BLOCK, len(keys))):
            slot = np.uint64(keys[i]) * GOLDEN_GAMMA >> shift
            slots[count] = slot
            count += signed((slot >= first) & (slot < end))
        for i in range(count):
            bit = _1 << (slots[i] & _63)
            word = slots[i] >> _6
            seen = once[word]
            twice[word] |= seen & bit
            once[word] = seen | bit


@kernel
def seen_twice(keys: NDArray[np.int64], counts: NDArray[np.uint64], bits: int) -> NDArray[np.int64]:
    """Return where the keys stand that may occur twice, in order: int64."""
    shift = np.uint64(64 - bits)
    twice = counts[1]
    places = np.empty(len(keys) + 1, np.int64)
    count = 0
    for i in range(len(keys)):
        slot = np.uint64(keys[i]) * GOLDEN_GAMMA >> shift
        places[count] = i
        count += signed((twice[slot >> _6] >> (slot & _63)) & _1)
    return places[:count].copy()
