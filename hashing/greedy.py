"""The decision: which rows go, given verified pairs.

Rows are decided in rank order. A row is dropped if and only if it has a pair with a kept row, and its
keeper is the best-ranked such row. The answer is unique, so neither batches nor threads can change it.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel


@kernel
def decide(worse: NDArray[np.int64], better: NDArray[np.int64], dropped: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Decide a run of pairs and mark the deciding ones.

    Args:
        worse, better: int64, row numbers in rank order, ``better[i] < worse[i]``, sorted by (worse, better).
        dropped: uint8, shape (n_rows,): the state, 1 for rows dropped so far; updated in place. Pairs may
            come in several calls, in order, with the same state.

    Returns:
        bool, shape (n_pairs,): true for the pair that drops its worse row; its better row is the keeper.
    """
    deciding = np.zeros(len(worse), np.bool_)
    for i in range(len(worse)):
        if dropped[worse[i]] == 0 and dropped[better[i]] == 0:
            dropped[worse[i]] = 1
            deciding[i] = True
    return deciding
