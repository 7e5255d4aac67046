"""The tables of a lake: which files make one.

A table is a file; or a folder, where a job has written it: with ``_SUCCESS`` in it, or with data files that are all
called ``part-...``. A folder of Delta, and each table of an Iceberg catalogue, is one as well.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from .delta_tables import list_delta
from .formats import InputFile
from .iceberg_catalogue import is_catalogue
from .iceberg_tables import WITHOUT_CATALOGUE, list_iceberg
from .listed_table import ListedTable, same_place
from .storage import is_local, stated
from .table_folders import TableFolder, open_lake


@dataclass(frozen=True)
class LakeTable:
    """A table of a lake.

    Attributes:
        name: path of its file or folder, relative to the lake; with several lakes the lake's path comes first.
        files: in order; their ordinals are numbered through the lake.
        kind: "files", "delta" or "iceberg".
        snapshot, location, catalogued, fault: of ``ListedTable``.
        linked: name of the table that has its files, too, by a link or another path.
        touched: when this machine last changed anything about its local files: what no program can set.
    """

    name: str
    files: tuple[InputFile, ...]
    kind: str = "files"
    snapshot: str = ""
    location: str = ""
    catalogued: tuple[str, ...] = ()
    fault: str = ""
    linked: str = ""
    touched: tuple[int, ...] = ()

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
    def stamp(self) -> str:
        """What is another one whenever a file was written to, whatever time it was given afterwards."""
        return f"{self.fingerprint}\n{self.touched}"

    @property
    def fingerprint(self) -> str:
        """Of the names, sizes and times of its files, and of its version."""
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
    return _marked(sorted(tables, key=lambda table: table.name.encode())), tuple(ignored)


def _marked(tables: Sequence[LakeTable]) -> tuple[LakeTable, ...]:
    """Mark tables whose files are those of another, by a link or another path: to delete one would delete both."""
    seen: dict[tuple[int, int], str] = {}
    marked = list(tables)
    links = [any(os.path.islink(file.path) for file in table.files) for table in tables]
    for i in sorted(range(len(tables)), key=links.__getitem__):
        table = tables[i]
        local = _stated(table)
        places = [(found.st_dev, found.st_ino) for found in local]
        linked = next((seen[place] for place in places if place in seen), "")
        for place in places:
            seen.setdefault(place, table.name)
        marked[i] = replace(table, linked=linked, touched=tuple(found.st_ctime_ns for found in local))
    return tuple(marked)


def _stated(table: LakeTable) -> list[os.stat_result]:
    return [os.stat(file.path) for file in table.files if table.kind == "files" and is_local(file.path)]


def changed(table: LakeTable) -> str:
    """Return the path of a file that is gone, or has another size or time than when the table was listed; else "".

    A newer version of a Delta or Iceberg table changes nothing about the one that was listed.
    """
    if table.kind != "files":
        return ""
    for file in table.files:
        if stated(file.path) != file.fingerprint:
            return file.path
    if tuple(found.st_ctime_ns for found in _stated(table)) != table.touched:
        return table.name
    return ""


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
