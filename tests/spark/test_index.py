"""Batches that join an index on Spark give the bytes, and the index, that they give on one machine."""

from random import Random

import pytest
from index_batches import settings, told, write_batches
from runs import digests
from spark_sessions import test_session

import tamis
from tamis.connectors.index_store import IndexStore
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.jobs.spark import SparkEngine
from tamis.pipeline import run as plan
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify

pytestmark = pytest.mark.spark


def on_spark(work):
    return SparkEngine(work, test_session(), driver_tables=0)


def sift(config, make_engine):
    return Result(plan.run(plan.prepare(config, version=tamis.__version__), make_engine, Silent()))


CREATES = [
    {"kind": "lsh"},
    {"kind": "bloom", "capacity": 2000, "rate": 1e-6},
    {"kind": "bloom", "capacity": 2000, "witness": False},
]
GROWN = [
    *((create, "insert-kept") for create in CREATES),
    (CREATES[2], "insert-always"),
    (CREATES[2], "check-then-insert"),
]


@pytest.mark.parametrize(("create", "mode"), GROWN, ids=["lsh", "bloom", "filters", "always", "check"])
def test_both_engines_grow_the_same_index(tmp_path, create, mode):
    paths = write_batches(Random(11), tmp_path / "in", 2)
    results = {}
    for name, make_engine in (("local", LocalEngine), ("spark", on_spark)):
        index = {"path": str(tmp_path / name), "create": create, "flagged": "drop", "mode": mode}
        results[name] = [
            sift(settings([path], tmp_path / f"{name}-{i}", index=index, keep="longest"), make_engine)
            for i, path in enumerate(paths)
        ]
    for local, spark in zip(results["local"], results["spark"], strict=True):
        assert digests(local.out) == digests(spark.out)
    headers = [IndexStore(str(tmp_path / name)).header() for name in ("local", "spark")]
    assert headers[0] == headers[1]


def test_ten_batches_on_spark_decide_as_one_run(tmp_path):
    paths = write_batches(Random(12), tmp_path / "in", 10)
    whole = sift(settings(paths, tmp_path / "whole", keep="quality:order"), LocalEngine)
    joined = {}
    for number, path in enumerate(paths):
        index = {"path": str(tmp_path / "index"), "create": CREATES[1]}
        config = settings([path], tmp_path / f"out-{number}", index=index, keep="longest")
        result = sift(config, lambda work: SparkEngine(work, test_session()))
        assert all(check.passed for check in verify(result.out))
        joined |= told(result)
    assert joined == told(whole)
