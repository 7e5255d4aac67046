"""The local engine: threads over kernels that release the GIL; DuckDB for sorting, joining and spilling."""

import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ..connectors.address import ADDRESS
from ..connectors.batches import conform, reading_schema
from ..connectors.corpus import read_split
from ..connectors.merged import merged, runs
from ..connectors.split import Split, bounds
from ..connectors.unfinished import UNFINISHED
from ..hashing.errors import EngineError
from ..pipeline.engine import Progress, Shipped, T, Table
from .local_table import LocalTable, Opener, Sources, StreamTable, opened, table_of
from .read_cache import ReadCache
from .shipped import Held
from .table_store import TableStore
from .wanted import wanted_schema, with_columns

if TYPE_CHECKING:
    import duckdb

DUCKDB_SHARE = 0.4
"""Share of the memory that DuckDB may take; grouping, cached input and batches in flight share the rest."""

DUCKDB_THREAD_BYTES = 16 << 20
"""DuckDB's memory that each of its threads must find: below it, threads that sort pin all there is and it gives up."""

CACHE_SHARE = 0.2
KEPT_SHARE = 0.1
"""Share for saved tables that stay in memory."""

BATCH_BYTES = 16 << 20
"""Bytes of a batch of input where there is memory for it."""

BATCH_SHARE = 1 / 256
QUERY_BATCH_ROWS = 262_144


class LocalEngine:
    """The verbs on one machine.

    Args:
        work: folder for saved tables and spill files.
        memory_bytes: what everything but the interpreter and libraries may take.
        threads: number of worker threads; default: the processors this process may use.
        batch_rows: at most how many rows a batch of input has (for tests).
        progress: told about bytes read.
    """

    def __init__(
        self,
        work: Path,
        *,
        memory_bytes: int = 2 << 30,
        threads: int | None = None,
        batch_rows: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.work = work
        self.threads = threads or len(os.sched_getaffinity(0))
        self.memory_bytes = memory_bytes
        self.batch_rows = batch_rows
        self.batch_bytes = max(1, min(BATCH_BYTES, int(memory_bytes * BATCH_SHARE)))
        self.progress = progress
        work.mkdir(parents=True, exist_ok=True)
        for left in work.glob(f"*{UNFINISHED}"):  # of a process that was killed: a work folder has one engine at a time
            shutil.rmtree(left)
        self.spill = Path(tempfile.mkdtemp(prefix="spill-", suffix=UNFINISHED, dir=work))
        self._names = itertools.count()
        self._cached: ReadCache | None = None
        self.store = TableStore(work, room=int(memory_bytes * KEPT_SHARE))
        self._connecting = threading.Lock()

    def read(self, splits: Sequence[Split], columns: pa.Schema, *, full: pa.Schema, only: Table | None = None) -> Table:
        """See ``Engine.read``."""
        schema = reading_schema(columns)
        if self._cached is None:
            self._cached = ReadCache(int(self.memory_bytes * CACHE_SHARE), splits)
        if only is None:
            streams = [opened(self._read_run, run, columns, full) for run in runs(splits)]
            return StreamTable(self, schema, lambda: streams, (ADDRESS,))
        schema = wanted_schema(columns, only.schema)
        return StreamTable(
            self, schema, lambda: self._wanted_streams(splits, columns, full, table_of(self, only), schema), (ADDRESS,)
        )

    def _read_run(self, splits: Sequence[Split], columns: pa.Schema, full: pa.Schema) -> Iterator[pa.RecordBatch]:
        read = (self._read_split(split, columns, full) for split in splits)
        return merged(chain.from_iterable(read), self.batch_rows)

    def _read_split(self, split: Split, columns: pa.Schema, full: pa.Schema) -> Iterator[pa.RecordBatch]:
        def read(wanted: pa.Schema) -> Iterator[pa.RecordBatch]:
            return read_split(split, wanted, full=full, batch_bytes=self.batch_bytes, batch_rows=self.batch_rows)

        yield from self._cached.read(split, columns, full, read) if self._cached else read(columns)
        if self.progress:
            self.progress.advance(split.size_bytes)

    def _wanted_streams(
        self, splits: Sequence[Split], columns: pa.Schema, full: pa.Schema, only: LocalTable, schema: pa.Schema
    ) -> list[Opener]:
        """Return the streams of the splits that hold wanted records; ``only`` is spooled to disk in address order."""
        path = self.spill / f"only-{next(self._names)}.arrow"
        with pa.ipc.new_file(path, only.schema) as writer:
            for batch in only.sorted_batches([ADDRESS]):
                writer.write_batch(batch)
        wanted = pa.ipc.open_file(pa.memory_map(str(path))).read_all().combine_chunks()
        path.unlink()
        keys = wanted[ADDRESS].to_numpy()
        lows, highs = (np.searchsorted(keys, edges) for edges in bounds(splits))
        rows: dict[Split, pa.Table] = {}
        for split, low, high in zip(splits, lows, highs, strict=True):
            if low < high:
                rows[split] = wanted.slice(low, high - low)
            elif self.progress:
                self.progress.advance(split.size_bytes)
        return [opened(self._read_wanted, run, columns, full, rows, schema) for run in runs(list(rows))]

    def _read_wanted(
        self,
        splits: Sequence[Split],
        columns: pa.Schema,
        full: pa.Schema,
        rows: Mapping[Split, pa.Table],
        schema: pa.Schema,
    ) -> Iterator[pa.RecordBatch]:
        def read(split: Split) -> Iterator[pa.RecordBatch]:
            held = self._cached is not None and split in self._cached
            return with_columns(self._read_split(split, columns, full), rows[split], schema, held=held)

        return merged(chain.from_iterable(map(read, splits)), self.batch_rows)

    def table(self, data: pa.Table) -> Table:
        """See ``Engine.table``."""
        return StreamTable(self, data.schema, lambda: [lambda: iter(data.to_batches())], ())

    def ship(self, thing: T) -> Shipped[T]:
        """See ``Engine.ship``: threads share it as it is."""
        return Held(thing)

    def share(self, folder: Path) -> Path:
        """See ``Engine.share``."""
        return folder.absolute()

    def has(self, name: str) -> bool:
        """See ``Engine.has``."""
        return self.store.has(name)

    def settle(self) -> None:
        """See ``Engine.settle``."""
        self.store.settle()

    def close(self) -> None:
        """See ``Engine.close``."""
        if "_database" in self.__dict__:
            self._database.close()
        self._cached = None
        shutil.rmtree(self.spill, ignore_errors=True)
        self.store.close()

    @cached_property
    def _database(self) -> "duckdb.DuckDBPyConnection":
        """The database, loaded for the first query: small runs have none."""
        import duckdb

        database_bytes = int(self.memory_bytes * DUCKDB_SHARE)
        return duckdb.connect(
            ":memory:",
            config={
                "threads": min(self.threads, max(1, database_bytes // DUCKDB_THREAD_BYTES)),
                "memory_limit": f"{database_bytes >> 20}MiB",
                "temp_directory": str(self.spill),
                "preserve_insertion_order": True,
                "arrow_large_buffer_size": True,
                "allocator_background_threads": True,  # else memory of a query stays with the database after it
            },
        )

    def run_query(self, build: Callable[[Sources], str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Run the SQL that ``build`` returns and yield its rows in the declared types."""
        import duckdb

        with self._connecting:
            cursor = self._database.cursor()
        sources = Sources(cursor, self._names)
        try:
            for batch in cursor.sql(build(sources)).to_arrow_reader(QUERY_BATCH_ROWS):
                if batch.num_rows:
                    yield pa.RecordBatch.from_arrays(conform(batch, schema), schema=schema)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            if sources.failure is not None:
                raise sources.failure from None
            if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in str(error):
                raise EngineError(
                    "sorting and joining fit the memory limit",
                    value=f"{self.memory_bytes / 1e9:.1f} GB: {error}",
                    remedy="Raise --memory, or use fewer threads.",
                ) from error
            raise
        finally:
            cursor.close()
