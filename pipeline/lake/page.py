"""The page of a scan, ``report.html``: one file that needs no network."""

from pathlib import Path
from typing import Any

import numpy as np

from ...hashing.errors import ArtefactError
from ...hashing.redaction import redacted
from ..counted import counted
from ..report.rendering import in_script, rendered, script, shown
from ..state import write_atomically
from .drawing import Node, drawing
from .drawn import Chosen, choose
from .page_facts import (
    MOST_STAYING,
    could_go,
    going,
    near_misses,
    pairs,
    planned,
    quarantined,
    read_json,
    read_plan,
    states,
    unreadable,
)
from .page_tables import SCAN_AGAIN, Tables, direct_parents, other_pairs, read_tables
from .words import STATES, funnel

HTML_NAME, PLAN = "report.html", "plan.json"
_NAMED = 5
"""Copies and neighbours that are named for each node."""


def write_page(folder: Path, *, with_plan: bool = False) -> Path:
    """Write the page of a scan into its folder, whole or not at all, and return where it is.

    Args:
        folder: of the scan, with its other files.
        with_plan: whether the plan that is there is shown.

    Raises:
        ArtefactError: if the files do not belong together.
    """
    facts, rows = page_facts(folder, with_plan=with_plan)
    path = folder / HTML_NAME
    write_atomically(path, _page(facts, rows))
    return path


def page_facts(folder: Path, *, with_plan: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the numbers of the page, and what its script and drawing are made of.

    Raises:
        ArtefactError: if the files do not belong together.
    """
    lake = read_json(folder / "lake.json")
    tables = read_tables(folder)
    if len(tables.names) != lake["tables"]["found"]:
        raise ArtefactError(
            "lake.json and tables.parquet are of one scan",
            value=f"{lake['tables']['found']:,} and {counted(len(tables.names), 'table')} in {folder}",
            remedy=SCAN_AGAIN,
        )
    parents = direct_parents(folder, tables)
    others = other_pairs(folder)
    counts, rows = pairs(folder, tables, parents, others)
    chosen, nodes = _graph(tables, parents)
    drawn = [group for part in chosen.parts for group in part.groups]
    plan = read_plan(folder / PLAN) if with_plan else None
    facts = {
        "lake": lake,
        "measured": read_json(folder / "measured.json"),
        "could_go": could_go(tables, parents, lake["tables"]["bytes"]),
        "states": states(tables),
        "unreadable": unreadable(tables),
        "quarantine": quarantined(folder),
        "pairs": counts,
        "near": near_misses(others),
        "graph": {
            "nodes": len(drawn),
            "tables": sum(node.tables for node in nodes.values()),
            "parts": len(chosen.parts),
            "of_parts": chosen.components,
            "whole": all(part.whole for part in chosen.parts),
            "left_out": chosen.groups - len(drawn),
        },
        "plan": plan,
        "planned": planned(plan, tables, folder) if plan else None,
    }
    return facts, {"pairs": rows, "chosen": chosen, "nodes": nodes}


def _page(facts: dict[str, Any], made: dict[str, Any]) -> str:
    chosen: Chosen = made["chosen"]
    drawn = [group for part in chosen.parts for group in part.groups]
    number = {group: i for i, group in enumerate(drawn)}
    counts = facts["lake"]["pairs"]
    return rendered(
        "lake.html.jinja",
        facts=facts,
        lakes=[redacted(name) for name in facts["lake"]["lakes"]],
        funnel=[
            (name, what, np.log1p(counts[name]) / np.log1p(max(1, counts["all"]))) for name, what in funnel(counts)
        ],
        meaning=STATES,
        total_seconds=sum(facts["measured"]["seconds"].values()),
        most_staying=MOST_STAYING,
        drawing=drawing(chosen.parts, made["nodes"], number) if drawn else None,
        pairs=in_script(made["pairs"]),
        edges=in_script([[number[one], number[other]] for part in chosen.parts for one, other in part.edges]),
        script=script("lake.js"),
    )


def _graph(tables: Tables, parents: dict[int, list[int]]) -> tuple[Chosen, dict[int, Node]]:
    """Return the part of the graph that is drawn, and its nodes by group."""
    goes = going(tables, parents)
    freed = np.where(goes, tables.bytes, 0)[tables.order]
    saves = np.diff(np.concatenate([[0], np.cumsum(freed)])[tables.starts]).tolist()
    copied = np.flatnonzero(np.diff(tables.starts) > 1).tolist()
    chosen = choose({*copied, *parents, *(one for above in parents.values() for one in above)}, parents, saves)
    children: dict[int, list[int]] = {}
    for child, above in parents.items():
        for parent in above:
            children.setdefault(parent, []).append(child)
    return chosen, {
        group: _node(tables, group, parents.get(group, []), children.get(group, []))
        for part in chosen.parts
        for group in part.groups
    }


def _node(tables: Tables, group: int, parents: list[int], children: list[int]) -> Node:
    """Return what is drawn of a group, and said of it."""
    members = tables.members(group).tolist()
    first, size = members[0], int(tables.group_bytes[group])
    rows = tables.counted(first)
    told = [tables.name(first), "rows not counted" if rows is None else counted(rows, "row"), shown(size, "size")]
    if len(members) > 1:
        told.append(f"{len(members):,} equal tables: {_named(tables, members)}")
    for what, groups in (("inside", parents), ("holds", children)):
        if groups:
            told.append(f"{what} {_named(tables, tables.firsts[groups].tolist())}")
    return Node(tables.name(first), len(members), size, bool(parents), "\n".join(told))


def _named(tables: Tables, these: list[int]) -> str:
    names = ", ".join(tables.name(table) for table in these[:_NAMED])
    return f"{names} and {len(these) - _NAMED:,} more" if len(these) > _NAMED else names
