"""``tamis shard``, ``tamis mixture`` and ``tamis schema mixture`` on a terminal."""

import json

import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from tamis.jobs.cli import app
from tamis.pipeline.mixture import Mixture


@pytest.fixture
def tamis():
    def call(*arguments, code=0):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert done.exit_code == code, done.output
        return done.output

    return call


@pytest.fixture
def inputs(write_parquet):
    books = write_parquet("books.parquet", text=[f"a book about number {i}" for i in range(40)], key=list(range(40)))
    web = write_parquet("web.parquet", text=[f"a page {i}" for i in range(200)], key=list(range(100, 300)))
    return books, web


def test_rows_as_they_are(tamis, inputs, tmp_path):
    shown = tamis("shard", *inputs, "--out", tmp_path / "out", "--id", "key")
    assert "not sampled" not in shown
    rows = pq.read_table(tmp_path / "out" / "data")
    assert sorted(rows["key"].to_pylist()) == [*range(40), *range(100, 300)]
    assert rows["key"].to_pylist() != sorted(rows["key"].to_pylist())
    assert "FAILED" not in tamis("verify", tmp_path / "out")


def test_a_mixture_with_a_source_that_is_short(tamis, inputs, tmp_path):
    mixture = {"unit": "rows", "budget": 300, "max_epochs": 2, "sources": {"books.parquet": 2, "web.parquet": 1}}
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(mixture))
    shown = tamis("shard", *inputs, "--out", tmp_path / "out", "--mixture", tmp_path / "m.yaml")
    assert "books.parquet is 120 rows short" in shown
    said = yaml.safe_load((tmp_path / "out" / "mixture.yaml").read_text())["sources"]
    assert said == {
        "books.parquet": {"weight": 2.0, "available": 40, "wanted": 200, "emitted": 80, "rows": 80, "epochs": 2.0},
        "web.parquet": {"weight": 1.0, "available": 200, "wanted": 100, "emitted": 100, "rows": 100, "epochs": 0.5},
    }
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [line["short"] for line in report["mixture"]["sources"]] == [120, 0]
    snippet = tamis("mixture", tmp_path / "out", "--for", "hf")
    assert "interleave_datasets" in snippet
    assert snippet == tamis("mixture", tmp_path / "out" / "mixture.yaml", "--for", "hf")
    left = pq.read_table(tmp_path / "out" / "unsampled")["address"][0].as_py()
    row = left & (1 << 40) - 1
    assert "is not in the shards" in tamis("explain", tmp_path / "out", "--id", f"web.parquet:{row}")


def test_sets_that_are_held_out(tamis, inputs, tmp_path):
    shown = tamis("shard", *inputs, "--out", tmp_path / "out", "--split", "validation=0.2", "--split", "test=0.1")
    for name in ("train", "validation", "test"):
        assert f"/data/{name}: 1 shard of" in shown.replace("\n", "")
    folds = tamis("shard", *inputs, "--out", tmp_path / "folds", "--folds", 3, "--round", 1, "--sample", 0.5)
    assert "/data/fold-2: 1 shard of" in folds.replace("\n", "")
    assert "not sampled" in folds


def test_another_seed_is_another_order(tamis, inputs, tmp_path):
    for seed in (0, 1):
        tamis("shard", *inputs, "--out", tmp_path / str(seed), "--seed", seed)
    one, two = (pq.read_table(tmp_path / seed / "data")["key"].to_pylist() for seed in "01")
    assert one != two
    assert sorted(one) == sorted(two)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--split", "validation"], "a split is NAME=SHARE"),
        (["--split", "validation=much"], "a split is NAME=SHARE"),
        (["--split", "a=0.1", "--split", "a=0.2"], "a split is named once"),
        (["--round", "1"], "a round is one of folds"),
        (["--split", "validation=2"], "less than 1"),
        (["--mixture", "nowhere.yaml"], "the file of a mixture can be read"),
        (["--folds", "2", "--split", "a=0.1"], "not both"),
    ],
)
def test_what_makes_no_sense_is_refused(inputs, tmp_path, arguments, message):
    done = CliRunner().invoke(app, ["shard", *map(str, inputs), "--out", str(tmp_path / "out"), *arguments])
    assert message in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_schemas(tamis):
    assert json.loads(tamis("schema", "mixture")) == Mixture.model_json_schema()
    assert json.loads(tamis("schema"))["title"] == "Pipeline"
    done = CliRunner().invoke(app, ["schema", "manifest"])
    assert "a schema of `pipeline` and of `mixture`" in str(done.exception)
