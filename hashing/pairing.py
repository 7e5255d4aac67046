"""Pairs of which no two share a node."""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel


@kernel
def take_free(first: NDArray[np.int64], second: NDArray[np.int64], nodes: int) -> NDArray[np.bool_]:
    """Go through pairs in order and take each whose two nodes are in no pair that was taken.

    Args:
        first, second: int64, shape (n_pairs,): nodes, the best pair first.
        nodes: how many nodes there are.

    Returns:
        bool, shape (n_pairs,): true for those taken.
    """
    busy = np.zeros(nodes, np.bool_)
    taken = np.zeros(len(first), np.bool_)
    for i in range(len(first)):
        if not busy[first[i]] and not busy[second[i]]:
            busy[first[i]] = busy[second[i]] = taken[i] = True
    return taken
