"""The Spark engine: data frames for what Spark does best, Python tasks over Arrow batches for the rest.

Inputs are read by the same connectors as on one machine, from a list of splits; no reader of Spark's touches them.
Saved tables are Parquet parts in the work folder, which all machines must see under one path.
"""

import itertools
import pickle
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.pandas.types import from_arrow_schema

from ..connectors.address import ADDRESS
from ..connectors.batches import conform, reading_schema
from ..connectors.parquet_output import UNFINISHED
from ..connectors.split import Split
from ..hashing.errors import EngineError
from ..pipeline.engine import FoldFn, Progress, Table
from .chunks import CHUNKS, Decoded, InOrder, chunk_batch, decode, encode
from .lookup import lookup_of
from .saved import Part, begin, commit, is_saved, parts_of, read_part, write_part
from .spark_progress import Watch
from .spark_table import Branch, SparkTable, spark_types, table_of, union_frames
from .spark_tasks import (
    WRITTEN_PARTS,
    Chain,
    CutByTask,
    Plain,
    ReadParts,
    ReadSplits,
    ReadWanted,
    TaskFn,
    WritePart,
    parts_in_order,
)
from .wanted import bounds, wanted_schema

R = TypeVar("R")

PART_BYTES = 64 << 20
"""Bytes that a task should have: a Python task costs a twentieth of a second whatever it does."""

MAX_PARTS = 20_000
SMALL_BYTES = 256 << 20
"""A table that the driver sorts by itself: the two jobs that Spark needs for it take longer."""

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
        batch_rows: int | None = None,
        progress: Progress | None = None,
        own: bool = False,
    ) -> None:
        self.work = work.absolute()
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
        if only is None:
            base = partial(self.numbers, len(tasks))
            schema = reading_schema(columns)
            return SparkTable(self, schema, lambda: [Branch(base, (reader,))], size_bytes=size, ordered=(ADDRESS,))
        wanted = table_of(self, only)
        starts = tuple(bounds([task[0] for task in tasks])[0].tolist())

        def dealt() -> DataFrame:
            frame = self.chunk_frame(wanted.then(CutByTask(starts), CHUNKS).branches)
            return frame.repartitionById(max(1, len(tasks)), sql.col("part"))

        schema = wanted_schema(columns, only.schema)
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
        """See ``Engine.table``."""
        batches = [batch for batch in data.to_batches() if batch.num_rows]
        count = self.partitions or TASKS_A_CORE * self._cores()
        rows = [(i % count, i, encode(batch)) for i, batch in enumerate(batches)]

        def frame() -> DataFrame:
            chunk_table = pa.Table.from_batches([chunk_batch(rows)])
            made = self.session.createDataFrame(chunk_table, from_arrow_schema(CHUNKS))
            return made.repartitionById(max(1, min(count, len(rows))), sql.col("part"))

        return SparkTable(self, data.schema, lambda: [Branch(frame, (Decoded(data.schema),))], size_bytes=data.nbytes)

    def has(self, name: str) -> bool:
        """See ``Engine.has``."""
        return is_saved(self.work / name)

    def close(self) -> None:
        """See ``Engine.close``."""
        if self._own:
            self.session.stop()
        shutil.rmtree(self.spill, ignore_errors=True)

    # What tables ask for.

    def numbers(self, count: int, size_bytes: int | None = None) -> DataFrame:
        """Return a frame of 0, 1, 2 ... in ``id``, in order: each in a task, or so many as some bytes need."""
        tasks = count if size_bytes is None else min(count, self.parts_for(size_bytes))
        return self.session.range(0, count, 1, max(1, tasks))

    def parquet(self, paths: Sequence[str], schema: pa.Schema) -> DataFrame:
        """Return a frame of parts, which Spark reads itself."""
        if not paths:
            return self.session.createDataFrame([], from_arrow_schema(spark_types(schema)))
        return self.session.read.schema(from_arrow_schema(spark_types(schema))).parquet(*paths)

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

    def spilled(self, table: SparkTable) -> tuple[Path, list[Part]]:
        """Write the rows of a table where they go with the engine."""
        folder = self.new_folder("rows")
        return folder, self.write(table, folder)

    def in_order(self, table: SparkTable, order: Sequence[str]) -> tuple[Path, list[Part]]:
        """Write the rows of a table in a total order: the driver sorts what is small, Spark the rest."""
        folder, parts = self.spilled(table)
        if table.ordered and tuple(order) == table.ordered:
            return folder, parts
        paths = [str(folder / part.name) for part in parts]
        if sum(part.size_bytes for part in parts) <= SMALL_BYTES:
            rows = pa.Table.from_batches(list(self._rows_of(folder, parts, table.schema)), table.schema)
            ordered = rows.sort_by([(name, "ascending") for name in order]).to_batches()
            sorted_ = [write_part(folder, "sorted", iter(ordered), table.schema)]
        else:
            by = [sql.col("`" + name.replace("`", "``") + "`") for name in order]
            sorted_ = self.write(
                table.query(lambda: self.parquet(paths, table.schema).orderBy(*by), table.schema), folder
            )
        for path in paths:
            Path(path).unlink()
        return folder, sorted_

    @staticmethod
    def _rows_of(folder: Path, parts: Sequence[Part], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        return itertools.chain.from_iterable(read_part(folder / part.name, schema.names, schema) for part in parts)

    def fold(self, table: SparkTable, order: Sequence[str], fn: FoldFn, schema: pa.Schema, folder: Path) -> list[Part]:
        """Stream a table in order through the driver and write what comes out."""
        source, parts = self.in_order(table, order)
        written = [write_part(folder, "part", fn(self._rows_of(source, parts, table.schema)), schema)]
        shutil.rmtree(source)
        return written

    def lookup_file(self, table: SparkTable, on: str) -> Path | None:
        """Write a small table of unique keys as one file; None for another."""
        folder, parts = self.spilled(table)
        if sum(part.size_bytes for part in parts) > LOOKUP_BYTES:
            return None
        lookup = lookup_of(self._rows_of(folder, parts, table.schema), table.schema, on, budget=2 * LOOKUP_BYTES)
        if lookup is None:
            return None
        path = folder / "lookup.arrow"
        rows = lookup.columns.add_column(0, on, pa.array(lookup.keys))
        with pa.ipc.new_file(path, rows.schema) as writer:
            writer.write_table(rows)
        return path

    def save(self, table: SparkTable, folder: Path) -> None:
        """Save a table."""
        begin(folder)
        commit(folder, self.write(table, folder))

    def save_fold(self, table: SparkTable, order: Sequence[str], fn: FoldFn, schema: pa.Schema, folder: Path) -> None:
        """Save what a fold makes."""
        begin(folder)
        commit(folder, self.fold(table, order, fn, schema, folder))

    def saved(self, folder: Path, schema: pa.Schema, ordered: tuple[str, ...]) -> SparkTable:
        """Return a saved table."""
        parts = [part for part in parts_of(folder) if part.rows]
        size = sum(part.size_bytes for part in parts)
        branch = self.parts_branch([str(folder / part.name) for part in parts], schema, size)
        return SparkTable(self, schema, lambda: [branch], size_bytes=size, ordered=ordered)

    def parts_branch(self, paths: Sequence[str], schema: pa.Schema, size_bytes: int) -> Branch:
        """Return the rows of some parts."""
        reader = ReadParts(tuple(paths), tuple(schema.names), schema)
        base = partial(self.numbers, len(paths), size_bytes)
        return Branch(base, (reader,), native=partial(self.parquet, paths, schema))

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
                raise pickle.loads(left[0].read_bytes()) from None
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise EngineError(
                "Spark runs every task to its end",
                value=lines[0][:500],
                remedy="The logs of the executors say more; docs/cluster.md has the usual causes.",
            ) from error
