"""Exact Jaccard similarity of sorted sets, and the estimate from two signatures."""

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel
from .mix import signed


@inner_kernel
def common_values(a: NDArray[np.uint64], b: NDArray[np.uint64], needed: int) -> int:
    """Return |a ∩ b| of two sorted arrays of distinct values; or some smaller number, if it is less than ``needed``.

    Candidates are mostly alike, so equal values are a branch that is mostly taken, and which side goes on is no branch.
    """
    i = j = common = 0
    while i < len(a) and j < len(b):
        x, y = a[i], b[j]
        if x == y:
            common += 1
            i += 1
            j += 1
            continue
        i += x < y
        j += y < x
        if common + min(len(a) - i, len(b) - j) < needed:
            break
    return common


@inner_kernel
def jaccard(a: NDArray[np.uint64], b: NDArray[np.uint64], least: float = 0.0) -> float:
    """Return |a ∩ b| / |a ∪ b| of two sorted arrays of distinct values; or 0.0, if it is less than ``least``.

    Two sets of sizes m and n whose similarity is s share s (m + n) / (1 + s) values: once too few are left, it is
    clear that they are not alike enough. The bound is rounded down, so that it never decides a close case.
    """
    total = len(a) + len(b)
    needed = signed(np.floor(least * total / (1.0 + least) * (1.0 - 1e-9)))
    if min(len(a), len(b)) < needed or total == 0:
        return 0.0
    common = common_values(a, b, needed)
    similarity = common / (total - common)
    return similarity if similarity >= least else 0.0


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
    least: float = 0.0,
) -> NDArray[np.float64]:
    """Return the similarity of each pair (first[i], second[i]) of the rows held in ``values``.

    Sets less alike than ``least`` have a similarity of 0.0: they are not compared to the end.

    Args:
        values: uint64, the rows one after another.
        bounds: int64, shape (n_rows + 1,): row i is ``values[bounds[i]:bounds[i + 1]]``.
        first, second: int64, row numbers.
        aligned: whether rows are signatures (compared place by place) rather than sorted sets.
        least: similarity of interest.
    """
    similarity = np.empty(len(first), np.float64)
    for p in range(len(first)):
        a = values[bounds[first[p]] : bounds[first[p] + 1]]
        b = values[bounds[second[p]] : bounds[second[p] + 1]]
        similarity[p] = agreement(a, b) if aligned else jaccard(a, b, least)
    return similarity


@inner_kernel
def containment(a: NDArray[np.uint64], b: NDArray[np.uint64], least: float = 0.0) -> float:
    """Return |a ∩ b| / |a| of two sorted arrays of distinct values; or 0.0, if it is less than ``least``.

    Where b is much larger, its values are leapt over in steps that double (Bentley and Yao 1976).
    """
    if len(a) == 0:
        return 0.0
    needed = signed(np.ceil(least * len(a) * (1.0 - 1e-9)))
    common, at = 0, 0
    for i in range(len(a)):
        step = 1
        while at + step < len(b) and b[at + step] < a[i]:
            at += step
            step *= 2
        stop = min(at + step, len(b) - 1)
        while at <= stop:  # the first value that is not smaller lies in at .. stop, or nowhere
            middle = (at + stop) // 2
            if b[middle] < a[i]:
                at = middle + 1
            else:
                stop = middle - 1
        if at >= len(b):
            break
        common += b[at] == a[i]
        if common + len(a) - 1 - i < needed:
            return 0.0
    share = common / len(a)
    return share if share >= least else 0.0


@kernel
def compare_contained(
    values: NDArray[np.uint64],
    bounds: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    least: float = 0.0,
) -> NDArray[np.float64]:
    """Return which share of the set of each row first[i] is in that of second[i]; arguments as ``compare_pairs``."""
    shares = np.empty(len(first), np.float64)
    for p in range(len(first)):
        a = values[bounds[first[p]] : bounds[first[p] + 1]]
        b = values[bounds[second[p]] : bounds[second[p] + 1]]
        shares[p] = containment(a, b, least)
    return shares
