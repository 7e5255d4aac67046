"""The saved tables of a local engine: those that fit stay in memory, and are written while the run goes on."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .memory_sort import Held
from .saved import BATCH_BYTES, begin, column_bytes, commit, is_saved, parts_of, read_part, write_part

_COLUMN_BYTES = 1 << 10
"""What a column of a batch takes beside its values, about."""

_FEWEST_ROWS = 1 << 10


@dataclass(frozen=True)
class SavedRows:
    """Where the rows of a saved table are.

    Attributes:
        files: returns its files, in order, once they are written.
        kept: the rows, where they are in memory; else None.
    """

    files: Callable[[], Sequence[Path]]
    kept: Sequence[pa.RecordBatch] | None = None

    def batches(self, stored: Sequence[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows.

        Args:
            stored: the column of the table behind each column of ``schema``.
            schema: names and types of the result.
        """
        if self.kept is None:
            for path in self.files():
                yield from read_part(path, stored, schema)
            return
        for batch in self.kept:
            chosen = pa.RecordBatch.from_arrays([batch.column(name) for name in stored], schema=schema)
            step = max(_FEWEST_ROWS, BATCH_BYTES * batch.num_rows // max(1, chosen.nbytes))
            for start in range(0, batch.num_rows, step):  # as small as those that are read
                yield chosen.slice(start, step)

    def size_bytes(self, stored: Sequence[str]) -> int:
        """Return about how many bytes some columns have, or a little more."""
        if self.kept is None:
            return sum(column_bytes(pq.read_metadata(path), stored) for path in self.files())
        return sum(batch.column(name).nbytes for batch in self.kept for name in stored)


class TableStore:
    """Saves tables, and knows those that are saved.

    Args:
        folder: where they go.
        room: bytes of rows that may stay in memory, all together.
    """

    def __init__(self, folder: Path, *, room: int) -> None:
        self._folder, self._room = folder, room
        self._kept: dict[str, list[pa.RecordBatch]] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="tamis-save")
        self._writing: dict[str, Future[None]] = {}

    def has(self, name: str) -> bool:
        """Whether a table is saved, or about to be."""
        return name in self._writing or is_saved(self._folder / name)

    def save(self, name: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> None:
        """Save a table.

        Its rows are computed now. Where they fit, another thread writes them.

        Raises:
            OSError: it cannot be written; or an earlier one, in that other thread.
        """
        for written in [one for one in self._writing.values() if one.done()]:
            written.result()
        held: list[pa.RecordBatch] = []
        size = 0
        for batch in batches:
            held.append(batch)
            # The buffers, not what a batch has of them: a short slice keeps all that it was cut from.
            size += batch.get_total_buffer_size() + _COLUMN_BYTES * batch.num_columns
            if size > self._room:
                self._write(name, Held(held, batches).every(), schema)
                return
        self._kept[name] = held
        self._room -= size
        self._writing[name] = self._writer.submit(self._write, name, iter(held), schema)

    def _write(self, name: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> None:
        folder = self._folder / name
        begin(folder)
        commit(folder, [write_part(folder, "part", batches, schema)])

    def rows(self, name: str) -> SavedRows:
        """Return the rows of a saved table."""
        return SavedRows(partial(self._files, name), self._kept.get(name))

    def _files(self, name: str) -> list[Path]:
        if name in self._writing:
            self._writing[name].result()
        folder = self._folder / name
        return [folder / part.name for part in parts_of(folder)]

    def settle(self) -> None:
        """Wait until all tables are written.

        Raises:
            OSError: one cannot be written.
        """
        for written in self._writing.values():
            written.result()

    def close(self) -> None:
        """Settle, and forget what is in memory."""
        self._writer.shutdown()
        self._kept.clear()
        self.settle()
