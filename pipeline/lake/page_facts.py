"""The numbers of the page of a scan: each is in its JSON files, or counted from its Parquet files alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...hashing.errors import ArtefactError
from .page_tables import Tables, table_numbers
from .words import STATES

MOST_PAIRS = 2000
MOST_CHARACTERS = 1_000_000
"""Of names in the list of pairs."""

MOST_NEAR, MOST_UNREADABLE, MOST_RULES, MOST_DELETIONS, MOST_STAYING = 100, 200, 50, 300, 200
_DELETION = {"table", "parent", "bytes", "rows", "why", "saves", "rebuild_s", "loses"}
LISTED = ("equal copy", "inside", "inside, renamed", "not refuted")
"""Statuses of the list of pairs."""

Fact = dict[str, Any]
Parents = dict[int, list[int]]


def could_go(tables: Tables, parents: Parents, lake_bytes: int) -> Fact:
    """Return what could go: every table that lies inside another, and of equal ones all but the first.

    Args:
        tables: of the scan.
        parents: of groups, direct.
        lake_bytes: of all tables.
    """
    goes = going(tables, parents)
    first = np.isin(np.arange(len(goes)), tables.firsts)
    size = int(tables.bytes[goes].sum())
    return {
        "copies": int(np.count_nonzero(goes & ~first)),
        "contained": int(np.count_nonzero(goes & first)),
        "tables": int(np.count_nonzero(goes)),
        "bytes": size,
        "share": round(size / lake_bytes, 4) if lake_bytes else 0.0,
    }


def going(tables: Tables, parents: Parents) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return whether each table could go: bool, shape (tables,)."""
    goes = tables.group >= 0
    inside = np.isin(np.arange(tables.groups), list(parents))
    goes[tables.firsts[~inside]] = False
    return goes


def states(tables: Tables) -> list[Fact]:
    """Return how many tables of how many bytes are in each state, those that there are."""
    found = pa.table({"state": tables.state, "bytes": tables.bytes}).group_by("state").aggregate(
        [("bytes", "count"), ("bytes", "sum")]
    )  # fmt: skip
    known = {row["state"]: row for row in found.to_pylist()}
    ordered = [*(state for state in STATES if state in known), *sorted(known.keys() - STATES.keys())]
    return [
        {"state": state, "tables": known[state]["bytes_count"], "bytes": known[state]["bytes_sum"]} for state in ordered
    ]


def unreadable(tables: Tables) -> list[Fact]:
    """Return the first tables that could not be read, and why."""
    these = np.flatnonzero(pc.equal(tables.state, "unreadable").to_numpy(zero_copy_only=False))[:MOST_UNREADABLE]
    return [{"table": tables.name(i), "why": tables.why[i].as_py()} for i in these.tolist()]


def quarantined(folder: Path) -> Fact:
    """Return how many records broke each rule, most first, and the first such record."""
    table = pq.read_table(folder / "quarantine.parquet", columns=["rule", "record", "table"])
    firsts: dict[str, Fact] = {}
    for row in table.to_pylist():
        line = firsts.setdefault(row["rule"], {"rule": row["rule"], "records": 0, "first": row["record"]})
        line["records"] += 1
    rules = sorted(firsts.values(), key=lambda line: (-line["records"], line["rule"]))
    return {"records": table.num_rows, "tables": pc.count_distinct(table["table"]).as_py(), "rules": rules[:MOST_RULES]}


def pairs(folder: Path, tables: Tables, parents: Parents, others: pa.Table) -> tuple[Fact, list[list[Any]]]:
    """Return how many pairs there are of each status, and those that are listed.

    Equal copies are listed with the table that stands for them, contained tables with their direct parents.

    Args:
        folder: of the scan.
        tables: of it.
        parents: of groups, direct.
        others: pairs that are not verified, or are under other names of columns.

    Returns:
        the numbers, and rows of the list: child, parent, rows, bytes, status; biggest children first.
    """
    found = list(_listed(folder, tables, parents, others))
    found.sort(key=lambda pair: (-int(tables.bytes[pair[0]]), pair))
    rows, characters = [], 0
    for child, parent, status in found[:MOST_PAIRS]:
        names = tables.name(child), tables.name(parent)
        characters += sum(map(len, names))
        if characters > MOST_CHARACTERS:
            break
        rows.append([*names, tables.counted(child), int(tables.bytes[child]), status])
    counts = {status: sum(one == status for _, _, one in found) for status in LISTED}
    return {"all": len(found), "shown": len(rows), "by_status": counts}, rows


def _listed(folder: Path, tables: Tables, parents: Parents, others: pa.Table) -> Iterator[tuple[int, int, str]]:
    """Yield (child, parent, status) of tables."""
    firsts = tables.firsts.tolist()
    for group in np.flatnonzero(np.diff(tables.starts) > 1).tolist():
        first, *copies = tables.members(group).tolist()
        yield from ((copy, first, "equal copy") for copy in copies)
    for child, above in parents.items():
        yield from ((firsts[child], firsts[parent], "inside") for parent in above)
    for status, called in (("verified", "inside, renamed"), ("not_refuted", "not refuted")):
        these = others.filter(pc.equal(others["status"], status))
        if len(these):
            child, parent = (
                table_numbers(tables, these[name].combine_chunks(), folder).tolist() for name in ("child", "parent")
            )
            yield from ((one, other, called) for one, other in zip(child, parent, strict=True))


def near_misses(others: pa.Table) -> Fact:
    """Return the refuted pairs: how many, and those of which most is contained, with what the parent lacks."""
    refuted = others.filter(pc.equal(others["status"], "refuted"))
    share = pc.coalesce(refuted["containment"], refuted["estimate"], 0.0)
    order = pc.sort_indices(
        refuted.select(["child", "parent"]).append_column("share", share),
        [("share", "descending"), ("child", "ascending"), ("parent", "ascending")],
    )
    return {"all": len(refuted), "lines": refuted.take(order[:MOST_NEAR]).to_pylist()}


def planned(plan: Fact, tables: Tables, folder: Path) -> Fact:
    """Return the deletions of a plan that are shown, biggest first, each with its place in the plan and its columns.

    Raises:
        ArtefactError: if a table of the plan is not of this scan.
    """
    deletions = plan["deletions"]
    names = ([deletion[which] for deletion in deletions] for which in ("table", "parent"))
    child, _ = (table_numbers(tables, pa.array(those, pa.string()), folder).tolist() for those in names)
    order = sorted(range(len(deletions)), key=lambda i: (-deletions[i]["bytes"], deletions[i]["table"]))
    shown = [
        {"at": i, "columns": deletions[i].get("columns") or tables.columns[child[i]].as_py()}
        for i in order[:MOST_DELETIONS]
    ]
    return {
        "deletions": shown,
        "count": len(deletions),
        "bytes": sum(deletion["bytes"] for deletion in deletions),
        "saves": round(sum(deletion["saves"] for deletion in deletions), 9),
        "staying": len(plan.get("not_planned", [])),
    }


def read_plan(path: Path) -> Fact | None:
    """Return a plan, or None where there is none.

    Raises:
        ArtefactError: if the file is no plan.
    """
    if not path.exists():
        return None
    try:
        plan: Fact = read_json(path)
        known = all(deletion.keys() >= _DELETION for deletion in plan["deletions"]) and "totals" in plan
    except (ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise ArtefactError("plan.json is a plan", value=path, remedy="Make one again: `tamis lake plan`.")
    return plan


def read_json(path: Path) -> Fact:
    """Return what a JSON file of the scan holds."""
    found: Fact = json.loads(path.read_text(encoding="utf-8"))
    return found
