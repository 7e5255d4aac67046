"""Bring rows of equal keys together: in memory while they fit, else in one spill file of segments."""

import os
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Spool:
    """Rows bucketed by an int64 key.

    Args:
        schema: of the rows.
        by: name of the key column.
        budget: bytes to keep in memory before spilling.
        folder: where the spill file goes.
    """

    def __init__(self, schema: pa.Schema, *, by: str, budget: int, folder: Path) -> None:
        self._schema, self._by, self._budget = schema, by, budget
        self._memory: dict[int, list[pa.RecordBatch]] = defaultdict(list)
        self._segments: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._held = 0
        self._file = tempfile.TemporaryFile(dir=folder, prefix="group-")  # noqa: SIM115  closed by ``close``
        self.spilled_bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Put the rows of a batch into their buckets."""
        if not batch.num_rows:
            return
        keys = batch.column(self._schema.get_field_index(self._by)).to_numpy()
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        rows = batch if np.array_equal(ordered, keys) else batch.take(pa.array(order))
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        for start, stop in zip(starts, [*starts[1:], len(keys)], strict=True):
            self._memory[int(ordered[start])].append(rows.slice(int(start), int(stop - start)))
        self._held += rows.nbytes
        if self._held > self._budget:
            self._spill()

    def _spill(self) -> None:
        position = self._file.seek(0, 2)
        for key, batches in self._memory.items():
            with pa.ipc.new_stream(self._file, self._schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
            end = self._file.tell()
            self._segments[key].append((position, end - position))
            position = end
        self._file.flush()  # segments are read back by position, past Python's buffer
        self._memory.clear()
        self.spilled_bytes, self._held = position, 0

    def sorted_keys(self) -> list[int]:
        """Return the keys seen, in order."""
        return sorted(self._memory.keys() | self._segments.keys())

    def take(self, key: int, sort: list[str]) -> pa.Table:
        """Return the rows of a key, sorted by int64 columns, as contiguous columns; the key is forgotten."""
        batches = []
        for position, size in self._segments.pop(key, []):
            segment = pa.py_buffer(os.pread(self._file.fileno(), size, position))
            batches.extend(pa.ipc.open_stream(segment).read_all().to_batches())
        batches.extend(self._memory.pop(key, []))
        table = pa.Table.from_batches(batches, self._schema).unify_dictionaries()
        keys = [table[name].to_numpy() for name in reversed(sort)]
        order = np.lexsort(keys) if keys else np.arange(table.num_rows)
        if np.array_equal(order, np.arange(len(order))):
            return table.combine_chunks()
        return pc.take(table.combine_chunks(), pa.array(order))

    def close(self) -> None:
        """Drop the spill file."""
        self._file.close()
