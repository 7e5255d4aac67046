"""The order of rows by several integer columns."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def ascending_order(columns: Sequence[NDArray[np.int64]]) -> NDArray[np.int64] | None:
    """Return the places of rows sorted by some columns, those that are equal in all in the order they come in.

    The first column decides nearly always: NumPy sorts its values without comparing rows. Only rows that are equal
    there are sorted by the others.

    Args:
        columns: int64, at least one, of equal lengths.

    Returns:
        int64, or None where the rows are in order already.

    >>> ascending_order([np.array([2, 1, 2]), np.array([5, 9, 4])])
    array([1, 2, 0])
    """
    first, others = columns[0], columns[1:]
    if not np.any(first[1:] < first[:-1]):
        if not others or not (tied := first[1:] == first[:-1]).any():
            return None
        order = np.arange(len(first))
    else:
        order = np.argsort(first)
        ordered = first[order]
        tied = ordered[1:] == ordered[:-1]
        if not tied.any():
            return order
    inside = np.zeros(len(first), np.bool_)
    inside[1:] |= tied
    inside[:-1] |= tied
    places = np.flatnonzero(inside)
    rows = order[places]
    keys = (rows, *(column[rows] for column in reversed(others)), first[rows])  # the last is the first to decide
    order[places] = rows[np.lexsort(keys)]
    return None if np.array_equal(order, np.arange(len(order))) else order
