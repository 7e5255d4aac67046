"""The searched records by the keys of their bands: which rows share a bucket with a query.

The rows of a bucket are ascending. Where a band has no more possible keys than a few times the rows, each possible key
has its place in a table; else the keys that there are stand sorted, and are found by halving. Both answer the same.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .codes import band_keys
from .errors import ConfigError
from .kernel import inner_kernel, kernel

WIDEST_TABLE = 20
"""Bits of the widest bands whose possible keys can all have a place."""

_ROOM = 4
"""Places for each row, at most, where all possible keys have one."""


class BandIndex(NamedTuple):
    """Rows by band and key.

    Attributes:
        width: bits of a band.
        max_bucket: most rows of a bucket that queries look into.
        whole: whether bucket i of a band is that of key i, with keys of no row among them.
        buckets: int64, shape (bands + 1,): band j has the buckets ``buckets[j]:buckets[j + 1]``.
        keys: uint64: the key of each bucket, ascending in a band; empty if ``whole``.
        starts: int64: bucket b has the rows ``rows[starts[b]:starts[b + 1]]``.
        rows: int32, shape (bands * n,), ascending in a bucket.
    """

    width: int
    max_bucket: int
    whole: bool
    buckets: NDArray[np.int64]
    keys: NDArray[np.uint64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]

    def bucket_keys(self, buckets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Return (band, key) of some buckets: int64 and uint64."""
        bands = np.searchsorted(self.buckets, buckets, side="right") - 1
        keys = (buckets - self.buckets[bands]).astype(np.uint64) if self.whole else self.keys[buckets]
        return bands, keys


def band_index(codes: NDArray[np.uint64], bands: int, width: int, max_bucket: int) -> BandIndex:
    """Return the index of some codes.

    Args:
        codes: uint64, shape (n, words), n below 2^31.
        bands, width: as in ``codes.band_keys``.
        max_bucket: buckets of more rows are passed over by queries, all of their rows.

    Raises:
        ConfigError: there cannot be such bands, or ``max_bucket`` is below 1.
    """
    if max_bucket < 1:
        raise ConfigError("a bucket that is used has at least one row", value=max_bucket, remedy="Mend `max_bucket`.")
    keys = band_keys(codes, bands, width)
    if width <= WIDEST_TABLE and 1 << width <= _ROOM * len(codes):
        starts, rows = _counted(keys, 1 << width)
        buckets = np.arange(bands + 1, dtype=np.int64) << width
        return BandIndex(width, max_bucket, True, buckets, np.empty(0, np.uint64), starts, rows)
    rows = np.empty(bands * len(codes), np.int32)
    distinct, starts_of, counts = [], [], [0]
    for band in range(bands):
        order = np.argsort(keys[:, band], kind="stable")
        rows[band * len(codes) : (band + 1) * len(codes)] = order
        found, firsts = np.unique(keys[order, band], return_index=True)
        distinct.append(found)
        starts_of.append(firsts + band * len(codes))
        counts.append(len(found))
    starts = np.concatenate([*starts_of, [len(rows)]]).astype(np.int64)
    return BandIndex(width, max_bucket, False, np.cumsum(counts), np.concatenate(distinct), starts, rows)


@kernel
def _counted(keys: NDArray[np.uint64], possible: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Sort rows by band and key by counting; return where each possible key starts, and the rows."""
    n, bands = keys.shape
    starts = np.zeros(bands * possible + 1, np.int64)
    for row in range(n):
        for band in range(bands):
            starts[1 + band * possible + np.int64(keys[row, band])] += 1
    for before in range(bands * possible):
        starts[before + 1] += starts[before]
    ends, rows = starts[:-1].copy(), np.empty(bands * n, np.int32)
    for row in range(n):
        for band in range(bands):
            bucket = band * possible + np.int64(keys[row, band])
            rows[ends[bucket]] = row
            ends[bucket] += 1
    return starts, rows


@inner_kernel
def bucket_of(index: BandIndex, band: int, key: np.uint64) -> int:
    """Return the bucket of a key, -1 if no row has it; with a place for every key, maybe one without rows."""
    low, high = index.buckets[band], index.buckets[band + 1]
    if index.whole:
        return int(low + np.int64(key))
    stop = high
    while low < high:
        middle = (low + high) // 2
        if index.keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return int(low) if low < stop and index.keys[low] == key else -1


@kernel
def asking_rows(index: BandIndex, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return for each bucket how many queries have its key.

    Args:
        index: of the searched rows.
        keys: uint64, shape (n_queries, bands).

    Returns:
        int64, shape (buckets,).
    """
    asking = np.zeros(len(index.starts) - 1, np.int64)
    for query in range(len(keys)):
        for band in range(keys.shape[1]):
            bucket = bucket_of(index, band, keys[query, band])
            if bucket >= 0:
                asking[bucket] += 1
    return asking
