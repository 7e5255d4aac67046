"""``tamis mix`` as a person uses it."""

import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from tamis.jobs.cli import app


def call(*arguments):
    """Call a command; of mixtures the method is `dynamic` unless it is given."""
    if arguments[0] == "mix" and "--method" not in arguments:
        arguments = (*arguments, "--method", "dynamic")
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def corpus(tmp_path):
    """Three sources: one, its copy, and another one."""
    rng = random.Random(5)

    def texts(prefix):
        words = [f"{prefix}{rng.randrange(900)}" for _ in range(3000)]
        return [" ".join(words[i : i + 20]) for i in range(0, 3000, 20)]

    news = texts("n")
    for name, rows in (("news", news), ("copy", news), ("maths", texts("m"))):
        pq.write_table(pa.table({"text": rows, "kind": [name] * len(rows)}), tmp_path / f"{name}.parquet")
    return [tmp_path / f"{name}.parquet" for name in ("news", "copy", "maths")]


def weights(out):
    report = json.loads((out / "mix.json").read_text())
    return {one["source"]: round(one["weight"], 6) for one in report["sources"]}


def test_copies_share_a_weight(corpus, tmp_path):
    done = call("mix", *corpus, "--source", "kind", "--set", "smoothing=0", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    found = weights(tmp_path / "out")
    assert found["copy"] == found["news"] == pytest.approx(0.25, abs=0.002)  # some n-grams share a bucket by chance
    report = json.loads((tmp_path / "out" / "mix.json").read_text())
    assert report["method"] == "dynamic"
    assert [[round(share, 6) for share in row] for row in report["shared_mass"]] == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    unique = {one["source"]: one["effective_unique"] for one in report["sources"]}
    assert unique["news"] == unique["copy"] < 1510
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_a_mixture_feeds_shards(corpus, tmp_path):
    arguments = ["--method", "uniform", "--budget", "1.5k", "--source", "kind"]
    assert call("mix", *corpus, *arguments, "--out", tmp_path / "out", "-q").exit_code == 0
    mixture = yaml.safe_load((tmp_path / "out" / "mixture.yaml").read_text())
    assert {name: one["weight"] for name, one in mixture["sources"].items()} == {"copy": 500, "maths": 500, "news": 500}
    done = call(
        "shard",
        *corpus,
        "--source",
        "kind",
        "--mixture",
        tmp_path / "out" / "mixture.yaml",
        "--out",
        tmp_path / "s",
        "-q",
    )
    assert done.exit_code == 0, done.output
    rows = pq.read_table(tmp_path / "s" / "data")
    assert sorted(rows["kind"].to_pylist()) == ["copy"] * 25 + ["maths"] * 25 + ["news"] * 25


def test_each_input_is_a_source_by_itself(corpus, tmp_path):
    assert call("mix", *corpus, "--method", "proportional", "--out", tmp_path / "out", "-q").exit_code == 0
    assert weights(tmp_path / "out") == {f"{name}.parquet": round(1 / 3, 6) for name in ("copy", "maths", "news")}


def test_smart_is_faithful_and_order_free_is_fair(corpus, tmp_path):
    assert call("mix", *corpus, "--source", "kind", "--method", "smart", "--out", tmp_path / "a", "-q").exit_code == 0
    found = weights(tmp_path / "a")
    assert found["copy"] > found["news"] > found["maths"]  # of equal sources the first one chosen gains most
    assert (
        call("mix", *corpus, "--source", "kind", "--method", "order-free", "--out", tmp_path / "b", "-q").exit_code == 0
    )
    found = weights(tmp_path / "b")
    assert found["copy"] == found["news"] < 0.3 < 0.4 < found["maths"]


def test_loads_of_several_steps_become_phases(corpus, tmp_path):
    rows = {"news": [9, 1], "copy": [9, 1], "maths": [1, 9]}
    (tmp_path / "loads.json").write_text(json.dumps([{"step": step, "loads": rows} for step in (10, 20)]))
    arguments = ["--source", "kind", "--method", "router", "--loads", tmp_path / "loads.json", "--budget", "3k"]
    done = call("mix", *corpus, *arguments, "--max-epochs", 2, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    mixture = yaml.safe_load((tmp_path / "out" / "mixture.yaml").read_text())
    assert [phase["share"] for phase in mixture["phases"]] == [1000, 1000, 1000]
    assert mixture["phases"][0]["weights"] == {"copy": 0.334, "maths": 0.333, "news": 0.333}
    assert mixture["phases"][2]["weights"]["maths"] > 0.9
    assert set(mixture["sources"]["news"]) == {"weight", "available", "wanted", "effective_unique"}
    shard = ["shard", *corpus, "--source", "kind", "--mixture", tmp_path / "out" / "mixture.yaml", "-q"]
    assert call(*shard, "--out", tmp_path / "s").exit_code == 0
    written = pq.read_table(tmp_path / "s" / "data" / "train-2-2")["kind"].to_pylist()
    share = written.count("maths") / len(written)
    assert share == pytest.approx(mixture["phases"][2]["weights"]["maths"], abs=0.02)  # rows are whole


def test_importance_follows_a_target(corpus, tmp_path):
    pq.write_table(pa.table({"text": [" ".join(f"m{i}" for i in range(900))]}), tmp_path / "target.parquet")
    arguments = ["--source", "kind", "--method", "importance", "--target", tmp_path / "target.parquet"]
    done = call("mix", *corpus, *arguments, "--budget", "1k", "--out", tmp_path / "a", "-q")
    assert done.exit_code == 0, done.output
    assert weights(tmp_path / "a")["maths"] == 1.0
    report = json.loads((tmp_path / "a" / "mix.json").read_text())
    assert report["notes"] == {"sampled_rows": 50, "sampled_words": 1000}
    call("mix", *corpus, *arguments, "--set", "share=0.5", "--out", tmp_path / "b", "-q")
    assert weights(tmp_path / "b")["maths"] == pytest.approx(2 / 3, abs=0.01)  # half of all, and all of the maths


def test_clusters_of_a_run_are_in_the_report(corpus, tmp_path):
    done = call("dedup", *corpus, "--source", "kind", "--allow-loss", "copy", "--out", tmp_path / "run", "-q")
    assert done.exit_code == 0, done.output
    arguments = ["--source", "kind", "--clusters", tmp_path / "run", "--out", tmp_path / "out", "-q"]
    assert call("mix", *corpus, *arguments).exit_code == 0
    report = json.loads((tmp_path / "out" / "mix.json").read_text())
    assert [one["source"] for one in report["sources"]] == ["copy", "maths", "news"]
    assert report["clusters"] == {
        "shared": [[150, 0, 150], [0, 0, 0], [150, 0, 150]],
        "members": [150, 0, 150],
        "removed": [150, 0, 0],
    }
    assert "Clusters of duplicates" in (tmp_path / "out" / "mix.html").read_text()


def test_a_prior_names_sources_with_dots(corpus, tmp_path):
    prior = ["--set", "prior.news.parquet=3", "--set", "prior.maths.parquet=1", "--method", "tilt", "--set", "eta=0"]
    assert call("mix", *corpus, *prior, "--out", tmp_path / "out", "-q").exit_code == 0
    assert weights(tmp_path / "out") == {"copy.parquet": 0.0, "maths.parquet": 0.25, "news.parquet": 0.75}


def test_empty_sources_and_targets_are_named(corpus, tmp_path):
    for name, rows in (("none", []), ("blank", ["", "!!"])):
        table = pa.table({"text": pa.array(rows, pa.string()), "kind": pa.array(["x"] * len(rows), pa.string())})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    failed = call("mix", *corpus, tmp_path / "none.parquet", "--out", tmp_path / "a")
    assert "every source has a record; found none.parquet" in str(failed.exception)
    arguments = ["--method", "importance", "--target", tmp_path / "blank.parquet"]
    failed = call("mix", *corpus, *arguments, "--out", tmp_path / "b")
    assert "a target has words" in str(failed.exception)
    assert call("mix", *corpus, tmp_path / "blank.parquet", "--out", tmp_path / "c", "-q").exit_code == 0
    assert weights(tmp_path / "c")["blank.parquet"] == 0
    failed = call("mix", tmp_path / "blank.parquet", "--out", tmp_path / "d")
    assert "some source holds something" in str(failed.exception)


def test_small_sources_are_looked_at_in_full(tmp_path):
    for name in ("a", "b"):
        pq.write_table(pa.table({"text": [f"{name} few words of it"]}), tmp_path / f"{name}.parquet")
    assert call("mix", tmp_path / "a.parquet", tmp_path / "b.parquet", "--out", tmp_path / "out", "-q").exit_code == 0
    assert weights(tmp_path / "out") == {"a.parquet": 0.5, "b.parquet": 0.5}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--method", "magic"], "a method is one of"),
        (["--text", "body"], "'body' among text, kind"),
        (["--budget", "9G"], "the budget"),
        (["--budget", "many"], "budget"),
        (["--set", "colour=red"], "colour"),
        (["--set", "eta"], "NAME=VALUE"),
        (["--method", "unimax"], "UniMax deals out a budget"),
        (["--method", "router"], "`router`, and it alone, has --loads"),
        (["--loads", "x.json"], "`router`, and it alone, has --loads"),
        (["--method", "importance"], "`importance`, and it alone, has --target"),
        (["--clusters", "nowhere"], "a result is of a finished run"),
        (["--budget", "-5"], "budget"),
        (["--max-epochs", "nan"], "max_epochs"),
        (["--set", "prior=size", "--set", "prior.news=2"], "a prior is a word, or a weight for each source"),
        (["--set", "prior.blogs=2"], "the prior's weights are of sources that there are; found 'blogs'"),
        (["--set", "prior.news.parquet=-1"], "prior"),
        (["--set", "prior.news.parquet=nan"], "prior"),
        (["--set", "eta=2", "--set", "eta=3"], "a setting is given once"),
    ],
)
def test_what_cannot_be(corpus, tmp_path, arguments, said):
    failed = call("mix", *corpus, *arguments, "--out", tmp_path / "out")
    assert failed.exit_code != 0
    assert said in str(failed.exception)


def test_a_record_without_text_is_named(corpus, tmp_path):
    pq.write_table(pa.table({"text": ["a", None], "kind": ["x", "x"]}), tmp_path / "bad.parquet")
    failed = call("mix", tmp_path / "bad.parquet", "--out", tmp_path / "out")
    assert "record 1 of" in str(failed.exception)
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def test_one_that_was_stopped_is_begun_again_and_a_finished_one_is_left_alone(corpus, tmp_path):
    (tmp_path / "out" / "_work").mkdir(parents=True)
    (tmp_path / "out" / "_work" / "columns.json").write_text("of other inputs")
    assert call("mix", *corpus, "--out", tmp_path / "out", "-q").exit_code == 0
    assert not (tmp_path / "out" / "_work").exists()
    refused = call("mix", *corpus, "--out", tmp_path / "out")
    assert "new or empty folder" in str(refused.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--method", "uniform", "--set", "eta=5"], "`eta` is a setting of tilt, dynamic, router"),
        (["--set", "temperature=2"], "`temperature` is a setting of temperature"),
        (["--budget", "9", "--set", "budget=200"], "--budget and --max-epochs"),
        (["--set", "prior.news.parquet=-1"], "a number from 0 on"),
    ],
)
def test_settings_of_other_methods(corpus, tmp_path, arguments, said):
    done = call("mix", *corpus, *arguments, "--out", tmp_path / "out")
    assert said in str(done.exception)


def test_inputs_of_one_name(corpus, tmp_path):
    done = call("mix", corpus[0], corpus[0], "--out", tmp_path / "out")
    assert "'news.parquet' more than once" in str(done.exception)
    assert call("mix", corpus[0], corpus[0], "--source", "kind", "--out", tmp_path / "out", "-q").exit_code == 0


def test_a_method_is_chosen(corpus, tmp_path):
    done = CliRunner().invoke(app, ["mix", *map(str, corpus), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "--method" in done.output
