"""Values packed one after another, some to each row."""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel


@kernel
def rows_of(places: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row that each of some values belongs to: int64.

    Args:
        places: int64, ascending: where the values stand among those of all rows.
        lengths: int64: how many values each row has.
    """
    rows = np.empty(len(places), np.int64)
    row, end = -1, 0
    for i in range(len(places)):
        while places[i] >= end:
            row += 1
            end += lengths[row]
        rows[i] = row
    return rows
