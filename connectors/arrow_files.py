"""Arrow IPC input, stream or file format: one split for some consecutive record batches.

``start`` and ``stop`` of a split are batch numbers. A file on other storage is one split that nobody counted, so that
planning does not fetch it.

Files are memory-mapped and may come from anywhere, so every batch is checked before its values are used: offsets,
lengths, dictionary indices. Strings of columns are not checked for UTF-8 here: the text pass does that.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from ..hashing.errors import InputError
from .address import addresses
from .batches import conform_read, good_batch, reading_schema
from .formats import Format, InputFile
from .split import Split
from .storage import is_local, open_binary

FILE_MAGIC = b"ARROW1"
"""What the file format starts with; a stream never does."""

_BINARY = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}


class _Reader:
    """The batches of an open file.

    Attributes:
        schema: of the whole file.
    """

    def __init__(self, source: pa.NativeFile, names: Sequence[str]) -> None:
        """Read the schema; ``names`` are the columns to read, one other if none of them is there."""
        is_file = source.read(len(FILE_MAGIC)) == FILE_MAGIC
        opener = pa.ipc.open_file if is_file else pa.ipc.open_stream
        source.seek(0)
        self.schema: pa.Schema = opener(source).schema.remove_metadata()
        present = [i for i, name in enumerate(self.schema.names) if name in names]
        options = pa.ipc.IpcReadOptions(
            ensure_alignment=pa.ipc.Alignment.DataTypeSpecific,
            included_fields=present or _cheapest(self.schema),
            use_threads=False,
        )
        source.seek(0)
        self._source, self._is_file, self._reader = source, is_file, opener(source, options=options)

    def batches(self, start: int = 0, stop: int | None = None) -> Iterator[pa.RecordBatch]:
        """Yield batches [start, stop), to the end without ``stop``."""
        if self._is_file:
            last = self._reader.num_record_batches
            yield from map(self._reader.get_batch, range(start, last if stop is None else min(stop, last)))
            return
        for i, batch in enumerate(self._reader):
            if i >= start:
                yield batch
            if i + 1 == stop:
                return
        if self._source.read(1):  # what follows an end marker: another stream, which Arrow would pass over
            raise pa.ArrowInvalid("bytes follow the end of the stream")


def _cheapest(schema: pa.Schema) -> list[int]:
    """Return a column to count rows by: if batches are compressed, what is read has to be decompressed."""
    fixed = [i for i, kind in enumerate(schema.types) if pa.types.is_primitive(kind)]
    return (fixed or list(range(len(schema))))[:1]


@contextmanager
def _opened(path: str, names: Sequence[str] = ()) -> Iterator[_Reader]:
    with _source(path) as source:
        yield _Reader(source, names)


def _source(path: str) -> Any:
    return pa.memory_map(path) if is_local(path) else pa.PythonFile(open_binary(path), "r")


def _unreadable(where: str, error: Exception) -> InputError:
    return InputError(
        "an Arrow input is a readable Arrow IPC file or stream",
        value=f"{where}: {error}",
        remedy="Restore the file or drop it from the inputs.",
    )


_DAMAGE = (pa.ArrowException, OSError, ValueError)  # ValueError: names of columns that are no UTF-8


def arrow_schema(path: str) -> pa.Schema:
    """Return the columns of a file, without the metadata of pandas and others.

    Raises:
        InputError: if it is no Arrow file, naming it.
    """
    try:
        with _opened(path) as reader:
            return reader.schema
    except _DAMAGE as error:
        raise _unreadable(path, error) from error


def plan_arrow(file: InputFile, split_bytes: int) -> Iterator[Split]:
    """Yield splits of consecutive batches of about ``split_bytes`` each; bytes go by rows.

    Raises:
        InputError: if the file is damaged or cut off.
    """
    if not is_local(file.path):
        yield Split(file.ordinal, file.path, "arrow", source=file.source, size_bytes=file.size_bytes)
        return
    rows = _rows(file.path)
    total, start, first, record = sum(rows), 0, 0, 0
    for i, count in enumerate(rows):
        record += count
        size = file.size_bytes * record // total - file.size_bytes * first // total if total else 0
        if size >= split_bytes or i == len(rows) - 1:
            yield Split(
                file.ordinal,
                file.path,
                "arrow",
                first_record=first,
                records=record - first,
                start=start,
                stop=i + 1,
                source=file.source,
                size_bytes=size,
            )
            start, first = i + 1, record


def _rows(path: str) -> list[int]:
    rows: list[int] = []
    try:
        with _opened(path) as reader:
            rows.extend(batch.num_rows for batch in reader.batches())
    except _DAMAGE as error:
        raise _unreadable(f"{path}, from record {sum(rows)}", error) from error
    return rows


def read_arrow(split: Split, columns: pa.Schema, *, full: pa.Schema, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yield the records of a split: the columns of a schema, absent ones null.

    Raises:
        InputError: if the file is damaged, cut off or has changed, or if values do not fit their column.
    """
    schema, record = reading_schema(columns), split.first_record
    try:
        with _opened(split.path, columns.names) as reader:
            for batch in reader.batches(split.start, split.stop or None):
                _check(batch)
                rows = max(1, batch_bytes * batch.num_rows // max(1, batch.get_total_buffer_size()))
                for start in range(0, batch.num_rows, rows):
                    part = batch.slice(start, rows)
                    arrays = conform_read(part, columns, f"{split.path}, from record {record}")
                    yield good_batch(addresses(split.file, record, part.num_rows), arrays, schema)
                    record += part.num_rows
        if split.records is not None and record != split.first_record + split.records:
            raise pa.ArrowInvalid("the file has changed since the run began")
    except _DAMAGE as error:
        raise _unreadable(f"{split.path}, from record {record}", error) from error


def _check(batch: pa.RecordBatch) -> None:
    for field, array in zip(batch.schema, batch.columns, strict=True):
        if array.null_count and not field.nullable:  # Arrow writes such files, and Parquet does not
            raise pa.ArrowInvalid(f"column {field.name!r} has nulls, and says that it has none")
    arrays = [array.view(_BINARY.get(array.type, array.type)) for array in batch.columns]
    pa.RecordBatch.from_arrays(arrays, names=batch.schema.names).validate(full=True)


ARROW = Format(
    "arrow",
    plan=plan_arrow,
    schema=lambda split, batch_bytes: arrow_schema(split.path),
    read=read_arrow,
    endings=("arrow", "feather"),
)
