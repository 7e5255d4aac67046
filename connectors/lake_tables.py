"""The tables of a lake: which files make one, what columns it has, and its rows.

A table is a file; or a folder, where a job has written it: with ``_SUCCESS`` in it, or with data files that are all
called ``part-...``.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import pyarrow as pa

from ..hashing.errors import InputError
from .address import ADDRESS
from .batches import RULE
from .corpus import InputSpec, open_corpus, plan_splits, read_split, split_schema
from .delimited_table import read_delimited_table, read_header, survey_delimited
from .formats import InputFile
from .schema import unify
from .split import SPLIT_BYTES, Split
from .storage import is_local, stated

_BATCH_BYTES = 16 << 20

_CACHED_BYTES = 1 << 20
"""What the kernels of delimited text work on at a time: more leaves the second-level cache, and takes half as long
again."""

_COLUMN_BYTES = 1 << 16
"""What a column of a batch holds at least, if the batch may: each column of each costs some calls."""


@dataclass(frozen=True)
class LakeTable:
    """A table of a lake.

    Attributes:
        name: path of its file or folder, relative to the lake; with several lakes the lake's path comes first.
        files: in order; their ordinals are numbered through the lake.
        kind: "files".
        snapshot: of a table with versions: which.
        fault: why it cannot be compared, where that is known from its files alone.
        linked: name of the table that it is a link to, or that is a link to it.
    """

    name: str
    files: tuple[InputFile, ...]
    kind: str = "files"
    snapshot: str = ""
    fault: str = ""
    linked: str = ""

    @property
    def format(self) -> str:
        """Of its first file."""
        return self.files[0].format

    @property
    def size_bytes(self) -> int:
        """Bytes of its files as stored."""
        return sum(file.size_bytes for file in self.files)

    def place(self, file: InputFile) -> str:
        """Say which file of the table one is."""
        return self.name if len(self.files) == 1 else f"{self.name}/{file.path.rpartition('/')[2]}"

    @property
    def fingerprint(self) -> str:
        """Of the names, sizes and times of its files."""
        return "\n".join(f"{file.relative}\0{file.fingerprint}" for file in self.files)


def list_tables(lakes: Sequence[str]) -> tuple[tuple[LakeTable, ...], tuple[str, ...]]:
    """Return the tables of some lakes, in order of their names, and paths that are none.

    Raises:
        InputError: if a lake does not exist or holds no table.
    """
    tables: list[LakeTable] = []
    ignored: list[str] = []
    files = 0
    for lake in lakes:
        corpus = open_corpus([InputSpec(lake)], ends=False)
        ignored += corpus.ignored
        marked = {path.rpartition("/")[0] for path in corpus.ignored if path.endswith("/_SUCCESS")}
        prefix = f"{lake.rstrip('/')}/" if len(lakes) > 1 else ""
        for folder, found in groupby(corpus.files, key=lambda file: file.path.rpartition("/")[0]):
            members = [replace(file, ordinal=files + i) for i, file in enumerate(found)]
            files += len(members)
            of_job = all(file.path.rpartition("/")[2].startswith("part-") for file in members)
            inside = members[0].relative.rpartition("/")[0]
            if inside and (folder in marked or of_job):
                tables.append(LakeTable(prefix + inside, tuple(members)))
            else:
                tables += [LakeTable(prefix + file.relative, (file,)) for file in members]
    return tuple(_marked(sorted(tables, key=lambda table: table.name.encode()))), tuple(ignored)


def _marked(tables: Iterable[LakeTable]) -> Iterator[LakeTable]:
    """Mark tables whose files are those of an earlier one, by another path or link: to delete one would delete both."""
    seen: dict[tuple[int, int], str] = {}
    for table in tables:
        local = [file.path for file in table.files if is_local(file.path)]
        places = [(found.st_dev, found.st_ino) for found in map(os.stat, local)]
        linked = next((seen[place] for place in places if place in seen), "")
        for place in places:
            seen.setdefault(place, table.name)
        yield replace(table, linked=linked) if linked else table


def changed(table: LakeTable) -> str:
    """Return the path of a file that is gone, or has another size or time than when the table was listed; else ""."""
    for file in table.files:
        if stated(file.path) != file.fingerprint:
            return file.path
    return ""


def survey_table(table: LakeTable) -> tuple[list[Split], pa.Schema]:
    """Return ``table_splits`` and ``table_schema`` of a table, its delimited files opened once.

    Raises:
        InputError: as these do.
    """
    splits: list[Split] = []
    schemas: list[tuple[str, pa.Schema]] = []
    for file in table.files:
        if file.format == "csv":
            split, names = survey_delimited(file)
            found = [(split, _columns(split, names))]
        else:
            found = [(split, _schema(split)) for split in plan_splits(file, split_bytes=SPLIT_BYTES)]
        splits += [split for split, _ in found]
        schemas += [(split.path, schema) for split, schema in found]
    return splits, _unified(table, splits, schemas)


def table_splits(table: LakeTable) -> list[Split]:
    """Return the splits of a table; a delimited file is one.

    Raises:
        InputError: if a file cannot be read.
    """
    return [split for file in table.files for split in plan_splits(file, split_bytes=SPLIT_BYTES)]


def table_schema(table: LakeTable, splits: Sequence[Split]) -> pa.Schema:
    """Return the columns of a table: of delimited files, strings.

    Raises:
        InputError: if a name is there twice, types exclude each other, or a file cannot be read.
    """
    return _unified(table, splits, [(split.path, _schema(split)) for split in splits])


def _unified(table: LakeTable, splits: Sequence[Split], schemas: Sequence[tuple[str, pa.Schema]]) -> pa.Schema:
    names = {tuple(names.names) for split, (_, names) in zip(splits, schemas, strict=True) if split.format == "csv"}
    if len(names) > 1:
        raise InputError(
            "files of one table have the same columns",
            value=f"{table.name}: others in some",
            remedy="Split the folder.",
        )
    if all(split.format == "csv" for split in splits):
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
        size = min(_BATCH_BYTES, max(_CACHED_BYTES, len(full) * _COLUMN_BYTES))
        yield from read_delimited_table(split, columns, full, size)
        return
    for batch in read_split(split, columns, full=full, batch_bytes=_BATCH_BYTES):
        yield batch.select([ADDRESS, *columns.names, RULE])
