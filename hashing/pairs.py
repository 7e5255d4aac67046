"""Pairs of row numbers."""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import GOLDEN_GAMMA, fmix64


@kernel
def first_occurrences(worse: NDArray[np.int64], better: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each different pair with ``better < worse`` stands first, in order: int64.

    An open-addressing table of places, at most half full.
    """
    size = 16
    while size < 2 * len(worse):
        size *= 2
    table = np.full(size, -1, np.int64)
    places = np.empty(len(worse), np.int64)
    count = 0
    for i in range(len(worse)):
        if better[i] >= worse[i]:
            continue
        slot = np.int64(fmix64(np.uint64(worse[i]) * GOLDEN_GAMMA ^ np.uint64(better[i])) & np.uint64(size - 1))
        while table[slot] >= 0 and (worse[table[slot]] != worse[i] or better[table[slot]] != better[i]):
            slot = (slot + 1) & (size - 1)
        if table[slot] < 0:
            table[slot] = i
            places[count] = i
            count += 1
    return places[:count].copy()
