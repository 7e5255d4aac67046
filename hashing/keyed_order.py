"""Sorting rows by key, and each key by row."""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel

_SHORT = 16


def keyed_order(keys: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of pairs in the order of (key, row): int64.

    One vectorised sort by key, then rows within each key, which are mostly one or two: a third of the time of a sort
    by both.

    Args:
        keys, rows: int64, shape (n,).

    >>> keyed_order(np.array([5, -1, 5, 5]), np.array([9, 0, 7, 8])).tolist()
    [1, 2, 3, 0]
    """
    order = np.argsort(keys).astype(np.int64)
    _order_within(keys, np.ascontiguousarray(rows), order)
    return order


@kernel
def _order_within(keys: NDArray[np.int64], rows: NDArray[np.int64], order: NDArray[np.int64]) -> None:
    """Put the places of equal keys into the order of their rows."""
    start = 0
    for stop in range(1, len(order) + 1):
        if stop < len(order) and keys[order[stop]] == keys[order[start]]:
            continue
        if stop - start > _SHORT:
            places = order[start:stop].copy()
            order[start:stop] = places[np.argsort(rows[places])]
        else:
            for i in range(start + 1, stop):
                place, j = order[i], i
                while j > start and rows[order[j - 1]] > rows[place]:
                    order[j] = order[j - 1]
                    j -= 1
                order[j] = place
        start = stop
