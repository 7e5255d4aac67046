"""The tables of a lake: which files make one, what columns it has, and its rows.

A table is a file; or a folder, where a job has written it: with ``_SUCCESS`` in it, or with data files that are all
called ``part-...``. A folder of Delta, and each table of an Iceberg catalogue, is one as well.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import pyarrow as pa
import pyarrow.csv

from ..hashing.errors import InputError
from .address import ADDRESS, addresses
from .batches import RULE
from .compression import open_stored
from .corpus import plan_splits, read_split, split_schema
from .delta_tables import delta_schema, delta_splits, list_delta, read_delta
from .dialect import Dialect, parser
from .formats import InputFile
from .iceberg_catalogue import is_catalogue
from .iceberg_tables import (
    WITHOUT_CATALOGUE,
    iceberg_schema,
    iceberg_splits,
    list_iceberg,
    read_iceberg,
)
from .listed_table import ListedTable, check_readable, same_place
from .schema import unify
from .split import SPLIT_BYTES, Split
from .storage import reached
from .table_folders import TableFolder, open_lake

_BATCH_BYTES = 16 << 20
_HEADER_BYTES = 1 << 20
"""The first record of a delimited file ends before."""


@dataclass(frozen=True)
class LakeTable:
    """A table of a lake.

    Attributes:
        name: path of its file or folder, relative to the lake; with several lakes the lake's path comes first.
        files: in order; their ordinals are numbered through the lake.
        kind: "files", "delta" or "iceberg".
        snapshot, location, catalogued, fault: of ``ListedTable``.
    """

    name: str
    files: tuple[InputFile, ...]
    kind: str = "files"
    snapshot: str = ""
    location: str = ""
    catalogued: tuple[str, ...] = ()
    fault: str = ""

    @property
    def format(self) -> str:
        """Of its first file."""
        return self.files[0].format if self.kind == "files" else self.kind

    @property
    def size_bytes(self) -> int:
        """Bytes of its files as stored."""
        return sum(file.size_bytes for file in self.files)

    def place(self, file: InputFile) -> str:
        """Say which file of the table one is."""
        return self.name if len(self.files) == 1 else f"{self.name}/{file.path.rpartition('/')[2]}"

    @property
    def fingerprint(self) -> str:
        """Of the sizes, times and ends of its files, and of its version."""
        return "\n".join([*filter(None, [self.snapshot]), *(f"{f.relative}\0{f.fingerprint}" for f in self.files)])


def list_tables(lakes: Sequence[str]) -> tuple[tuple[LakeTable, ...], tuple[str, ...]]:
    """Return the tables of some lakes, in order of their names, and paths that are none.

    Raises:
        InputError: if a lake does not exist or holds no table.
    """
    tables: list[LakeTable] = []
    ignored: list[str] = []
    files = 0
    for lake in lakes:
        prefix = f"{lake.rstrip('/')}/" if len(lakes) > 1 else ""
        if is_catalogue(lake):
            found = [_named(prefix, table) for table in list_iceberg(lake, files)]
            files += sum(len(table.files) for table in found)
            tables += found
            continue
        corpus, folders = open_lake(lake)
        ignored += corpus.ignored
        marked = {path.rpartition("/")[0] for path in corpus.ignored if path.endswith("/_SUCCESS")}
        for folder, listed in groupby(corpus.files, key=lambda file: file.path.rpartition("/")[0]):
            members = [replace(file, ordinal=files + i) for i, file in enumerate(listed)]
            files += len(members)
            of_job = all(file.path.rpartition("/")[2].startswith("part-") for file in members)
            inside = members[0].relative.rpartition("/")[0]
            if inside and (folder in marked or of_job):
                tables.append(LakeTable(prefix + inside, tuple(members)))
            else:
                tables += [LakeTable(prefix + file.relative, (file,)) for file in members]
        for table_folder in folders:
            tables.append(_named(prefix, _of_folder(table_folder, files)))
            files += len(tables[-1].files)
    tables = _without_doubles(tables)
    return tuple(sorted(tables, key=lambda table: table.name.encode())), tuple(ignored)


def _named(prefix: str, table: ListedTable) -> LakeTable:
    name, kind, files, snapshot, location, catalogued, fault = table
    return LakeTable(prefix + name, files, kind, snapshot, location, catalogued, fault)


def _of_folder(folder: TableFolder, first: int) -> ListedTable:
    """Return the table that a folder is: of Iceberg, one that is not read."""
    name = folder.inside or folder.path.rpartition("/")[2]
    if folder.kind == "delta":
        return list_delta(folder.path, name, folder.inside, first)
    return ListedTable(name, folder.kind, location=folder.path, fault=WITHOUT_CATALOGUE)


def _without_doubles(tables: Sequence[LakeTable]) -> list[LakeTable]:
    """Leave out Iceberg folders that some catalogue of the arguments has."""
    known = {same_place(table.location.rpartition("/metadata/")[0]) for table in tables if table.catalogued}
    return [table for table in tables if table.fault != WITHOUT_CATALOGUE or same_place(table.location) not in known]


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
    names = {split.path: names for split, (_, names) in zip(splits, schemas, strict=True) if split.format == "csv"}
    if len({tuple(found.names) for found in names.values()}) > 1:
        raise InputError(
            "files of one table have the same columns",
            value=f"{table.name}: others in some",
            remedy="Split the folder.",
        )
    return unify(schemas)


def _schema(split: Split) -> pa.Schema:
    if split.format != "csv":
        return split_schema(split, batch_bytes=_BATCH_BYTES)
    names = _header(split)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            "the columns of a table have names of their own",
            value=f"{twice!r} twice in {split.path}",
            remedy="Rename one.",
        )
    return pa.schema([(name, pa.string()) for name in names])


def _header(split: Split) -> list[str]:
    """Return the names in the first record of a delimited file."""
    dialect = Dialect(**dict(split.options))
    with reached(split.path), open_stored(split.path, split.compression) as stream:
        head = stream.read(_HEADER_BYTES).decode(dialect.encoding, "replace").removeprefix("\ufeff")
    try:
        return next(parser(head.splitlines(keepends=True), dialect.delimiter), [])
    except csv.Error as error:
        raise InputError(
            "the first line of a delimited file names its columns", value=f"{split.path}: {error}", remedy="Mend it."
        ) from error


def read_table_split(split: Split, columns: pa.Schema, full: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a split: ``__address`` and some columns.

    Args:
        split: what to read.
        columns: the columns to yield.
        full: all columns of the table.

    Raises:
        InputError: if a record cannot be read: what is said of a table is said of all its rows.
    """
    if split.format == "csv":
        yield from _read_delimited(split, columns, full)
        return
    if split.format == "delta":
        yield from read_delta(split, columns, batch_bytes=_BATCH_BYTES)
        return
    if split.format == "iceberg":
        yield from read_iceberg(split, columns)
        return
    for batch in read_split(split, columns, full=full, batch_bytes=_BATCH_BYTES):
        bad = batch.column(RULE)
        if bad.null_count < len(bad):
            rule = next(value for value in bad.to_pylist() if value)
            raise InputError("every record of a table can be read", value=f"{split.path}: {rule}", remedy="Mend it.")
        yield batch.select([ADDRESS, *columns.names])


def _read_delimited(split: Split, columns: pa.Schema, full: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a delimited file: texts as they are written; an empty field is an empty text."""
    dialect = Dialect(**dict(split.options))
    places = [full.get_field_index(name) for name in columns.names]
    kept = [f"f{place}" for place in places]
    options = {
        "read_options": pa.csv.ReadOptions(
            autogenerate_column_names=True,
            skip_rows_after_names=1,
            block_size=_BATCH_BYTES,
            encoding=dialect.encoding,
            use_threads=False,
        ),
        "parse_options": pa.csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True),
        "convert_options": pa.csv.ConvertOptions(
            column_types={f"f{i}": pa.string() for i in range(len(full))},
            include_columns=kept,
            strings_can_be_null=False,
        ),
    }
    record = split.first_record
    try:
        with open_stored(split.path, split.compression) as stream, pa.csv.open_csv(stream, **options) as reader:
            for batch in reader:
                arrays = [batch.column(name) for name in kept]
                numbers = pa.array(addresses(split.file, record, batch.num_rows))
                yield pa.RecordBatch.from_arrays([numbers, *arrays], names=[ADDRESS, *columns.names])
                record += batch.num_rows
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        raise InputError(
            "every record of a table can be read",
            value=f"{split.path}, near record {record}: {error}",
            remedy="Mend it.",
        ) from error
