"""Items in groups of like difficulty, from each of which one is taken."""

import numpy as np
from numpy.typing import NDArray

_LEAST_SPREAD = 0.01


def strata_of(means: NDArray[np.float64], k: int, *, by_spread: bool = True) -> list[NDArray[np.int64]]:
    """Return k groups of items, the hardest first: int64 each, none empty, no item twice.

    Args:
        means: float64, shape (items,): mean scores, 0 to 1. Equal ones stand in the order of items.
        k: how many groups, up to the number of items.
        by_spread: groups have about equal sums of p (1 - p), so that there are few groups of items which all models
            have right, or wrong, and many of those that tell models apart. Else groups are equally large.
    """
    order = np.argsort(means, kind="stable")
    sorted_means = means[order]
    spread = np.maximum(sorted_means * (1.0 - sorted_means), _LEAST_SPREAD) if by_spread else np.ones(len(means))
    before = np.cumsum(spread) - 0.5 * spread
    group = np.minimum((before / spread.sum() * k).astype(np.int64), k - 1)
    ends = np.searchsorted(group, np.arange(k), side="right")
    ends = np.maximum(ends, np.arange(1, k + 1))  # none is empty: each ends after the one before it
    ends = np.minimum(ends, len(means) - np.arange(k - 1, -1, -1))
    for i in range(1, k):
        ends[i] = max(ends[i], ends[i - 1] + 1)
    return np.split(order.astype(np.int64), ends[:-1])
