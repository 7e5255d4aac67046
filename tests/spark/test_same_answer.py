"""Spark and the local engine give equal bytes: for any partitions and splits, empty files, hot keys, any stop."""

from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chains import ORDERS, as_pairs, chain, decided
from corpora import dealt, jsonl_folder, parquet_folder, random_rows, with_values, words
from runs import NEAR, digests, pipeline
from spark_sessions import test_session

import tamis
from tamis.hashing.errors import BadRowError
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.jobs.spark import SparkEngine
from tamis.pipeline import listing
from tamis.pipeline import run as plan
from tamis.pipeline.clusters import EDGES, contracted
from tamis.pipeline.near import decide_near
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify


def settings(folder, out, **more):
    return pipeline(folder, out, **{"keep": "newest:time", "on_error": "quarantine"} | more)


def on_spark(config, **options):
    prepared = plan.prepare(config, version=tamis.__version__)
    options = {"driver_tables": 0} | options
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


@pytest.mark.parametrize("name", ["parquet", "jsonl"])
def test_how_inputs_are_cut_does_not_change_a_byte(inputs, expected, tmp_path, monkeypatch, name):
    monkeypatch.setattr(listing, "SPLIT_BYTES", 300)
    out = on_spark(settings(inputs / name, tmp_path / "out"), partitions=5, batch_rows=3)
    assert digests(out) == expected[name]


@pytest.mark.parametrize("driver_tables", [3000, 256 << 20])
def test_tables_of_the_driver_do_not_change_a_byte(inputs, expected, tmp_path, driver_tables):
    out = on_spark(settings(inputs / "parquet", tmp_path / "out"), partitions=3, driver_tables=driver_tables)
    assert digests(out) == expected["parquet"]


@pytest.mark.parametrize("verification", ["sketch", "none"])
def test_other_verifications(inputs, tmp_path, verification):
    stages = ["exact", {"near": NEAR | {"verify": verification}}]
    local = on_one_machine(settings(inputs / "parquet", tmp_path / "local", stages=stages))
    spark = on_spark(settings(inputs / "parquet", tmp_path / "spark", stages=stages))
    assert digests(spark) == digests(local)


@pytest.mark.parametrize("driver_tables", [0, 256 << 20])
def test_filters_old_rows_and_annotations(inputs, rows, tmp_path, driver_tables):
    """What is there already is compared with and stays out; what a filter or a stage removes is written, marked."""
    parquet_folder(dealt(Random(3), rows[::3], files=2), tmp_path / "old")
    more = {
        "against": [{"path": str(tmp_path / "old")}],
        "stages": [{"filter": "quality IS NULL OR quality >= 0"}, "exact", {"near": NEAR}],
        "keep": "longest",
        "annotate": True,
    }
    local = on_one_machine(settings(inputs / "parquet", tmp_path / "local", **more))
    spark = on_spark(
        settings(inputs / "parquet", tmp_path / "spark", **more), partitions=3, driver_tables=driver_tables
    )
    assert digests(spark) == digests(local)
    assert all(check.passed for check in verify(spark))
    assert {"filter", "exact", "near"} <= set(Result(spark).removed["stage"].to_pylist())


@pytest.mark.parametrize("max_anchors", [1, 3])
def test_a_hot_bucket(tmp_path, max_anchors):
    """Six hundred rows of one template: their buckets overflow in every task, and pairs all name the same few rows."""
    rng = Random(8)
    head, foot = (" ".join(words(rng, 20)) for _ in range(2))
    rows = [with_values(rng, i, f"{head} {' '.join(words(rng, 2))} {foot}") for i in range(600)]
    rows += [with_values(rng, 600 + i, " ".join(words(rng, 30))) for i in range(50)]
    folder = parquet_folder(dealt(rng, rows, files=4), tmp_path / "in", group_rows=20)
    stages = ["exact", {"near": NEAR | {"max_anchors": max_anchors}}]
    local = on_one_machine(settings(folder, tmp_path / "local", stages=stages))
    spark = on_spark(settings(folder, tmp_path / "spark", stages=stages), partitions=6)
    assert digests(spark) == digests(local)
    ledger = Result(spark).manifest["ledger"]
    assert ledger["capped_rows"] > 500
    assert ledger["total"]["dropped"]["near"]["rows"] > 300


def test_rows_in_other_files_keep_the_same_texts(rows, tmp_path):
    """With ``keep: longest`` it does not matter which file a row is in."""
    kept = []
    for number in range(2):
        moved = dealt(Random(number), rows, files=2 + number)
        folder = parquet_folder(moved, tmp_path / f"in-{number}")
        out = on_spark(settings(folder, tmp_path / f"out-{number}", keep="longest"), partitions=3 + number)
        kept.append(kept_rows(out))
    assert kept[0] == kept[1]
    assert kept[0] == kept_on_one_machine(rows, tmp_path)


def kept_on_one_machine(rows, tmp_path):
    folder = parquet_folder(rows, tmp_path / "in-local")
    out = on_one_machine(settings(folder, tmp_path / "out-local", keep="longest"))
    return kept_rows(out)


def kept_rows(out):
    rows = [row for batch in Result(out).kept(["id", "text"]) for row in batch.to_pylist()]
    return sorted((str(row["id"]), row["text"]) for row in rows)


def test_a_bad_row_is_refused_by_name(inputs, tmp_path):
    with pytest.raises(BadRowError, match=r"every record keeps the rule `null-text`; found record 0 of .*part-9"):
        on_spark(settings(inputs / "parquet", tmp_path / "out", on_error="fail"))


def test_a_run_begun_on_one_engine_ends_on_the_other(inputs, expected, tmp_path):
    for first, second in ((LocalEngine, spark_engine), (spark_engine, LocalEngine)):
        config = settings(inputs / "parquet", tmp_path / first.__name__)
        prepared = plan.prepare(config, version=tamis.__version__)
        with pytest.raises(Stopped):
            plan.run(prepared, first, StopAt("verify"))
        plan.run(prepared, second, Silent())
        assert digests(tmp_path / first.__name__) == expected["parquet"]


class Stopped(Exception):
    """What a test throws into a run."""


class StopAt(Silent):
    """Stops a run where a step starts."""

    def __init__(self, step):
        self.step = step

    def start(self, step, *, total_bytes=None):
        if step == self.step:
            raise Stopped(step)


def spark_engine(work):
    return SparkEngine(work, test_session(), driver_tables=0, partitions=3)


@pytest.mark.parametrize("shape", ["path", "star"])
def test_components_of_a_distributed_graph(tmp_path, shape):
    edges = {"path": [(i, i + 1) for i in range(60)], "star": [(i, 0) for i in range(1, 400)]}[shape]
    engine = SparkEngine(tmp_path, test_session(), driver_tables=0, partitions=3)
    rows = [{"first": a, "second": b} for a, b in edges + [(1000, 1001)]]
    found = contracted(engine.table(pa.Table.from_pylist(rows, schema=EDGES))).collect().to_pylist()
    engine.close()
    members = {row for edge in edges for row in edge}
    assert sorted((row["row"], row["best"]) for row in found) == [
        *((row, 0) for row in sorted(members)),
        (1000, 1000),
        (1001, 1000),
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_a_chain_of_a_million_rows(tmp_path, order):
    engine = SparkEngine(tmp_path, test_session(), driver_tables=0)
    pairs = chain(order, 1_000_000)
    drops = decide_near(engine.table(pairs), rows=1_000_000).collect()
    engine.close()
    assert as_pairs(drops) == decided(pairs)
