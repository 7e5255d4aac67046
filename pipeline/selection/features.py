"""Features of texts for feature-based selection: how often each bucket of hashed words and pairs of words occurs."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...hashing.mixing.importance import ngram_buckets
from ...hashing.sparse_topk import SparseRows
from ..text_column import text_buffers
from .values import ROW

BUCKETS = 1 << 16

FEATURES = pa.schema([("row", pa.int64()), ("features", pa.binary())])
"""A row, and pairs of int64: bucket and count, ascending by bucket."""


@dataclass(frozen=True)
class Counting:
    """Counts the n-grams of texts; plain data.

    Attributes:
        text: the column.
    """

    text: str

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``FEATURES`` for records read with ``values.ROW``."""
        buckets, bounds = ngram_buckets(*text_buffers(batch.column(self.text)), buckets=BUCKETS)
        packed = []
        for first, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            found, counts = np.unique(buckets[first:stop], return_counts=True)
            packed.append(np.stack([found, counts], axis=1).astype("<i8").tobytes())
        return pa.RecordBatch.from_arrays([batch.column(ROW), pa.array(packed, pa.binary())], schema=FEATURES)


def feature_rows(column: pa.ChunkedArray) -> SparseRows:
    """Return packed features as rows of numbers."""
    rows = [np.frombuffer(row, "<i8").reshape(-1, 2) for row in column.to_pylist()]
    bounds = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    both = np.concatenate([np.empty((0, 2), np.int64), *rows])
    return SparseRows(bounds, both[:, 0].astype(np.int32), both[:, 1].astype(np.float64))
