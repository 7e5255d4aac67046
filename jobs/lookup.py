"""Joins by one key, where the other side fits into memory: each row looks its key up."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.ordering import ascending_order
from ..pipeline.engine import How

MATCHING: tuple[How, ...] = ("semi", "anti")
"""Joins that ask whether a key is there, and take nothing from the other side."""


def places_of(wanted: NDArray[np.int64], keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return (where each wanted key stands among some ascending keys, whether it does).

    >>> places_of(np.array([7, 8, 2]), np.array([2, 7]))
    (array([1, 2, 0]), array([ True, False,  True]))
    """
    if len(keys) and int(keys[-1]) - int(keys[0]) == len(keys) - 1:  # none is left out: a key says where it stands
        return wanted - keys[0], (wanted >= keys[0]) & (wanted <= keys[-1])
    places = np.searchsorted(keys, wanted)
    found = np.zeros(len(wanted), np.bool_)
    inside = places < len(keys)
    found[inside] = keys[places[inside]] == wanted[inside]
    return places, found


@dataclass(frozen=True)
class Lookup:
    """The other side of a join, by key.

    Attributes:
        how: which rows stay, and whether they get columns.
        keys: int64, ascending; each once, where columns are taken.
        columns: the other columns, in that order.
    """

    how: How
    keys: NDArray[np.int64]
    columns: pa.RecordBatch

    def __call__(self, batch: pa.RecordBatch, on: str, schema: pa.Schema) -> pa.RecordBatch:
        """Return the rows of a batch that stay, with the columns found."""
        wanted = batch.column(on)
        places, found = places_of(wanted.fill_null(0).to_numpy(), self.keys)
        if wanted.null_count:
            found &= wanted.is_valid().to_numpy(zero_copy_only=False)
        if self.how in MATCHING:
            return _those(batch, found if self.how == "semi" else ~found)
        if self.how == "left":
            rows = pa.array(places, mask=~found)
        else:
            batch, rows = _those(batch, found), pa.array(places if found.all() else places[found])
        more = (column.take(rows) for column in self.columns.columns)
        return pa.RecordBatch.from_arrays([*batch.columns, *more], schema=schema)


def _those(batch: pa.RecordBatch, wanted: NDArray[np.bool_]) -> pa.RecordBatch:
    return batch if wanted.all() else batch.filter(pa.array(wanted))


def lookup_of(batches: Iterator[pa.RecordBatch], schema: pa.Schema, on: str, how: How, *, budget: int) -> Lookup | None:
    """Return a lookup of some rows; None if they take more than ``budget`` bytes or a key would add two rows."""
    wanted = pa.schema([schema.field(on)]) if how in MATCHING else schema
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if batch.column(on).null_count:  # null is no key
            batch = batch.filter(batch.column(on).is_valid())
        held.append(batch.select(wanted.names))
        size += held[-1].nbytes
        if size > budget:
            return None
    rows = pa.Table.from_batches(held, wanted)
    order = ascending_order([rows[on].to_numpy()])
    rows = (rows if order is None else rows.take(pa.array(order))).combine_chunks()
    keys = rows[on].to_numpy()
    if how not in MATCHING and np.any(keys[1:] == keys[:-1]):
        return None
    columns = rows.drop_columns([on])
    return Lookup(
        how, keys, pa.RecordBatch.from_arrays([_whole(column) for column in columns.columns], schema=columns.schema)
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks else pa.nulls(0, column.type)
