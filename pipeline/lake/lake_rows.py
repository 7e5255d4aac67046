"""The rows of tables as a scan compared them: which columns count, and what a row's fingerprint is."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...connectors.address import ADDRESS
from ...connectors.batches import RULE
from ...connectors.lake_reading import read_table_split, table_schema, table_splits
from ...connectors.lake_tables import LakeTable, list_tables
from ...connectors.split import Split
from ...hashing.errors import InputError
from .canonical import contents_of, row_fingerprints

Prints = NDArray[np.uint64]


def open_tables(lakes: Sequence[str]) -> tuple[dict[str, LakeTable], list[str]]:
    """Return the tables of some lakes as they are now, by name, and why some lakes have none.

    A lake is empty, too, once all its tables were moved away.
    """
    tables: dict[str, LakeTable] = {}
    faults = []
    for lake in lakes:
        prefix = f"{lake.rstrip('/')}/" if len(lakes) > 1 else ""
        try:
            tables |= {
                prefix + table.name: replace(table, name=prefix + table.name) for table in list_tables([lake])[0]
            }
        except InputError as error:
            faults.append(f"{error.rule}; found {error.value}")
    return tables, faults


@dataclass(frozen=True)
class OpenTable:
    """A table that can be read; the ordinals of its files are their places in it.

    Attributes:
        table: it.
        splits: what to read.
        schema: all its columns.
    """

    table: LakeTable
    splits: tuple[Split, ...]
    schema: pa.Schema

    def read(
        self, names: Sequence[str], splits: Collection[Split] | None = None, *, whole: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """Yield ``__address`` and some columns.

        Args:
            names: of the columns.
            splits: some of the table's; default: all.
            whole: whether every record must be one that can be read; else others are left out.

        Raises:
            InputError: if a file, or a record that must be, cannot be read.
        """
        columns = pa.schema([self.schema.field(name) for name in names])
        for split in self.splits if splits is None else splits:
            for batch in read_table_split(split, columns, self.schema):
                bad = batch.column(RULE).is_valid() if RULE in batch.schema.names else pa.array([False])
                if pc.any(bad).as_py():
                    if whole:
                        raise InputError(
                            "every record of a table that goes can be read",
                            value=f"{split.path}: {batch.filter(bad).column(RULE)[0]}",
                            remedy="Leave that table where it is.",
                        )
                    batch = batch.filter(pc.invert(bad))
                yield batch.select([ADDRESS, *names])


def open_table(table: LakeTable) -> OpenTable:
    """Return a table that can be read.

    Raises:
        InputError: if it has no columns that can be told.
    """
    numbered = replace(table, files=tuple(replace(file, ordinal=i) for i, file in enumerate(table.files)))
    splits = table_splits(numbered)
    return OpenTable(numbered, tuple(splits), table_schema(numbered, splits))


@dataclass(frozen=True)
class Seeing:
    """What counted as the same.

    Attributes:
        ignore: columns that do not count.
        trim: whether white space around texts counts for nothing.
        typed_csv: whether numbers and empty fields of delimited files are numbers and nulls.
    """

    ignore: frozenset[str]
    trim: bool
    typed_csv: bool = False

    def columns(self, schema: pa.Schema) -> tuple[str, ...]:
        """Return the columns that count, in order."""
        return tuple(name for name in schema.names if name not in self.ignore)

    def prints(self, batch: pa.RecordBatch, names: Sequence[str], of: LakeTable) -> Prints:
        """Return the fingerprint of each row of a table: uint64, shape (n, 2)."""
        typed = self.typed_csv and of.format == "csv"
        columns = [(name, batch.column(name)) for name in names]
        return row_fingerprints(columns, batch.num_rows, trim=self.trim, typed=typed)


def seeing(options: Mapping[str, Any]) -> Seeing:
    """Return what counted as the same, by the options of a scan."""
    return Seeing(frozenset(options.get("ignore", ())), bool(options.get("trim")), bool(options.get("typed_csv")))


@dataclass(frozen=True)
class Contents:
    """Rows as a bag.

    Attributes:
        rows: how many.
        fingerprint: of them, as hexadecimal digits.
    """

    rows: int
    fingerprint: str


def contents(parts: Iterator[Prints]) -> Contents:
    """Return what rows there are, from the fingerprints of batches."""
    rows = high = low = 0
    for prints in parts:
        more = contents_of(prints)
        rows, high, low = rows + len(prints), (high + more[0]) % 2**64, (low + more[1]) % 2**64
    return Contents(rows, hexadecimal(high, low))


def hexadecimal(high: int, low: int) -> str:
    """Return a fingerprint as 32 digits."""
    return f"{high:016x}{low:016x}"


def on_disk(path: str) -> bool:
    """Whether a path is one of this machine, rather than a URL or the name of a catalogue.

    >>> on_disk("lake/a:b"), on_disk("s3://lake/a"), on_disk("iceberg:prod")
    (True, False, False)
    """
    return ":" not in path.partition("/")[0]


FileId = tuple[int, int]
"""Device and number of a file."""


def shared_files(tables: Iterable[LakeTable]) -> frozenset[FileId]:
    """Return the files on this machine that are there under two names, as by a link to one of them."""
    known = Counter(_file_id(file.path) for table in tables for file in table.files if on_disk(file.path))
    return frozenset(one for one, count in known.items() if count > 1)


def _file_id(path: str) -> FileId:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def place_of(table: LakeTable, shared: Collection[FileId] = ()) -> Path:
    """Return the file or folder of a table of local files.

    Args:
        table: the table.
        shared: files that are there under two names.

    Raises:
        InputError: if it cannot be moved: links, files of others in its folder, a store.
    """
    paths = [Path(file.path) for file in table.files]
    for file, path in zip(table.files, paths, strict=True):
        _check_links(path, len(file.relative.split("/")))
        if _file_id(file.path) in shared:
            raise InputError(
                "no link leads to a file that is moved", value=path, remedy="Leave that table where it is."
            )
    if not is_folder(table):
        return paths[0]
    folder, members = paths[0].parent, set(paths)
    others = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path not in members and not path.name.startswith((".", "_"))
    )
    if others:
        raise InputError(
            "the folder of a table that is moved holds nothing else",
            value=f"{others[0]} in {folder}",
            remedy="Move that away, or leave the table where it is.",
        )
    for path in folder.rglob("*"):
        _check_links(path, 1)
    return folder


def is_folder(table: LakeTable) -> bool:
    """Whether a table is a folder rather than a file."""
    first = table.files[0]
    return len(table.files) > 1 or not table.name.endswith(first.relative)


def stats(table: LakeTable) -> list[tuple[int, int, int]]:
    """Return what changes when a file of a table does: number, size and time of each."""
    found = [os.stat(file.path) for file in table.files]
    return [(one.st_ino, one.st_size, one.st_mtime_ns) for one in found]


def _check_links(path: Path, depth: int) -> None:
    """Refuse a file that has another name, and one that is reached through a link below its lake."""
    places = [path, *path.parents][:depth]
    linked = next((place for place in places if place.is_symlink()), None)
    if linked is not None:
        raise InputError(
            "files that are moved are not behind symbolic links", value=linked, remedy="Leave that table where it is."
        )
    if not path.is_dir() and path.stat().st_nlink > 1:
        raise InputError(
            "files that are moved have no second name (hard link)",
            value=f"{path} with {path.stat().st_nlink}",
            remedy="Moving it would free nothing; leave that table where it is.",
        )
