"""The same rows in batches that join an index, and all at once: what both engines are tested with."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from corpora import SOURCES, as_table, by_file, dealt, random_rows
from runs import NEAR

from tamis.connectors.address import file_of, record_of
from tamis.pipeline.config import make_config
from tamis.pipeline.result import Result


def write_batches(rng, folder, count, *, corpora=4):
    """Write random rows, one file a batch, each with a rank that says (batch, longest) to a policy of quality."""
    rows = [row for _ in range(corpora) for row in random_rows(rng)]
    rng.shuffle(rows)
    paths = []
    for number, part in enumerate(filter(None, by_file(dealt(rng, rows, files=count)))):
        table = as_table(part)
        order = [float(len((row.text or "").encode())) - number * 1e9 for row in part]
        path = Path(folder) / f"batch-{number:02d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.append_column("order", pa.array(order)), path, row_group_size=7)
        paths.append(path)
    return paths


def settings(paths, out, *, index=None, **more):
    """Return a pipeline over files; ``index`` are settings of an index."""
    near = NEAR | ({"index": index} if index else {})
    return make_config(
        {
            "inputs": [{"path": str(path)} for path in paths],
            "columns": {"text": "text", "id": "id", "source": "source"},
            "stages": ["exact", {"near": near}],
            "allow_loss": [*SOURCES, *(path.name for path in paths)],
            "on_error": "quarantine",
            "shards": {"target_size": "8KB", "group_size": "1KB"},
            "out": str(out),
        }
        | more
    )


def told(result: Result):
    """Return what became of each removed record, by (file, record)."""

    def place(address):
        return Path(result.manifest["inputs"][file_of(address)]["path"]).name, record_of(address)

    return {
        place(row["address"]): (row["stage"], place(row["keeper_address"]), row["similarity"])
        for row in result.removed.to_pylist()
    }
