"""The folder of a scan, as later commands read it: of a real scan, with its ledger of tables."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from tamis.connectors.lake_tables import list_tables
from tamis.hashing.errors import InputError
from tamis.jobs.local import LocalEngine
from tamis.pipeline.lake import outputs
from tamis.pipeline.lake.lake_rows import contents, open_table, seeing
from tamis.pipeline.lake.scan import Options, scan

LEDGER = pa.schema(
    [
        ("table", pa.string()), ("kind", pa.string()), ("format", pa.string()), ("state", pa.string()),
        ("why", pa.string()), ("paths", pa.list_(pa.string())), ("sizes", pa.list_(pa.int64())),
        ("bytes", pa.int64()), ("fingerprint", pa.string()), ("snapshot", pa.string()),
        ("columns", pa.list_(pa.string())), ("rows", pa.int64()), ("distinct_rows", pa.int64()),
        ("unread_rows", pa.int64()), ("contents", pa.string()), ("group", pa.int64()),
    ]
)  # fmt: skip


def scan_lake(lake, folder, work, *more, **options):
    """Scan a lake, or more, and leave what was found in a folder."""
    chosen = Options(**options)
    lakes = [str(lake), *map(str, more)]
    tables, _ = list_tables(lakes)
    report = write_with_ledger(scan(LocalEngine(work), tables, chosen), chosen, folder)
    (folder / outputs.REPORT).write_text(json.dumps(report | {"lakes": lakes}))


PLAIN = outputs.write_scan


def write_with_ledger(found, options, folder):
    """Write what a scan found, and its ledger of tables."""
    PLAIN(found, options, folder)
    report = json.loads((folder / outputs.REPORT).read_text())
    first = found.tables[0].files[0]
    report["lakes"] = [first.path.removesuffix(first.relative).rstrip("/")]
    (folder / outputs.REPORT).write_text(json.dumps(report))
    groups = {row["table"]: row for row in outputs.groups(found).to_pylist()}
    empty = {found.tables[i].name for i in found.empty}
    rows = [ledger_row(table, groups.get(table.name), empty, found.faults.get(i), report["options"])
            for i, table in enumerate(found.tables)]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, schema=LEDGER), folder / "tables.parquet")
    return report


def ledger_row(table, group, empty, fault, options):
    row = {"table": table.name, "kind": "files", "format": table.format, "bytes": table.size_bytes, "snapshot": ""}
    row |= {"paths": [file.path for file in table.files], "sizes": [file.size_bytes for file in table.files]}
    row |= {"fingerprint": table.fingerprint, "unread_rows": 0, "why": fault, "columns": []}
    if fault:
        return row | {"state": "unreadable"}
    try:
        opened = open_table(table)
    except InputError as error:
        return row | {"state": "unreadable", "why": str(error)}
    state = "empty" if table.name in empty else "compared" if group else "alone"
    row |= {"columns": opened.schema.names, "state": state}
    if not group:
        return row
    seen = seeing(options)
    names = seen.columns(opened.schema)
    taken = contents(seen.prints(batch, names) for batch in opened.read(names))
    facts = {"rows": taken.rows, "distinct_rows": group["distinct_rows"], "group": group["group"]}
    return row | facts | {"contents": taken.fingerprint}


def change_ledger(folder, change):
    """Rewrite the ledger: ``change`` takes the row of a table and returns what is different."""
    path = folder / "tables.parquet"
    rows = [row | (change(row) or {}) for row in pq.read_table(path).to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=LEDGER), path)
