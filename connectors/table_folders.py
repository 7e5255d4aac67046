"""Folders of a lake that are one table each: those of Delta, and those that an Iceberg catalogue looks after.

Files below such a folder are never tables of their own: which of them count is said by the log or the catalogue.
"""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from .corpus import Corpus, InputSpec, open_corpus
from .storage import GLOB, Stored, exists, list_files

_LOG = "_delta_log"
_METADATA = (".metadata.json", ".metadata.json.gz")


class TableFolder(NamedTuple):
    """A folder that is one table.

    Attributes:
        path: absolute path or URL.
        inside: its path relative to the lake; "" if it is the lake.
        kind: "delta" or "iceberg".
    """

    path: str
    inside: str
    kind: str


def open_lake(lake: str) -> tuple[Corpus, tuple[TableFolder, ...]]:
    """Return the files of a lake that lie in no table folder, and the table folders, in order of their paths.

    A folder that is both (Delta tables may carry Iceberg metadata) counts as Delta.

    Raises:
        InputError: if the lake does not exist or holds neither.
    """
    named = exists(lake) or any(c in lake for c in GLOB)
    stored = list(list_files(lake)) if named else []
    folders = table_folders(stored)
    inside = frozenset(folder.inside for folder in folders)
    foreign = partial(_is_below, inside) if folders else None
    return open_corpus([InputSpec(lake)], ends=False, foreign=foreign, listed=stored if named else None), folders


def _is_below(folders: frozenset[str], relative: str) -> bool:
    """Whether a path lies in one of some folders, at whatever depth."""
    parents = relative.split("/")[:-1]
    return any("/".join(parents[:depth]) in folders for depth in range(len(parents) + 1))


def table_folders(stored: Iterable[Stored]) -> tuple[TableFolder, ...]:
    """Return the folders that are tables, from the files of a lake; hidden ones are none."""
    found: dict[str, TableFolder] = {}
    for file in stored:
        parts = file.relative.split("/")
        at = parts.index(_LOG) if _LOG in parts[:-1] else -1
        kind = "delta" if at >= 0 else "iceberg"
        if at < 0 and parts[-2:-1] == ["metadata"] and parts[-1].endswith(_METADATA):
            at = len(parts) - 2
        if at < 0 or any(part.startswith((".", "_")) for part in parts[:at]):
            continue
        inside = "/".join(parts[:at])
        if kind == "delta" or inside not in found:
            path = file.path[: -len("/".join(parts[at:]))].rstrip("/")
            found[inside] = TableFolder(path, inside, kind)
    return tuple(
        found[inside] for inside in sorted(found, key=lambda inside: inside.encode("utf-8", "surrogateescape"))
    )
