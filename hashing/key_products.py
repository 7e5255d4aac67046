"""Keys of several parts: one key for each choice of one value of every part."""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .key_blocks import Keys
from .mix import GOLDEN_GAMMA, fmix64


@kernel
def _products(
    bounds: NDArray[np.int64], values: NDArray[np.uint64], more_bounds: NDArray[np.int64], more: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    n = len(bounds) - 1
    ends = np.zeros(n + 1, np.int64)
    for i in range(n):
        ends[i + 1] = ends[i] + (bounds[i + 1] - bounds[i]) * (more_bounds[i + 1] - more_bounds[i])
    out = np.empty(ends[n], np.uint64)
    at = 0
    for i in range(n):
        for j in range(bounds[i], bounds[i + 1]):
            for m in range(more_bounds[i], more_bounds[i + 1]):
                out[at] = fmix64((values[j] ^ more[m]) * GOLDEN_GAMMA + more[m])
                at += 1
    return ends, out


def product_keys(one: Keys, other: Keys) -> Keys:
    """Return the keys of records for all pairs of a key of each; which of both is first matters.

    >>> one, none = Keys(np.array([0, 2]), np.array([1, 2], np.uint64)), Keys(np.array([0, 0]), np.empty(0, np.uint64))
    >>> len(product_keys(one, one).values), len(product_keys(one, none).values)
    (4, 0)
    """
    return Keys(*_products(one.bounds, one.values, other.bounds, other.values))
