"""Connected components by union-find, labelled by their least member."""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel


@kernel
def find(parent: NDArray[np.int64], node: int) -> int:
    """Return the root of a node, halving the path to it."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@kernel
def unite(parent: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]) -> None:
    """Unite the components of each pair of nodes, in place; the lesser root becomes the root.

    Args:
        parent: int64, shape (n,): the state; ``arange(n)`` at the start.
        first, second: int64, nodes.
    """
    for i in range(len(first)):
        a, b = find(parent, first[i]), find(parent, second[i])
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b


@kernel
def labels(parent: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the least member of each node's component: int64, shape (n,)."""
    out = np.empty_like(parent)
    for node in range(len(parent)):
        out[node] = find(parent, node)
    return out
