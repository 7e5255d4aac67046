"""Exact Jaccard similarity of sorted sets, and the estimate from two signatures."""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel


@kernel
def jaccard(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> float:
    """Return |a ∩ b| / |a ∪ b| of two sorted arrays of distinct values; 0.0 if both are empty."""
    i = j = common = 0
    while i < len(a) and j < len(b):
        x, y = a[i], b[j]
        common += x == y
        i += x <= y
        j += y <= x
    union = len(a) + len(b) - common
    return common / union if union else 0.0


@kernel
def agreement(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> float:
    """Return the share of equal values of two signatures of one length: an unbiased estimate of the similarity."""
    equal = 0
    for i in range(len(a)):
        equal += a[i] == b[i]
    return equal / len(a)


@kernel
def compare_pairs(
    values: NDArray[np.uint64],
    bounds: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    aligned: bool,
) -> NDArray[np.float64]:
    """Return the similarity of each pair (first[i], second[i]) of the rows held in ``values``.

    Args:
        values: uint64, the rows one after another.
        bounds: int64, shape (n_rows + 1,): row i is ``values[bounds[i]:bounds[i + 1]]``.
        first, second: int64, row numbers.
        aligned: whether rows are signatures (compared place by place) rather than sorted sets.
    """
    similarity = np.empty(len(first), np.float64)
    for p in range(len(first)):
        a = values[bounds[first[p]] : bounds[first[p] + 1]]
        b = values[bounds[second[p]] : bounds[second[p] + 1]]
        similarity[p] = agreement(a, b) if aligned else jaccard(a, b)
    return similarity
