"""Equal config, input and version give equal bytes: for any threads, batches, splits, memory, and after any failure."""

import gzip
import json
import shutil
import signal
import subprocess
import sys
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import dealt, jsonl_folder, parquet_folder, random_rows
from runs import digests, pipeline

import tamis
from tamis.hashing.errors import ArtefactError, BadRowError
from tamis.jobs import local, local_table, saved
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.jobs.spool import Spool
from tamis.pipeline import listing, similarity
from tamis.pipeline import run as plan
from tamis.pipeline.config import save_config
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify

FORMATS = ("parquet", "small-groups", "jsonl", "jsonl-gz")


class Killed(Exception):
    """What a test throws into a run."""


class Fuse(Silent):
    """Stops a run at a step: when it starts, or when it has read some input."""

    def __init__(self, step, *, reading=False):
        self.at, self.reading, self.step = step, reading, None

    def start(self, step, *, total_bytes=None):
        self.step = step
        if step == self.at and not self.reading:
            raise Killed(step)

    def advance(self, size_bytes):
        if self.step == self.at:
            raise Killed(self.step)


@pytest.fixture(scope="module")
def rows():
    rng = Random(5)
    return dealt(rng, [row for _ in range(3) for row in random_rows(rng)], files=3)


@pytest.fixture(scope="module")
def inputs(rows, tmp_path_factory):
    """The same rows and some null texts in each format, under the same names."""
    root = tmp_path_factory.mktemp("formats")
    parquet_folder(rows, root / "parquet")
    parquet_folder(rows, root / "small-groups", group_rows=7)
    jsonl_folder(rows, root / "jsonl")
    nulls = [{"text": None, "id": name, "source": "web", "quality": 1.0, "time": None} for name in ("n", None, "m")]
    for folder in ("parquet", "small-groups"):
        schema = pq.read_schema(root / folder / "part-0.parquet")
        pq.write_table(pa.Table.from_pylist(nulls, schema=schema), root / folder / "part-9.parquet")
    (root / "jsonl" / "part-9.jsonl").write_text("".join(json.dumps(row) + "\n" for row in nulls))
    shutil.copytree(root / "jsonl", root / "jsonl-gz")
    for path in sorted((root / "jsonl-gz").iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        path.unlink()
    return {name: root / name for name in FORMATS}


@pytest.fixture(scope="module")
def ordinary(inputs, tmp_path_factory):
    """The folder of an ordinary run on each format: only to be read."""
    out = tmp_path_factory.mktemp("ordinary")
    return {name: sift(config(inputs[name], out / name)) for name in FORMATS}


@pytest.fixture(scope="module")
def expected(ordinary):
    """The digests of an ordinary run on each format."""
    return {name: digests(out) for name, out in ordinary.items()}


def config(folder, out, **settings):
    return pipeline(folder, out, **{"keep": "newest:time", "on_error": "quarantine"} | settings)


def sift(settings, *, progress=None, **engine):
    """Run a pipeline on a local engine with some options; return the output folder."""
    shown = progress or Silent()
    prepared = plan.prepare(settings, version=tamis.__version__)
    return plan.run(prepared, lambda work: LocalEngine(work, progress=shown, **engine), shown)


def test_the_corpus_has_something_of_everything(ordinary):
    result = Result(ordinary["parquet"])
    assert set(result.removed["stage"].to_pylist()) == {"exact", "near"}
    assert result.quarantine["rule"].to_pylist() == ["null-text"] * 3
    layout = result.manifest["sets"][0]["layout"]
    assert {name: layout[name] > 1 for name in ("files", "groups", "group_rows", "tail_rows")} == {
        "files": True,
        "groups": True,
        "group_rows": True,
        "tail_rows": True,
    }


@pytest.mark.parametrize("batch_rows", [1, 7, 10_000])
@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("name", ["small-groups", "jsonl"])
def test_threads_and_batches_do_not_change_a_byte(inputs, expected, tmp_path, name, threads, batch_rows):
    out = sift(config(inputs[name], tmp_path / "out"), threads=threads, batch_rows=batch_rows)
    assert digests(out) == expected[name]


@pytest.mark.parametrize(
    ("module", "limits"),
    [
        pytest.param(listing, {"SPLIT_BYTES": 300}, id="splits"),
        pytest.param(local, {"BATCH_BYTES": 200}, id="batches"),
        pytest.param(saved, {"BATCH_BYTES": 100, "GROUP_ROWS": 5}, id="saved-tables"),
        pytest.param(local, {"QUERY_BATCH_ROWS": 12}, id="queries"),
        pytest.param(similarity, {"TILE_BYTES": 500}, id="tiles"),
    ],
)
@pytest.mark.parametrize("name", ["parquet", "jsonl-gz"])
def test_how_the_work_is_cut_does_not_change_a_byte(inputs, expected, tmp_path, monkeypatch, name, module, limits):
    for limit, value in limits.items():
        monkeypatch.setattr(module, limit, value)
    assert digests(sift(config(inputs[name], tmp_path / "out"))) == expected[name]


def test_formats_differ_in_nothing_but_names_and_types(expected):
    tables = ("decisions/", "pairs/", "clusters/", "quarantine/", "index.parquet")
    same = [{path: digest for path, digest in expected[name].items() if path.startswith(tables)} for name in FORMATS]
    assert same == [same[0]] * 4
    data = [{p: d for p, d in expected[name].items() if p.startswith("data/")} for name in FORMATS]
    assert data[0] == data[1]
    assert data[2] == data[3]


@pytest.mark.parametrize("threads", [1, 8])
def test_a_spool_that_spills_does_not_change_a_byte(inputs, expected, tmp_path, monkeypatch, threads):
    spilled = []

    class Watched(Spool):
        def close(self):
            spilled.append(self.spilled_bytes > 0)
            super().close()

    monkeypatch.setattr(local_table, "Spool", Watched)
    monkeypatch.setattr(local_table, "SPOOL_SHARE", 0.0)
    out = sift(config(inputs["parquet"], tmp_path / "out"), threads=threads, batch_rows=20, memory_bytes=200 << 20)
    assert digests(out) == expected["parquet"]
    assert spilled == [True, True]


def test_many_rows_in_little_memory_give_the_same_bytes(tmp_path):
    """Enough rows for DuckDB to sort in parallel; with eight threads and this memory it spills about as much."""
    numbers = np.random.default_rng(0).integers(0, 90_000, 150_000)
    texts = [f"row {n // 2} of the long table {'!' * (n % 3)}" for n in numbers.tolist()]
    pq.write_table(pa.table({"text": texts}), tmp_path / "in.parquet")
    near = {"threshold": 0.9, "shingle": {"size": 2}, "values": 16, "bands": 4, "rows": 4}
    options = {"columns": {"text": "text"}, "stages": ["exact", {"near": near}], "allow_loss": ["web"]}
    large = config(tmp_path / "in.parquet", tmp_path / "large", **options, keep="longest")
    small = config(tmp_path / "in.parquet", tmp_path / "small", **options, keep="longest")
    assert digests(sift(small, threads=8, memory_bytes=128 << 20)) == digests(sift(large, threads=1))


@pytest.mark.parametrize(
    "fuse",
    [
        *(
            pytest.param(Fuse(step), id=step)
            for step in (
                "rank",
                "exact",
                "candidates",
                "verify",
                "decide",
                "order",
                "write shards",
                "balance the ledger",
            )
        ),
        *(
            pytest.param(Fuse(step, reading=True), id=f"within {step}")
            for step in ("read and sketch", "verify", "write shards")
        ),
    ],
)
def test_a_run_that_stopped_anywhere_goes_on_to_the_same_bytes(inputs, expected, tmp_path, fuse):
    settings = config(inputs["small-groups"], tmp_path / "out")
    with pytest.raises(Killed):
        sift(settings, progress=fuse, threads=2)
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert digests(sift(settings, threads=1, batch_rows=3)) == expected["small-groups"]
    assert not (tmp_path / "out" / "_work").exists()


KILLED_WHILE_WRITING = """
import os, signal, sys
import tamis
from tamis.connectors.parquet_output import HashedFile
from tamis.pipeline.config import load_config

write = HashedFile.write
def write_and_die(file, data):
    written = write(file, data)
    file.flush()
    if sys.argv[2] in str(file.path):
        os.kill(os.getpid(), signal.SIGKILL)
    return written
HashedFile.write = write_and_die
tamis.run(load_config(sys.argv[1]))
"""


@pytest.mark.parametrize("file", ["/data/part-", "/decisions/", "/index.parquet"])
def test_a_run_killed_while_it_writes_goes_on_and_leaves_nothing_else_behind(
    inputs, ordinary, expected, tmp_path, file
):
    settings = config(inputs["parquet"], tmp_path / "out")
    save_config(settings, tmp_path / "config.yaml")
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, str(tmp_path / "config.yaml"), file]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    out = sift(settings)
    assert digests(out) == expected["parquet"]
    clean = ordinary["parquet"]
    assert sorted(p.relative_to(out) for p in out.rglob("*")) == sorted(p.relative_to(clean) for p in clean.rglob("*"))
    assert [check for check in verify(out) if not check.passed] == []


def test_a_finished_run_touches_nothing(inputs, ordinary):
    out = ordinary["parquet"]
    settings = config(inputs["parquet"], out)
    before = {path: path.stat().st_mtime_ns for path in [out, *out.rglob("*")]}

    def no_engine(work):
        raise AssertionError("a finished run needs no engine")

    prepared = plan.prepare(settings, version=tamis.__version__)
    assert plan.run(prepared, no_engine, Silent()) == out
    assert {path: path.stat().st_mtime_ns for path in [out, *out.rglob("*")]} == before


@pytest.fixture(scope="module", params=[True, False], ids=["finished", "stopped"])
def taken(request, inputs, ordinary, tmp_path_factory):
    """The folder of a run, finished or stopped: only to be read."""
    if request.param:
        return ordinary["parquet"]
    out = tmp_path_factory.mktemp("stopped") / "out"
    with pytest.raises(Killed):
        sift(config(inputs["parquet"], out), progress=Fuse("write decisions"))
    return out


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"seed": 1}, id="seed"),
        pytest.param({"keep": "longest"}, id="keep"),
        pytest.param({"stages": ["exact"]}, id="stages"),
        pytest.param({"shards": {"epoch": 1}}, id="shards"),
    ],
)
def test_the_folder_of_another_run_is_refused_and_left_alone(inputs, taken, other):
    before = {path: path.stat().st_mtime_ns for path in taken.rglob("*") if path.is_file()}
    with pytest.raises(ArtefactError, match="belongs to the same configuration, inputs and version"):
        sift(config(inputs["parquet"], taken, **other))
    after = {path: path.stat().st_mtime_ns for path in taken.rglob("*") if path.is_file()}
    assert {path.name: time for path, time in after.items() if path.name != "lock"} == {
        path.name: time for path, time in before.items() if path.name != "lock"
    }


def test_changed_inputs_are_another_run(rows, tmp_path):
    folder = parquet_folder(rows, tmp_path / "in")
    sift(config(folder, tmp_path / "out"))
    pq.write_table(pa.table({"text": ["one more"]}), folder / "part-5.parquet")
    with pytest.raises(ArtefactError, match="belongs to the same configuration, inputs and version"):
        sift(config(folder, tmp_path / "out"))


@pytest.mark.parametrize("other", [{"memory": "3GB"}, {"threads": 3}, {"allow_loss": ()}], ids=str)
def test_settings_that_do_not_change_the_output_are_the_same_run(inputs, ordinary, other):
    out = ordinary["parquet"]
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    sift(config(inputs["parquet"], out, **other))
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


@pytest.mark.parametrize("batch_rows", [1, 2, 10_000])
@pytest.mark.parametrize("threads", [1, 8])
def test_the_first_bad_record_is_the_one_named(tmp_path, threads, batch_rows):
    texts = ["good", None, "good", None, "good"]
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"text": ["fine"] * 9}), tmp_path / "in" / "a.parquet")
    pq.write_table(pa.table({"text": texts}), tmp_path / "in" / "b.parquet")
    pq.write_table(pa.table({"text": texts}), tmp_path / "in" / "c.parquet")
    settings = config(tmp_path / "in", tmp_path / "out", columns={"text": "text"}, keep="first", on_error="fail")
    with pytest.raises(BadRowError, match=r"found record 1 of .*/b\.parquet"):
        sift(settings, threads=threads, batch_rows=batch_rows)


@pytest.mark.parametrize("batch_rows", [1, 2, 10_000])
@pytest.mark.parametrize(
    ("times", "newest"),
    [
        pytest.param(["2024-01-01T00:00:00Z", "2024-01-02T00:00:00"], 1, id="some zones"),
        pytest.param(["2024-01-01T00:00:00Z", None, "2024-01-02"], 2, id="a zone and a date"),
        pytest.param(["2024-01-02T00:00:00+03:00", "2024-01-01T22:00:00"], 1, id="an offset"),
    ],
)
def test_times_with_and_without_a_zone_rank_as_instants_however_they_are_read(tmp_path, times, newest, batch_rows):
    pq.write_table(pa.table({"text": ["same"] * len(times), "time": times}), tmp_path / "in.parquet")
    settings = config(tmp_path / "in.parquet", tmp_path / "out", columns={"text": "text"}, keep="newest:time")
    result = Result(sift(settings, batch_rows=batch_rows))
    assert set(result.removed["keeper_address"].to_pylist()) == {newest}


@pytest.mark.parametrize("batch_rows", [1, 10_000])
def test_strings_that_are_no_times_are_refused_however_they_are_read(tmp_path, batch_rows):
    pq.write_table(pa.table({"text": ["a", "b"], "time": ["2024-01-01", "soon"]}), tmp_path / "in.parquet")
    settings = config(
        tmp_path / "in.parquet", tmp_path / "out", columns={"text": "text"}, keep="newest:time", on_error="fail"
    )
    with pytest.raises(BadRowError, match=r"`unusable-keep-value`; found record 1 of .*in.parquet \(soon\)"):
        sift(settings, batch_rows=batch_rows)


@pytest.mark.parametrize("batch_rows", [1, 10_000])
def test_values_that_cannot_be_ranked_are_set_aside_and_blank_ones_rank_last(tmp_path, batch_rows):
    rows = "text,score\nsame,7\nsame,good\nsame, 12.5\nsame,\nother,\n"
    (tmp_path / "in.csv").write_text(rows)
    options = {"columns": {"text": "text"}, "keep": "quality:score", "on_error": "quarantine"}
    result = Result(sift(config(tmp_path / "in.csv", tmp_path / "out", **options), batch_rows=batch_rows))
    assert set(result.removed["keeper_address"].to_pylist()) == {2}
    assert sorted(result.removed["address"].to_pylist()) == [0, 3]
    set_aside = result.quarantine.select(["address", "rule", "detail", "raw"]).to_pylist()
    assert set_aside == [{"address": 1, "rule": "unusable-keep-value", "detail": "good", "raw": b"same"}]
