"""Records blocked by Spark are the pairs that the local engine finds."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from spark_sessions import test_session

from tamis.jobs.block import block_tables
from tamis.jobs.engine_options import EngineOptions
from tamis.pipeline.blocking.options import Options
from tamis.pipeline.config import Spark

pytestmark = pytest.mark.spark

WORDS = ["sony", "television", "apple", "ipod", "nano", "garden", "chair", "soup", "canned", "drum", "sieve", "flour"]


def write_records(path, seed, rows=700):
    rng = random.Random(seed)
    texts = [" ".join(rng.choice(WORDS) + str(rng.randrange(40)) for _ in range(5)) for _ in range(rows)]
    pq.write_table(pa.table({"id": [f"{seed}-{i}" for i in range(rows)], "name": texts}), path)
    return str(path)


@pytest.mark.parametrize("tables", [1, 2])
def test_pairs_on_both_engines(tmp_path, tables):
    test_session()
    left = write_records(tmp_path / "left.parquet", 1)
    right = write_records(tmp_path / "right.parquet", 2) if tables == 2 else None
    options = Options("id", "id", top_k=3)
    report = block_tables(left, right, tmp_path / "local", options, EngineOptions())
    block_tables(left, right, tmp_path / "spark", options, EngineOptions("spark", spark=Spark(driver_tables=0)))
    assert report["pairs"]["found"] > 1000
    for path in sorted((tmp_path / "local").rglob("*.*")):
        other = tmp_path / "spark" / path.relative_to(tmp_path / "local")
        assert other.read_bytes() == path.read_bytes(), path.name
