"""Grouping where a row depends on the first few rows of its key alone: no key is too large for a task.

A task deals its rows to shuffle partitions by key, but of each key only the first few that it holds: the first rows of
the whole key are always among these. The others, the *overflow*, are dealt evenly to all partitions. Where a key has
any, its first rows are written down after the shuffle, and a second round hands them to the function before the
overflow. Nearly all keys have none, and the second round is small or does not happen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.keyed_order import keyed_order
from ..hashing.mix import GOLDEN_GAMMA
from ..hashing.twice import bits_for, mark, no_counts, seen_twice
from ..pipeline.engine import FoldFn
from .chunks import HELD_BYTES, chunk_batches, decode, encode, gathered, one_batch
from .lookup import places_of
from .saved import read_part
from .spark_tasks import WRITTEN_PARTS, write_rows

MAIN, OVERFLOW, HOT = 0, 1, 2
"""Kinds of chunks: rows that meet, rows beyond the first few, and the keys of these."""

LEAD_PARTS = pa.schema([pa.field("kind", pa.string()), *WRITTEN_PARTS])
"""A part that a task wrote: results, overflow, or first rows of keys."""

_SLICE_ROWS = 262_144
_SLOTS = 16


@dataclass(frozen=True)
class Keyed:
    """How rows are grouped.

    Attributes:
        by: the key, int64.
        sort: int64 columns that order a key totally.
        lead: how many first rows of a key the others depend on.
        parts: shuffle partitions.
    """

    by: str
    sort: tuple[str, ...]
    lead: int
    parts: int

    def order(self, rows: pa.RecordBatch) -> NDArray[np.int64]:
        """Return where rows stand by key, each key in order."""
        keys = [np.ascontiguousarray(rows.column(name).to_numpy()) for name in (self.by, *self.sort)]
        return keyed_order(*keys) if len(keys) == 2 else np.lexsort(keys[::-1]).astype(np.int64)

    def sorted(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows by key, each key in order."""
        return rows.take(pa.array(self.order(rows)))

    def keys(self, rows: pa.RecordBatch) -> NDArray[np.int64]:
        """Return the keys of rows."""
        return np.asarray(rows.column(self.by).to_numpy(), np.int64)

    def part_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the shuffle partition of each key."""
        high = np.ascontiguousarray(keys, np.int64).view(np.uint64) * GOLDEN_GAMMA >> np.uint64(32)
        return (high * np.uint64(self.parts) >> np.uint64(32)).astype(np.int64)


def places_in_key(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many equal keys stand before each of some sorted keys.

    >>> places_in_key(np.array([4, 4, 4, 7, 9, 9])).tolist()
    [0, 1, 2, 0, 0, 1]
    """
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else keys
    lengths = np.diff(np.append(starts, len(keys)))
    return np.arange(len(keys)) - np.repeat(starts, lengths)


@dataclass(frozen=True)
class Deal:
    """Deals the rows of a task to shuffle partitions.

    Attributes:
        keyed: how they are grouped.
    """

    keyed: Keyed

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield ``CHUNKS``, their kind as the key."""
        return chunk_batches(
            chain.from_iterable(self._chunks(one_batch(held)) for held in gathered(batches, HELD_BYTES))
        )

    def _chunks(self, rows: pa.RecordBatch) -> Iterator[tuple[int, int, pa.Buffer]]:
        beyond = self._beyond(rows)
        meeting = rows if not len(beyond) else rows.filter(pa.array(_all_but(beyond, rows.num_rows)))
        for part, some in self._by_part(meeting):
            yield part, MAIN, encode(some)
        if len(beyond):
            rest = rows.take(pa.array(beyond))
            yield from self._evenly(rest)
            keys = np.unique(self.keyed.keys(rest))
            hot = pa.RecordBatch.from_arrays([pa.array(keys)], names=[self.keyed.by])
            for part, some in self._by_part(hot):
                yield part, HOT, encode(some)

    def _beyond(self, rows: pa.RecordBatch) -> NDArray[np.int64]:
        """Return where rows stand that are not among the first of their key; only keys that repeat need sorting."""
        places = repeated(self.keyed.keys(rows))
        some = rows.take(pa.array(places))
        order = self.keyed.order(some)
        keys = self.keyed.keys(some)[order]
        return places[order[places_in_key(keys) >= self.keyed.lead]]

    def _by_part(self, rows: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
        return self._dealt(rows, self.keyed.part_of(self.keyed.keys(rows)))

    def _dealt(self, rows: pa.RecordBatch, parts: NDArray[np.int64]) -> Iterator[tuple[int, pa.RecordBatch]]:
        narrow = np.uint16 if self.keyed.parts <= 1 << 16 else np.int64  # sorting 16 bits is a radix sort
        order = np.argsort(parts.astype(narrow), kind="stable")
        edges = np.searchsorted(parts[order], np.arange(self.keyed.parts + 1))
        dealt = rows.take(pa.array(order))
        for part, (start, stop) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
            if start < stop:
                yield part, dealt.slice(start, stop - start)

    def _evenly(self, rows: pa.RecordBatch) -> Iterator[tuple[int, int, pa.Buffer]]:
        """Deal rows by what they sort by: what a row of many keys makes with the same first rows then meets again."""
        last = self.keyed.sort[-1]
        for part, some in self._dealt(rows, self.keyed.part_of(rows.column(last).to_numpy())):
            yield part, OVERFLOW, encode(some)


@dataclass(frozen=True)
class Gather:
    """Groups what one shuffle partition got; writes results, overflow and the first rows of keys that have any.

    Attributes:
        keyed: how rows are grouped.
        fn: rows of keys in order in, rows out.
        rows, results: schemas.
        alone_may_go: whether keys that occur once may be left out.
        folder: where parts go.
    """

    keyed: Keyed
    fn: FoldFn
    rows: pa.Schema
    results: pa.Schema
    alone_may_go: bool
    folder: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield ``LEAD_PARTS``."""
        meeting: list[pa.RecordBatch] = []
        overflow: list[pa.RecordBatch] = []
        hot = [np.empty(0, np.int64)]
        key_schema = pa.schema([(self.keyed.by, pa.int64())])
        for batch in batches:
            for kind, chunk in zip(batch.column("key").to_pylist(), batch.column("chunk"), strict=True):
                if kind == HOT:
                    hot += [rows.column(0).to_numpy() for rows in decode([chunk], key_schema)]
                else:
                    (overflow if kind == OVERFLOW else meeting).extend(decode([chunk], self.rows))
        if meeting:
            keys = np.unique(np.concatenate(hot))
            rows = self.keyed.sorted(self._repeated(one_batch(meeting), keys))
            yield from self._write("results", self.fn(_sliced(rows)), self.results)
            yield from self._write("lead", iter([self._leads(rows, keys)]), self.rows)
        yield from self._write("overflow", iter(overflow), self.rows)

    def _repeated(self, rows: pa.RecordBatch, hot: NDArray[np.int64]) -> pa.RecordBatch:
        """Leave out keys that surely occur once, if that is allowed: sorting is dear and nearly all do."""
        if not self.alone_may_go:
            return rows
        keys = self.keyed.keys(rows)
        places = repeated(keys)
        if len(hot) and self.keyed.lead == 1:  # the one row here stands for others in the overflow
            places = np.union1d(places, np.flatnonzero(places_of(keys, hot)[1]))
        return rows.take(pa.array(places))

    def _leads(self, rows: pa.RecordBatch, hot: NDArray[np.int64]) -> pa.RecordBatch:
        keys = self.keyed.keys(rows)
        return rows.filter(pa.array(places_of(keys, hot)[1] & (places_in_key(keys) < self.keyed.lead)))

    def _write(self, kind: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for line in write_rows(Path(self.folder), kind, batches, schema):
            yield pa.RecordBatch.from_pylist([{"kind": kind, **line}], schema=LEAD_PARTS)


def repeated(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where keys stand that occur twice or more, and a few others: int64, ascending."""
    bits = bits_for(len(keys) * _SLOTS // 4)
    counts = no_counts(bits)
    mark(keys, counts, bits, 0, 1)
    return seen_twice(keys, counts, bits)


def _all_but(places: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    others = np.ones(count, np.bool_)
    others[places] = False
    return others


def _sliced(rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    return (rows.slice(start, _SLICE_ROWS) for start in range(0, rows.num_rows, _SLICE_ROWS))


@dataclass(frozen=True)
class Follow:
    """Hands the function the overflow, after the first rows of its keys.

    Attributes:
        keyed: how rows are grouped.
        fn: rows of keys in order in, rows out.
        rows: their schema.
        leads: the file of first rows of each shuffle partition that has one.
    """

    keyed: Keyed
    fn: FoldFn
    rows: pa.Schema
    leads: dict[int, str]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the results for batches of overflow; each held lot is one batch, in which the function sees repeats."""
        known: dict[int, pa.RecordBatch] = {}
        for held in gathered(batches, HELD_BYTES):
            rows = one_batch(held)
            keys = np.unique(self.keyed.keys(rows))
            led = []
            for part in np.unique(self.keyed.part_of(keys)).tolist():
                if part not in known:
                    known[part] = one_batch(list(read_part(Path(self.leads[part]), self.rows.names, self.rows)))
                lead = known[part]
                led.append(lead.filter(pa.array(places_of(self.keyed.keys(lead), keys)[1])))
            yield from self.fn(iter([self.keyed.sorted(one_batch([*led, rows]))]))
