"""Rows of projections in memory: what tables have few rows is looked at without an engine."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.sorted_rows import lacking_rows

Ints = NDArray[np.int64]

ALL = 1 << 62
"""More rows than there are."""


@dataclass(frozen=True)
class HeldRows:
    """Rows of projections; those of each stand together, in the order of their fingerprints.

    Attributes:
        table: ``ROWS`` in one chunk.
        starts, stops: int64, by number of projection: where its rows are.
    """

    table: pa.RecordBatch
    starts: Ints
    stops: Ints

    @classmethod
    def of(cls, table: pa.Table, projections: int) -> "HeldRows":
        """Return rows in order.

        Args:
            table: ``ROWS``, each row of a projection once.
            projections: how many there are.
        """
        batches = table.combine_chunks().to_batches()
        batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
        projection, high, low = (batch.column(name).to_numpy() for name in ("projection", "high", "low"))
        heads = _heads(projection)
        known = projection[heads]
        if len(np.unique(known)) < len(known) or not _ascends(high, low, heads):
            order = np.lexsort((low, high, projection))
            batch = batch.take(pa.array(order))
            projection = projection[order]
            heads = _heads(projection)
            known = projection[heads]
        starts, stops = np.zeros((2, projections), np.int64)
        starts[known], stops[known] = heads, np.append(heads[1:], len(projection))[: len(heads)]
        return cls(batch, starts, stops)

    def lacking(self, child: Ints, parent: Ints, *, most: int = ALL, bags: bool = False) -> tuple[Ints, Ints, Ints]:
        """Look for rows of children in their parents.

        Args:
            child, parent: int64, shape (n,): pairs of projections.
            most: how many of a child's smallest rows are looked for.
            bags: whether a parent must have a row as often as the child.

        Returns:
            int64 arrays, shape (n,): how many rows the parent lacks; how often, all together; the address of the one
            with the smallest fingerprint, or -1.
        """
        high, low, rows, address = (self.table.column(name).to_numpy() for name in ("high", "low", "rows", "address"))
        missing, times, first = lacking_rows(high, low, rows, self.starts, self.stops, child, parent, most, bags)
        witness = np.full(len(child), -1, np.int64)
        witness[first >= 0] = address[first[first >= 0]]
        return missing, times, witness


def _heads(projection: Ints) -> Ints:
    """Return where the rows of projections begin."""
    return np.flatnonzero(np.concatenate([[len(projection) > 0], projection[1:] != projection[:-1]]))


def _ascends(high: Ints, low: Ints, heads: Ints) -> bool:
    """Return whether the rows of each projection ascend."""
    above = (high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))
    above[heads[1:] - 1] = True
    return bool(above.all())
