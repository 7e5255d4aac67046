"""Pairs of row numbers."""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import GOLDEN_GAMMA, fmix64


@kernel
def meet(
    keys: NDArray[np.int64], rows: NDArray[np.int64], anchors: NDArray[np.int64], last: int, place: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int]:
    """Pair the rows of each key with the first C rows of it.

    Args:
        keys, rows: int64, sorted by (key, row); a key may go on from the call before.
        anchors: int64, shape (C,): the first rows of that key; kept from call to call.
        last: that key.
        place: rows of it so far, 0 at the start.

    Returns:
        (later rows, earlier rows, the last key, its rows so far). Each row of a key of more than C rows is also paired
        with itself.
    """
    most = len(anchors)
    count, at = 0, place
    for i in range(len(keys)):
        at = at if at > 0 and (keys[i - 1] if i > 0 else last) == keys[i] else 0
        count += min(at, most) + (at > most) + (most + 1) * (at == most)
        at += 1
    worse, better = np.empty(count, np.int64), np.empty(count, np.int64)
    n = 0
    for i in range(len(keys)):
        if place > 0 and keys[i] != last:
            place = 0
        last = keys[i]
        for j in range(min(place, most)):
            worse[n], better[n] = rows[i], anchors[j]
            n += 1
        if place < most:
            anchors[place] = rows[i]
        else:
            for j in range(most if place == most else 0):
                worse[n], better[n] = anchors[j], anchors[j]
                n += 1
            worse[n], better[n] = rows[i], rows[i]
            n += 1
        place += 1
    return worse, better, last, place


@kernel
def distinct_pairs(worse: NDArray[np.int64], better: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each different pair stands first, in order: int64.

    An open-addressing table of places, at most half full.
    """
    size = 16
    while size < 2 * len(worse):
        size *= 2
    table = np.full(size, -1, np.int64)
    places = np.empty(len(worse), np.int64)
    count = 0
    for i in range(len(worse)):
        slot = np.int64(fmix64(np.uint64(worse[i]) * GOLDEN_GAMMA ^ np.uint64(better[i])) & np.uint64(size - 1))
        while table[slot] >= 0 and (worse[table[slot]] != worse[i] or better[table[slot]] != better[i]):
            slot = (slot + 1) & (size - 1)
        if table[slot] < 0:
            table[slot] = i
            places[count] = i
            count += 1
    return places[:count].copy()
