"""The plan of a lake: which tables may go, from which table each can be rebuilt, and what that saves.

A plan is JSON whose bytes depend on the scan, the costs and the journal alone.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...hashing.errors import ArtefactError
from .costs import Costs, decided_by, ranked, retention_problem
from .found import Found, FoundTable
from .journal import Entry
from .lake_rows import on_disk
from .rebuildable import ALL_UP_TO, edges
from .retention import Retention, RetentionProblem, prefer, solve

PLAN = "plan.json"
FORMAT, FORMAT_VERSION = "tamis-lake-plan", 1
WRITTEN_FORMATS = ("parquet", "csv", "jsonl")
"""Formats of tables that can be written again."""

_DECIMALS = 9


def make_plan(
    found: Found,
    costs: Costs,
    *,
    allow_loss: bool = False,
    done: Sequence[Entry] = (),
    all_up_to: int = ALL_UP_TO,
) -> dict[str, Any]:
    """Return the plan of a lake.

    Args:
        found: by a scan.
        costs: of keeping and rebuilding.
        allow_loss: whether tables may go of which a rebuild does not give back everything.
        done: deletions that were carried out: those tables are gone, and their parents stay.
        all_up_to: how many edges are looked at without choosing.
    """
    gone = {entry.table for entry in done}
    held = {entry.parent for entry in done}
    tables = [table for table in found.tables if table.table not in gone]
    place = {table.table: i for i, table in enumerate(tables)}
    groups = [[place[name] for i in members if (name := found.tables[i].table) in place] for members in found.groups]
    names = [table.table for table in tables]
    sizes = [table.bytes for table in tables]
    group = np.empty(len(tables), np.int64)
    for number, members in enumerate(groups):
        group[list(members)] = number
    rank = ranked(costs, names)
    pairs, kind = edges(groups, found.inside, lambda members: _hubs(members, rank, sizes), all_up_to=all_up_to)
    refused = _refused(found, tables, allow_loss, set(pairs[:, 1].tolist()))
    problem = retention_problem(costs, names, sizes, parent=pairs[:, 0], child=pairs[:, 1])
    stay = np.array([name in held or i in refused for i, name in enumerate(names)], np.bool_)
    problem = replace(problem, must=problem.must | stay)
    choice = prefer(problem, group, rank)
    retention = solve(choice)
    used = _used_edges(choice, retention)
    deletions = [
        _deletion(found, costs, tables, child, int(retention.parent[child]))
        | {"saves": _rounded(choice.retain[child] - choice.rebuild[edge]), "rebuild_s": _rounded(choice.latency[edge])}
        | {"loses": losses(tables[child], found) if allow_loss else []}
        for child, edge in used
    ]
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "scan": found.fingerprint,
        "edges": {"count": len(pairs), "which": kind},
        "totals": _totals(tables, deletions, choice, retention),
        "deletions": deletions,
        "pinned": _pinned(deletions, done),
        "not_planned": [{"table": names[i], "why": why} for i, why in sorted(refused.items())],
        "applied": [{"table": entry.table, "parent": entry.parent} for entry in done],
        "costs": costs.model_dump(mode="json", exclude_none=True),
    }


def plan_text(plan: dict[str, Any]) -> str:
    """Return the bytes of a plan, as text."""
    return json.dumps(plan, indent=1, ensure_ascii=False) + "\n"


def read_plan(path: Path, found: Found) -> dict[str, Any]:
    """Read a plan that was made from a scan.

    Raises:
        ArtefactError: if it is none, of another version, or made from another scan.
    """
    again = "Make one: `tamis lake plan`."
    try:
        plan: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError("a plan can be read", value=f"{path}: {error}", remedy=again) from error
    if not isinstance(plan, dict) or (plan.get("format"), plan.get("version")) != (FORMAT, FORMAT_VERSION):
        raise ArtefactError(f"a plan is {FORMAT}, version {FORMAT_VERSION}", value=path, remedy=again)
    if plan.get("scan") != found.fingerprint:
        raise ArtefactError("a plan is made from the scan that it is used with", value=path, remedy=again)
    return plan


def losses(table: FoundTable, found: Found) -> list[str]:
    """Return what a rebuild of a table from another one would not give back."""
    ignored = set(found.options.get("ignore", ()))
    lost = [f"column {name}" for name in table.columns if name in ignored]
    if found.options.get("trim"):
        lost.append("white space around texts")
    if found.options.get("typed_csv") and table.format == "csv":
        lost.append("how values are written")
    return lost


def _hubs(members: Sequence[int], rank: NDArray[np.int64], sizes: Sequence[int]) -> list[int]:
    """Return the copy that the policy prefers and the smallest one."""
    if not members:
        return []
    best = min(members, key=lambda table: int(rank[table]))
    smallest = min(members, key=lambda table: (sizes[table], int(rank[table])))
    return sorted({best, smallest})


def _refused(found: Found, tables: Sequence[FoundTable], allow_loss: bool, inside: set[int]) -> dict[int, str]:
    """Return why some tables stay whatever they cost, by number: of those that lie inside another one, or may."""
    unsure, renamed = ({found.tables[i].table for i in some} for some in (found.unsure, found.renamed))
    refused = {}
    for number, table in enumerate(tables):
        why = None
        if table.state == "empty":
            why = "it has no rows: there is nothing to save"
        elif table.state == "linked":
            why = table.why or "its files are links to those of another table"
        elif number in inside:
            why = _reason(found, table, allow_loss)
        elif table.table in renamed:
            why = "it lies inside tables whose columns are called otherwise: rename them, and scan again"
        elif table.table in unsure and table.unread_rows:
            why = f"{table.unread_rows:,} of its records could not be read"
        elif table.table in unsure:
            why = "not all its rows were looked for: only a sample was"
        if why is not None:
            refused[number] = why
    return refused


def _reason(found: Found, table: FoundTable, allow_loss: bool) -> str | None:
    lost = losses(table, found)
    if table.unread_rows:
        return f"{table.unread_rows:,} of its records could not be read"
    if table.kind == "files" and table.format not in WRITTEN_FORMATS:
        return f"tables of the format {table.format} are not written again"
    if lost and not allow_loss:
        return f"a rebuild would not give back: {', '.join(lost)} (--allow-loss plans it nevertheless)"
    return None


def _used_edges(problem: RetentionProblem, retention: Retention) -> list[tuple[int, int]]:
    """Return each deleted table with the number of the edge that it is rebuilt by, in order."""
    children = np.flatnonzero(~retention.kept)
    tables = len(problem.retain)
    keys = problem.parent * tables + problem.child
    order = np.lexsort((problem.rebuild, keys))
    at = np.searchsorted(keys[order], retention.parent[children] * tables + children)
    return list(zip(children.tolist(), order[at].tolist(), strict=True))


def _deletion(found: Found, costs: Costs, tables: Sequence[FoundTable], child: int, parent: int) -> dict[str, Any]:
    table, stays = tables[child], tables[parent]
    equal = table.group is not None and table.group == stays.group
    by_hand = _by_hand(found, table, stays)
    return {
        "table": table.table,
        "parent": stays.table,
        "why": "equal copy" if equal else "inside",
        "stays_by": decided_by(costs, stays.table, table.table) if equal else None,
        "apply": "by hand" if by_hand else "files",
        "hint": by_hand,
        "bytes": table.bytes,
        "rows": table.rows,
        "columns": list(table.columns),
        "contents": table.contents,
    }


def _by_hand(found: Found, table: FoundTable, parent: FoundTable) -> str | None:
    """Return what to do about a table that `apply` does not move; None where it does."""
    kinds = {"delta": "Delta", "iceberg": "Iceberg"}
    if table.kind != "files":
        return f"Drop the {kinds.get(table.kind, table.kind)} table with the engine that owns it; keep its parent."
    if parent.kind != "files":
        return (
            f"Its parent is a {kinds.get(parent.kind, parent.kind)} table, whose files its engine rewrites. Move the"
            " files away yourself, and keep the snapshot that they can be read from."
        )
    if not all(map(on_disk, (*table.paths, *parent.paths))):
        return "Its files, or those of its parent, are in a store. Move them there, and keep the parent."
    if found.options.get("typed_csv") and "csv" in (table.format, parent.format):
        return "Values of delimited files were compared by types. Move the files away yourself, and keep the parent."
    return None


def _totals(
    tables: Sequence[FoundTable],
    deletions: Sequence[dict[str, Any]],
    problem: RetentionProblem,
    retention: Retention,
) -> dict[str, Any]:
    solved: dict[str, Any] = {}
    for part in retention.parts:
        known = solved.setdefault(part.method, {"parts": 0, "tables": 0})
        known["parts"] += 1
        known["tables"] += part.tables
    return {
        "tables": len(tables),
        "bytes": sum(table.bytes for table in tables),
        "deletions": len(deletions),
        "bytes_saved": sum(deletion["bytes"] for deletion in deletions),
        "cost_before": _rounded(problem.retain.sum()),
        "cost_after": _rounded(retention.cost),
        "cost_bound": _rounded(retention.bound),
        "gap": _rounded(retention.gap),
        "solved": dict(sorted(solved.items())),
    }


def _rounded(amount: float) -> float:
    return round(float(amount), _DECIMALS)


def _pinned(deletions: Iterable[dict[str, Any]], done: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return the tables that others are rebuilt from, with how many."""
    children = Counter([*(deletion["parent"] for deletion in deletions), *(entry.parent for entry in done)])
    return [{"table": name, "children": children[name]} for name in sorted(children, key=str.encode)]
