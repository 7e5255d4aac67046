"""What the tables of a lake are made of: splits, columns and rows."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa

from ..hashing.errors import InputError
from .address import ADDRESS
from .batches import RULE
from .corpus import plan_splits, read_split, split_schema
from .delimited_table import CutBatch, cut_delimited, read_delimited_table, read_header, survey_delimited
from .delta_tables import delta_schema, delta_splits, read_delta
from .formats import InputFile
from .iceberg_tables import iceberg_schema, iceberg_splits, read_iceberg
from .lake_tables import LakeTable
from .listed_table import check_readable
from .parquet import survey_parquet
from .schema import unify
from .split import SPLIT_BYTES, Split

_BATCH_BYTES = 16 << 20

_CACHED_BYTES = 1 << 20
"""What the kernels of delimited text work on at a time: more leaves the second-level cache, and takes half as long
again."""

_COLUMN_BYTES = 1 << 16
"""What a column of a batch holds at least, if the batch may: each column of each costs some calls."""


def survey_table(table: LakeTable) -> tuple[list[Split], pa.Schema]:
    """Return ``table_splits`` and ``table_schema`` of a table, its delimited and its Parquet files opened once.

    Raises:
        InputError: as these do.
    """
    if table.kind != "files" or table.fault:
        found_splits = table_splits(table)
        return found_splits, table_schema(table, found_splits)
    splits: list[Split] = []
    schemas: list[tuple[str, pa.Schema]] = []
    for file in table.files:
        if file.format == "csv":
            split, names = survey_delimited(file)
            found = [(split, _columns(split, names))]
        elif file.format == "parquet":
            planned, schema = survey_parquet(file, split_bytes=SPLIT_BYTES)
            found = [(split, schema) for split in planned]
        else:
            found = [(split, _schema(split)) for split in plan_splits(file, split_bytes=SPLIT_BYTES)]
        splits += [split for split, _ in found]
        schemas += [(split.path, schema) for split, schema in found] or [_of_empty(file)]
    return splits, _unified(table, splits, schemas)


def _of_empty(file: InputFile) -> tuple[str, pa.Schema]:
    """Return the path and the columns of a file without records, which has no split."""
    return file.path, _schema(Split(file.ordinal, file.path, file.format, file.compression))


def table_splits(table: LakeTable) -> list[Split]:
    """Return the splits of a table; a delimited file is one.

    Raises:
        InputError: if a file cannot be read.
    """
    check_readable(table.name, table.fault)
    if table.kind == "delta":
        return delta_splits(table.location, table.snapshot, table.files)
    if table.kind == "iceberg":
        return iceberg_splits(table.location, table.catalogued, table.files)
    return [split for file in table.files for split in plan_splits(file, split_bytes=SPLIT_BYTES)]


def table_schema(table: LakeTable, splits: Sequence[Split]) -> pa.Schema:
    """Return the columns of a table: of delimited files, strings.

    Raises:
        InputError: if a name is there twice, types exclude each other, or a file cannot be read.
    """
    if table.kind == "delta":
        return delta_schema(table.location, table.snapshot)
    if table.kind == "iceberg":
        return iceberg_schema(table.location, table.catalogued)
    schemas = [(split.path, _schema(split)) for split in splits]
    filled = {split.file for split in splits}
    schemas += [_of_empty(file) for file in table.files if file.ordinal not in filled]
    return _unified(table, splits, schemas)


def _unified(table: LakeTable, splits: Sequence[Split], schemas: Sequence[tuple[str, pa.Schema]]) -> pa.Schema:
    delimited = {split.path for split in splits if split.format == "csv"}
    names = {tuple(names.names) for path, names in schemas if path in delimited}
    if len(names) > 1:
        raise InputError(
            "files of one table have the same columns",
            value=f"{table.name}: others in some",
            remedy="Split the folder.",
        )
    if splits and all(split.format == "csv" for split in splits):
        return schemas[0][1]  # strings all: there is nothing to unify
    return unify(schemas)


def _schema(split: Split) -> pa.Schema:
    if split.format != "csv":
        return split_schema(split, batch_bytes=_BATCH_BYTES)
    return _columns(split, read_header(split))


def _columns(split: Split, names: list[str]) -> pa.Schema:
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise InputError(
            "the columns of a table have names of their own",
            value=f"{twice!r} twice in {split.path}",
            remedy="Rename one.",
        )
    return pa.schema([(name, pa.string()) for name in names])


def read_table_split(split: Split, columns: pa.Schema, full: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a split: ``__address``, some columns, and ``__rule``: null, or why the record cannot be read.

    Args:
        split: what to read.
        columns: the columns to yield; of a record that cannot be read they are null.
        full: all columns of the table.

    Raises:
        InputError: if the file cannot be read to its end.
    """
    if split.format == "csv":
        yield from read_delimited_table(split, columns, full, _cut_bytes(len(full)))
        return
    if split.format == "delta":
        yield from map(_without_faults, read_delta(split, columns, batch_bytes=_BATCH_BYTES))
        return
    if split.format == "iceberg":
        yield from map(_without_faults, read_iceberg(split, columns))
        return
    for batch in read_split(split, columns, full=full, batch_bytes=_BATCH_BYTES):
        yield batch.select([ADDRESS, *columns.names, RULE])


def cut_table_split(split: Split, columns: Collection[str], width: int) -> Iterator[CutBatch]:
    """Yield the records of a split of a delimited file, cut; what ``read_table_split`` yields is made of the same.

    Args:
        split: what to read.
        columns: names of the columns to find.
        width: how many columns the table has.

    Raises:
        InputError: if the file cannot be read to its end.
    """
    return cut_delimited(split, columns, _cut_bytes(width))


def _cut_bytes(width: int) -> int:
    return min(_BATCH_BYTES, max(_CACHED_BYTES, width * _COLUMN_BYTES))


def _without_faults(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.append_column(RULE, pa.nulls(batch.num_rows, pa.string()))
