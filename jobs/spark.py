"""The Spark engine: data frames for what Spark does best, Python tasks over Arrow batches for the rest.

Inputs are read by the same connectors as on one machine, from a list of splits; no reader of Spark's touches them.
Saved tables are Parquet parts in the work folder, which all machines must see under one path.
"""

import itertools
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.pandas.types import from_arrow_schema

from ..connectors.address import ADDRESS
from ..connectors.batches import conform, reading_schema
from ..connectors.split import Split, bounds
from ..connectors.unfinished import UNFINISHED
from ..hashing.errors import EngineError
from ..pipeline.engine import FoldFn, Progress, Shipped, T, Table
from . import failure
from .chunks import CHUNKS, Decoded, InOrder, chunk_batch, decode, encode
from .driver_table import DriverTable
from .local import LocalEngine
from .local_table import LocalTable, SavedTable
from .lookup import lookup_of
from .saved import Part, begin, commit, is_saved, parts_of, write_part
from .shipped import written
from .spark_progress import Watch
from .spark_table import Branch, PartsTable, SparkTable, column_of, spark_types, table_of, union_frames
from .spark_tasks import (
    WRITTEN_PARTS,
    Chain,
    CutByTask,
    Plain,
    ReadParts,
    ReadSplits,
    ReadWanted,
    ReadWantedFrom,
    TaskFn,
    WritePart,
    parts_in_order,
)
from .table_store import SavedRows
from .wanted import wanted_schema

R = TypeVar("R")

PART_BYTES = 64 << 20
"""Bytes that a task should have: a Python task costs a twentieth of a second whatever it does."""

MAX_PARTS = 20_000
SMALL_BYTES = 256 << 20
"""A table that the driver sorts by itself: the two jobs that Spark needs for it take longer."""

DRIVER_TABLES = 256 << 20
"""Saved tables up to this size are the driver's (``driver_table.py``) ..."""

DRIVER_MEMORY = 4
"""... which takes so many times as much memory for them, beside the JVM."""

LOOKUP_BYTES = 64 << 20
"""A table that every task can map whole."""

TASKS_A_CORE = 4
"""Reading tasks a core, at least: enough to even out their lengths."""

TASK_BYTES = 128 << 20
"""Bytes that a reading task gets at most, where splits are smaller."""


class SparkEngine:
    """The verbs on Spark.

    Args:
        work: folder for saved tables and what is between them; on a cluster, one that all machines share.
        session: what runs them.
        partitions: how many partitions to read and shuffle in; default: by size.
        driver_tables: up to how many bytes a table is worked on by the driver.
        batch_rows: at most how many rows a batch of input has (for tests).
        progress: told about tasks.
        own: whether to stop the session in the end.
    """

    def __init__(
        self,
        work: Path,
        session: SparkSession,
        *,
        partitions: int | None = None,
        driver_tables: int = DRIVER_TABLES,
        batch_rows: int | None = None,
        progress: Progress | None = None,
        own: bool = False,
    ) -> None:
        self.work = work.absolute()
        self.memory_bytes: int | None = None  # Spark was told
        self.session = session
        self.partitions = partitions
        self.batch_rows = batch_rows
        self.progress = progress
        self._own = own
        self._names = itertools.count()
        self.work.mkdir(parents=True, exist_ok=True)
        for left in self.work.glob(f"*{UNFINISHED}"):  # of a driver that was killed
            shutil.rmtree(left)
        self.spill = Path(tempfile.mkdtemp(prefix="spill-", suffix=UNFINISHED, dir=self.work))
        self._failures = self.new_folder("failures")
        self._driver_tables = driver_tables
        memory = DRIVER_MEMORY * max(driver_tables, DRIVER_TABLES)
        self.driver = LocalEngine(self.spill / "driver", memory_bytes=memory)
        session.conf.set("spark.sql.shuffle.partitions", str(partitions or self._cores()))
        session.conf.set("spark.sql.adaptive.coalescePartitions.enabled", str(partitions is None).lower())

    def _cores(self) -> int:
        return self.session.sparkContext.defaultParallelism

    def parts_for(self, size_bytes: int) -> int:
        """Return how many shuffle partitions a table of some size needs."""
        return self.partitions or min(MAX_PARTS, max(self._cores(), -(-size_bytes // PART_BYTES)))

    def new_folder(self, name: str) -> Path:
        """Make a folder that goes when the engine is closed."""
        folder = self.spill / f"{name}-{next(self._names)}"
        folder.mkdir()
        return folder

    def read(self, splits: Sequence[Split], columns: pa.Schema, *, full: pa.Schema, only: Table | None = None) -> Table:
        """See ``Engine.read``."""
        tasks = self._deal(splits)
        size = sum(split.size_bytes for split in splits)
        self._foresee(size)
        reader = ReadSplits(tasks, columns, full, self.batch_rows)
        base = partial(self.numbers, len(tasks))
        if only is None:
            schema = reading_schema(columns)
            return SparkTable(self, schema, lambda: [Branch(base, (reader,))], size_bytes=size, ordered=(ADDRESS,))
        schema = wanted_schema(columns, only.schema)
        if isinstance(only, DriverTable):
            looked_up = only.local

            def beside() -> list[Branch]:
                path = self._sorted_file(looked_up, ADDRESS)
                return [Branch(base, (ReadWantedFrom(reader, str(path), schema),))]

            return SparkTable(self, schema, beside, size_bytes=size, ordered=(ADDRESS,))
        wanted = table_of(self, only)
        starts = tuple(bounds([task[0] for task in tasks])[0].tolist())

        def dealt() -> DataFrame:
            frame = self.chunk_frame(wanted.then(CutByTask(starts), CHUNKS).branches)
            return frame.repartitionById(max(1, len(tasks)), sql.col("part"))

        read = ReadWanted(reader, only.schema, schema)
        return SparkTable(self, schema, lambda: [Branch(dealt, (read,))], size_bytes=size, ordered=(ADDRESS,))

    def _deal(self, splits: Sequence[Split]) -> tuple[tuple[Split, ...], ...]:
        """Return the splits of each task: consecutive, about equal in bytes."""
        if not splits:
            return ()
        ends = np.cumsum([max(1, split.size_bytes) for split in splits])
        count = self.partitions or max(TASKS_A_CORE * self._cores(), -(-int(ends[-1]) // TASK_BYTES))
        edges = np.searchsorted(ends, np.linspace(0, int(ends[-1]), min(count, len(splits)) + 1)[1:-1], side="left")
        cuts = [0, *(int(edge) for edge in edges), len(splits)]
        return tuple(tuple(splits[a:b]) for a, b in itertools.pairwise(cuts) if a < b)

    def _foresee(self, size_bytes: int) -> None:
        """Size Spark's own shuffles by the input; it joins small partitions by itself."""
        if self.partitions is None:
            self.session.conf.set("spark.sql.shuffle.partitions", str(self.parts_for(size_bytes)))

    def table(self, data: pa.Table) -> Table:
        """See ``Engine.table``: driver data is handed in to be spread over tasks, unless there is none."""
        if not data.num_rows and self._driver_tables:
            return DriverTable(self, cast(LocalTable, self.driver.table(data)), size_bytes=0)
        batches = [batch for batch in data.to_batches() if batch.num_rows]
        count = self.partitions or TASKS_A_CORE * self._cores()
        rows = [(i % count, i, encode(batch)) for i, batch in enumerate(batches)]

        def frame() -> DataFrame:
            chunk_table = pa.Table.from_batches([chunk_batch(rows)])
            made = self.session.createDataFrame(chunk_table, from_arrow_schema(CHUNKS))
            return made.repartitionById(max(1, min(count, len(rows))), sql.col("part"))

        return SparkTable(self, data.schema, lambda: [Branch(frame, (Decoded(data.schema),))], size_bytes=data.nbytes)

    def ship(self, thing: T) -> Shipped[T]:
        """See ``Engine.ship``: a file in the work folder, which tasks map."""
        return written(self.new_folder("shipped") / "thing", thing)

    def share(self, folder: Path) -> Path:
        """See ``Engine.share``: a copy in the work folder, which all machines see."""
        return Path(shutil.copytree(folder, self.new_folder("shared") / folder.name))

    def has(self, name: str) -> bool:
        """See ``Engine.has``."""
        return is_saved(self.work / name)

    def settle(self) -> None:
        """See ``Engine.settle``: tables are written when they are saved."""

    def close(self) -> None:
        """See ``Engine.close``."""
        self.driver.close()
        if self._own:
            self.session.stop()
        shutil.rmtree(self.spill, ignore_errors=True)

    # What tables ask for.

    def numbers(self, count: int, size_bytes: int | None = None) -> DataFrame:
        """Return a frame of 0, 1, 2 ... in ``id``, in order: each in a task, or so many as some bytes need."""
        tasks = count if size_bytes is None else min(count, self.parts_for(size_bytes))
        return self.session.range(0, count, 1, max(1, tasks))

    def parquet(self, reader: ReadParts) -> DataFrame:
        """Return a frame of parts, which Spark reads itself."""
        types = dict(zip(reader.stored, spark_types(reader.schema).types, strict=True))
        stored = from_arrow_schema(pa.schema(list(types.items())))
        columns = [column_of(old).alias(new) for old, new in zip(reader.stored, reader.schema.names, strict=True)]
        if not reader.paths:
            return self.session.createDataFrame([], stored).select(*columns)
        return self.session.read.schema(stored).parquet(*reader.paths).select(*columns)

    def _applied(self, base: DataFrame, fns: Sequence[TaskFn], schema: pa.Schema) -> DataFrame:
        chain = Chain(tuple(fns), str(self._failures))
        return base.mapInArrow(chain, from_arrow_schema(schema))

    def frame(self, branches: Sequence[Branch], schema: pa.Schema) -> DataFrame:
        """Return the rows of branches as Spark's own."""
        plain = spark_types(schema)
        frames = [
            branch.native() if branch.native else self._applied(branch.base(), [*branch.fns, Plain(plain)], plain)
            for branch in branches
        ]
        return union_frames(frames)

    def chunk_frame(self, branches: Sequence[Branch]) -> DataFrame:
        """Return the chunks that branches yield."""
        return union_frames([self._applied(branch.base(), branch.fns, CHUNKS) for branch in branches])

    def rows(self, branches: Sequence[Branch], schema: pa.Schema) -> pa.Table:
        """Bring the rows of branches to the driver, in order."""
        found: list[pa.RecordBatch] = []
        for branch in branches:
            if (reader := branch.written) is not None:
                found += reader.all()
                continue
            if branch.native is not None:
                rows = self.act(branch.native().toArrow)
                found += [
                    pa.RecordBatch.from_arrays(conform(batch, schema), schema=schema) for batch in rows.to_batches()
                ]
                continue
            chunks = self._applied(branch.base(), [*branch.fns, InOrder()], CHUNKS)
            table = self.act(chunks.toArrow)
            found += decode(table["chunk"].combine_chunks(), schema)
        return pa.Table.from_batches(found, schema)

    def write(self, table: SparkTable, folder: Path) -> list[Part]:
        """Write the rows of a table as parts, in its order."""
        parts: list[Part] = []
        for i, branch in enumerate(table.branches):
            writer = WritePart(str(folder), table.schema, f"part-{i:02d}")
            written = self._applied(branch.base(), [*branch.fns, writer], WRITTEN_PARTS)
            parts += parts_in_order(self.act(written.toArrow))
        return parts

    def in_order(self, table: SparkTable, order: Sequence[str]) -> ReadParts:
        """Write the rows of a table in a total order, unless they are so already: what is small the driver sorts."""
        rows = self.written(table)
        if table.ordered and tuple(order) == table.ordered:
            return rows
        folder = self.new_folder("sorted")
        if rows.size_bytes <= SMALL_BYTES:
            whole = pa.Table.from_batches(list(rows.all()), table.schema)
            ordered = whole.sort_by([(name, "ascending") for name in order]).to_batches()
            parts = [write_part(folder, "part", iter(ordered), table.schema)]
        else:
            branch = self.reading(rows)
            by = [column_of(name) for name in order]
            parts = self.write(
                table.query(lambda: self.frame([branch], table.schema).orderBy(*by), table.schema), folder
            )
        return ReadParts.of(folder, parts, table.schema)

    def written(self, table: SparkTable) -> ReadParts:
        """Return the rows of a table as parts, which are written unless they are there."""
        if len(table.branches) == 1 and (reader := table.branches[0].written) is not None:
            return reader
        folder = self.new_folder("rows")
        return ReadParts.of(folder, self.write(table, folder), table.schema)

    def reading(self, reader: ReadParts) -> Branch:
        """Return the rows of parts as a branch; Spark may read them itself."""
        base = partial(self.numbers, len(reader.paths), reader.size_bytes)
        return Branch(base, (reader,), native=None if reader.numbered else partial(self.parquet, reader))

    def fold(self, table: SparkTable, order: Sequence[str], fn: FoldFn, schema: pa.Schema, folder: Path) -> list[Part]:
        """Stream a table in order through the driver and write what comes out."""
        return [write_part(folder, "part", fn(self.in_order(table, order).all()), schema)]

    def lookup_file(self, table: SparkTable, on: str) -> Path | None:
        """Write a small table of unique keys as one file; None for another."""
        rows = self.written(table)
        if rows.size_bytes > LOOKUP_BYTES:
            return None
        lookup = lookup_of(rows.all(), table.schema, on, "inner", budget=2 * LOOKUP_BYTES)
        if lookup is None:
            return None
        path = self.new_folder("lookup") / "lookup.arrow"
        whole = lookup.columns.add_column(0, on, pa.array(lookup.keys))
        with pa.ipc.new_file(path, whole.schema) as writer:
            writer.write_batch(whole)
        return path

    def save(self, table: SparkTable, folder: Path) -> None:
        """Save a table."""
        begin(folder)
        commit(folder, self.write(table, folder))

    def save_fold(self, table: SparkTable, order: Sequence[str], fn: FoldFn, schema: pa.Schema, folder: Path) -> None:
        """Save what a fold makes."""
        begin(folder)
        commit(folder, self.fold(table, order, fn, schema, folder))

    def saved(self, folder: Path, schema: pa.Schema, ordered: tuple[str, ...]) -> Table:
        """Return a saved table."""
        return self.of_parts(ReadParts.of(folder, parts_of(folder), schema), ordered)

    def of_parts(self, reader: ReadParts, ordered: tuple[str, ...]) -> Table:
        """Return the rows of parts as a table: the driver's, if they are few."""
        spread = PartsTable(self, reader, ordered)
        if reader.size_bytes > self._driver_tables or not self._driver_tables:
            return spread
        paths = [Path(path) for path in reader.paths]
        local = SavedTable(self.driver, reader.schema, SavedRows(lambda: paths), ordered, reader.stored)
        return DriverTable(self, local, spread, size_bytes=reader.size_bytes)

    def _sorted_file(self, table: LocalTable, key: str) -> Path:
        """Write a table of the driver's as one Arrow file in order of a column, for all tasks to map."""
        path = self.new_folder("sorted") / "rows.arrow"
        with pa.ipc.new_file(path, table.schema) as writer:
            for batch in table.sorted_batches([key]):
                writer.write_batch(batch)
        return path

    def act(self, action: Callable[[], R]) -> R:
        """Run a job of Spark's; an error that a task left is raised as itself.

        Raises:
            EngineError: for what went wrong in Spark itself.
        """
        before = set(self._failures.iterdir())
        pool = f"tamis-{threading.get_ident()}"  # jobs of different threads take turns, those of one keep their order
        self.session.sparkContext.setLocalProperty("spark.scheduler.pool", pool)
        try:
            with Watch(self.session, self.progress):
                return action()
        except (PySparkException, Py4JError) as error:
            left = sorted(path for path in set(self._failures.iterdir()) - before if not path.name.startswith("."))
            if left:
                raise failure.read(left[0].read_text()) from None
            raise EngineError(
                "Spark runs every task to its end",
                value=_cause(error),
                remedy="The logs of the executors say more; docs/cluster.md has the usual causes.",
            ) from error


def _cause(error: Exception) -> str:
    """Return the last cause that Spark gives, shortened: its messages are stack traces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith(("Caused by:", ": "))] or lines[:1] or [type(error).__name__]
    return causes[-1].removeprefix("Caused by:").lstrip(": ")[:500]
