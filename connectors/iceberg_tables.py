"""Iceberg tables of a catalogue: their rows are those of the current snapshot, as pyiceberg reads them.

A split is one file-scan task. It names the table's metadata file, which never changes, so it can be read without the
catalogue; positional deletes, deletion vectors and columns that were renamed or added are pyiceberg's business.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa

from ..hashing.errors import InputError
from .address import ADDRESS, addresses
from .batches import conform
from .delta_columns import plain_schema
from .formats import InputFile
from .iceberg_catalogue import (
    catalogue_names,
    faults,
    need_pyiceberg,
    open_catalogue,
    storage_settings,
    table_names,
)
from .listed_table import ListedTable, in_words
from .schema import unify
from .split import Split

KIND = "iceberg"
WITHOUT_CATALOGUE = (
    "an Iceberg table whose catalogue was not given: it says which files count. "
    "Name the catalogue too: iceberg+sqlite:///PATH/catalog.db, or iceberg:NAME"
)


class _Planned(NamedTuple):
    table: Any
    tasks: dict[str, Any]


def list_iceberg(lake: str, first: int) -> Iterator[ListedTable]:
    """Yield the tables of a catalogue at their current snapshots; with a fault those that cannot be read.

    Args:
        lake: the argument that names the catalogue.
        first: ordinal of the first file.

    Raises:
        EngineError: if pyiceberg is not installed.
        InputError: if the catalogue cannot be read.
    """
    need_pyiceberg(lake)
    names = catalogue_names(lake)
    empty = True
    for catalogue in names:
        with open_catalogue(lake, catalogue) as opened:
            try:
                found = list(table_names(opened))
            except faults() as error:
                raise InputError(
                    "the tables of a catalogue can be listed", value=f"{lake}: {in_words(error)}", remedy="Check it."
                ) from error
            for name in found:
                shown = ".".join((catalogue, *name) if len(names) > 1 else name)
                table = _listed(opened, ListedTable(shown, KIND, catalogued=(lake, catalogue, *name)), first)
                first += len(table.files)
                empty = False
                yield table
    if empty:
        raise InputError("a catalogue has a table", value=lake, remedy="Check the path, or the name.")


def _listed(catalogue: Any, table: ListedTable, first: int) -> ListedTable:
    try:
        table = table._replace(location=catalogue.load_table(table.catalogued[2:]).metadata_location)
        planned = _plan(table.location, *table.catalogued[:2])
    except InputError as error:
        return table._replace(fault=f"{error.rule}; found {error.value}")
    except faults() as error:
        return table._replace(fault=in_words(error))
    files = tuple(_file(first + i, task) for i, (_, task) in enumerate(sorted(planned.tasks.items())))
    return table._replace(files=files, snapshot=_state(planned.table))


def _file(ordinal: int, task: Any) -> InputFile:
    file = task.file
    facts = " ".join([str(file.file_size_in_bytes), *sorted(delete.file_path for delete in task.delete_files)])
    return InputFile(ordinal, file.file_path, file.file_path, KIND, "", "", file.file_size_in_bytes, facts)


def _state(table: Any) -> str:
    """Return what identifies the rows of a table: its snapshot, its own id, and its schema."""
    current = table.current_snapshot()
    snapshot = "none" if current is None else current.snapshot_id
    return f"{snapshot} of {table.metadata.table_uuid}, schema {table.metadata.current_schema_id}"


def iceberg_is_current(catalogued: Sequence[str], snapshot: str) -> bool:
    """Whether a catalogue still has a table at the snapshot that was listed.

    Raises:
        InputError: if the catalogue, or the table, cannot be read any more.
    """
    with open_catalogue(*catalogued[:2]) as catalogue:
        try:
            return _state(catalogue.load_table(tuple(catalogued[2:]))) == snapshot
        except faults() as error:
            raise InputError(
                "a listed table is still in its catalogue",
                value=f"{'.'.join(catalogued[2:])}: {in_words(error)}",
                remedy="Scan again.",
            ) from error


def iceberg_splits(metadata: str, catalogued: Sequence[str], files: Sequence[InputFile]) -> list[Split]:
    """Return the splits of a listed table: one for each data file.

    Args:
        metadata: location of its metadata file.
        catalogued: of the table.
        files: its data files.
    """
    lake, catalogue = catalogued[:2]
    options = (("metadata", metadata), ("lake", lake), ("catalogue", catalogue))
    return [Split(file.ordinal, file.path, KIND, size_bytes=file.size_bytes, options=options) for file in files]


def iceberg_schema(metadata: str, catalogued: Sequence[str]) -> pa.Schema:
    """Return the columns of a listed table.

    Raises:
        InputError: if its metadata file cannot be read any more.
    """
    table = _plan(metadata, *catalogued[:2]).table
    return unify([(metadata, plain_schema(table.schema().as_arrow()))])


def read_iceberg(split: Split, columns: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a split: ``__address`` and some columns. pyiceberg holds a data file as a whole in memory.

    Args:
        split: of ``iceberg_splits``.
        columns: the columns to yield, in the types of ``iceberg_schema``.

    Raises:
        InputError: if a file is gone or damaged, or has what pyiceberg does not read.
    """
    facts = dict(split.options)
    planned = _plan(facts["metadata"], facts["lake"], facts["catalogue"])
    row = 0
    try:
        task = planned.tasks[split.path]
        for batch in _batches(planned.table, task, columns.names):
            numbers = pa.array(addresses(split.file, row, batch.num_rows))
            row += batch.num_rows
            yield pa.RecordBatch.from_arrays([numbers, *conform(batch, columns)], names=[ADDRESS, *columns.names])
        if not task.delete_files and row != task.file.record_count:
            raise ValueError(f"{row} rows where the manifest says {task.file.record_count}")
    except faults() as error:
        raise InputError(
            "every row of an Iceberg table can be read",
            value=f"{split.path}, near row {row}: {in_words(error)}",
            remedy="Restore the file, or leave the table out.",
        ) from error


def _batches(table: Any, task: Any, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Return the rows of one file-scan task in some columns."""
    from pyiceberg.expressions import AlwaysTrue
    from pyiceberg.io.pyarrow import ArrowScan
    from pyiceberg.schema import Schema

    wanted = Schema(*(field for field in table.schema().fields if field.name in set(names)))
    scan = ArrowScan(table.metadata, table.io, wanted, AlwaysTrue())
    batches: Iterator[pa.RecordBatch] = scan.to_record_batches([task])
    return batches


@lru_cache(maxsize=4)
def _plan(metadata: str, lake: str, catalogue: str) -> _Planned:
    """Return a table as a metadata file has it, and its file-scan tasks by the path of their data file.

    A process that reads many splits of a table plans once.

    Raises:
        InputError: if it cannot be read, or has what pyiceberg does not read: equality deletes.
    """
    need_pyiceberg(metadata)
    from pyiceberg.table import StaticTable

    try:
        table = StaticTable.from_metadata(metadata, storage_settings(lake, catalogue))
        tasks = list(table.scan().plan_files())
    except faults() as error:
        raise InputError(
            "the metadata of an Iceberg table can be read",
            value=f"{metadata}: {in_words(error)}",
            remedy="Mend the table, compact its deletes, or leave it out.",
        ) from error
    found = {task.file.file_path: task for task in tasks}
    if len(found) < len(tasks):
        raise InputError(
            "a snapshot of an Iceberg table has a data file once",
            value=f"{metadata}: {len(tasks) - len(found)} twice",
            remedy="Mend the table.",
        )
    return _Planned(table, found)
