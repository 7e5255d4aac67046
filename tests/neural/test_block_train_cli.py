"""``tamis block train`` and ``encoder`` as a person uses them, with an encoder of a few weights."""

import csv
import random

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tamis.hashing.neural.hasher import load_hasher
from tamis.jobs.cli import app

pytestmark = [pytest.mark.neural, pytest.mark.filterwarnings("default")]


def call(*arguments):
    return CliRunner().invoke(app, ["block", *map(str, arguments)])


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("shops"), random.Random(3)
    left, right, known = [["id", "name"]], [["id", "name"]], [["left_id", "right_id"]]
    for i in range(60):
        words = [rng.choice(["sony", "tv", "camera", "lens", "black"]) for _ in range(3)] + [f"k{i * 7919 % 997}"]
        left.append([f"a{i}", " ".join(words)])
        rng.shuffle(words)
        right.append([f"b{i}", " ".join(words)])
        known.append([f"a{i}", f"b{i}"])
    for name, rows in (("left.csv", left), ("right.csv", right), ("known.csv", known), ("test.csv", known[:20])):
        with open(folder / name, "w", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


@pytest.fixture(scope="module")
def model(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "model"
    tiny[0].save(str(folder))
    return folder


@pytest.mark.parametrize("source", ["labels", "silver", "views"])
def test_a_hasher_is_trained_and_used(shops, model, tmp_path, source):
    tables = [shops / "left.csv", shops / "right.csv", "--id", "id"]
    known = ["--matches", shops / "known.csv", "--test", shops / "test.csv"] if source == "labels" else []
    small = ["--model", model, "--epochs", 1, "--max-tokens", 16, "--bits", 32, "--bands", "4x8", "--seed", 5]
    done = call("train", *tables, *known, "--from", source, *small, "--out", tmp_path / "hasher")
    assert done.exit_code == 0, done.output
    assert "epoch 1 of 1: held-out recall" in done.output
    hasher = load_hasher(tmp_path / "hasher")
    assert hasher.settings.bands == (4, 8)
    assert hasher.settings.trained["data"]["source"] == source
    if source == "labels":
        assert hasher.settings.trained["data"]["matches_kept_for_tests"] == 19
    done = call(*tables, "--hasher", tmp_path / "hasher", "--blocker", "learned", "--out", tmp_path / "pairs")
    assert done.exit_code == 0, done.output
    pairs = pq.read_table(tmp_path / "pairs" / "pairs.parquet").to_pylist()
    assert {row["blocker"] for row in pairs} == {"learned"}
    assert len(pairs) > 60


def test_an_encoder_as_it_is(shops, model, tmp_path):
    done = call("encoder", model, "--out", tmp_path / "encoder")
    assert done.exit_code == 0, done.output
    assert "vectors of 32 values, 48 tokens" in done.output
    tables = [shops / "left.csv", shops / "right.csv", "--id", "id", "--hasher", tmp_path / "encoder", "--top-k", 2]
    assert call(*tables, "--blocker", "dense", "--out", tmp_path / "pairs").exit_code == 0
    assert pq.read_table(tmp_path / "pairs" / "pairs.parquet").num_rows == 120
    refused = call(*tables, "--blocker", "learned", "--out", tmp_path / "other")
    assert "codes are cut into bands" in str(refused.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "labels"], "learns from labels, with their --matches"),
        (["--from", "magic"], "learns from labels, with their --matches"),
        (["--bands", "9x9"], "bands"),
        (["--bands", "four"], "Write them as 4x16"),
        (["--matches", "KNOWN"], "right_id of all known matches of"),
        (["--model", "/nowhere/model"], "no such folder"),
    ],
)
def test_what_cannot_be(shops, model, tmp_path, arguments, said):
    (tmp_path / "wrong.csv").write_text("left_id,right_id\na1,zz\n")
    arguments = [tmp_path / "wrong.csv" if part == "KNOWN" else part for part in arguments]
    failed = call(
        "train", shops / "left.csv", shops / "right.csv", "--id", "id", *arguments, "--out", tmp_path / "hasher"
    )
    assert failed.exit_code != 0
    assert any(part in str(failed.exception) for part in said.split("|")), failed.exception
    assert not (tmp_path / "hasher").exists()
