"""Writing Parquet so that equal rows give equal bytes, whole or not at all."""

import hashlib
import os
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .schema import holds_dictionary
from .unfinished import UNFINISHED

WRITTEN = pa.schema(
    [
        ("file", pa.int64()),
        ("name", pa.string()),
        ("rows", pa.int64()),
        ("size_bytes", pa.int64()),
        ("sha256", pa.string()),
        ("groups", pa.binary()),
    ]
)
"""A line about a written file; ``groups`` are its row groups: (rows, offset in the file, bytes) as int64, one after
another."""


class Written(NamedTuple):
    """What became of a file.

    Attributes:
        rows: in it.
        size_bytes, sha256: of the file.
        groups: int64, shape (groups, 3): rows, offset of the first byte and bytes of each row group.
    """

    rows: int
    size_bytes: int
    sha256: str
    groups: NDArray[np.int64]


def written_line(file: int, name: str, written: Written) -> pa.RecordBatch:
    """Return the one row of ``WRITTEN`` about a file."""
    line = {"file": file, "name": name, **written._asdict(), "groups": written.groups.tobytes()}
    return pa.RecordBatch.from_pylist([line], schema=WRITTEN)


def groups_of(packed: bytes) -> list[dict[str, int]]:
    """Return the row groups that a line of ``WRITTEN`` names."""
    found = np.frombuffer(packed, np.int64).reshape(-1, 3).tolist()
    return [dict(zip(("rows", "offset", "size_bytes"), group, strict=True)) for group in found]


class HashedFile:
    """A file that appears under its name only when complete, and knows its sha256.

    Used as a context manager: bytes go to a temporary neighbour, which is renamed on a clean exit.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.digest = hashlib.sha256()
        self.size_bytes = 0
        self._temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}{UNFINISHED}")

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
        try:
            with self._stream:
                self._stream.flush()
                os.fsync(self._stream.fileno())
            if kind is None:
                self._temporary.rename(self.path)
        finally:
            self._temporary.unlink(missing_ok=True)


def canonical(table: pa.Table) -> pa.Table:
    """Return a table whose Parquet bytes depend on its rows alone: contiguous, dictionaries in order of appearance."""
    columns = []
    for column in table.columns:
        joined = column.combine_chunks()
        columns.append(_reencode(joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)))
    return pa.Table.from_arrays(columns, schema=table.schema)


def _reencode(array: pa.Array) -> pa.Array:
    """Return an array with its dictionaries, at whatever depth, in order of appearance."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return array.cast(kind.value_type).dictionary_encode().cast(kind)
    if not holds_dictionary(kind):
        return array
    if pa.types.is_struct(kind):
        children = [_reencode(child) for child in array.flatten()]
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lengths = array.value_lengths().fill_null(0).to_numpy()
        offsets = pa.array(
            np.concatenate([[0], np.cumsum(lengths)]), pa.int32() if pa.types.is_list(kind) else pa.int64()
        )
        of = pa.ListArray if pa.types.is_list(kind) else pa.LargeListArray
        return of.from_arrays(offsets, _reencode(array.flatten()), type=kind, mask=array.is_null())
    return array


def write_parquet(
    path: Path,
    groups: Iterator[pa.Table],
    schema: pa.Schema,
    *,
    compression: str = "zstd",
    long: Collection[str] = (),
    chunked: bool = False,
) -> Written:
    """Write tables as one row group each.

    Args:
        path: the file.
        groups: tables of ``schema``.
        schema: names and types.
        compression: codec.
        long: columns of long values, hardly any of which repeats: written without dictionary and without minima and
            maxima, which would be copies of whole texts in memory and help nobody.
        chunked: whether pages end where the content says, so that stores that keep equal pieces once keep what two
            versions of a file share once.
    """
    rows = 0
    footers: list[pq.FileMetaData] = []
    options = {
        "compression": compression,
        "use_dictionary": [f.name for f in schema if not pa.types.is_integer(f.type) and f.name not in long],  # hashes
        "write_statistics": [field.name for field in schema if field.name not in long] if long else True,
        "write_page_index": True,
        "use_content_defined_chunking": chunked,
        "metadata_collector": footers,
    }
    with HashedFile(path) as file, pq.ParquetWriter(pa.PythonFile(file, "w"), schema, **options) as writer:
        for group in groups:
            rows += group.num_rows
            writer.write_table(canonical(group), row_group_size=max(1, group.num_rows))
    return Written(rows, file.size_bytes, file.digest.hexdigest(), _groups(footers[0]))


def _groups(footer: pq.FileMetaData) -> NDArray[np.int64]:
    """Return (rows, offset, bytes) of each row group: int64, shape (groups, 3)."""
    found = np.zeros((footer.num_row_groups, 3), np.int64)
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        columns = [group.column(i) for i in range(group.num_columns)]
        starts = [c.data_page_offset if c.dictionary_page_offset is None else c.dictionary_page_offset for c in columns]
        found[number] = group.num_rows, min(starts, default=0), sum(c.total_compressed_size for c in columns)
    return found
