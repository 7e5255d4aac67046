"""What a scan leaves in its folder, written from a list of tables and pairs rather than found in a lake."""

import json
from collections import Counter
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from tamis.pipeline.lake.outputs import CONTAINMENT, GROUPS, QUARANTINE, TABLES

_TABLE = {
    "kind": "files", "format": "parquet", "state": "compared", "why": None, "paths": [], "sizes": [], "bytes": 1000,
    "fingerprint": "", "snapshot": "", "columns": ["id", "city"], "rows": 10, "distinct_rows": 10, "unread_rows": 0,
    "contents": None, "group": None,
}  # fmt: skip
_PAIR = {"status": "verified", "containment": 1.0, "estimate": None, "bound": None, "missing": 0, "witness": None}


def write_found(folder, tables, inside=(), others=(), quarantine=(), **lake):
    """Write the files of a scan.

    Args:
        folder: is made.
        tables: mappings with ``table`` and what differs from a compared table of 1,000 bytes; with ``group`` in order.
        inside: (child, parent): verified.
        others: mappings of ``CONTAINMENT``.
        quarantine: mappings of ``QUARANTINE``.
        lake: what differs in lake.json.
    """
    folder.mkdir(parents=True)
    rows = [_TABLE | table for table in tables]
    states = Counter(row["state"] for row in rows)
    pairs = [*({"child": child, "parent": parent} | _PAIR for child, parent in inside), *others]
    grouped = [row for row in rows if row["group"] is not None]
    for name, lines, schema in (
        ("tables", rows, TABLES),
        ("containment", pairs, CONTAINMENT),
        ("groups", [{key: row[key] for key in GROUPS.names} for row in grouped], GROUPS),
        ("quarantine", list(quarantine), QUARANTINE),
    ):
        pq.write_table(pa.Table.from_pylist(lines, schema), folder / f"{name}.parquet")
    counted = {state: states[state] for state in ("compared", "alone", "empty", "linked")}
    report = {
        "lakes": ["lake"],
        "options": {"ignore": [], "match_types": False, "trim": False, "typed_csv": False, "bags": False,
                    "min_containment": 1.0, "verify": True, "epsilon": 0.01, "delta": 1e-6},
        "tables": {"found": len(rows), **counted,
                   "unreadable": {row["table"]: row["why"] for row in rows if row["state"] == "unreadable"},
                   "bytes": sum(row["bytes"] for row in rows), "unread_records": len(quarantine)},
        "pairs": {"all": len(rows) * (len(rows) - 1), "with_columns": 5 * len(rows), "candidates": 2 * len(rows),
                  "refuted_by_sample": 7, "refuted_by_all_rows": len(others), "not_refuted": 0, "near": 0,
                  "verified": len(inside)},
    }  # fmt: skip
    measured = {"seconds": {"columns": 1.5, "rows": 20.25, "pairs": 0.5}, "tables_read": len(rows), "bytes_read": 12345}
    for name, what in (("lake.json", report | lake), ("measured.json", measured)):
        (folder / name).write_text(json.dumps(what))
    (folder / "_SUCCESS").touch()
    return folder


def refuted(child, parent, containment, missing):
    return {"child": child, "parent": parent, "status": "refuted", "containment": containment, "missing": missing,
            "witness": f"{child}:{missing}"}  # fmt: skip


def star(folder, nodes):
    """Write a scan in which one table holds all others: as many circles as asked for, and a copy of the first."""
    tables = [
        {
            "table": f"area-{i // 7}/orders of {i:03}.parquet",
            "group": i,
            "bytes": 10_000 * (nodes - i),
            "rows": nodes - i,
        }
        for i in range(nodes)
    ]
    copy = tables[0] | {"table": "copies/all orders.parquet"}
    inside = [(table["table"], tables[0]["table"]) for table in tables[1:]]
    return write_found(folder, [*tables, copy], inside)


def big(folder, tables=100_000):
    """Write a scan of very many tables in families: a root, a copy, a chain, and one that nearly is inside."""
    rng = Random(7)
    rows, inside, others = [], [], []
    group = 0
    for family in range(tables // 10):
        root = f"warehouse/{family % 97}/team-{family % 13}/events-of-{family:06}"
        for i, end in enumerate(("", "-copy", "-eu", "-eu-2025", "-us", "-ids")):
            group += i not in (0, 1)
            rows.append({"table": f"{root}{end}.parquet", "group": group, "bytes": rng.randrange(10**4, 10**9)})
        group += 1
        inside += [(f"{root}{child}.parquet", f"{root}{parent}.parquet")
                   for child, parent in (("-eu", ""), ("-eu-2025", "-eu"), ("-us", ""), ("-ids", "-us"))]  # fmt: skip
        rows += [{"table": f"{root}-edited-{i}.parquet", "state": "alone"} for i in range(3)]
        rows.append({"table": f"{root}.csv", "state": "unreadable", "why": "a row has as many fields as the header"})
        others.append(refuted(f"{root}-edited-0.parquet", f"{root}.parquet", rng.random(), rng.randrange(1, 100)))
    quarantine = [{"table": f"t{i}", "record": f"t{i}:{i}", "rule": f"rule {i % 3}"} for i in range(1000)]
    return write_found(folder, rows, inside, others, quarantine)
