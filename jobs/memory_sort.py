"""Rows that are sorted in memory, where they fit; DuckDB sorts the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..connectors.views import size_bytes, take_batch
from ..hashing.ordering import ascending_order
from .chunks import one_batch
from .ordered import ordered_map

SLICE_ROWS = 1 << 16
"""Rows of a batch of sorted ones."""


@dataclass(frozen=True)
class Held:
    """The first rows of a table, and what comes after them.

    Attributes:
        batches: those that fit.
        rest: the others; None where all fit.
    """

    batches: list[pa.RecordBatch]
    rest: Iterator[pa.RecordBatch] | None

    @classmethod
    def of(cls, batches: Iterator[pa.RecordBatch], *, budget: int) -> "Held":
        """Take batches until they have more than ``budget`` bytes, or end."""
        held: list[pa.RecordBatch] = []
        size = 0
        for batch in batches:
            held.append(batch)
            size += size_bytes(batch)
            if size > budget:
                return cls(held, batches)
        return cls(held, None)

    def sortable(self, order: Sequence[str]) -> bool:
        """Whether all rows are here, and no value that they are sorted by is null."""
        return self.rest is None and not any(batch.column(name).null_count for batch in self.batches for name in order)

    def every(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows, here or not, as they come, once: those here are let go."""
        self.batches.reverse()
        while self.batches:
            yield self.batches.pop()
        yield from self.rest or ()

    def sorted(self, order: Sequence[str], *, threads: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows sorted by int64 columns: as they came where they are in order, else in new batches."""
        if not self.batches:
            return iter(())
        keys = [np.concatenate([batch.column(name).to_numpy() for batch in self.batches]) for name in order]
        places = ascending_order(keys)
        if places is None:
            return iter(self.batches)
        rows = one_batch(self.batches)
        self.batches.clear()  # they were copied
        slices = (places[i : i + SLICE_ROWS] for i in range(0, len(places), SLICE_ROWS))
        return ordered_map([lambda: slices], partial(_taken, rows), threads=threads)


def _taken(rows: pa.RecordBatch, places: NDArray[np.int64]) -> pa.RecordBatch:
    return take_batch(rows, pa.array(places))
