"""``tamis select`` and ``tamis balance`` as a person uses them."""

import json
import random
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from page_numbers import look_up, numbers_of
from typer.testing import CliRunner

from tamis.hashing.errors import ConfigError, InputError
from tamis.jobs.cli import app
from tamis.pipeline.result import Result


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def tasks(tmp_path):
    """Two tasks of 60 rows, each in two templates."""
    rng = random.Random(2)
    rows = [
        {
            "id": f"{task}-{i}",
            "task": task,
            "template": "short" if i % 3 else "long",
            "text": " ".join(f"{task}{rng.randrange(80)}" for _ in range(20)),
            "bytes": b"\xff",
        }
        for task in ("sums", "poems")
        for i in range(60)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "tasks.parquet")
    return tmp_path / "tasks.parquet"


def test_rows_of_all(tasks, tmp_path):
    done = call("select", tasks, "--id", "id", "--rows", "9", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "represented by others, removed" in done.output
    result = Result(tmp_path / "out")
    assert result.selection["place"].to_pylist() == list(range(9))
    assert {row["stage"] for row in result.removed.to_pylist()} == {"select"}
    assert call("verify", tmp_path / "out").exit_code == 0
    explained = call("explain", tmp_path / "out", "--id", result.removed["id"][0].as_py())
    assert result.removed["keeper_id"][0].as_py() in explained.output


def test_smart_from_end_to_end(tasks, tmp_path):
    mixed = call("mix", tasks, "--source", "task", "--method", "smart", "--budget", "400", "--out", tmp_path / "mix")
    assert mixed.exit_code == 0, mixed.output
    mixture = tmp_path / "mix" / "mixture.yaml"
    options = ("--id", "id", "--source", "task", "--by", "template", "--mixture", mixture, "--out", tmp_path / "out")
    done = call("select", tasks, *options, "-q")
    assert done.exit_code == 0, done.output
    wanted = {
        one["source"]: one["budget"] for one in json.loads((tmp_path / "mix" / "mix.json").read_text())["sources"]
    }
    chosen = Result(tmp_path / "out").selection.to_pylist()
    words = Counter()
    for row in chosen:
        words[row["source"]] += row["tokens"]
    assert sum(wanted.values()) == 400
    assert all(0 <= amount - words[source] < 40 for source, amount in wanted.items())  # of two templates, each < 20
    groups = {tuple(json.loads(row["group"])) for row in chosen}
    assert groups <= {(task, template) for task in ("sums", "poems") for template in ("short", "long")}
    assert len(groups) > 2


def test_a_page_shows_what_the_numbers_say(tasks, tmp_path):
    out = tmp_path / "out"
    assert call("select", tasks, "--rows", "5", "--by", "template", "--out", out, "-q").exit_code == 0
    report = json.loads((out / "report.json").read_text())
    shown = {number["data-key"]: number["value"] for number in numbers_of((out / "report.html").read_text()).found}
    assert shown["selection.select.chosen"] == "10"
    keys = [key for key in shown if key.startswith("selection.")]
    assert len(keys) == 14
    for key in keys:
        assert float(shown[key]) == look_up(report, key)


def test_balance(tasks, tmp_path):
    out = tmp_path / "out"
    done = call(
        "balance", tasks, "--id", "id", "--by", "template", "--source", "task", "--apart", "--most", "15", "--out", out
    )
    assert done.exit_code == 0, done.output
    rows = [row for batch in Result(out).kept() for row in batch.to_pylist()]
    assert Counter((row["task"], row["template"]) for row in rows) == {
        (task, template): 15 for task in ("sums", "poems") for template in ("short", "long")
    }
    assert "Leaves" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["select"], ConfigError, "one of --rows, --tokens, --share and --mixture"),
        (["select", "--rows", "3", "--share", "0.5"], ConfigError, "--rows --share"),
        (["select", "--share", "2"], ConfigError, "stages.1.select.share"),
        (["select", "--rows", "3", "--function", "best"], ConfigError, "function"),
        (["select", "--rows", "3", "--model", "nowhere"], ConfigError, "hashed-ngrams or the folder of a hasher"),
        (["select", "--rows", "3", "--by", "colour"], InputError, "colour"),
        (["select", "--rows", "3", "--by", "bytes"], InputError, "'bytes': binary"),
        (["balance", "--most", "3"], ConfigError, "`apart`, `by` or `bits`"),
    ],
)
def test_bad_options(tasks, tmp_path, arguments, error, said):
    done = call(arguments[0], tasks, *arguments[1:], "--out", tmp_path / "out")
    assert isinstance(done.exception, error)
    assert said in str(done.exception)


@pytest.mark.parametrize(
    "options", [["select", "--rows", "3", "--apart"], ["balance", "--most", "3", "--apart"]], ids=["select", "balance"]
)
def test_sources_apart_have_names_of_their_own(tmp_path, options):
    for folder in ("maths", "poems"):
        (tmp_path / folder / "train").mkdir(parents=True)
        rows = [{"id": f"{folder}-{i}", "task": folder, "text": f"{folder} {i} {i * i}"} for i in range(6)]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / folder / "train" / "rows.parquet")
    inputs = [tmp_path / folder / "train" for folder in ("maths", "poems")]
    done = call(options[0], *inputs, *options[1:], "--out", tmp_path / "out")
    assert isinstance(done.exception, ConfigError)
    assert f"'train' more than once: {inputs[0]}, {inputs[1]}" in str(done.exception)
    assert not (tmp_path / "out").exists()
    done = call(options[0], *inputs, *options[1:], "--source", "task", "--out", tmp_path / "out", "-q")
    assert done.exit_code == 0, done.output
    kept = [row for batch in Result(tmp_path / "out").kept() for row in batch.to_pylist()]
    assert Counter(row["task"] for row in kept) == {"maths": 3, "poems": 3}
