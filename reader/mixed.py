"""Reading several outputs at once, by weight."""

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.errors import ConfigError
from .batches import ENDLESS, BatchReader, check_columns
from .files import Files
from .order import SOURCES, Order, Piece, keys
from .reader import memory_bytes
from .shard_set import ShardSet, open_sets
from .window import Windows

BLOCK = 1 << 16
"""Draws that are made at once."""


class MixedReader(BatchReader):
    """Batches of one rank, of chunks drawn from several outputs with given probabilities, for as long as is wanted.

    The source of each global chunk is drawn by a hash of its number; stream s of a source gives the next of its chunks
    to stream s of the mixture, and begins its next epoch when it has no more. So every source is read in its own order,
    as often as its weight asks, and what is read does not depend on ranks and workers.

    Args:
        sources: (output folder, weight) of each; instead of a folder also ``{"out": folder, "set": name}``. Weights are
            shares of rows.
        seed, streams, window, chunk, rank, world_size, batch_size, columns, row_numbers: as of ``ShardReader``.
        rows: how many there are in all, of all ranks, rounded down to global batches; default: no end.

    Raises:
        ArtefactError: if there is no manifest of this version, or later, if a file is missing or damaged.
        ConfigError: if weights are not positive, columns differ, a source has fewer chunks than streams, or numbers do
            not divide one another.
    """

    def __init__(
        self,
        sources: Sequence[tuple[str | os.PathLike[str] | Mapping[str, str], float]],
        *,
        seed: int = 0,
        streams: int | None = None,
        window: int = 4,
        chunk: int | None = None,
        rank: int = 0,
        world_size: int = 1,
        batch_size: int,
        rows: int | None = None,
        columns: Sequence[str] | None = None,
        row_numbers: bool = False,
    ) -> None:
        self.sets = tuple(_source(out) for out, _ in sources)
        self.weights = tuple(_weight(weight) for _, weight in sources)
        _check_schemas(self.sets, columns)
        super().__init__(
            seed=seed,
            streams=streams,
            window=window,
            chunk=chunk,
            rank=rank,
            world_size=world_size,
            batch_size=batch_size,
            remainder="drop",
            shapes=[shards.shape for shards in self.sets],
        )
        self.columns = columns
        self.row_numbers = row_numbers
        self._rows = ENDLESS if rows is None else rows
        if not self.steps:
            raise ConfigError(
                "a mixture has as many rows as a global batch",
                value=f"{self._rows:,} of the {world_size} x {batch_size} rows wanted",
                remedy="Name more rows, or a smaller batch.",
            )

    @property
    def rows(self) -> int:
        """Rows that there are in all."""
        return self._rows

    @property
    def identity(self) -> list[list[str]]:
        """Name, fingerprint and weight of each source."""
        pairs = zip(self.sets, self.weights, strict=True)
        return [[shards.name, shards.fingerprint, str(weight)] for shards, weight in pairs]

    @property
    def memory_bytes(self) -> int:
        """What one process holds at most, about, by the manifests: windows of its streams of every source."""
        return sum(memory_bytes(shards, self.division, self.window) for shards in self.sets)

    def last_epoch(self) -> int:
        """Return 1: there is one epoch."""
        return 1

    def cursor(self) -> "MixedCursor":
        """Return what makes chunks, for one process."""
        return MixedCursor(self)

    def drawn(self, chunks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which source each global chunk is from."""
        total, limits, sum_ = sum(self.weights), [], Fraction(0)
        for weight in self.weights[:-1]:
            sum_ += weight
            limits.append(sum_ * 2**64 // total)
        found = np.zeros(len(chunks), np.int64)
        drawn = keys(SOURCES, self.seed, 0, chunks)
        for limit in limits:
            found += drawn >= np.uint64(limit)
        return found


class MixedCursor:
    """Makes the chunks of a mixture, in one process.

    Args:
        reader: whose chunks they are; what it is now counts.

    Raises:
        ConfigError: if a source has fewer full chunks than there are streams.
    """

    def __init__(self, reader: MixedReader) -> None:
        self.windows = Windows(row_numbers=reader.row_numbers)
        self._reader = reader
        self._division = reader.division
        self._files = [Files(shards, reader.columns) for shards in reader.sets]
        self._draws: dict[int, _Draws] = {}
        self._orders: dict[tuple[int, int], Order] = {}
        for shards in reader.sets:
            if shards.rows // reader.chunk < reader.streams:
                raise ConfigError(
                    "a source has a full chunk for each stream",
                    value=f"{shards.rows} rows in {shards.out}, {reader.streams} streams of chunks of {reader.chunk}",
                    remedy="Take fewer streams or smaller chunks.",
                )

    def chunk(self, epoch: int, number: int, found: list[pa.RecordBatch]) -> None:
        """Add the rows of a global chunk."""
        turn, stream = divmod(number, self._division.streams)
        if stream not in self._draws:
            self._draws[stream] = _Draws(self._reader, stream)
        source, drawn = self._draws[stream].source(turn)
        full = self._reader.sets[source].rows // self._division.chunk
        of_stream = (full - stream - 1) // self._division.streams + 1
        source_epoch, turn = divmod(drawn, of_stream)
        order = self._order(source, source_epoch)
        chunk = turn * self._division.streams + stream
        slot = self._division.slot(number) if chunk < order.stream_chunks else "pool"
        piece = Piece(source, chunk, 0, self._division.chunk)
        self.windows.add_rows((source, slot), self._files[source], order, piece, found)

    def close(self) -> None:
        """Let go of memory and files."""
        self.windows.close()
        for files in self._files:
            files.close()

    def _order(self, source: int, epoch: int) -> Order:
        """Return the order of an epoch of a source: streams may be in two epochs of it, and more in a bad draw."""
        if (source, epoch) not in self._orders:
            reader = self._reader
            shape = reader.sets[source].shape
            order = Order(shape, reader.seed, epoch, reader.streams, reader.window, reader.chunk)
            self._orders = {
                key: value for key, value in self._orders.items() if key[0] != source or key[1] >= epoch - 8
            }
            self._orders[source, epoch] = order
        return self._orders[source, epoch]


class _Draws:
    """The sources of the chunks of one stream, and how often each was drawn before."""

    def __init__(self, reader: MixedReader, stream: int) -> None:
        self._reader = reader
        self._stream = stream
        self._block = -1
        self._before = np.zeros(len(reader.sets), np.int64)
        self._drawn = self._ranks = np.empty(0, np.int64)

    def source(self, turn: int) -> tuple[int, int]:
        """Return the source of a chunk, and how many chunks of the stream are from it before this one."""
        block, at = divmod(turn, BLOCK)
        if block < self._block:
            self._block, self._before = -1, np.zeros_like(self._before)
            self._drawn = self._drawn[:0]
        if block > self._block:
            while self._block < block:
                self._before = self._before + np.bincount(self._drawn, minlength=len(self._before))
                self._block += 1
                turns = np.arange(self._block * BLOCK, (self._block + 1) * BLOCK)
                self._drawn = self._reader.drawn(turns * self._reader.streams + self._stream)
            self._ranks = _ranks(self._drawn)
        source = int(self._drawn[at])
        return source, int(self._before[source] + self._ranks[at])


def _ranks(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each value occurs before its place.

    >>> _ranks(np.array([1, 0, 1, 1, 0])).tolist()
    [0, 0, 1, 2, 1]
    """
    by_value = np.argsort(values, kind="stable")
    sorted_ = values[by_value]
    found = np.empty_like(values)
    found[by_value] = np.arange(len(values)) - np.searchsorted(sorted_, sorted_)
    return found


def _source(out: str | os.PathLike[str] | Mapping[str, str]) -> ShardSet:
    asked = out if isinstance(out, Mapping) else {"out": os.fspath(out)}
    if not {"out"} <= asked.keys() <= {"out", "set"}:
        raise ConfigError(
            "a source is an output folder, or names out and set", value=dict(asked), remedy="Name no other settings."
        )
    return open_sets(os.fspath(asked["out"]), [asked.get("set", "train")])[0]


def _weight(weight: float) -> Fraction:
    try:
        found = Fraction(weight)
    except (OverflowError, ValueError):  # inf, nan
        found = Fraction(0)
    if found <= 0:
        raise ConfigError("a weight is a positive number", value=weight, remedy="Leave a source of no weight out.")
    return found


def _check_schemas(sets: Sequence[ShardSet], columns: Sequence[str] | None) -> None:
    if not sets:
        raise ConfigError("a mixture has a source at least", value="none", remedy="Name some.")
    for shards in sets:
        check_columns(shards, columns)
    first, *others = (
        {name: kind for name, kind in shards.schema if columns is None or name in columns} for shards in sets
    )
    for shards, other in zip(sets[1:], others, strict=True):
        if other != first:
            raise ConfigError(
                "the sources of a mixture have the same columns",
                value=f"{shards.out} with {other}, not {first}",
                remedy="Read columns that all have, of one type: columns=[...].",
            )
