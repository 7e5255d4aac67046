"""What a scan left in its folder, read again: tables, groups of equal ones, and which groups lie inside which."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...hashing.errors import ArtefactError
from ..state import SUCCESS
from .outputs import FORMAT, FORMAT_VERSION, REPORT

TABLES = "tables.parquet"
CONTAINMENT = "containment.parquet"

_AGAIN = "Scan the lake again: `tamis lake scan LAKE --out DIR`."


@dataclass(frozen=True)
class FoundTable:
    """A table that a scan saw, as its ledger tells.

    Attributes:
        table: name.
        kind: ``files``, ``delta`` or ``iceberg``.
        format: of its files.
        state: what became of it: ``compared``, ``alone``, ``empty``, ``unreadable``, ``linked``, ...
        why: of that state.
        paths, sizes: of its files; bytes.
        bytes: of all of them.
        fingerprint: of sizes, times and ends of its files.
        snapshot: version of a Delta or Iceberg table.
        columns: all of them, in the order of the files.
        rows, distinct_rows: where they were counted.
        unread_rows: records that could not be read.
        contents: fingerprint of its rows as a bag, where it was taken.
        group: the same for equal tables; None for tables that were not compared.
    """

    table: str
    kind: str
    format: str
    state: str
    why: str | None
    paths: tuple[str, ...]
    sizes: tuple[int, ...]
    bytes: int
    fingerprint: str
    snapshot: str
    columns: tuple[str, ...]
    rows: int | None
    distinct_rows: int | None
    unread_rows: int
    contents: str | None
    group: int | None


@dataclass(frozen=True)
class Found:
    """What a scan found.

    Attributes:
        folder: of the scan.
        lakes: as they were given.
        options: what counted as the same.
        tables: in order of their names.
        groups: numbers of tables: of equal ones, and of those that are equal to no other.
        inside: pairs of groups (child, parent), verified: all of them, or those that all others follow from.
        unsure: numbers of tables that may lie inside others, and were not looked for with all their rows.
        renamed: numbers of tables that lie inside others whose columns are called otherwise.
        fingerprint: of the ledger and the containment, so that a plan knows its scan.
    """

    folder: Path
    lakes: tuple[str, ...]
    options: Mapping[str, Any]
    tables: tuple[FoundTable, ...]
    groups: tuple[tuple[int, ...], ...]
    inside: frozenset[tuple[int, int]]
    unsure: frozenset[int]
    renamed: frozenset[int]
    fingerprint: str


def read_found(folder: Path) -> Found:
    """Read what a scan left.

    Raises:
        ArtefactError: if the folder is not that of a finished scan that this version can read.
    """
    report = _report(folder)
    tables = _tables(folder)
    numbers = {table.table: i for i, table in enumerate(tables)}
    groups, of = _groups(tables)
    pairs = _pairs(folder / CONTAINMENT)
    unknown = sorted({row[end] for row in pairs for end in ("parent", "child")} - numbers.keys())
    if unknown:
        raise ArtefactError(
            f"tables of {CONTAINMENT} are in {TABLES}", value=f"{unknown[0]} in {folder}", remedy=_AGAIN
        )
    renamed = {numbers[row["child"]] for row in pairs if row["status"] == "verified" and row["columns"]}
    verified = {(row["child"], row["parent"]) for row in pairs if row["status"] == "verified" and not row["columns"]}
    inside = {(of[numbers[child]], of[numbers[parent]]) for child, parent in verified}
    unsure = {numbers[row["child"]] for row in pairs if row["status"] not in ("verified", "refuted")}
    digest = hashlib.sha256()
    for name in (TABLES, CONTAINMENT):
        digest.update((folder / name).read_bytes())
    return Found(
        folder,
        tuple(report["lakes"]),
        report["options"],
        tables,
        groups,
        frozenset(pair for pair in inside if pair[0] != pair[1]),
        frozenset(unsure),
        frozenset(renamed),
        digest.hexdigest(),
    )


def _report(folder: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError(
            f"the folder of a scan has {REPORT}", value=f"{folder}: {error}", remedy=f"Check the folder. {_AGAIN}"
        ) from error
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise ArtefactError(
            f"{REPORT} says that its format is {FORMAT}", value=folder / REPORT, remedy=f"Check the folder. {_AGAIN}"
        )
    if report.get("format_version") != FORMAT_VERSION:
        raise ArtefactError(
            f"{REPORT} is of version {FORMAT_VERSION}", value=f"{report.get('format_version')}", remedy=_AGAIN
        )
    if not (folder / SUCCESS).exists():
        raise ArtefactError(f"a scan that finished left {SUCCESS}", value=f"none in {folder}", remedy=_AGAIN)
    missing = [key for key in ("lakes", "options") if key not in report]
    if missing:
        raise ArtefactError(f"{REPORT} has `{missing[0]}`", value=folder / REPORT, remedy=_AGAIN)
    return report


def _tables(folder: Path) -> tuple[FoundTable, ...]:
    names = tuple(field.name for field in fields(FoundTable))
    rows = sorted(_rows(folder / TABLES, names), key=lambda row: row["table"].encode())
    return tuple(FoundTable(**_frozen(row)) for row in rows)


def _frozen(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with tuples for lists; a table that could not be read may have none."""
    lists = {name: tuple(row[name] or ()) for name in ("paths", "sizes", "columns")}
    return row | lists


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = pq.read_table(path, columns=list(columns)).select(list(columns)).to_pylist()
    except (OSError, KeyError, pa.ArrowException) as error:
        raise ArtefactError(
            f"a scan left {path.name} with {', '.join(columns)}", value=f"{path.parent}: {error}", remedy=_AGAIN
        ) from error
    return rows


def _pairs(path: Path) -> list[dict[str, Any]]:
    """Return pairs; ``columns`` where these are called otherwise."""
    return _rows(path, ("parent", "child", "status", "columns"))


def _groups(tables: Iterable[FoundTable]) -> tuple[tuple[tuple[int, ...], ...], list[int]]:
    """Return the tables of each group, in order of their first, and the group of each table."""
    number: dict[object, int] = {}
    members: list[list[int]] = []
    of = []
    for i, table in enumerate(tables):
        key = ("alone", i) if table.group is None else table.group
        if key not in number:
            number[key] = len(members)
            members.append([])
        members[number[key]].append(i)
        of.append(number[key])
    return tuple(map(tuple, members)), of
