"""The seam: the verbs that stages are written over, and that every engine gives.

A stage is a plan over tables. What happens to rows is done by pure functions on Arrow data, handed to ``map``,
``group`` and ``fold``; what moves rows is a verb. Tables are lazy and are recomputed each time they are used, until
``save`` makes them durable: a stage saves what it uses twice.

Rules that keep the answer the same on every engine:

* keys (``by``, ``on``, ``order``, ``sort``) are never null; integers are int64, strings compare by their UTF-8 bytes;
* no function handed to a verb may depend on how rows are cut into batches;
* row order is defined only where a verb says so.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..connectors.split import Split
from ..connectors.views import take_table
from ..hashing.ordering import ascending_order

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

BatchFn = Callable[[pa.RecordBatch], pa.RecordBatch]
"""Rows in, rows out; keeps the order of the rows that it keeps."""


@dataclass(frozen=True)
class Group:
    """All rows of one key.

    Attributes:
        rows: in any order, contiguous columns.
        order: int64, where the sorted rows stand in ``rows``.
    """

    rows: pa.Table
    order: NDArray[np.int64]

    @classmethod
    def of(cls, batches: Sequence[pa.RecordBatch], schema: pa.Schema, sort: Sequence[str]) -> "Group":
        """Return the group of some rows, which sort by int64 columns."""
        rows = pa.Table.from_batches(batches, schema).unify_dictionaries().combine_chunks()
        order = ascending_order([rows[name].to_numpy() for name in sort]) if sort else None
        return cls(rows, np.arange(rows.num_rows) if order is None else order)

    def __len__(self) -> int:
        return len(self.order)

    def sorted(self, start: int = 0, stop: int | None = None) -> pa.Table:
        """Return the rows from one place to another in sorted order; a part at a time saves a copy of the whole."""
        return take_table(self.rows, pa.array(self.order[start:stop]))


GroupFn = Callable[[Group], pa.RecordBatch]
"""All rows of one group in; rows out. It may write files, under names that depend on the group alone."""

FoldFn = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
"""All rows in order in; rows out. Its state must be small and stated."""

Measure = Literal["count", "sum", "min", "max"]

How = Literal["inner", "left", "semi", "anti"]
"""Which rows of a join stay: with a match, all, with a match but without its columns, without a match."""


class Shipped(Protocol[T_co]):
    """A thing that every task can have; plain data."""

    def __call__(self) -> T_co:
        """Return the thing; a process fetches it once."""


class Progress(Protocol):
    """Where an engine and a run tell what they are doing."""

    def begin(self, *, memory_bytes: int, threads: int) -> None:
        """Say before any step what the engine may take of this machine."""

    def start(self, step: str, *, total_bytes: int | None = None) -> None:
        """Begin a named step; ``total_bytes`` where its end can be foreseen."""

    def advance(self, size_bytes: int) -> None:
        """Bytes of input read in this step since the last call; may be called from any thread."""

    def tasks(self, done: int, of: int) -> None:
        """Tasks done in what runs now, where an engine counts tasks; may be called from any thread."""

    def finish(self) -> None:
        """End the step."""


class Table(Protocol):
    """A lazy table of an engine."""

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""

    def select(self, *names: str, **renamed: str) -> "Table":
        """Keep the named columns, then ``new="old"`` ones under a new name."""

    def map(self, fn: BatchFn, schema: pa.Schema) -> "Table":
        """Apply a function to batches of any size."""

    def union(self, *others: "Table") -> "Table":
        """Rows of all tables, which have one schema; repeats are kept."""

    def distinct(self) -> "Table":
        """Each different row once."""

    def join(self, other: "Table", *, on: Sequence[str], how: How = "inner") -> "Table":
        """Join on equal, non-null columns; other columns of the two tables must not share a name."""

    def first(
        self, *, by: Sequence[str], order: Sequence[str], n: int = 1, at_least: int = 1, size: str | None = None
    ) -> "Table":
        """The n first rows of each key in the given order, combined before any shuffle.

        Args:
            by: the key.
            order: columns that order the rows of a key totally.
            n: how many rows to keep.
            at_least: leave out keys with fewer rows than this.
            size: name of an int64 column to add, the number of rows of the key.
        """

    def aggregate(self, *, by: Sequence[str], **measures: tuple[Measure, str]) -> "Table":
        """One row a key with int64 measures: ``rows=("count", "row")``, ``bytes=("sum", "bytes")``; no key: one row."""

    def explode(self, column: str, *, into: str, repeated: bool) -> "Table":
        """Make a row of each int64 that is packed in a binary column, as ``into``, with the other columns beside it.

        A null makes no row.

        Args:
            column: binary, int64 in little-endian order one after another.
            into: name of the new column.
            repeated: whether values that occur once in the whole table may be left out. A hint: nearly all band keys
                occur once, and an engine that notices has little left to sort; what it leaves in changes nothing.
        """

    def number(self, *, order: Sequence[str], name: str) -> "Table":
        """Add an int64 column that numbers the rows 0, 1, 2 ... in a total order; rows come in that order."""

    def group(
        self,
        *,
        by: str,
        sort: Sequence[str],
        fn: GroupFn | FoldFn,
        schema: pa.Schema,
        hold: int | None = None,
        lead: int | None = None,
    ) -> "Table":
        """Bring the rows of each int64 key together, sorted, and hand them to ``fn``.

        With ``hold``, ``fn`` is called with each group whole, and columns other than ``by`` and ``sort`` may be of any
        Arrow type: engines carry them untouched. Without it, groups of any size are streamed to ``fn`` one after
        another, in batches that end anywhere; engines may call it for some of the keys at a time.

        With ``lead``, what ``fn`` makes of a row depends on that row and the first ``lead`` rows of its key alone, and
        its rows are a set: a key of any number of rows may then be dealt to several calls, each of which gets its first
        rows before some of the others, and rows of the result may repeat. No key is too large for a task.

        Args:
            by: the key.
            sort: int64 columns that order a group totally.
            fn: a ``GroupFn`` with ``hold``; without, a ``FoldFn`` whose state never passes from one key to the next.
            schema: what it returns.
            hold: about how many bytes a group has at most; the stage keeps to it, engines size memory by it.
            lead: how many first rows of a key the others depend on.
        """

    def fold(self, *, order: Sequence[str], fn: FoldFn, schema: pa.Schema) -> "Table":
        """Stream all rows in a total order through one function, in one place: the driver's only work."""

    def save(self, name: str) -> "Table":
        """Compute the table and make it durable under a name, or return the one saved before: the unit of resume.

        It is in its folder when the engine has settled, at the latest.
        """

    def collect(self) -> pa.Table:
        """Bring a *small* table to the driver, in no particular order."""


class Engine(Protocol):
    """What runs the verbs."""

    @property
    def memory_bytes(self) -> int | None:
        """What it may take of this machine's memory; None if that is not for it to say."""

    def read(self, splits: Sequence[Split], columns: pa.Schema, *, full: pa.Schema, only: Table | None = None) -> Table:
        """Read splits of the inputs, in address order.

        Args:
            splits: what to read, in address order.
            columns: columns to read; the table has the reading schema of these.
            full: all columns of the corpus.
            only: a table with an address column: only these records are read, each as often as its address
                occurs, with the other columns of ``only`` appended. Engines skip splits without a wanted record.
                String columns may then come as views (``connectors/views.py``).
        """

    def table(self, data: pa.Table) -> Table:
        """Make a table of driver data; its chunks stay batches."""

    def ship(self, thing: T) -> "Shipped[T]":
        """Give every task a thing that it may read: an index, or anything else that can be pickled.

        Functions handed to verbs keep what this returns, and call it where they need the thing.
        """

    def share(self, folder: Path) -> Path:
        """Return where every task sees a folder of this machine: a model, say, that each process loads once."""

    def has(self, name: str) -> bool:
        """Whether a table of that name was saved before."""

    def settle(self) -> None:
        """Wait until all saved tables are in their folders: engines may write them while the plan goes on.

        Raises:
            OSError: one cannot be written.
        """

    def close(self) -> None:
        """Settle, then release threads, files and memory."""


def drop_columns(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    """Return a schema without some columns."""
    return pa.schema([field for field in schema if field.name not in names])
