"""A run of one stage over some texts."""

import pyarrow as pa
import pyarrow.parquet as pq

import tamis
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify


def staged(folder, texts, stage, **columns):
    """Run a stage, after exact copies, over texts with ids r0, r1 ...; return the result, which verifies."""
    table = pa.table({"text": texts, "id": [f"r{i}" for i in range(len(texts))], **columns})
    (folder / "in").mkdir(exist_ok=True)
    pq.write_table(table, folder / "in" / "rows.parquet", row_group_size=17)
    out = folder / f"out{len(list(folder.iterdir()))}"
    config = make_config(
        {
            "inputs": [{"path": str(folder / "in")}],
            "columns": {"text": "text", "id": "id", "source": "source" if "source" in columns else None},
            "stages": ["exact", stage],
            "out": str(out),
        }
    )
    prepared = plan.prepare(config, version=tamis.__version__)
    plan.run(prepared, lambda work: LocalEngine(work, threads=2, batch_rows=23), Silent())
    assert [check.name for check in verify(out) if not check.passed] == []
    return Result(out)
