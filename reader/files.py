"""Reading rows of the files of a set, each checked against the manifest when it is opened."""

import os
import posixpath
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from ..hashing.errors import ArtefactError
from .shard_set import Run, ShardFile, ShardSet, filesystem

OPEN_FILES = 64
"""Files that stay open, at most."""


class Files:
    """The files of a set, opened when they are first read, by the process that reads.

    Args:
        shards: the set.
        columns: names of the columns to read; default: all.
    """

    def __init__(self, shards: ShardSet, columns: Sequence[str] | None = None) -> None:
        self.shards = shards
        self.columns = None if columns is None else list(columns)
        self._open: OrderedDict[int, pq.ParquetFile] = OrderedDict()
        self._process = os.getpid()

    def __reduce__(self) -> tuple[Any, ...]:
        """Open files stay where they are: another process opens its own."""
        return (Files, (self.shards, self.columns))

    def read(self, first: int, rows: int) -> pa.Table:
        """Return the rows from a number on.

        Raises:
            ArtefactError: if a file is missing, or is not what the manifest says.
        """
        tables = [self._read(run) for run in self.shards.runs(first, rows)]
        return tables[0] if len(tables) == 1 else pa.concat_tables(tables)

    def group(self, file: int, group: int) -> pa.Table:
        """Return a row group."""
        line = self.shards.files[file]
        with _damage(f"{self.shards.out}/data/{line.name}"):
            table = self._file(file).read_row_group(group, columns=self.columns, use_threads=False)
        return table if self.columns is None else table.select(self.columns)

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._open.popitem()[1].close(force=True)

    def _read(self, run: Run) -> pa.Table:
        table = self.group(run.file, run.group)
        return table if table.num_rows == run.rows else table.slice(run.start, run.rows)

    def _file(self, number: int) -> pq.ParquetFile:
        if self._process != os.getpid():
            self._open.clear()  # a fork: these are of the process that it was made from
            self._process = os.getpid()
        if number not in self._open:
            if len(self._open) >= OPEN_FILES:
                self._open.popitem(last=False)[1].close(force=True)
            self._open[number] = _opened(self.shards.out, self.shards.files[number])
        self._open.move_to_end(number)
        return self._open[number]


def _opened(out: str, line: ShardFile) -> pq.ParquetFile:
    storage, folder = filesystem(out)
    path = posixpath.join(folder, "data", line.name)
    try:
        local = isinstance(storage, fs.LocalFileSystem)
        source = pa.memory_map(path) if local and line.size_bytes else storage.open_input_file(path)
    except FileNotFoundError:
        raise ArtefactError(
            "every file of the manifest is there", value=path, remedy="Copy the output again, whole."
        ) from None
    if source.size() != line.size_bytes:
        raise ArtefactError(
            "a file has the size that the manifest says",
            value=f"{path} with {source.size()} bytes, recorded are {line.size_bytes}",
            remedy="Copy the output again, and see `tamis verify`.",
        )
    file = pq.ParquetFile(source, pre_buffer=False)
    groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    if [rows for rows in groups if rows] != [rows for rows, _ in line.groups if rows]:
        raise ArtefactError(
            "a file has the row groups that the manifest says",
            value=f"{path} with groups of {sorted(set(groups))} rows",
            remedy="Copy the output again, and see `tamis verify`.",
        )
    return file


@contextmanager
def _damage(path: str) -> Iterator[None]:
    """Say of what Arrow and the system raise that the file is damaged."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise ArtefactError(
            "a shard can be read", value=f"{path}: {error}", remedy="Copy it again, and see `tamis verify`."
        ) from error
