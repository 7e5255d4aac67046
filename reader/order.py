"""The order of rows that readers follow, "order-v1": arithmetic on numbers of rows, groups and chunks, without files.

``docs/shards.md`` states it in prose for those who write a reader of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FORMAT = "order-v1"

GROUPS, ROWS, SOURCES = 1, 2, 3
"""Labels: what a key is for, so that no two uses share a random function."""

_U64 = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15  # increment of SplitMix64: 2^64 / golden ratio, odd
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


def keys(label: int, seed: int, epoch: int, numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a random-looking key of each number, uint64; no two numbers have the same.

    Key ``i`` is output ``i`` of SplitMix64 (Steele, Lea, Flood 2014, as in Java) whose state began as ``base``:
    ``base = mix(mix(mix(label) + seed) + epoch)``, ``key(i) = mix(base + (i + 1) * gamma)``, all modulo 2^64.

    >>> keys(ROWS, 0, 0, np.arange(2)).tolist() != keys(GROUPS, 0, 0, np.arange(2)).tolist()
    True
    """
    base = _mix_int((_mix_int((_mix_int(label) + seed) & _U64) + epoch) & _U64)
    states = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(_GAMMA) + np.uint64(base)
    states ^= states >> np.uint64(30)
    states *= np.uint64(_MIX_1)
    states ^= states >> np.uint64(27)
    states *= np.uint64(_MIX_2)
    states ^= states >> np.uint64(31)
    return states


def _mix_int(x: int) -> int:
    x = (x ^ x >> 30) * _MIX_1 & _U64
    x = (x ^ x >> 27) * _MIX_2 & _U64
    return x ^ x >> 31


def permuted(label: int, seed: int, epoch: int, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of numbers in the order of their keys."""
    return np.argsort(keys(label, seed, epoch, numbers))


@dataclass(frozen=True)
class Shape:
    """What a set looks like to the order: groups of equal size, and a tail.

    Attributes:
        groups: M, row groups of its files, numbered file by file.
        group_rows: R, rows of each.
        tail_rows: T, rows after them.
    """

    groups: int
    group_rows: int
    tail_rows: int

    @property
    def rows(self) -> int:
        """N, all rows."""
        return self.groups * self.group_rows + self.tail_rows


@dataclass(frozen=True)
class Order:
    """The sequence of one epoch of one set, in chunks.

    A *part* is what is permuted as a whole: a window of a stream, or a piece of the pool. Parts have numbers: windows
    ``v * S + s`` first, then the pieces of the pool.

    Attributes:
        shape: of the set.
        seed, epoch: enter every key.
        streams: S.
        window: W, groups that are permuted together.
        chunk: c, rows that stay together; divides R.
    """

    shape: Shape
    seed: int
    epoch: int
    streams: int
    window: int
    chunk: int

    @cached_property
    def rounds(self) -> int:
        """Groups of each stream."""
        return self.shape.groups // self.streams

    @cached_property
    def stream_chunks(self) -> int:
        """Chunks that come from streams; those after them come from the pool."""
        return self.rounds * self.shape.group_rows // self.chunk * self.streams

    @property
    def chunks(self) -> int:
        """All chunks; the last may be short."""
        return -(-self.shape.rows // self.chunk)

    @cached_property
    def windows(self) -> int:
        """Windows of each stream; the last may have fewer groups."""
        return -(-self.rounds // self.window)

    @property
    def parts(self) -> int:
        """Windows of all streams, and pieces of the pool."""
        pool = self.shape.rows - self.rounds * self.streams * self.shape.group_rows
        return self.windows * self.streams + -(-pool // self.shape.group_rows)

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """The groups in the order of their keys, int64."""
        return permuted(GROUPS, self.seed, self.epoch, np.arange(self.shape.groups))

    def place(self, chunk: int) -> tuple[int, int]:
        """Return the part that a chunk lies in, and the place of its first row there."""
        if chunk < self.stream_chunks:
            turn, stream = divmod(chunk, self.streams)
            window, start = divmod(turn * self.chunk, self.window * self.shape.group_rows)
            return window * self.streams + stream, start
        piece, start = divmod((chunk - self.stream_chunks) * self.chunk, self.shape.group_rows)
        return self.windows * self.streams + piece, start

    def chunk_rows(self, chunk: int) -> int:
        """Return the rows of a chunk: all have c, but the last may have fewer."""
        return self.chunk if chunk < self.stream_chunks else min(self.chunk, self.shape.rows - chunk * self.chunk)

    def runs(self, part: int) -> list[tuple[int, int]]:
        """Return the rows of a part before they are permuted: runs of (number of the first row, rows)."""
        size = self.shape.group_rows
        if part < self.windows * self.streams:
            window, stream = divmod(part, self.streams)
            rounds = range(window * self.window, min(self.rounds, (window + 1) * self.window))
            return [(int(self.groups[j * self.streams + stream]) * size, size) for j in rounds]
        left = self.rounds * self.streams + part - self.windows * self.streams
        if left < self.shape.groups:
            return [(int(self.groups[left]) * size, size)]
        return [(left * size, min(size, self.shape.rows - left * size))]

    def permutation(self, part: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places among the runs of a part that its rows come from, and the numbers of these rows."""
        numbers = np.concatenate([np.arange(first, first + rows) for first, rows in self.runs(part)])
        places = permuted(ROWS, self.seed, self.epoch, numbers)
        return places, numbers[places]

    def positions(self, part: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the numbers of the rows of a part, in its order, and where they stand in the sequence."""
        _, numbers = self.permutation(part)
        places = np.arange(len(numbers))
        if part < self.windows * self.streams:
            window, stream = divmod(part, self.streams)
            turns, offsets = np.divmod(places + window * self.window * self.shape.group_rows, self.chunk)
            return numbers, (turns * self.streams + stream) * self.chunk + offsets
        piece = part - self.windows * self.streams
        return numbers, self.stream_chunks * self.chunk + piece * self.shape.group_rows + places

    def rows(self) -> NDArray[np.int64]:
        """Return the whole sequence: the number of the row at each position, int64."""
        found = np.empty(self.shape.rows, np.int64)
        for part in range(self.parts):
            numbers, positions = self.positions(part)
            found[positions] = numbers
        return found


@dataclass(frozen=True)
class Piece:
    """Some rows of a chunk of one of several sets.

    Attributes:
        of: which set.
        chunk: of that set.
        start: place in the chunk.
        rows: how many.
    """

    of: int
    chunk: int
    start: int
    rows: int


@dataclass(frozen=True)
class Sequence:
    """Several sets, one after another, as one sequence: their full chunks, and last the rows of their short chunks.

    Attributes:
        rows_of: rows of each set.
        chunk: c.
    """

    rows_of: tuple[int, ...]
    chunk: int

    @cached_property
    def rows(self) -> int:
        """All rows."""
        return sum(self.rows_of)

    @cached_property
    def _sections(self) -> list[tuple[int, int, int]]:
        """(row at which it ends, set, first row of the set) of what follows one another."""
        full = [(of, 0, rows - rows % self.chunk) for of, rows in enumerate(self.rows_of)]
        short = [(of, rows - rows % self.chunk, rows % self.chunk) for of, rows in enumerate(self.rows_of)]
        found, end = [], 0
        for of, first, rows in full + short:
            end += rows
            found.append((end, of, first + rows - end))
        return found

    def pieces(self, start: int, stop: int) -> Iterator[Piece]:
        """Yield what the rows from one position to another are made of; after the last row comes the first again."""
        while start < stop:
            row = start % self.rows
            end, of, shift = next(section for section in self._sections if row < section[0])
            chunk, offset = divmod(row + shift, self.chunk)
            rows = min(self.chunk - offset, end - row, stop - start)
            yield Piece(of, chunk, offset, rows)
            start += rows
