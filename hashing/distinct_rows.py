"""Rows as 128-bit fingerprints, each once and in order."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import GOLDEN_GAMMA, fmix64, signed

_TOP = np.uint64(1 << 63)


class Distinct(NamedTuple):
    """The distinct rows of some sets, those of each after those of the one before, ascending by (high, low).

    Attributes:
        high, low: int64: halves of fingerprints.
        address: int64: of the first record that has the row.
        rows: int64: how many have it.
        ends: int64, shape (sets,): where the rows of each set end.
        checks: int64, shape (sets,): of each set, the sum of some bits of the lower halves.
        bags: uint64, shape (sets, 2): of each set, the fingerprint of all rows as a bag, as often as they are there.
    """

    high: NDArray[np.int64]
    low: NDArray[np.int64]
    address: NDArray[np.int64]
    rows: NDArray[np.int64]
    ends: NDArray[np.int64]
    checks: NDArray[np.int64]
    bags: NDArray[np.uint64]


@kernel
def distinct_rows(prints: NDArray[np.uint64], addresses: NDArray[np.int64], check_bits: int) -> Distinct:
    """Return each fingerprint once, in order.

    A hash table whose slots follow the order of fingerprints leaves them nearly sorted: they are uniform. Rows are
    mixed before a bag is summed, both halves into each other: a row is a sum over its cells, and else cells that change
    places between rows would change nothing.

    Args:
        prints: uint64, shape (sets, n, 2).
        addresses: int64, shape (n,): of the records.
        check_bits: the bits of lower halves that checks are sums of.
    """
    sets, n = prints.shape[0], prints.shape[1]
    high, low = np.empty(sets * n, np.int64), np.empty(sets * n, np.int64)
    address, rows = np.empty(sets * n, np.int64), np.empty(sets * n, np.int64)
    ends, checks, bags = np.zeros(sets, np.int64), np.zeros(sets, np.int64), np.zeros((sets, 2), np.uint64)
    bits = 1
    while 1 << bits < 2 * n:
        bits += 1
    slots = np.empty((1 << bits) + n + 1, np.int64)  # those that find no slot of their own go on behind the last
    counts, firsts = np.empty(n, np.int64), np.empty(n, np.int64)
    end = 0
    for s in range(sets):
        own = prints[s]
        slots[:] = -1
        for i in range(n):
            slot = signed((own[i, 0] ^ _TOP) >> np.uint64(64 - bits))
            while slots[slot] >= 0 and (own[slots[slot], 0] != own[i, 0] or own[slots[slot], 1] != own[i, 1]):
                slot += 1
            if slots[slot] < 0:
                slots[slot], counts[i], firsts[i] = i, 0, addresses[i]
            same = slots[slot]
            counts[same] += 1
            firsts[same] = min(firsts[same], addresses[i])
            mixed = fmix64(own[i, 0] ^ fmix64(own[i, 1] + GOLDEN_GAMMA))
            bags[s, 0] += mixed
            bags[s, 1] += fmix64(own[i, 1] + mixed)
        begin = end
        for slot in range(len(slots)):
            i = slots[slot]
            if i < 0:
                continue
            first, second = np.int64(own[i, 0]), np.int64(own[i, 1])
            checks[s] += second & check_bits
            place = end
            while place > begin and (high[place - 1] > first or (high[place - 1] == first and low[place - 1] > second)):
                high[place], low[place] = high[place - 1], low[place - 1]
                address[place], rows[place] = address[place - 1], rows[place - 1]
                place -= 1
            high[place], low[place], address[place], rows[place] = first, second, firsts[i], counts[i]
            end += 1
        ends[s] = end
    return Distinct(high[:end].copy(), low[:end].copy(), address[:end].copy(), rows[:end].copy(), ends, checks, bags)
