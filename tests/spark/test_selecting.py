"""The same rows are chosen on Spark and on one machine, in groups, by a mixture, by each kind of function."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from runs import digests
from spark_sessions import test_session

import tamis
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.jobs.spark import SparkEngine
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config

pytestmark = pytest.mark.spark

MIXTURE = {"unit": "words", "budget": 700, "sources": {"sums": 2, "poems": 1, "maps": 0}}


def config(folder, out, select, against=()):
    return make_config(
        {
            "inputs": [{"path": str(folder / "in")}],
            "against": [{"path": str(folder / name)} for name in against],
            "columns": {"text": "text", "id": "id", "source": "task"},
            "stages": [{"balance": {"apart": True, "by": ["template"], "most": 45}}, {"select": select}],
            "out": str(folder / out),
        }
    )


@pytest.mark.parametrize(
    ("select", "against"),
    [
        ({"mixture": MIXTURE, "apart": True, "by": ["template"], "parts": 2}, []),
        ({"share": 0.2, "function": "features", "parts": 3}, []),
        ({"rows": 9, "by": ["template"], "parts": 2}, ["old.parquet"]),
    ],
)
def test_both_engines(tmp_path, select, against):
    rng = random.Random(4)
    rows = [
        {
            "id": f"{task}-{i}",
            "task": task,
            "template": rng.choice(["long", "short", None]),
            "text": " ".join(f"{task}{rng.randrange(60)}" for _ in range(15)),
        }
        for task in ("sums", "poems", "maps")
        for i in range(120)
    ]
    (tmp_path / "in").mkdir()
    for part in range(3):
        pq.write_table(pa.Table.from_pylist(rows[part::3]), tmp_path / "in" / f"{part}.parquet", row_group_size=20)
    old = [{"id": f"old-{i}", "text": " ".join(f"maps{rng.randrange(60)}" for _ in range(15))} for i in range(40)]
    pq.write_table(pa.Table.from_pylist(old), tmp_path / "old.parquet")
    runs = {
        "local": LocalEngine,
        "spark": lambda work: SparkEngine(work, test_session(), driver_tables=0),
    }
    for out, make_engine in runs.items():
        prepared = plan.prepare(config(tmp_path, out, select, against), version=tamis.__version__)
        plan.run(prepared, make_engine, Silent())
    assert digests(tmp_path / "local") == digests(tmp_path / "spark")
