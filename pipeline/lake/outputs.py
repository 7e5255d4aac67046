"""What a scan leaves: pairs with their witnesses, groups of equal tables, and what became of every table."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...connectors.address import file_of, record_of
from ...connectors.parquet_output import write_parquet
from ..state import SUCCESS, write_atomically
from .scan import Options, Scan

FORMAT, FORMAT_VERSION = "tamis-lake", 1
REPORT = "lake.json"

CONTAINMENT = pa.schema(
    [
        ("parent", pa.string()),
        ("child", pa.string()),
        ("status", pa.string()),
        ("missing", pa.int64()),
        ("witness", pa.string()),
    ]
)
"""Pairs that share the child's smallest row: ``verified``, every row of the child is in the parent; or ``refuted``,
with how many of the rows that were looked for are missing, at least, and one of these as ``path:record``."""

GROUPS = pa.schema([("table", pa.string()), ("group", pa.int64()), ("rows", pa.int64()), ("distinct_rows", pa.int64())])
"""The tables that were compared; equal ones have one group."""


def write_scan(found: Scan, options: Options, folder: Path) -> dict[str, Any]:
    """Write what a scan found, ``_SUCCESS`` last; return what ``lake.json`` holds.

    Args:
        found: of the scan.
        options: what counted as the same.
        folder: of the output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_parquet(folder / "containment.parquet", iter([containment(found)]), CONTAINMENT)
    write_parquet(folder / "groups.parquet", iter([groups(found)]), GROUPS)
    report = facts(found, options)
    write_atomically(folder / REPORT, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    (folder / SUCCESS).touch()
    return report


def containment(found: Scan) -> pa.Table:
    """Return ``CONTAINMENT``, in order of (parent, child)."""
    names = [table.name for table in found.tables]
    tables = found.projections.table
    rows = [
        {"parent": names[parent], "child": names[child], "status": "verified", "missing": 0, "witness": None}
        for child, parent in found.pairs
    ]
    paths = {file.ordinal: table.place(file) for table in found.tables for file in table.files}
    for pair in found.containment.refuted.to_pylist():
        address = pair["address"]
        witness = f"{paths[int(file_of(address))]}:{record_of(address)}"
        ends = {name: names[int(tables[pair[name]])] for name in ("parent", "child")}
        rows.append({**ends, "status": "refuted", "missing": pair["missing"], "witness": witness})
    return pa.Table.from_pylist(sorted(rows, key=lambda row: (row["parent"], row["child"])), schema=CONTAINMENT)


def groups(found: Scan) -> pa.Table:
    """Return ``GROUPS``, in order of the tables."""
    of = {table: number for number, members in enumerate(found.groups.members) for table in members}
    own = np.flatnonzero(found.projections.own)
    sizes = {row["projection"]: row for row in found.containment.sizes.to_pylist()}
    rows = [
        {
            "table": found.tables[table].name,
            "group": of[table],
            "rows": sizes.get(number, {}).get("rows", 0),
            "distinct_rows": sizes.get(number, {}).get("distinct", 0),
        }
        for number, table in zip(own.tolist(), found.projections.table[own].tolist(), strict=True)
        if table not in found.faults
    ]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["table"].encode()), schema=GROUPS)


def facts(found: Scan, options: Options) -> dict[str, Any]:
    """Return what became of every table and every pair, as counts and names."""
    names = [table.name for table in found.tables]
    compared = set(found.projections.table.tolist()) - set(found.faults)
    equal = [members for members in found.groups.members if len(members) > 1]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "options": {"ignore": list(options.ignore), "match_types": options.match_types, "trim": options.trim}
        | {"epsilon": options.epsilon, "delta": options.delta},
        "tables": {
            "found": len(names),
            "compared": len(compared),
            "alone_in_their_columns": len(names) - len(compared) - len(found.faults),
            "empty": [names[i] for i in found.empty],
            "unreadable": {names[i]: why for i, why in sorted(found.faults.items())},
        },
        "pairs": {
            "all": len(names) * (len(names) - 1),
            "with_columns": found.graph.table_pairs(),
            "sharing_a_row": found.containment.candidates,
            "refuted_by_sample": found.containment.sampled_out,
            "refuted_by_all_rows": found.containment.refuted.num_rows - found.containment.sampled_out,
            "verified": len(found.pairs),
        },
        "equal": [[names[i] for i in members] for members in equal],
        "direct": [
            {"child": names[found.groups.members[child][0]], "parent": names[found.groups.members[parent][0]]}
            for child, parents in enumerate(found.groups.direct)
            for parent in parents
        ],
    }
