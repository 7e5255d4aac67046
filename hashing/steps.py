"""How far the nodes of a graph are from chosen ones."""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel


@kernel
def steps_from(starts: NDArray[np.int64], neighbours: NDArray[np.int64], roots: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the fewest steps from any root to each node, -1 where there is no way: int64, shape (n,).

    Args:
        starts: int64, shape (n + 1,): node i has the neighbours ``starts[i]:starts[i + 1]``.
        neighbours: int64, each edge both ways round.
        roots: int64, all different.
    """
    nodes = len(starts) - 1
    steps = np.full(nodes, -1, np.int64)
    queue = np.empty(nodes, np.int64)
    stop = 0
    for root in roots:
        steps[root] = 0
        queue[stop] = root
        stop += 1
    at = 0
    while at < stop:
        node = queue[at]
        at += 1
        for i in range(starts[node], starts[node + 1]):
            neighbour = neighbours[i]
            if steps[neighbour] < 0:
                steps[neighbour] = steps[node] + 1
                queue[stop] = neighbour
                stop += 1
    return steps
