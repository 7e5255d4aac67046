"""Clusters: connected components of exact copies and verified pairs, named by their best-ranked member."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..hashing.components import labels, unite
from .engine import Table

EDGES = pa.schema([("first", pa.int64()), ("second", pa.int64())])
LABELS = pa.schema([("row", pa.int64()), ("best", pa.int64())])
BATCH_ROWS = 262_144


@dataclass(frozen=True)
class Components:
    """Union-find over all edges; its state is eight bytes a row.

    Attributes:
        rows: number of ranked rows.
    """

    rows: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield (row, best) for every row of a component of two or more."""
        parent = np.arange(self.rows, dtype=np.int64)
        for batch in batches:
            unite(parent, batch.column("first").to_numpy(), batch.column("second").to_numpy())
        best = labels(parent)
        sizes = np.bincount(best, minlength=self.rows)
        members = np.flatnonzero(sizes[best] > 1)
        for start in range(0, len(members), BATCH_ROWS):
            rows = members[start : start + BATCH_ROWS]
            yield pa.RecordBatch.from_arrays([pa.array(rows), pa.array(best[rows])], schema=LABELS)


def components(edges: Table, *, rows: int) -> Table:
    """Return (row, best) of the members of clusters.

    Args:
        edges: (first, second) row numbers.
        rows: number of ranked rows.
    """
    return edges.fold(order=["first", "second"], fn=Components(rows), schema=LABELS)
