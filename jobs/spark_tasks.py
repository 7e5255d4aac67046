"""What Spark tasks do: functions from batches to batches, as ``mapInArrow`` takes them.

They are plain data and travel to the executors as such. Nothing here is about a stage: stages hand in their functions.
"""

import tempfile
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark import TaskContext

from ..connectors.address import ADDRESS
from ..connectors.batches import conform
from ..connectors.corpus import read_split
from ..connectors.merged import merged
from ..connectors.split import Split, bounds
from ..connectors.views import cast_batch
from ..pipeline.engine import BatchFn, GroupFn
from . import failure
from .chunks import chunk_batches, cut, decode, encode, gathered, one_batch
from .lookup import Lookup
from .numbers import with_numbers
from .saved import Part, read_part, write_part
from .spool import Spool
from .wanted import with_columns
from .worker_garbage import set_loaded_aside

TaskFn = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
"""All batches of a task in, batches out."""

BATCH_BYTES = 8 << 20
SPOOL_BYTES = 512 << 20
"""Rows of groups that a task keeps in memory; Spark's memory settings are about the JVM."""

WRITTEN_PARTS = pa.schema(
    [("task", pa.int64()), ("name", pa.string()), ("rows", pa.int64()), ("sizes", pa.list_(pa.int64()))]
)


@dataclass(frozen=True)
class Chain:
    """Functions one after another, so that a batch stays in one Python process.

    Spark tells the driver the text of an error only; the error itself is left in a file.

    Attributes:
        fns: applied in order.
        failures: folder for errors.
    """

    fns: tuple[TaskFn, ...]
    failures: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield what the last function yields."""
        try:
            for fn in self.fns:
                batches = fn(batches)
            yield from batches
        except GeneratorExit:  # nobody wants more rows
            raise
        except BaseException as error:
            leave_failure(Path(self.failures), error)
            raise
        finally:
            set_loaded_aside()


def leave_failure(folder: Path, error: BaseException) -> None:
    """Write an error down for the driver."""
    text = failure.written(error, traceback.format_exc())
    name = f"{task_number():09d}-{uuid.uuid4().hex}"
    (folder / f".{name}").write_text(text)
    (folder / f".{name}").rename(folder / name)


def task_number() -> int:
    """Return the number of the task in its stage."""
    context = TaskContext.get()
    return context.partitionId() if context else 0


@dataclass(frozen=True)
class Mapped:
    """A batch function.

    Attributes:
        fn: rows in, rows out.
    """

    fn: BatchFn

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Apply it to each batch."""
        return map(self.fn, batches)


@dataclass(frozen=True)
class Selected:
    """Columns under new names.

    Attributes:
        chosen: the columns.
        schema: of the result.
    """

    chosen: tuple[str, ...]
    schema: pa.Schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pick them from each batch."""
        for batch in batches:
            columns = [batch.column(batch.schema.get_field_index(name)) for name in self.chosen]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)


@dataclass(frozen=True)
class Conformed:
    """Rows from Spark in the declared types.

    Attributes:
        schema: the declared names and types.
    """

    schema: pa.Schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Cast each batch."""
        for batch in batches:
            if batch.num_rows:
                yield pa.RecordBatch.from_arrays(conform(batch, self.schema), schema=self.schema)


ASCENTS = pa.schema(
    [("task", pa.int64()), ("rows", pa.int64()), ("first", pa.int64()), ("last", pa.int64()), ("ascends", pa.bool_())]
)
"""Whether the rows of a task ascend by a column, and from where to where."""


@dataclass(frozen=True)
class Ascent:
    """Finds out whether rows are in order.

    Attributes:
        column: int64, without nulls.
    """

    column: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield a row of ``ASCENTS``, or none for no rows."""
        count, first, last, ascends = 0, 0, 0, True
        for batch in batches:
            values = batch.column(self.column).to_numpy()
            if not len(values):
                continue
            ascends &= bool(np.all(values[1:] > values[:-1])) and (not count or values[0] > last)
            first = first if count else int(values[0])
            last, count = int(values[-1]), count + len(values)
        if count:
            line = {"task": task_number(), "rows": count, "first": first, "last": last, "ascends": ascends}
            yield pa.RecordBatch.from_pylist([line], schema=ASCENTS)


@dataclass(frozen=True)
class Numbered:
    """Adds the number of each row.

    Attributes:
        firsts: the number of the first row of each task.
        schema: of the result.
    """

    firsts: dict[int, int]
    schema: pa.Schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Number the rows of a task."""
        return with_numbers(batches, self.firsts.get(task_number(), 0), self.schema)


@dataclass(frozen=True)
class LookedUp:
    """Joins rows with those of a small file.

    Attributes:
        path: an Arrow file of rows by ascending key, each key once.
        on: the key, int64.
        schema: of the result.
    """

    path: str
    on: str
    schema: pa.Schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows whose key is in the file, with its columns."""
        with pa.memory_map(self.path) as source:
            rows = pa.ipc.open_file(source).get_batch(0)
        lookup = Lookup("inner", rows[self.on].to_numpy(), rows.drop_columns([self.on]))
        return (lookup(batch, self.on, self.schema) for batch in batches)


@dataclass(frozen=True)
class Plain:
    """Rows in types that Spark takes.

    Attributes:
        schema: the columns in these types.
    """

    schema: pa.Schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Cast each batch."""
        return (cast_batch(batch, self.schema) for batch in batches)


@dataclass(frozen=True)
class ReadSplits:
    """Reads the splits of each task.

    Attributes:
        tasks: the splits of each, in address order.
        columns, full: as in ``Engine.read``.
        batch_rows: at most how many rows a batch has.
    """

    tasks: tuple[tuple[Split, ...], ...]
    columns: pa.Schema
    full: pa.Schema
    batch_rows: int | None

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the records of the tasks whose numbers come in ``id``."""
        for number in _ids(batches):
            yield from merged(chain.from_iterable(map(self.read, self.tasks[number])), self.batch_rows)

    def read(self, split: Split) -> Iterator[pa.RecordBatch]:
        """Yield the records of one split."""
        return read_split(split, self.columns, full=self.full, batch_bytes=BATCH_BYTES, batch_rows=self.batch_rows)


def _ids(batches: Iterator[pa.RecordBatch]) -> Iterator[int]:
    return chain.from_iterable(batch.column("id").to_pylist() for batch in batches)


@dataclass(frozen=True)
class CutByTask:
    """Deals wanted rows to the tasks that read their splits.

    Attributes:
        starts: the first address of each task.
    """

    starts: tuple[int, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield ``CHUNKS`` for rows with an address."""
        starts = np.array(self.starts, np.int64)

        def chunks() -> Iterator[tuple[int, int, pa.Buffer]]:
            for held in gathered(batches, BATCH_BYTES):
                rows = one_batch(held)
                tasks = np.searchsorted(starts, rows.column(ADDRESS).to_numpy(), side="right") - 1
                dealt = rows.append_column("__task", pa.array(tasks.astype(np.int64)))
                for task, part in cut(dealt, "__task"):
                    yield task, 0, encode(part.drop_columns(["__task"]))

        return chunk_batches(chunks())


@dataclass(frozen=True)
class ReadWanted:
    """Reads the wanted records of one task's splits.

    Attributes:
        reader: all splits.
        only: schema of the wanted rows.
        schema: of the result.
    """

    reader: ReadSplits
    only: pa.Schema
    schema: pa.Schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the records that the chunks of each task ask for."""
        wanted: dict[int, list[pa.RecordBatch]] = {}
        for batch in batches:
            for task, chunk in zip(batch.column("part").to_pylist(), batch.column("chunk"), strict=True):
                wanted.setdefault(task, []).extend(decode([chunk], self.only))
        for task in sorted(wanted):
            rows = pa.Table.from_batches(wanted.pop(task), self.only)
            order = np.argsort(rows[ADDRESS].to_numpy(), kind="stable")
            yield from _wanted_of(self.reader, task, rows.take(pa.array(order)).combine_chunks(), self.schema)


@dataclass(frozen=True)
class ReadWantedFrom:
    """Reads the wanted records of each task's splits, which it looks up in a file that all tasks map.

    Attributes:
        reader: all splits.
        path: an Arrow file of the wanted rows by address.
        schema: of the result.
    """

    reader: ReadSplits
    path: str
    schema: pa.Schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the wanted records of the tasks whose numbers come in ``id``."""
        with pa.memory_map(self.path) as source:
            rows = pa.ipc.open_file(source).read_all()
        addresses = rows[ADDRESS].to_numpy()
        for task in _ids(batches):
            firsts, afters = bounds(self.reader.tasks[task])
            low, high = (int(np.searchsorted(addresses, edge)) for edge in (firsts[0], afters[-1]))
            yield from _wanted_of(self.reader, task, rows.slice(low, high - low).combine_chunks(), self.schema)


def _wanted_of(reader: ReadSplits, task: int, rows: pa.Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the records of a task's splits that some rows ask for, which are in order of their address."""
    splits = reader.tasks[task]
    lows, highs = (np.searchsorted(rows[ADDRESS].to_numpy(), edges) for edges in bounds(splits))
    read = (
        with_columns(reader.read(split), rows.slice(low, high - low), schema, held=False)
        for split, low, high in zip(splits, lows, highs, strict=True)
        if low < high
    )
    return merged(chain.from_iterable(read), reader.batch_rows)


@dataclass(frozen=True)
class ReadParts:
    """Reads parts of a table, in tasks or on the driver.

    Attributes:
        paths: files, in order.
        stored: the column of the file behind each column but the number.
        schema: of the rows.
        rows: how many each part has.
        sizes: bytes of each stored column in all parts.
        numbered: whether rows get their number as a last column.
    """

    paths: tuple[str, ...]
    stored: tuple[str, ...]
    schema: pa.Schema
    rows: tuple[int, ...]
    sizes: tuple[int, ...]
    numbered: bool = False

    @property
    def size_bytes(self) -> int:
        """Bytes of the rows."""
        return sum(self.sizes)

    @classmethod
    def of(cls, folder: Path, parts: Sequence[Part], schema: pa.Schema) -> "ReadParts":
        """Return what reads the parts of a folder."""
        kept = [part for part in parts if part.rows]
        paths = tuple(str(folder / part.name) for part in kept)
        sizes = [sum(column) for column in zip(*(part.sizes for part in kept), strict=True)] or [0] * len(schema)
        return cls(paths, tuple(schema.names), schema, tuple(part.rows for part in kept), tuple(sizes))

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the parts whose numbers come in ``id``."""
        return chain.from_iterable(map(self.part, _ids(batches)))

    def all(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of all parts."""
        return chain.from_iterable(map(self.part, range(len(self.paths))))

    def part(self, number: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one part."""
        path = Path(self.paths[number])
        if not self.numbered:
            return read_part(path, self.stored, self.schema)
        rows = read_part(path, self.stored, pa.schema(list(self.schema)[:-1]))
        return with_numbers(rows, sum(self.rows[:number]), self.schema)

    def select(self, chosen: dict[str, str], schema: pa.Schema) -> "ReadParts":
        """Return what reads some columns: {new name: old name}."""
        places = [self.schema.names.index(old) for old in chosen.values()]
        stored, sizes = tuple(self.stored[i] for i in places), tuple(self.sizes[i] for i in places)
        return replace(self, stored=stored, sizes=sizes, schema=schema)


@dataclass(frozen=True)
class WritePart:
    """Writes the rows of a task as one part of a saved table.

    Attributes:
        folder: of the table.
        schema: of the rows.
        stem: how names start.
    """

    folder: str
    schema: pa.Schema
    stem: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield a row of ``WRITTEN_PARTS``, or none for no rows."""
        for line in write_rows(Path(self.folder), self.stem, batches, self.schema):
            yield pa.RecordBatch.from_pylist([line], schema=WRITTEN_PARTS)


def write_rows(
    folder: Path, stem: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema
) -> Iterator[dict[str, object]]:
    """Write rows as a part and yield its line of ``WRITTEN_PARTS``; nothing for no rows."""
    filled = (batch for batch in batches if batch.num_rows)
    first = next(filled, None)
    if first is not None:
        part = write_part(folder, f"{stem}-{task_number():06d}", chain([first], filled), schema)
        yield {"task": task_number(), **asdict(part)}


def parts_in_order(lines: pa.Table) -> list[Part]:
    """Return the parts that tasks wrote, in the order of their tasks."""
    rows = sorted(lines.to_pylist(), key=lambda line: int(line["task"]))
    return [part_of(row) for row in rows]


def part_of(line: dict[str, Any]) -> Part:
    """Return the part that a row of ``WRITTEN_PARTS`` stands for."""
    return Part(line["name"], line["rows"], tuple(line["sizes"]))


@dataclass(frozen=True)
class WholeGroups:
    """Hands each key's rows, gathered from its chunks, to a function.

    Attributes:
        schema: of the rows.
        sort: columns that order a group.
        fn: all rows of one key in, rows out.
    """

    schema: pa.Schema
    sort: tuple[str, ...]
    fn: GroupFn

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the results for the chunks of a shuffle partition; rows that are too many wait on the task's disk."""
        with tempfile.TemporaryDirectory(prefix="tamis-group-") as folder:
            spool = Spool(self.schema, budget=SPOOL_BYTES, folder=Path(folder))
            try:
                for batch in batches:
                    for key, chunk in zip(batch.column("key").to_pylist(), batch.column("chunk"), strict=True):
                        spool.add((key, rows) for rows in decode([chunk], self.schema))
                spool.settle()
                for key in spool.sorted_keys():
                    yield self.fn(spool.take(key, list(self.sort)))
            finally:
                spool.close()
