"""Writing Parquet so that equal rows give equal bytes, whole or not at all."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

WRITTEN = pa.schema(
    [
        ("file", pa.int64()),
        ("name", pa.string()),
        ("rows", pa.int64()),
        ("size_bytes", pa.int64()),
        ("sha256", pa.string()),
    ]
)
"""A line about a written file."""


def written_line(file: int, name: str, rows: int, size_bytes: int, sha256: str) -> pa.RecordBatch:
    """Return the one row of ``WRITTEN`` about a file."""
    line = {"file": file, "name": name, "rows": rows, "size_bytes": size_bytes, "sha256": sha256}
    return pa.RecordBatch.from_pylist([line], schema=WRITTEN)


class HashedFile:
    """A file that appears under its name only when complete, and knows its sha256.

    Used as a context manager: bytes go to a temporary neighbour, which is renamed on a clean exit.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.digest = hashlib.sha256()
        self.size_bytes = 0
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")

    def __enter__(self) -> "HashedFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = open(self._temporary, "wb")
        self.closed = False
        return self

    def write(self, data: Any) -> int:
        """Write bytes."""
        self.digest.update(data)
        self.size_bytes += len(data)
        return self._stream.write(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self.size_bytes

    def flush(self) -> None:
        """Flush to the operating system."""
        self._stream.flush()

    def close(self) -> None:
        """Called by pyarrow when it is done; the file itself is closed on exit."""

    def readable(self) -> bool:
        """Never."""
        return False

    def writable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Never."""
        return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        if kind is None:
            self._temporary.rename(self.path)
        else:
            self._temporary.unlink(missing_ok=True)


def canonical(table: pa.Table) -> pa.Table:
    """Return a table whose Parquet bytes depend on its rows alone: contiguous, dictionaries in order of appearance."""
    columns = []
    for column in table.columns:
        joined = column.combine_chunks()
        array = joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)
        if pa.types.is_dictionary(array.type):
            array = array.cast(array.type.value_type).dictionary_encode().cast(array.type)
        columns.append(array)
    return pa.Table.from_arrays(columns, schema=table.schema)


def write_parquet(
    path: Path, groups: Iterator[pa.Table], schema: pa.Schema, *, compression: str = "zstd"
) -> tuple[int, int, str]:
    """Write tables as one row group each.

    Returns:
        (rows, bytes of the file, sha256 of the file).
    """
    rows = 0
    with (
        HashedFile(path) as file,
        pq.ParquetWriter(pa.PythonFile(file, "w"), schema, compression=compression, write_page_index=True) as writer,
    ):
        for group in groups:
            rows += group.num_rows
            writer.write_table(canonical(group), row_group_size=max(1, group.num_rows))
    return rows, file.size_bytes, file.digest.hexdigest()
