"""Parquet input: one split for some consecutive row groups."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from ..hashing.errors import InputError
from .address import addresses
from .batches import conform_read, good_batch, reading_schema
from .formats import Format, InputFile
from .row_groups import batches_of
from .split import Split
from .storage import is_local, open_binary

MAX_BATCH_ROWS = 65_536


def open_parquet(path: str) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises:
        InputError: if it is not one, naming it.
    """
    try:
        return pq.ParquetFile(path if is_local(path) else open_binary(path), page_checksum_verification=True)
    except _DAMAGE as error:
        raise InputError(
            "a Parquet input is a readable Parquet file", value=f"{path}: {error}", remedy="Check or drop this file."
        ) from error


_DAMAGE = (pa.ArrowException, OSError, UnicodeDecodeError)  # the last: names of columns that are no UTF-8


def parquet_schema(path: str) -> pa.Schema:
    """Return the Arrow schema of a file."""
    with open_parquet(path) as file:
        return file.schema_arrow


def plan_parquet(file: int, path: str, *, split_bytes: int, source: str) -> Iterator[Split]:
    """Yield splits of consecutive row groups of about ``split_bytes`` uncompressed bytes each."""
    with open_parquet(path) as opened:
        yield from _planned(opened.metadata, file, path, split_bytes, source)


def survey_parquet(file: InputFile, *, split_bytes: int) -> tuple[list[Split], pa.Schema]:
    """Return the splits of a file, as of ``plan_parquet``, and its Arrow schema; it is opened once.

    Raises:
        InputError: if it is not a Parquet file, naming it.
    """
    with open_parquet(file.path) as opened:
        splits = list(_planned(opened.metadata, file.ordinal, file.path, split_bytes, file.source))
        return splits, opened.schema_arrow


def _planned(meta: pq.FileMetaData, file: int, path: str, split_bytes: int, source: str) -> Iterator[Split]:
    start = record = rows = size = 0
    for group in range(meta.num_row_groups):
        one = meta.row_group(group)
        rows += one.num_rows
        size += one.total_byte_size
        if size >= split_bytes or group == meta.num_row_groups - 1:
            yield Split(
                file,
                path,
                "parquet",
                first_record=record,
                records=rows,
                start=start,
                stop=group + 1,
                source=source,
                size_bytes=size,
            )
            start, record, rows, size = group + 1, record + rows, 0, 0


def read_parquet(split: Split, columns: pa.Schema, *, full: pa.Schema, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yield the records of a split: the columns of a schema, absent ones null."""
    schema = reading_schema(columns)
    rows = max(1, min(MAX_BATCH_ROWS, batch_bytes * (split.records or 0) // max(1, split.size_bytes)))
    record = split.first_record
    with open_parquet(split.path) as opened:
        present = set(opened.schema_arrow.names)
        names = [name for name in columns.names if name in present]
        try:
            if not names:
                for start in range(0, split.records or 0, rows):
                    n = min(rows, (split.records or 0) - start)
                    nulls = [pa.nulls(n, f.type) for f in columns]
                    yield good_batch(addresses(split.file, record + start, n), nulls, schema)
                return
            for batch in batches_of(opened, rows, columns=names, groups=range(split.start, split.stop), threads=False):
                arrays = conform_read(batch, columns, f"{split.path}, from record {record}")
                yield good_batch(addresses(split.file, record, batch.num_rows), arrays, schema)
                record += batch.num_rows
            if split.records is not None and record != split.first_record + split.records:
                raise pa.ArrowInvalid(f"the footer says that {split.first_record + split.records} come up to here")
        except _DAMAGE as error:
            raise InputError(
                "a Parquet input can be read to its end",
                value=f"{split.path}, near record {record}: {error}",
                remedy="Restore the file or drop it from the inputs.",
            ) from error


PARQUET = Format(
    "parquet",
    plan=lambda file, split_bytes: plan_parquet(file.ordinal, file.path, split_bytes=split_bytes, source=file.source),
    schema=lambda split, batch_bytes: parquet_schema(split.path),
    read=read_parquet,
    endings=("parquet", "pq"),
)
