"""One pass over the tables of a lake: the fingerprints of their rows, in every projection that is asked for.

A *projection* is a table seen through the columns of a schema class: its own, or one that lies inside. It has a number.
Cells are hashed once, however many projections hold them.
"""

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...connectors.address import ADDRESS, record_of
from ...connectors.batches import RULE
from ...connectors.lake_tables import read_table_split
from ...connectors.split import Split
from ...hashing.errors import InputError
from ..engine import Engine, Table
from .canonical import cell_hashes

PRINTS = pa.schema(
    [
        ("projection", pa.int64()),
        ("high", pa.int64()),
        ("low", pa.int64()),
        ("address", pa.int64()),
        ("rows", pa.int64()),
        ("fault", pa.string()),
    ]
)
"""A distinct row of a projection in what one task read, the first record that has it, and how many have; or, with a
fault, that the table ``projection`` cannot be read."""

_WORK = pa.schema([("work", pa.binary())])


@dataclass(frozen=True)
class Work:
    """What one task reads; plain data.

    Attributes:
        table: number of the table.
        splits: of one of its files, or some of its row groups.
        full: all columns of the table.
        projections: (number, names of its columns).
    """

    table: int
    splits: tuple[Split, ...]
    full: pa.Schema
    projections: tuple[tuple[int, tuple[str, ...]], ...]


def take_prints(engine: Engine, work: Sequence[Work], *, trim: bool) -> Table:
    """Return ``PRINTS`` of what some tasks read, each of them in a batch of its own.

    Args:
        engine: what runs the verbs.
        work: the tasks.
        trim: whether white space around texts counts for nothing.
    """
    batches = [pa.RecordBatch.from_pylist([{"work": pickle.dumps(item)}], schema=_WORK) for item in work]
    return engine.table(pa.Table.from_batches(batches, _WORK)).map(Printing(trim), PRINTS)


@dataclass(frozen=True)
class Printing:
    """Reads tables and fingerprints their rows; plain data.

    Attributes:
        trim: whether white space around texts counts for nothing.
    """

    trim: bool

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``PRINTS`` of the work in a batch."""
        parts: list[pa.RecordBatch] = []
        for packed in batch.column("work").to_pylist():
            work: Work = pickle.loads(packed)
            try:
                parts += list(self._prints(work))
            except InputError as error:
                parts.append(_fault(work.table, f"{error.rule}; found {error.value}"))
        table = pa.Table.from_batches(parts, PRINTS).combine_chunks()
        return table.to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], schema=PRINTS)

    def _prints(self, work: Work) -> Iterator[pa.RecordBatch]:
        names = sorted({name for _, columns in work.projections for name in columns})
        wanted = pa.schema([work.full.field(name) for name in names])
        for split in work.splits:
            for batch in read_table_split(split, wanted, work.full):
                _check_rules(split, batch)
                cells = {name: cell_hashes(name, batch.column(name), trim=self.trim) for name in names}
                addresses = batch.column(ADDRESS).to_numpy()
                for number, columns in work.projections:
                    total = np.zeros((batch.num_rows, 2), np.uint64)
                    for name in columns:
                        total += cells[name]
                    yield _distinct(number, total.view(np.int64), addresses)


def _check_rules(split: Split, batch: pa.RecordBatch) -> None:
    """Refuse a record that cannot be read: what is said of a table is said of all its rows."""
    rules = batch.column(RULE)
    if rules.null_count == len(rules):
        return
    at = int(np.argmax(rules.is_valid().to_numpy(zero_copy_only=False)))
    raise InputError(
        "every record of a table can be read",
        value=f"{split.path}, record {record_of(batch.column(ADDRESS)[at].as_py())}: {rules[at]}",
        remedy="Mend it.",
    )


def _distinct(
    number: int,
    prints: "np.ndarray[tuple[int, int], np.dtype[np.int64]]",
    addresses: "np.ndarray[tuple[int], np.dtype[np.int64]]",
) -> pa.RecordBatch:
    """Return each fingerprint once, with its first address and its rows."""
    order = np.lexsort((addresses, prints[:, 1], prints[:, 0]))
    ordered = prints[order]
    first = np.flatnonzero(np.any(np.diff(ordered, axis=0, prepend=ordered[:1] - 1) != 0, axis=1))
    rows = np.diff(first, append=len(ordered))
    n = len(first)
    columns = [
        np.full(n, number, np.int64),
        np.ascontiguousarray(ordered[first, 0]),
        np.ascontiguousarray(ordered[first, 1]),
        addresses[order][first],
        rows,
    ]
    return pa.RecordBatch.from_arrays([*map(pa.array, columns), pa.nulls(n, pa.string())], schema=PRINTS)


def _fault(table: int, why: str) -> pa.RecordBatch:
    row = {"projection": table, "high": 0, "low": 0, "address": -1, "rows": 0, "fault": why}
    return pa.RecordBatch.from_pylist([row], schema=PRINTS)
