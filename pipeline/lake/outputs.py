"""What a scan leaves: pairs with their witnesses, groups of equal tables, and what became of every table."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...connectors.address import file_of, record_of
from ...connectors.parquet_output import write_parquet
from ..state import SUCCESS, write_atomically
from .containment import Checked
from .memory import SIZES, remember
from .options import Options
from .page import write_page
from .remembered_statistics import statistics_json
from .scan import Scan

FORMAT, FORMAT_VERSION = "tamis-lake", 1
REPORT, MEASURED = "lake.json", "measured.json"

CONTAINMENT = pa.schema(
    [
        ("parent", pa.string()),
        ("child", pa.string()),
        ("status", pa.string()),
        ("containment", pa.float64()),
        ("estimate", pa.float64()),
        ("bound", pa.float64()),
        ("missing", pa.int64()),
        ("witness", pa.string()),
        ("columns", pa.string()),
    ]
)
"""Pairs that share the child's smallest row. ``verified``: every row of the child is in the parent. ``refuted``: one is
not, ``path:record``. ``not_refuted``: no row of a sample is missing, so that at most a share ``bound`` is (but with
probability delta), or no row of those that could be read. ``containment`` is exact, ``estimate`` that of the sample;
``missing`` is how many of the rows that were looked for the parent lacks. ``columns``: where they are called otherwise,
JSON of each column of the child to that of the parent."""

GROUPS = pa.schema([("table", pa.string()), ("group", pa.int64()), ("rows", pa.int64()), ("distinct_rows", pa.int64())])
"""The tables that were compared; equal ones have one group."""

TABLES = pa.schema(
    [
        ("table", pa.string()),
        ("kind", pa.string()),
        ("format", pa.string()),
        ("state", pa.string()),
        ("why", pa.string()),
        ("paths", pa.list_(pa.string())),
        ("sizes", pa.list_(pa.int64())),
        ("bytes", pa.int64()),
        ("fingerprint", pa.string()),
        ("snapshot", pa.string()),
        ("columns", pa.list_(pa.string())),
        ("rows", pa.int64()),
        ("distinct_rows", pa.int64()),
        ("unread_rows", pa.int64()),
        ("contents", pa.string()),
        ("group", pa.int64()),
    ]
)
"""The ledger: every table that was found, and what became of it: ``compared``, ``apart`` (statistics leave no
pair), ``alone`` (no other has its columns),
``without columns``, ``empty``, ``linked`` (to another table, by its files) or ``unreadable``, and why."""

QUARANTINE = pa.schema([("table", pa.string()), ("record", pa.string()), ("rule", pa.string())])
"""Records that could not be read, as ``path:record``."""

_SHOWN_DIRECT = 100_000
_STATES = ("compared", "apart", "alone", "without columns", "empty", "linked")
_PER_BATCH = 65_536


def write_scan(
    found: Scan, options: Options, lakes: list[str], out: Path, work: Path, *, closure: bool, page: bool
) -> dict[str, Any]:
    """Write what a scan found, ``_SUCCESS`` last; return what ``lake.json`` holds.

    Args:
        found: of the scan.
        options: what counted as the same.
        lakes: as they were given.
        out: folder of the output.
        work: folder of the engine's work, of which the rows become memory.
        closure: whether every pair is listed, rather than those that others do not follow from.
        page: whether ``report.html`` is written; else that of an earlier scan goes.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_parquet(out / "containment.parquet", containment(found, options, closure=closure), CONTAINMENT)
    write_parquet(out / "groups.parquet", iter([groups(found)]), GROUPS)
    write_parquet(out / "tables.parquet", iter([ledger(found, options)]), TABLES)
    write_parquet(out / "quarantine.parquet", iter([quarantine(found)]), QUARANTINE)
    report = facts(found, options, lakes)
    for name, what in ((REPORT, report), (MEASURED, measured(found))):
        write_atomically(out / name, json.dumps(what, indent=1, ensure_ascii=False) + "\n")
    keep(found, options, out, [work / name for name in found.rows_names])
    if page:
        write_page(out)
    else:
        (out / "report.html").unlink(missing_ok=True)
    (out / SUCCESS).touch()
    return report


def keep(found: Scan, options: Options, out: Path, rows: list[Path]) -> None:
    """Remember columns and rows for the next scan: of tables that could be read."""
    stamp = {i: table.stamp for i, table in enumerate(found.tables)}
    of = found.projections.table.tolist()
    remember(
        out,
        options,
        columns={stamp[i]: columns.packed for i, columns in found.columns.items()},
        statistics={stamp[i]: statistics_json(found.statistics[i]) for i in found.columns},
        projections={
            (stamp[table], found.names[number]): number for number, table in enumerate(of) if table not in found.faults
        },
        sizes=dict(enumerate(zip(*(getattr(found.sizes, name).tolist() for name in SIZES), strict=True))),
        notes={stamp[table]: found.notes.get(table, []) for table in set(of) - set(found.faults)},
        rows=rows,
    )


def _name(found: Scan, group: int) -> str:
    """Return the name of a group's first table."""
    return found.tables[found.groups.members[group][0]].name


def containment(found: Scan, options: Options, *, closure: bool = False) -> Iterator[pa.Table]:
    """Yield ``CONTAINMENT``: verified pairs, then the others, both in order of (child, parent) as tables are listed."""
    groups = found.groups
    if closure:
        pairs = (
            (child, parent)
            for one, members in enumerate(groups.members)
            for child in members
            for other in sorted({one, *groups.above(one)})
            for parent in groups.members[other]
            if child != parent
        )
    else:
        pairs = (
            (groups.members[child][0], groups.members[parent][0])
            for child, parents in enumerate(groups.direct)
            for parent in parents
        )
    verified = dict.fromkeys(CONTAINMENT.names) | {"status": "verified", "containment": 1.0, "missing": 0}
    held: list[dict[str, Any]] = []
    for child, parent in pairs:
        held.append(verified | {"parent": found.tables[parent].name, "child": found.tables[child].name})
        if len(held) == _PER_BATCH:
            yield pa.Table.from_pylist(held, CONTAINMENT)
            held = []
    held += [*_others(found, options), *_renamed(found, options)]
    yield pa.Table.from_pylist(held, CONTAINMENT)


def _others(found: Scan, options: Options) -> Iterator[dict[str, Any]]:
    """Yield pairs that are not verified."""
    for part, sound in ((found.links.checked, True), (found.links.partial, False)):
        for i in np.flatnonzero(~part.verified | (not sound)).tolist():
            pair = found.table_of(part.child[i]), found.table_of(part.parent[i])
            yield _row(found, options, pair, part, i)


def _renamed(found: Scan, options: Options) -> Iterator[dict[str, Any]]:
    """Yield pairs whose columns are called otherwise."""
    if found.renamed is not None:
        for i, (pair, columns) in enumerate(zip(found.renamed.pairs, found.renamed.columns, strict=True)):
            row = _row(found, options, pair, found.renamed.checked, i)
            yield row | {"columns": json.dumps(dict(columns), ensure_ascii=False)}


def _row(found: Scan, options: Options, pair: tuple[int, int], part: Checked, i: int) -> dict[str, Any]:
    child, parent = pair
    missing, whole, sound = int(part.missing[i]), bool(part.whole[i]), child not in found.unread
    return {
        "parent": found.tables[parent].name,
        "child": found.tables[child].name,
        "status": "refuted" if missing else "verified" if whole and sound else "not_refuted",
        "containment": (int(part.looked_for[i]) - missing) / int(part.looked_for[i]) if whole and sound else None,
        "estimate": None if np.isnan(part.estimate[i]) else float(part.estimate[i]),
        "bound": options.epsilon if not missing and not whole else None,
        "missing": missing,
        "witness": place(found, child, int(part.witness[i])) if missing else None,
        "columns": None,
    }


def place(found: Scan, table: int, address: int) -> str:
    """Return ``path:record`` of an address that counts the files of a table."""
    of = found.tables[table]
    return f"{of.place(of.files[file_of(address)])}:{record_of(address)}"


def _group_of(found: Scan) -> dict[int, int]:
    return {table: number for number, members in enumerate(found.groups.members) for table in members}


def _distinct(found: Scan) -> dict[int, int]:
    own = range(found.projections.own)
    return {found.table_of(number): int(found.sizes.distinct[number]) for number in own}


def groups(found: Scan) -> pa.Table:
    """Return ``GROUPS``, in order of the tables."""
    distinct = _distinct(found)
    rows = [
        {
            "table": found.tables[table].name,
            "group": number,
            "rows": found.contents[table].rows,
            "distinct_rows": distinct.get(table),
        }
        for table, number in sorted(_group_of(found).items())
    ]
    return pa.Table.from_pylist(rows, schema=GROUPS)


def states(found: Scan, ignored: Collection[str]) -> list[tuple[str, str | None]]:
    """Return what became of each table, and why if it was not compared.

    Args:
        found: of the scan.
        ignored: names of columns that are not compared.
    """
    compared, empty, paired = found.compared, set(found.empty), found.graph.paired()
    result: list[tuple[str, str | None]] = []
    for i, table in enumerate(found.tables):
        if table.linked:
            result.append(("linked", f"its files are those of {table.linked}"))
        elif i in found.faults:
            result.append(("unreadable", found.faults[i]))
        elif i in found.columns and not set(found.columns[i].names).difference(ignored):
            result.append(("without columns", "it has no columns that are compared"))
        elif i in empty:
            result.append(("empty", "it has no rows: it lies inside every table that has its columns"))
        elif i in compared:
            result.append(("compared", None))
        elif paired[i]:
            result.append(("apart", "by its statistics it lies inside none of those with its columns, and holds none"))
        else:
            result.append(("alone", "no other table has all of its columns, or only columns that it has"))
    return result


def ledger(found: Scan, options: Options) -> pa.Table:
    """Return ``TABLES``, in order of the tables."""
    distinct, group = _distinct(found), _group_of(found)
    rows = []
    for i, (table, (state, why)) in enumerate(zip(found.tables, states(found, options.ignore), strict=True)):
        contents, known = found.contents.get(i), found.statistics[i]
        rows.append(
            {
                "table": table.name,
                "kind": table.kind,
                "format": table.format,
                "state": state,
                "why": why,
                "paths": [file.path for file in table.files],
                "sizes": [file.size_bytes for file in table.files],
                "bytes": table.size_bytes,
                "fingerprint": table.fingerprint,
                "snapshot": table.snapshot,
                "columns": list(found.columns[i].names) if i in found.columns else [],
                "rows": contents.rows if contents else known.rows if known else None,
                "distinct_rows": distinct.get(i) if contents else None,
                "unread_rows": len(found.unread.get(i, ())),
                "contents": (contents.fingerprint or None) if contents else None,
                "group": group.get(i),
            }
        )
    return pa.Table.from_pylist(rows, schema=TABLES)


def quarantine(found: Scan) -> pa.Table:
    """Return ``QUARANTINE``, in order of the tables."""
    rows = [
        {"table": found.tables[table].name, "record": place(found, table, address), "rule": rule}
        for table, bad in sorted(found.unread.items())
        for address, rule in bad
    ]
    return pa.Table.from_pylist(rows, schema=QUARANTINE)


def measured(found: Scan) -> dict[str, Any]:
    """Return what is another thing in every scan: seconds of each step, and what was read rather than remembered."""
    read = [found.tables[i] for i in found.read]
    return {
        "seconds": found.seconds,
        "tables_read": len(read),
        "bytes_read": sum(table.size_bytes for table in read),
    }


def facts(found: Scan, options: Options, lakes: list[str]) -> dict[str, Any]:
    """Return what became of every table and every pair, as counts and names."""
    names = [table.name for table in found.tables]
    became = states(found, options.ignore)
    counts = {state: sum(one == state for one, _ in became) for state in _STATES}
    checked = found.links.checked
    refuted = (checked.missing > 0) & ~checked.verified
    near = checked.whole & refuted & (1 - checked.missing / checked.looked_for >= options.min_containment)
    names_there = {name for one in found.columns.values() for name in one.names}
    direct = [(child, parent) for child, parents in enumerate(found.groups.direct) for parent in parents]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "lakes": lakes,
        "options": options.as_dict(),
        "tables": {
            "found": len(names),
            **counts,
            "unreadable": {names[i]: why for i, (state, why) in enumerate(became) if state == "unreadable"},
            "bytes": sum(table.size_bytes for table in found.tables),
            "unread_records": sum(len(bad) for bad in found.unread.values()),
        },
        "pairs": {
            "all": len(names) * (len(names) - 1),
            "with_columns": found.graph.table_pairs(),
            "within_statistics": found.pruned.pairs,
            "candidates": found.links.candidates,
            "refuted_by_sample": int((refuted & ~checked.whole).sum()),
            "refuted_by_all_rows": int((refuted & checked.whole).sum()),
            "not_refuted": int((~checked.whole & ~refuted).sum() + (found.links.partial.missing == 0).sum()),
            "near": int(near.sum()),
            "verified": found.groups.pairs(),
            **({} if found.renamed is None else {"renamed": int(found.renamed.checked.verified.sum())}),
        },
        "ignored_nowhere": [name for name in options.ignore if name not in names_there],
        "usable_statistics": round(found.pruned.usable, 6),
        "groups": len(found.groups.members),
        "equal": [[names[i] for i in members] for members in found.groups.members if len(members) > 1],
        "direct": [
            {"child": _name(found, child), "parent": _name(found, parent)} for child, parent in direct[:_SHOWN_DIRECT]
        ],
    }
