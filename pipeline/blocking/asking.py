"""Asking a blocker about all records, over the engine's verbs: ranges of queries are dealt out, and answered where they
come."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..engine import Engine, Shipped
from .records import Records
from .search import Found, Search, pairs_of, ranges

FOUND = pa.schema([("query", pa.int64()), ("rank", pa.int64()), ("row", pa.int64()), ("score", pa.float64())])
"""What some queries found: places of records, ranks from 1."""

_RANGES = pa.schema([("first", pa.int64()), ("last", pa.int64())])
_MOST_TASKS = 4096
"""Above so many ranges a batch has several: each costs an engine something."""


@dataclass(frozen=True)
class Asking:
    """Asks a search about the ranges of a batch; plain data."""

    search: Shipped[Search]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``FOUND`` of the ranges."""
        search = self.search()
        bounds = zip(batch.column("first").to_pylist(), batch.column("last").to_pylist(), strict=True)
        found = Found.of([search(first, last) for first, last in bounds])
        return pa.RecordBatch.from_arrays(
            [pa.array(column) for column in (found.queries, found.ranks, found.rows, found.scores)], schema=FOUND
        )


def asked_pairs(engine: Engine, search: Search, left: Records, right: Records | None) -> pa.Table:
    """Return the pairs that a blocker finds: a table of ``pairs.PAIRS``, the same on every engine.

    Args:
        engine: what deals the queries out.
        search: what the blocker prepared of these records.
        left, right: the records; right is None within one table.
    """
    bounds = ranges(len(search))
    size = -(-len(bounds) // _MOST_TASKS) or 1
    batches = [_batch(bounds[i : i + size]) for i in range(0, len(bounds), size)]
    asked = engine.table(pa.Table.from_batches(batches, _RANGES)).map(Asking(engine.ship(search)), FOUND)
    rows = asked.collect().combine_chunks()
    query, rank, row, score = (rows[name].to_numpy() for name in FOUND.names)
    order = np.lexsort((rank, query))
    return pairs_of(search.name, Found(query[order], row[order], score[order]), left, right)


def _batch(bounds: list[tuple[int, int]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array([first for first, _ in bounds]), pa.array([last for _, last in bounds])], schema=_RANGES
    )
