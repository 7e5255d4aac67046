"""Filters in parts: asked by the tasks that have keys, filled by the task that has a part."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...connectors.index_store import digest_of
from ...hashing.bloom import BloomFilter, places
from ...hashing.bloom_rate import FilterPlan
from ..engine import Group

ASKED = pa.schema([("address", pa.int64()), ("key", pa.int64())])
DEALT = pa.schema([("shard", pa.int64()), ("key", pa.int64())])
FILLED = pa.schema([("shard", pa.int64()), ("name", pa.string()), ("size_bytes", pa.int64()), ("sha256", pa.string())])


def shard_blocks(plan: FilterPlan, shards: int) -> int:
    """Return how many blocks a part has; the last one may have fewer."""
    return -(-plan.blocks // shards)


def shard_name(shard: int, shards: int) -> str:
    """Return the file name of a part.

    >>> shard_name(7, 3)
    'band-002-part-001.bits'
    """
    return f"band-{shard // shards:03d}-part-{shard % shards:03d}.bits"


@dataclass(frozen=True)
class Filters:
    """The filters of an index; plain data.

    Attributes:
        plan: their form.
        salt: of the hash of keys.
        shards: parts of each.
        paths: of each part, band by band; "" for one that is still empty.
    """

    plan: FilterPlan
    salt: int
    shards: int
    paths: tuple[str, ...]

    def shards_of(self, keys: NDArray[np.uint64], band: int) -> NDArray[np.int64]:
        """Return the part that each key of a band belongs to."""
        blocks = places(keys, np.uint64(self.salt), np.uint64(self.plan.blocks))
        return band * self.shards + blocks // shard_blocks(self.plan, self.shards)

    def part(self, shard: int, words: NDArray[np.uint64]) -> BloomFilter:
        """Return a part as a filter over its words."""
        plan, first = self.plan, shard % self.shards * shard_blocks(self.plan, self.shards)
        return BloomFilter(
            words,
            blocks=plan.blocks,
            block_bits=plan.block_bits,
            hashes=plan.hashes,
            salt=self.salt,
            first=first,
        )

    def words_of(self, shard: int) -> int:
        """Return how many words a part has."""
        size = shard_blocks(self.plan, self.shards)
        first = shard % self.shards * size
        return (min(self.plan.blocks, first + size) - first) * self.plan.block_bits // 64

    def whole(self) -> NDArray[np.uint64]:
        """Return the words of all filters, one after another, to be changed."""
        parts = [
            np.fromfile(path, np.uint64) if path else np.zeros(self.words_of(shard), np.uint64)
            for shard, path in enumerate(self.paths)
        ]
        return np.concatenate(parts)

    def contains(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which keys of each band may be in: bool, shape (n, bands), of uint64 of that shape."""
        found = np.zeros(keys.shape, np.bool_)
        for band in range(keys.shape[1]):
            mine = np.ascontiguousarray(keys[:, band])
            dealt = self.shards_of(mine, band)
            for shard in np.unique(dealt).tolist():
                if self.paths[shard]:
                    here = dealt == shard
                    found[here, band] = self.part(shard, _mapped(self.paths[shard])).contains(mine[here])
        return found


def _mapped(path: str) -> NDArray[np.uint64]:
    """Map a part into memory: once a process for as long as the path stands for the same file."""
    facts = Path(path).stat()
    return _map(path, facts.st_ino, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=256)
def _map(path: str, node: int, modified: int, size: int) -> NDArray[np.uint64]:
    return np.memmap(path, np.uint64, "r")


def keys_of(bands: pa.Array, count: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return the places of rows that have keys, and their keys: uint64, shape (n, count)."""
    there = np.flatnonzero(bands.is_valid().to_numpy(zero_copy_only=False))
    if not len(there):
        return there, np.zeros((0, count), np.uint64)
    valid = bands.drop_null().cast(pa.large_binary())
    _, offsets, data = valid.buffers()
    bounds = np.frombuffer(offsets, np.int64)[valid.offset : valid.offset + len(valid) + 1]
    packed = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]
    return there, np.ascontiguousarray(packed).view(np.uint64).reshape(-1, count)


@dataclass(frozen=True)
class Asking:
    """Asks filters for the keys of rows; plain data."""

    filters: Filters

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return (address, key) for the keys of (address, bands) that may be in."""
        there, keys = keys_of(batch.column("bands"), self.filters.plan.bands)
        rows, bands = np.nonzero(self.filters.contains(keys))
        addresses = batch.column("address").to_numpy()[there[rows]]
        found = pa.array(keys[rows, bands].view(np.int64))
        return pa.RecordBatch.from_arrays([pa.array(addresses), found], schema=ASKED)


@dataclass(frozen=True)
class Dealing:
    """Deals the keys of rows to the parts of filters; plain data."""

    filters: Filters

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return (shard, key) for all keys of (bands)."""
        _, keys = keys_of(batch.column("bands"), self.filters.plan.bands)
        shards = [self.filters.shards_of(np.ascontiguousarray(keys[:, band]), band) for band in range(keys.shape[1])]
        columns = [pa.array(np.concatenate(shards)), pa.array(np.ascontiguousarray(keys.T).reshape(-1).view(np.int64))]
        return pa.RecordBatch.from_arrays(columns, schema=DEALT)


@dataclass(frozen=True)
class Filling:
    """Writes parts anew with further keys in them; plain data.

    Attributes:
        filters: as they are.
        folder: where new parts go.
    """

    filters: Filters
    folder: str

    def __call__(self, group: Group) -> pa.RecordBatch:
        """Return a row of ``FILLED`` for the keys of one part (``DEALT``)."""
        shard = group.rows["shard"][0].as_py()
        old = self.filters.paths[shard]
        words = np.fromfile(old, np.uint64) if old else np.zeros(self.filters.words_of(shard), np.uint64)
        keys = group.rows["key"].to_numpy().view(np.uint64)
        self.filters.part(shard, words).insert(keys)
        name = shard_name(shard, self.filters.shards)
        place = Path(self.folder) / name
        temporary = place.with_name(f".{name}.{os.getpid()}")  # another attempt may write the same part
        words.tofile(temporary)
        temporary.rename(place)
        line = {"shard": shard, "name": name, "size_bytes": place.stat().st_size, "sha256": digest_of(place)}
        return pa.RecordBatch.from_pylist([line], schema=FILLED)
