"""Packed keys and the rows they are of, dealt into buckets by the highest bits of the key.

A bucket then fits the cache, where counting and sorting cost little. This is the first pass of a radix sort from the
highest digit.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel

_64 = np.uint64(64)
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
