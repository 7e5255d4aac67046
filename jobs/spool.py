"""Bring rows of equal keys together: in memory while they fit, else in one spill file of segments."""

import mmap
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from ..connectors.views import cast_batch, plain_schema, size_bytes
from ..pipeline.engine import Group


class Spool:
    """Rows bucketed by an int64 key.

    Args:
        schema: of the rows.
        budget: bytes to keep in memory before spilling.
        folder: where the spill file goes.
    """

    def __init__(self, schema: pa.Schema, *, budget: int, folder: Path) -> None:
        self._schema, self._budget = schema, budget
        self._stored = plain_schema(schema)
        self._memory: dict[int, list[pa.RecordBatch]] = defaultdict(list)
        self._segments: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._held = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="tamis-spill")
        self._writing: Future[None] | None = None
        self._file = tempfile.TemporaryFile(dir=folder, prefix="group-")  # noqa: SIM115  closed by ``close``
        self.spilled_bytes = 0

    def add(self, parts: Iterable[tuple[int, pa.RecordBatch]]) -> None:
        """Put the parts of a batch, as ``cut`` by key, into their buckets."""
        for key, rows in parts:
            self._memory[key].append(rows)
            self._held += size_bytes(rows)
        if self._held > self._budget // 2:  # the other half may be on its way to the file
            self._spill()

    def _spill(self) -> None:
        """Hand the rows in memory to the thread that writes them."""
        self._wait()
        leaving, self._memory, self._held = self._memory, defaultdict(list), 0
        self._writing = self._writer.submit(self._write, leaving)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _write(self, rows: dict[int, list[pa.RecordBatch]]) -> None:
        position = self._file.seek(0, 2)
        for key, batches in rows.items():
            position = self._file.seek(-(-position // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY)
            with pa.ipc.new_stream(self._file, self._stored) as writer:
                for batch in batches:  # views would take their whole buffers along
                    writer.write_batch(cast_batch(batch, self._stored))
            end = self._file.tell()
            self._segments[key].append((position, end - position))
            position = end
        self._file.flush()  # segments are mapped, past Python's buffer
        self.spilled_bytes = position

    def settle(self) -> None:
        """End the adding of rows. Where some were spilled, the last ones are, too: memory is free for groups then."""
        self._wait()
        if self.spilled_bytes and self._memory:
            self._spill()
            self._wait()

    def sorted_keys(self) -> list[int]:
        """Return the keys seen, in order."""
        return sorted(self._memory.keys() | self._segments.keys())

    def take(self, key: int, sort: list[str]) -> Group:
        """Return the rows of a key and their order by int64 columns; the key is forgotten."""
        batches: list[pa.RecordBatch] = []
        for position, size in self._segments.pop(key, []):
            segment = mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_READ, offset=position)  # while it is used
            stored = pa.ipc.open_stream(pa.py_buffer(segment)).read_all().to_batches()
            batches.extend(cast_batch(batch, self._schema) for batch in stored)
        batches.extend(self._memory.pop(key, []))
        return Group.of(batches, self._schema, sort)

    def close(self) -> None:
        """Drop the spill file."""
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._file.close()
