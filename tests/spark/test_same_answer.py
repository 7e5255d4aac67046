"""Spark and the local engine give equal bytes: for any partitions and splits, empty files, hot keys, any stop."""

from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import SOURCES, dealt, jsonl_folder, parquet_folder, random_rows
from runs import digests
from spark_sessions import test_session

import tamis
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.jobs.spark import SparkEngine
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.verify import verify


def settings(folder, out, **more):
    near = {"threshold": 0.6, "values": 64, "bands": 32, "rows": 2}
    return make_config(
        {
            "inputs": [{"path": str(folder), "source": "web"}],
            "columns": {"text": "text", "id": "id", "source": "source"},
            "stages": ["exact", {"near": near}],
            "keep": "newest:time",
            "on_error": "quarantine",
            "allow_loss": SOURCES,
            "shards": {"target_size": "8KB", "group_size": "1KB"},
            "out": str(out),
        }
        | more
    )


def on_spark(config, **options):
    prepared = plan.prepare(config, version=tamis.__version__)
    return plan.run(prepared, lambda work: SparkEngine(work, test_session(), **options), Silent())


def on_one_machine(config):
    prepared = plan.prepare(config, version=tamis.__version__)
    return plan.run(prepared, LocalEngine, Silent())


@pytest.fixture(scope="module")
def rows():
    rng = Random(5)
    return dealt(rng, [row for _ in range(2) for row in random_rows(rng)], files=3)


@pytest.fixture(scope="module")
def inputs(rows, tmp_path_factory):
    """The rows in small row groups, in JSON Lines, and an empty file and null texts among them."""
    root = tmp_path_factory.mktemp("inputs")
    parquet_folder(rows, root / "parquet", group_rows=7)
    jsonl_folder(rows, root / "jsonl")
    schema = pq.read_schema(root / "parquet" / "part-0.parquet")
    pq.write_table(schema.empty_table(), root / "parquet" / "part-8.parquet")
    nulls = [{"text": None, "id": name, "source": "web", "quality": 1.0, "time": None} for name in ("n", None)]
    pq.write_table(pa.Table.from_pylist(nulls, schema=schema), root / "parquet" / "part-9.parquet")
    (root / "jsonl" / "part-9.jsonl").write_text('{"text": null, "id": "n"}\n\nnot json\n')
    return root


@pytest.fixture(scope="module")
def expected(inputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("expected")
    return {name: digests(on_one_machine(settings(inputs / name, out / name))) for name in ("parquet", "jsonl")}


@pytest.mark.parametrize("partitions", [None, 1, 7, 64])
def test_partitions_do_not_change_a_byte(inputs, expected, tmp_path, partitions):
    out = on_spark(settings(inputs / "parquet", tmp_path / "out"), partitions=partitions)
    assert digests(out) == expected["parquet"]
    assert all(check.passed for check in verify(out))
