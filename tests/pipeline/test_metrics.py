"""What a run says to Prometheus: the numbers of its ledger, in the text format, written whole."""

import json
import re
import time
from random import Random

import pyarrow.parquet as pq
import pytest
from corpora import dealt, parquet_folder, random_rows
from runs import digests, pipeline

import tamis
from tamis.hashing.errors import ConfigError, EngineError
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.plan import steps_of

SAMPLE = re.compile(r'(?P<name>[a-z_]+)\{(?P<labels>(?:[a-z]+="(?:[^"\\]|\\.)*",?)+)\} (?P<value>\S+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')
ESCAPES = {r"\\": "\\", r"\n": "\n", r"\"": '"'}


def parse(text):
    """Return samples by name and labels, ``pipeline`` left out; each name has its help and type before."""
    found, announced = {}, []
    for line in text.splitlines():
        if line.startswith("#"):
            announced.append(line.split(" ", 3)[1:3])
            continue
        sample = SAMPLE.fullmatch(line)
        name = sample["name"]
        assert announced[-2:] == [["HELP", name], ["TYPE", name]]
        labels = {key: re.sub(r"\\.", lambda m: ESCAPES[m[0]], text) for key, text in LABEL.findall(sample["labels"])}
        del labels["pipeline"]
        found[name, *labels.values()] = float(sample["value"])
    return found


@pytest.fixture
def folder(tmp_path):
    rng = Random(8)
    rows = [row for _ in range(3) for row in random_rows(rng)]
    return parquet_folder(dealt(rng, rows, files=2), tmp_path / "in")


def test_metrics_are_the_numbers_of_the_ledger(folder, tmp_path):
    begun = time.time()
    result = tamis.run(pipeline(folder, tmp_path / "out", on_error="quarantine"))
    found = parse((result.out / "metrics.prom").read_text())
    total = result.ledger.total
    assert found["tamis_rows_read",] == total.read.rows == pq.read_table(folder).num_rows
    assert found["tamis_rows_kept",] == pq.read_table(result.out / "data").num_rows
    assert found["tamis_rows_dropped", "exact"] + found["tamis_rows_dropped", "near"] == result.removed.num_rows
    emitted = {key[1]: value for key, value in found.items() if key[0] == "tamis_rows_emitted"}
    assert emitted == {name: source.emitted.rows for name, source in result.ledger.sources.items()}
    assert found["tamis_bytes", "emitted"] == total.emitted.bytes
    assert found["tamis_tokens", "read"] == total.read.tokens
    assert begun <= found["tamis_success_timestamp_seconds",] <= time.time()
    assert {"read and sketch", "write shards", "report"} <= {key[1] for key in found if key[0] == "tamis_step_seconds"}
    assert found["tamis_run_info", tamis.__version__, "local"] == 1


def test_names_may_hold_anything(tmp_path, write_parquet):
    name = 'a "b" \\ c\nd'
    path = write_parquet("in.parquet", text=["one text", "two texts"], source=[name, name])
    columns = {"text": "text", "source": "source"}
    result = tamis.run(pipeline(path, tmp_path / "out", columns=columns))
    assert parse((result.out / "metrics.prom").read_text())["tamis_rows_emitted", name] == 2


def test_seconds_are_of_all_processes_that_worked_on_a_run(folder, tmp_path):
    config = pipeline(folder, tmp_path / "out")
    prepared = plan.prepare(config, version=tamis.__version__)
    plan.run(prepared, LocalEngine, Silent(), until="rank")
    noted = [json.loads(line) for line in (tmp_path / "out" / "_work" / "steps.jsonl").read_text().splitlines()]
    (tmp_path / "out" / "_work" / "steps.jsonl").write_text(
        "".join(json.dumps(line | {"seconds": 100.0}) + "\n" for line in noted) + '{"step": "ra'
    )
    with open(tmp_path / "out" / "_work" / "steps.jsonl", "a") as stream:
        stream.write("\n")
    found = parse((plan.run(prepared, LocalEngine, Silent()) / "metrics.prom").read_text())
    assert found["tamis_step_seconds", "rank"] >= 100
    assert found["tamis_step_seconds", "exact"] < 100
    assert set(steps_of(config)) <= {key[1] for key in found if key[0] == "tamis_step_seconds"}


def test_a_copy_goes_where_it_is_wanted_and_does_not_make_another_run(folder, tmp_path):
    tamis.run(pipeline(folder, tmp_path / "out"))
    (tmp_path / "collected").mkdir()
    copy = tmp_path / "collected" / "nightly.prom"
    other = tamis.run(pipeline(folder, tmp_path / "other", metrics=str(copy)))
    assert copy.read_bytes() == (other.out / "metrics.prom").read_bytes()
    assert 'pipeline="nightly"' in copy.read_text()
    assert [path.name for path in copy.parent.iterdir()] == ["nightly.prom"]
    assert digests(other.out) == digests(tmp_path / "out")
    marks = [json.loads((path / "_SUCCESS").read_text())["run"] for path in (tmp_path / "out", other.out)]
    assert marks[0] == marks[1]


def test_a_copy_that_cannot_be_written_is_said_and_the_run_can_go_on(folder, tmp_path):
    config = pipeline(folder, tmp_path / "out", metrics=str(tmp_path / "missing" / "x.prom"))
    with pytest.raises(EngineError, match="the metrics can be written; found .*x.prom: No such file"):
        tamis.run(config)
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    (tmp_path / "missing").mkdir()
    assert (tamis.run(config).out / "_SUCCESS").exists()


def test_collectors_read_files_of_one_ending(folder, tmp_path):
    with pytest.raises(ConfigError, match="metrics"):
        make_config({"inputs": [{"path": str(folder)}], "metrics": "metrics.txt"})
