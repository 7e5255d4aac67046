"""Packed keys and the rows they are of, dealt into buckets by the highest bits of the key.

A bucket then fits the cache, where counting and sorting cost little. This is the first pass of a radix sort from the
highest digit.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel

_64 = np.uint64(64)
_1 = np.uint64(1)
_SIGN = np.uint64(1 << 63)


@kernel
def into_buckets(
    keys: NDArray[np.int64],
    lengths: NDArray[np.int64],
    rows: NDArray[np.int64],
    bits: int,
    to_keys: NDArray[np.int64],
    to_rows: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Write keys and the rows they are of, bucket after bucket, each bucket in the order they come in.

    Args:
        keys: int64: the keys of all rows, one row after another.
        lengths: int64: how many keys each row has.
        rows: int64: what each row is called.
        bits: there are 2^bits buckets, at least two; keys of a higher bucket are larger.
        to_keys, to_rows: int64, as many as keys: what is written.

    Returns:
        Where each bucket starts, and the end: int64, shape (2^bits + 1,).
    """
    shift = _64 - np.uint64(bits)
    starts = np.zeros((1 << bits) + 1, np.int64)
    for i in range(len(keys)):
        starts[np.int64((np.uint64(keys[i]) ^ _SIGN) >> shift) + 1] += 1
    starts = np.cumsum(starts)
    ends = starts[:-1].copy()
    i = 0
    for row in range(len(rows)):
        for _ in range(lengths[row]):
            bucket = np.int64((np.uint64(keys[i]) ^ _SIGN) >> shift)
            to_keys[ends[bucket]], to_rows[ends[bucket]] = keys[i], rows[row]
            ends[bucket] += 1
            i += 1
    return starts


@kernel
def bucket_of(
    keys: NDArray[np.int64],
    rows: NDArray[np.int64],
    begins: NDArray[np.int64],
    starts: NDArray[np.int64],
    bucket: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the keys of a bucket and their rows, from all batches that ``into_buckets`` dealt, one after another.

    Args:
        keys, rows: int64: batches, each dealt into buckets.
        begins: int64, shape (batches,): where each batch begins.
        starts: int64, shape (batches, buckets + 1): where each of its buckets starts from there.
        bucket: which.
    """
    count = 0
    for batch in range(len(begins)):
        count += starts[batch, bucket + 1] - starts[batch, bucket]
    to_keys, to_rows = np.empty(count, np.int64), np.empty(count, np.int64)
    end = 0
    for batch in range(len(begins)):
        for i in range(begins[batch] + starts[batch, bucket], begins[batch] + starts[batch, bucket + 1]):
            to_keys[end], to_rows[end] = keys[i], rows[i]
            end += 1
    return to_keys, to_rows


_SMALL = 24
"""Pairs that are sorted by insertion."""


@kernel
def sort_hashed(keys: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs sorted by (key, row); fast where keys are hashes, of which equal ones come in order of their rows.

    Each key goes to about the place where it belongs if keys are spread evenly; what is not in order there is sorted.

    Args:
        keys, rows: int64, shape (n,).
    """
    n = len(keys)
    if n == 0:
        return keys, rows
    lowest = np.uint64(keys.min()) ^ _SIGN
    span, shift = (np.uint64(keys.max()) ^ _SIGN) - lowest, np.uint64(0)
    while span >> shift >= n:
        shift += _1
    starts = np.zeros(n + 1, np.int64)
    for i in range(n):
        starts[((np.uint64(keys[i]) ^ _SIGN) - lowest >> shift) + _1] += 1
    ends = np.cumsum(starts)
    to_keys, to_rows = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        slot = (np.uint64(keys[i]) ^ _SIGN) - lowest >> shift
        to_keys[ends[slot]], to_rows[ends[slot]] = keys[i], rows[i]
        ends[slot] += 1
    first = 0
    for end in ends[:-1]:
        _sort_pairs(to_keys, to_rows, first, int(end))
        first = int(end)
    return to_keys, to_rows


@inner_kernel
def _sort_pairs(keys: NDArray[np.int64], rows: NDArray[np.int64], first: int, end: int) -> None:
    """Sort pairs in place: nothing is done where they are in order."""
    for i in range(first + 1, end):
        if not _before(keys, rows, i - 1, i):
            if end - first > _SMALL:
                _heap_sort(keys, rows, first, end)
                return
            j = i
            while j > first and _before(keys, rows, j, j - 1):
                _swap(keys, rows, j, j - 1)
                j -= 1


@inner_kernel
def _heap_sort(keys: NDArray[np.int64], rows: NDArray[np.int64], first: int, end: int) -> None:
    """Sort pairs in place, however they come."""
    count = end - first
    for root in range(count // 2 - 1, -1, -1):
        _sift_down(keys, rows, first, root, count)
    for last in range(count - 1, 0, -1):
        _swap(keys, rows, first, first + last)
        _sift_down(keys, rows, first, 0, last)


@inner_kernel
def _sift_down(keys: NDArray[np.int64], rows: NDArray[np.int64], first: int, root: int, count: int) -> None:
    """Move the root of a heap to where it is no smaller than what is below it."""
    while 2 * root + 1 < count:
        child = 2 * root + 1
        if child + 1 < count and _before(keys, rows, first + child, first + child + 1):
            child += 1
        if not _before(keys, rows, first + root, first + child):
            return
        _swap(keys, rows, first + root, first + child)
        root = child


@inner_kernel
def _before(keys: NDArray[np.int64], rows: NDArray[np.int64], a: int, b: int) -> bool:
    """Whether one pair is smaller than another."""
    return bool(keys[a] < keys[b] or (keys[a] == keys[b] and rows[a] < rows[b]))


@inner_kernel
def _swap(keys: NDArray[np.int64], rows: NDArray[np.int64], a: int, b: int) -> None:
    keys[a], keys[b] = keys[b], keys[a]
    rows[a], rows[b] = rows[b], rows[a]
