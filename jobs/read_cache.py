"""Inputs small enough to stay in memory are read and parsed once, though the plan reads them up to three times."""

import threading
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from ..connectors.batches import RESERVED, reading_schema
from ..connectors.corpus import FORMATS
from ..connectors.split import Split

COMPRESSED = 5
"""How many times larger a compressed file may be, roughly."""


COLUMN_BYTES = 512
"""What a column of a batch weighs besides its values: more than these where files are tiny."""


class ReadCache:
    """Batches of splits, with all their columns, as long as they fit.

    Args:
        budget_bytes: how much may be held.
        splits: all splits of the inputs: unless all of them are expected to fit, nothing is held.
    """

    def __init__(self, budget_bytes: int, splits: Sequence[Split]) -> None:
        expected = sum(
            s.size_bytes * FORMATS[s.format].expansion * (COMPRESSED if s.compression else 1) for s in splits
        )
        self._left = budget_bytes if expected <= budget_bytes else 0
        self._held: dict[Split, list[pa.RecordBatch]] = {}
        self._lock = threading.Lock()

    def __contains__(self, split: Split) -> bool:
        return split in self._held

    def read(
        self,
        split: Split,
        columns: pa.Schema,
        full: pa.Schema,
        read: Callable[[pa.Schema], Iterator[pa.RecordBatch]],
    ) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a split with some columns.

        Args:
            split: what to read.
            columns: the columns to yield.
            full: all columns.
            read: reads the split with the columns it is given.
        """
        if split not in self._held and self._left <= 0:
            yield from read(columns)
            return
        names = [*RESERVED, *columns.names]
        schema = reading_schema(columns)
        for batch in self._held.get(split) or self._keeping(split, read(full)):
            yield pa.RecordBatch.from_arrays(batch.select(names).columns, schema=schema)

    def _keeping(self, split: Split, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on and hold them, all of the split or none."""
        kept: list[pa.RecordBatch] | None = []
        size = 0
        for batch in batches:
            size += batch.nbytes + COLUMN_BYTES * batch.num_columns
            if kept is not None:
                kept.append(batch)
                if size > self._left:
                    kept = None
            yield batch
        with self._lock:
            if kept is not None and size <= self._left:
                self._held[split] = kept
                self._left -= size
