"""Rows in rank order: the dense numbers that stages speak of."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..connectors.address import RECORD_BITS
from .engine import Table
from .keep import KeepPolicy

COLUMNS = ("address", "id", "source", "bytes", "tokens", "hash_high", "hash_low")
_POLICY = ("policy_missing", "policy_high", "policy_low")
_ID = ("id_missing", "id_order")


def rank(documents: Table, keep: KeepPolicy, *, references: int, recalled: bool = False) -> Table:
    """Return the rows that broke no rule and passed all filters, with ``row``, their number in rank order: 0 is best.

    Args:
        documents: the first pass.
        keep: which copy survives. ``first`` is the address alone.
        references: records of so many files are there already and rank before all others.
        recalled: whether they come from an index, and their policy columns order them as they came.
    """
    keys = () if keep.is_first and not recalled else (*_POLICY, *_ID)
    chosen = documents.select(*COLUMNS, *keys, "rule", "filtered")
    good = chosen.map(good_rows, chosen.schema)
    if keep.is_first and not recalled:  # references are the first files
        return good.number(order=["address"], name="row").select(*COLUMNS, "row")
    order = [*_POLICY, "address"] if keep.is_first else [*_POLICY, "hash_high", "hash_low", *_ID, "address"]
    if references:
        marked = Marked(references, pa.schema([*good.schema, ("new", pa.int64())]))
        good, order = good.map(marked, marked.schema), ["new", *order]
    return good.number(order=order, name="row").select(*COLUMNS, "row")


def good_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keep the rows of the first pass that stages see."""
    rule, filtered = batch.column("rule"), batch.column("filtered")
    good = pc.and_(rule.is_null(), pc.less(filtered, 0))
    return batch if pc.all(good).as_py() else batch.filter(good)


def failed_rows(documents: Table) -> Table:
    """Return the rows that a filter dropped, with the columns of ranked ones but their number."""
    rows = documents.select(*COLUMNS, "filtered")
    return rows.map(_failed, rows.schema).select(*COLUMNS)


def _failed(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.greater_equal(batch.column("filtered"), 0))


@dataclass(frozen=True)
class Marked:
    """Adds whether a record is new; plain data.

    Attributes:
        references: records of so many files are not.
        schema: of the result.
    """

    references: int
    schema: pa.Schema

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Append ``new``, 0 or 1."""
        new = batch.column("address").to_numpy() >= self.references << RECORD_BITS
        return pa.RecordBatch.from_arrays([*batch.columns, pa.array(new.astype(np.int64))], schema=self.schema)


@dataclass(frozen=True)
class Beyond:
    """Keeps the rows on one side of a bound: old or new ones, by rank or address; plain data.

    Attributes:
        column: int64.
        bound: the first value of new rows.
        new: whether to keep these, or those before.
    """

    column: str
    bound: int
    new: bool

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return these rows."""
        new = pc.greater_equal(batch.column(self.column), self.bound)
        return batch.filter(new if self.new else pc.invert(new))


def new_only(table: Table, column: str, bound: int) -> Table:
    """Return the rows of a table that are new; nothing is done where all are."""
    return table.map(Beyond(column, bound, True), table.schema) if bound else table


def old_only(table: Table, column: str, bound: int) -> Table:
    """Return the rows of a table that were there already."""
    return table.map(Beyond(column, bound, False), table.schema)
