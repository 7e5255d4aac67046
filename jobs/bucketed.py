"""Values packed in rows, bucketed in memory: those that occur twice are found and sorted a bucket at a time."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.bucketing import bucket_of, into_buckets, sort_hashed
from ..hashing.errors import EngineError
from ..hashing.twice import bits_for, mark, no_counts, seen_twice
from .explode import packed_values

BUCKET_VALUES = 1 << 16
"""Values of a bucket, about: with their counts they stay in a processor's own cache."""

SLOTS = 16
"""Slots a value in the counts of a bucket: about one in so many that occur once is taken for repeated."""

_MOST_BITS = 10

Dealt = tuple[int, NDArray[np.int64]]
"""Where the values of a batch are, and where its buckets start from there."""

Work = Callable[[pa.RecordBatch], Dealt]


@dataclass
class Buckets:
    """Values and the rows they are of, dealt by the highest bits of the value.

    Attributes:
        values, rows: int64: batch after batch, each bucket by bucket.
        bits: there are 2^bits buckets.
    """

    values: NDArray[np.int64]
    rows: NDArray[np.int64]
    bits: int
    _batches: list[Dealt] = field(default_factory=list)
    _used: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(
        cls, apply: Callable[[Work], Iterator[tuple[int, NDArray[np.int64]]]], names: Sequence[str], most: int
    ) -> "Buckets":
        """Deal all rows of a table.

        Args:
            apply: gives what a function makes of each batch, in order.
            names: the column of packed values, and that of rows (int64).
            most: at least the number of values.
        """
        bits = min(_MOST_BITS, max(1, (most // BUCKET_VALUES).bit_length()))
        buckets = cls(np.empty(most, np.int64), np.empty(most, np.int64), bits)
        packed, rows = names

        def work(batch: pa.RecordBatch) -> Dealt:
            return buckets._deal(*packed_values(batch.column(packed)), batch.column(rows).to_numpy())

        buckets._batches.extend(apply(work))
        return buckets

    def __len__(self) -> int:
        return 1 << self.bits

    def _deal(self, values: NDArray[np.int64], lengths: NDArray[np.int64], rows: NDArray[np.int64]) -> Dealt:
        """Deal the values of a batch."""
        with self._lock:
            start = self._used
            self._used = end = start + len(values)
        if end > len(self.values):
            raise EngineError("a column has no more bytes than it says", value=8 * end, remedy="Report this.")
        return start, into_buckets(values, lengths, rows, self.bits, self.values[start:end], self.rows[start:end])

    def repeated(self, bucket: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the values of a bucket that occur twice, and few others, with their rows, sorted by both."""
        values, rows = bucket_of(self.values, self.rows, *self._places, bucket)
        bits = bits_for(len(values) * SLOTS // 4)
        counts = no_counts(bits)
        mark(values, counts, bits, 0, 1)
        kept = seen_twice(values, counts, bits)
        return sort_hashed(values[kept], rows[kept])

    @cached_property
    def _places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where batches begin, and their buckets from there."""
        begins = np.array([begin for begin, _ in self._batches], np.int64)
        starts = np.array([starts for _, starts in self._batches], np.int64)
        return begins, starts.reshape(len(begins), len(self) + 1)
