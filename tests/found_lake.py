"""The folder of a scan, as later commands read it, and its ledger changed."""

import pyarrow as pa
import pyarrow.parquet as pq

from tamis.jobs import lake
from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.outputs import TABLES


def scan_lake(folder, found, *more, **options):
    """Scan a lake, or more, and leave what was found in a folder."""
    return lake.scan_lake([str(folder), *map(str, more)], found, Options(**options), lake.EngineOptions())


def change_ledger(folder, change):
    """Rewrite the ledger: ``change`` takes the row of a table and returns what is different."""
    path = folder / "tables.parquet"
    rows = [row | (change(row) or {}) for row in pq.read_table(path).to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=TABLES), path)
