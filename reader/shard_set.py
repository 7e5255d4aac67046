"""The sets of an output folder, as its manifest tells: which files, how many rows, where they stand."""

import hashlib
import json
import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import fs

from ..hashing.errors import ArtefactError, ConfigError, InputError
from .order import Shape

FORMAT, FORMAT_VERSION = "tamis-shards", 3
NAME = "manifest.json"


@dataclass(frozen=True)
class ShardFile:
    """A file of a set.

    Attributes:
        name: under ``data/``.
        rows: its rows.
        size_bytes: its size.
        sha256: of its bytes.
        groups: (rows, compressed bytes) of each row group.
        text_bytes: UTF-8 bytes of its texts.
    """

    name: str
    rows: int
    size_bytes: int
    sha256: str
    groups: tuple[tuple[int, int], ...]
    text_bytes: int


@dataclass(frozen=True)
class Run:
    """Rows of one row group of one file.

    Attributes:
        file: number in the set.
        group: number in the file.
        start: first row in the group.
        rows: how many.
    """

    file: int
    group: int
    start: int
    rows: int


@dataclass(frozen=True)
class ShardSet:
    """A set of an output: shards of one shape, and a tail.

    Attributes:
        out: path or URL of the output folder.
        name: of the set.
        first_row: position in the output of its first row.
        shape: M, R and T.
        files: its shards, then its tail.
        schema: (name, type) of its columns.
    """

    out: str
    name: str
    first_row: int
    shape: Shape
    files: tuple[ShardFile, ...]
    schema: tuple[tuple[str, str], ...]

    @property
    def rows(self) -> int:
        """N, all rows."""
        return self.shape.rows

    @property
    def fingerprint(self) -> str:
        """A digest of the set: its name, and the names, rows and sha256 of its files."""
        lines = [self.name, *([file.name, file.rows, file.sha256] for file in self.files)]
        return hashlib.sha256(json.dumps(lines).encode()).hexdigest()

    @property
    def group_bytes(self) -> int:
        """What a row group takes in memory, about: its text, or its compressed bytes where they are more."""
        size = self.shape.group_rows
        full = (file.text_bytes * size / max(1, file.rows) for file in self.files if file.rows >= size)
        packed = (size_bytes for file in self.files for _, size_bytes in file.groups)
        return int(max((*full, *packed), default=0))

    @cached_property
    def _groups(self) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
        """Return the rows before the end of each row group, and its (file, group)."""
        rows = [rows for file in self.files for rows, _ in file.groups]
        places = [(i, j) for i, file in enumerate(self.files) for j in range(len(file.groups))]
        return np.cumsum(rows, dtype=np.int64), places

    def runs(self, first: int, rows: int) -> list[Run]:
        """Return where the rows from a number on are."""
        ends, places = self._groups
        found = []
        at = int(np.searchsorted(ends, first, side="right"))
        while rows:
            start = first - (int(ends[at - 1]) if at else 0)
            taken = min(rows, int(ends[at]) - first)
            if taken:
                found.append(Run(*places[at], start, taken))
            first, rows, at = first + taken, rows - taken, at + 1
        return found


def open_sets(out: str, names: Sequence[str]) -> tuple[ShardSet, ...]:
    """Return sets of an output folder.

    Args:
        out: path or URL, as ``s3://bucket/out``, of the folder that has the manifest.
        names: of the sets.

    Raises:
        ArtefactError: if there is no manifest, it is of another version, or it contradicts itself.
        ConfigError: if there is no set of a name.
    """
    manifest = read_manifest(out)
    try:
        sets = {line["name"]: _shard_set(out, manifest, line) for line in manifest["sets"]}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtefactError(
            "a manifest has the fields of its format and agrees with itself",
            value=f"{out}: {error!r}",
            remedy="Restore it or run again; do not trust this output.",
        ) from error
    if not names:
        raise ConfigError("a reader reads a set at least", value=list(names), remedy=f"Name some of {_listed(sets)}.")
    for name in names:
        if name not in sets:
            raise ConfigError("a set is one of the output", value=name, remedy=f"{out} has {_listed(sets)}.")
    return tuple(sets[name] for name in names)


def _listed(names: "dict[str, ShardSet]") -> str:
    return ", ".join(names) or "none"


def filesystem(out: str) -> tuple[fs.FileSystem, str]:
    """Return the filesystem of a path or URL, and the path in it.

    Raises:
        InputError: if it is a URL of a kind that Arrow does not open.
    """
    if "://" not in out:
        return fs.LocalFileSystem(), os.path.expanduser(out)
    try:
        found, path = fs.FileSystem.from_uri(out)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            "a URL is of a kind that Arrow opens: file, s3, gs, abfs, hdfs",
            value=f"{out}: {error}",
            remedy="Copy the output to a disk, or name it by such a URL.",
        ) from error
    return found, path


def read_manifest(out: str) -> dict[str, Any]:
    """Return the manifest of an output folder.

    Raises:
        ArtefactError: if there is none, or it is of another format or version.
        InputError: if storage cannot be reached.
    """
    storage, folder = filesystem(out)
    try:
        with storage.open_input_stream(posixpath.join(folder, NAME)) as stream:
            manifest = json.loads(bytes(stream.readall()).decode())
    except (FileNotFoundError, NotADirectoryError):
        raise ArtefactError(
            "an output folder has a manifest", value=out, remedy="Name the folder of a finished run."
        ) from None
    except OSError as error:
        raise InputError(
            "storage can be reached", value=f"{out}: {error}", remedy="See its address, rights and credentials."
        ) from error
    except ValueError as error:
        raise ArtefactError("a manifest is JSON", value=f"{out}: {error}", remedy="Restore it or run again.") from error
    check_format(manifest, out)
    return dict(manifest)


def check_format(manifest: object, place: str) -> None:
    """Refuse what is no manifest of this version.

    Raises:
        ArtefactError: naming both versions.
    """
    found = (manifest.get("format"), manifest.get("format_version")) if isinstance(manifest, dict) else (None, None)
    if found != (FORMAT, FORMAT_VERSION):
        raise ArtefactError(
            f"a manifest is of format {FORMAT} version {FORMAT_VERSION}",
            value=f"{place}: {found[0]} version {found[1]}",
            remedy="Use the version of Tamis that wrote it.",
        )


def _shard_set(out: str, manifest: dict[str, Any], line: dict[str, Any]) -> ShardSet:
    layout = {name: int(line["layout"][name]) for name in ("rows", "files", "groups", "group_rows", "tail_rows")}
    lines = sorted((f for f in manifest["files"]["data"] if f["set"] == line["name"]), key=lambda f: int(f["file"]))
    files = tuple(_shard_file(file) for file in lines)
    shape = Shape(layout["files"] * layout["groups"], layout["group_rows"], layout["tail_rows"])
    wanted = [[layout["group_rows"]] * layout["groups"]] * layout["files"]
    groups = [[rows for rows, _ in file.groups if rows] for file in files[:-1]]  # a file of no rows has a group of none
    if min(layout.values()) < 0 or shape.rows != layout["rows"]:
        raise ValueError(f"set {line['name']!r} has an impossible layout")
    if len(files) != layout["files"] + 1 or groups != wanted:
        raise ValueError(f"set {line['name']!r} has other files than its layout")
    if files[-1].rows != shape.tail_rows or any(sum(r for r, _ in file.groups) != file.rows for file in files):
        raise ValueError(f"set {line['name']!r} has other rows than its layout")
    schema = tuple((str(column["name"]), str(column["type"])) for column in manifest["schema"])
    return ShardSet(out, str(line["name"]), int(line["first_row"]), shape, files, schema)


def _shard_file(line: dict[str, Any]) -> ShardFile:
    name = str(line["name"])
    parts = name.split("/")
    if len(parts) > 2 or any(part in ("", ".", "..") or part != PurePosixPath(part).name for part in parts):
        raise ValueError(f"{name!r} is no plain name")
    groups = tuple((int(group["rows"]), int(group["size_bytes"])) for group in line["groups"])
    text = sum(int(source["bytes"]) for source in line["sources"].values())
    return ShardFile(name, int(line["rows"]), int(line["size_bytes"]), str(line["sha256"]), groups, text)
