"""Delta tables: a folder with ``_delta_log`` is one, and its rows are those of one version.

What the rows are, the log says: which data files are active, the values of partition columns, which records of a file a
deletion vector takes away. A column that a file does not have is null in it.
"""

import base64
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..hashing.errors import InputError
from .address import ADDRESS, addresses
from .delta_columns import logical, mapping_mode, name_in_file, plain_schema
from .delta_log import data_files, data_path, kept_rows, log_state, open_log
from .formats import InputFile
from .listed_table import ListedTable
from .parquet import MAX_BATCH_ROWS, plan_parquet
from .row_groups import batches_of
from .schema import unify
from .split import SPLIT_BYTES, Split
from .storage import is_local, open_binary

KIND = "delta"
_DAMAGE = (pa.ArrowException, OSError, UnicodeDecodeError)


def list_delta(root: str, name: str, inside: str, first: int) -> ListedTable:
    """Return the table of a folder at its current version, or one with a fault if its log cannot be read.

    Args:
        root: the folder.
        name: of the table.
        inside: path of the folder relative to the lake.
        first: ordinal of its first file.

    Raises:
        EngineError: if ``deltalake`` is not installed.
    """
    try:
        table = open_log(root)
        mapping_mode(table)
    except InputError as error:
        return ListedTable(name, KIND, location=root, fault=f"{error.rule}; found {error.value}")
    files: list[InputFile] = []
    for row in data_files(table).select(["path", "size_bytes", "modification_time"]).to_pylist():
        path = row["path"]
        facts = f"{row['size_bytes']} {row['modification_time']}"
        place = data_path(root, path)
        relative = f"{inside}/{path}" if inside else path
        files.append(InputFile(first + len(files), place, relative, KIND, "", "", row["size_bytes"], facts))
    return ListedTable(name, KIND, tuple(files), log_state(table), root)


def delta_is_current(root: str, snapshot: str) -> bool:
    """Whether a folder still has the table, at the version, that was listed.

    Raises:
        InputError: if its log cannot be read any more.
    """
    return log_state(open_log(root)) == snapshot


def delta_splits(root: str, snapshot: str, files: Sequence[InputFile]) -> list[Split]:
    """Return the splits of a listed table: stretches of row groups, with all that reading them asks for.

    Raises:
        InputError: if the version cannot be read any more, or a data file is not there or damaged.
    """
    table = _listed_version(root, snapshot)
    listed = data_files(table)
    paths = listed["path"].to_pylist()
    kept = kept_rows(table)
    stray = sorted(set(kept) - set(paths))
    if stray or [data_path(root, path) for path in paths] != [file.path for file in files]:
        raise InputError(
            "a version of a Delta table has the data files that it was listed with",
            value=f"{root}: {stray[:3] or snapshot}",
            remedy="Scan again.",
        )
    mode = mapping_mode(table)
    shared = [] if mode == "none" else [("mapping", mode), ("schema", _packed_schema(table))]
    splits: list[Split] = []
    for at, (path, file) in enumerate(zip(paths, files, strict=True)):
        fixed = [("partition", _packed_values(listed, at))] if "partition" in listed.column_names else []
        splits += _file_splits(file, kept.get(path), (*shared, *fixed))
    return splits


def _listed_version(root: str, snapshot: str) -> Any:
    table = open_log(root, int(snapshot.partition(" ")[0]))
    if log_state(table) != snapshot:
        raise InputError(
            "a Delta table is not made anew while it is read",
            value=f"{root}: {log_state(table)}, listed as {snapshot}",
            remedy="Scan again.",
        )
    return table


def _file_splits(
    file: InputFile, kept: NDArray[np.bool_] | None, options: tuple[tuple[str, str], ...]
) -> Iterator[Split]:
    """Yield the splits of a data file; their record numbers count rows, not the records that were deleted."""
    try:
        planned = list(plan_parquet(file.ordinal, file.path, split_bytes=SPLIT_BYTES, source=""))
    except InputError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        raise InputError(
            "the data files of a Delta table's version are there",
            value=f"{file.path} is gone: deleted, or vacuumed",
            remedy="Restore it, or write a version without it (deltalake: `DeltaTable.repair`).",
        ) from error
    total = sum(split.records or 0 for split in planned)
    if kept is not None and len(kept) > total:
        raise InputError(
            "a deletion vector is as long as its data file at most",
            value=f"{len(kept)} records for {total} of {file.path}",
            remedy="Restore the file, or leave the table out.",
        )
    rows = 0
    for split in planned:
        records = split.records or 0
        facts = (*options, ("records", str(records)))
        count = records
        if kept is not None:
            mask = kept[split.first_record : split.first_record + records]
            mask = np.concatenate([mask, np.ones(records - len(mask), np.bool_)])
            count = int(mask.sum())
            if count < records:
                facts = (*facts, ("kept", _packed_mask(mask)))
        yield replace(split, format=KIND, first_record=rows, records=count, options=facts)
        rows += count


def delta_schema(root: str, snapshot: str) -> pa.Schema:
    """Return the columns of a listed table.

    Raises:
        InputError: if the version cannot be read any more.
    """
    table = _listed_version(root, snapshot)
    return unify([(root, plain_schema(pa.schema(table.schema().to_arrow())))])


def read_delta(split: Split, columns: pa.Schema, *, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a split: ``__address`` and some columns.

    Args:
        split: of ``delta_splits``.
        columns: the columns to yield, in the types of ``delta_schema``.
        batch_bytes: about how many bytes a batch holds.

    Raises:
        InputError: if the file is gone or damaged, or has values that do not fit the table's schema.
    """
    facts = dict(split.options)
    records = int(facts["records"])
    kept = _mask(facts["kept"], records) if "kept" in facts else None
    size = max(1, min(MAX_BATCH_ROWS, batch_bytes * records // max(1, split.size_bytes)))
    row = split.first_record
    done = 0
    try:
        with _open(split.path) as file:
            fixed = _values(facts["partition"]) if "partition" in facts else {}
            column = _Columns(columns, file.schema_arrow, facts)
            groups = range(split.start, split.stop)
            for batch in batches_of(file, size, columns=column.names(fixed), groups=groups, threads=False):
                arrays = [column.array(field, batch, fixed) for field in columns]
                if kept is not None:
                    mask = pa.array(kept[done : done + batch.num_rows])
                    arrays = [array.filter(mask) for array in arrays]
                count = batch.num_rows if kept is None else mask.true_count
                numbers = pa.array(addresses(split.file, row, count))
                done, row = done + batch.num_rows, row + count
                yield pa.RecordBatch.from_arrays([numbers, *arrays], names=[ADDRESS, *columns.names])
        if done != records:
            raise pa.ArrowInvalid(f"{done} records where the plan has {records}")
    except _DAMAGE as error:
        raise InputError(
            "every record of a Delta table can be read in the types of its schema",
            value=f"{split.path}, near row {row}: {error}",
            remedy="Restore the file, or leave the table out.",
        ) from error


def _open(path: str) -> pq.ParquetFile:
    """Open a data file; INT96, as Spark writes times, in microseconds: in nanoseconds the year 9999 would overflow."""
    source = path if is_local(path) else open_binary(path)
    return pq.ParquetFile(source, page_checksum_verification=True, coerce_int96_timestamp_unit="us")


class _Columns:
    """What the columns of a table are in one data file."""

    def __init__(self, columns: pa.Schema, stored: pa.Schema, facts: Mapping[str, str]) -> None:
        self.mode = facts.get("mapping", "none")
        mapped = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(facts["schema"]))) if "schema" in facts else columns
        self.fields = {field.name: mapped.field(field.name) for field in columns}
        self.stored = {name: name_in_file(field, stored, self.mode) for name, field in self.fields.items()}

    def names(self, fixed: Mapping[str, pa.Scalar]) -> list[str]:
        """Return the names to read, in the file."""
        return [stored for name, stored in self.stored.items() if stored is not None and name not in fixed]

    def array(self, field: pa.Field, batch: pa.RecordBatch, fixed: Mapping[str, pa.Scalar]) -> pa.Array:
        """Return a column of the records of a batch, in the type of a field."""
        if field.name in fixed:
            values = pa.repeat(fixed[field.name], batch.num_rows)
        elif (stored := self.stored[field.name]) is None:
            return pa.nulls(batch.num_rows, field.type)
        else:
            values = logical(batch.column(batch.schema.get_field_index(stored)), self.fields[field.name], self.mode)
        return values if values.type == field.type else values.cast(field.type)


def _packed_schema(table: Any) -> str:
    schema = pa.schema(table.schema().to_arrow())
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def _packed_values(listed: pa.Table, at: int) -> str:
    """Return the partition values of a data file as text: an Arrow stream of one row, which keeps their types."""
    row = pa.RecordBatch.from_struct_array(pa.concat_arrays(listed["partition"].slice(at, 1).chunks))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, row.schema) as stream:
        stream.write_batch(row)
    return base64.b64encode(sink.getvalue().to_pybytes()).decode()


def _values(packed: str) -> dict[str, pa.Scalar]:
    with pa.ipc.open_stream(base64.b64decode(packed)) as stream:
        row = stream.read_all()
    return {name: row[name][0] for name in row.column_names}


def _packed_mask(mask: NDArray[np.bool_]) -> str:
    return base64.b64encode(zlib.compress(np.packbits(mask).tobytes())).decode()


def _mask(packed: str, records: int) -> NDArray[np.bool_]:
    bits = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8)
    return np.unpackbits(bits, count=records).astype(np.bool_)
