"""``tamis compress-benchmark`` as a person uses it."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_scores import made_scores
from typer.testing import CliRunner

from tamis.jobs.cli import app
from tamis.pipeline.compression.compressed import load_compressed

SCORES = made_scores(12, 80, seed=3)


def call(*arguments):
    return CliRunner().invoke(app, ["compress-benchmark", *(str(argument) for argument in arguments)])


@pytest.fixture
def wide(tmp_path):
    columns = {f"model{i}": SCORES[i] for i in range(12)}
    path = tmp_path / "scores.parquet"
    pq.write_table(
        pa.table({"q": [f"q{i}" for i in range(80)], "text": [f"text {i}" * 5 for i in range(80)], **columns}), path
    )
    return path


def test_it_leaves_items_a_predictor_and_a_report(wide, tmp_path):
    done = call(wide, "--item", "q", "--text", "text", "--k", 10, "--splits", 2, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    assert "10 of 80 items" in done.stdout
    assert "random, fitted" in done.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "_SUCCESS",
        "items.parquet",
        "predictor.json",
        "report.json",
    ]
    items = pq.read_table(tmp_path / "out" / "items.parquet")
    predictor = load_compressed(tmp_path / "out" / "predictor.json")
    assert items.column_names == ["number", "item", "weight", "text"]
    assert items["number"].to_pylist() == predictor.items.tolist()
    assert items["item"].to_pylist() == [f"q{i}" for i in predictor.items]
    assert items["text"].to_pylist() == [f"text {i}" * 5 for i in predictor.items]
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["models"], report["items"], report["k"], report["held_out"], report["splits"]) == (12, 80, 10, 4, 2)
    assert [one["method"] for one in report["methods"]][0] == "tamis"
    assert np.median(report["methods"][0]["errors"]) == report["methods"][0]["rmse"]


def test_long_and_wide_tables_give_the_same(wide, tmp_path):
    rows = [(f"model{i}", f"q{j:02}", SCORES[i, j]) for j in range(80) for i in range(12)]
    np.random.Generator(np.random.PCG64(1)).shuffle(rows)
    who, what, score = zip(*rows, strict=True)
    pq.write_table(pa.table({"who": who, "what": what, "score": [float(x) for x in score]}), tmp_path / "long.parquet")
    options = ("--k", 8, "--splits", 0, "-q")
    assert call(wide, "--item", "q", "--text", "text", *options, "--out", tmp_path / "one").exit_code == 0
    long = ("--model", "who", "--item", "what", "--score", "score")
    done = call(tmp_path / "long.parquet", *long, *options, "--out", tmp_path / "two")
    assert done.exit_code == 0, done.exception
    one, two = (load_compressed(tmp_path / name / "predictor.json") for name in ("one", "two"))
    assert one.items.tolist() == two.items.tolist()
    assert one.weights.tolist() == two.weights.tolist()
    assert json.loads((tmp_path / "two" / "report.json").read_text())["methods"] == []


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        ({}, ["--k", 81], "k is 1 to the number of items, 80"),
        ({}, ["--hold-out", 0.9], "5 are learned from"),
        ({}, ["--hold-out", 1.0], "a share, above 0 and below 1"),
        ({}, ["--model", "model1"], "Name all three"),
        ({"model3": [1.0] * 80}, [], "'model3' has 1 in all 80"),
        ({"model3": [None] * 80}, [], "'model3' has no score"),
        ({"model3": [5.0] + [0.0] * 79}, [], "5 of model 'model3', item 'q0'"),
        ({"model3": [float("inf")] + [0.0] * 79}, [], "inf of model 'model3'"),
    ],
)
def test_what_cannot_be(wide, tmp_path, change, arguments, said):
    table = pq.read_table(wide)
    for name, values in change.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.float64()))
    pq.write_table(table, wide)
    failed = call(wide, "--item", "q", "--text", "text", "--k", 5, *arguments, "--out", tmp_path / "out")
    assert failed.exit_code != 0
    assert said in str(failed.exception)
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def test_few_models_and_items_without_scores_are_refused(wide, tmp_path):
    table = pq.read_table(wide)
    pq.write_table(table.select(["q", "model0", "model1"]), wide)
    failed = call(wide, "--item", "q", "--k", 5, "--out", tmp_path / "out")
    assert "at least 5 models to learn from; found 2: model0, model1" in str(failed.exception)
    holed = [None, *([0.0, 1.0] * 40)[:79]]
    columns = {"q": table["q"], **{f"model{i}": pa.array(holed, pa.float64()) for i in range(6)}}
    pq.write_table(pa.table(columns), wide)
    failed = call(wide, "--item", "q", "--k", 5, "--out", tmp_path / "out")
    assert "item 'q0' has none" in str(failed.exception)


def test_a_finished_one_is_left_alone_and_a_stopped_one_is_begun_again(wide, tmp_path):
    (tmp_path / "out" / "_work").mkdir(parents=True)
    options = ("--item", "q", "--text", "text", "--k", 5, "--splits", 0, "--out", tmp_path / "out", "-q")
    assert call(wide, *options).exit_code == 0
    assert not (tmp_path / "out" / "_work").exists()
    assert "new or empty folder" in str(call(wide, *options).exception)
