"""Joining rows with long values by looking their keys up, so that the values are never handed to DuckDB."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.ordering import ascending_order


def places_of(wanted: NDArray[np.int64], keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return (where each wanted key stands among some ascending keys, whether it does).

    >>> places_of(np.array([7, 8, 2]), np.array([2, 7]))
    (array([1, 2, 0]), array([ True, False,  True]))
    """
    places = np.searchsorted(keys, wanted)
    found = np.zeros(len(wanted), np.bool_)
    inside = places < len(keys)
    found[inside] = keys[places[inside]] == wanted[inside]
    return places, found


@dataclass(frozen=True)
class Lookup:
    """The other side of a join, by key.

    Attributes:
        keys: int64, ascending, each once.
        columns: the other columns, in that order.
    """

    keys: NDArray[np.int64]
    columns: pa.Table

    def __call__(self, batch: pa.RecordBatch, on: str, schema: pa.Schema) -> pa.RecordBatch:
        """Return the rows of a batch whose key is here, with the columns found."""
        places, found = places_of(batch.column(on).to_numpy(), self.keys)
        rows = batch if found.all() else batch.filter(pa.array(found))
        more = self.columns.take(pa.array(places[found])).combine_chunks()
        columns = [column.chunk(0) if column.num_chunks else pa.nulls(0, column.type) for column in more.columns]
        return pa.RecordBatch.from_arrays([*rows.columns, *columns], schema=schema)


def lookup_of(batches: Iterator[pa.RecordBatch], schema: pa.Schema, on: str, *, budget: int) -> Lookup | None:
    """Return a lookup of some rows; None if they take more than ``budget`` bytes or a key occurs twice."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size > budget:
            return None
    rows = pa.Table.from_batches(held, schema)
    order = ascending_order([rows[on].to_numpy()])
    rows = (rows if order is None else rows.take(pa.array(order))).combine_chunks()
    keys = rows[on].to_numpy()
    return None if np.any(keys[1:] == keys[:-1]) else Lookup(keys, rows.drop_columns([on]))
