"""What changed between two runs, against what their decisions say."""

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import tamis
from tamis.hashing.errors import InputError
from tamis.jobs.changes import changes, different_settings
from tamis.jobs.cli import app
from tamis.pipeline.report.page import changes_page

WORDS = [f"word{i}" for i in range(60)]
MEMORY = 256 << 20


def text(*changed):
    words = list(WORDS)
    for place in changed:
        words[place] = f"other{place}"
    return " ".join(words)


ROWS = {
    "first": text(),
    "close": text(30),  # 51 of 61 shingles: 0.836
    "closer": text(0),  # 55 of 57: 0.965
    "same": text(),
    "lone": "nothing like the others at all, whatever one does",
    "null": None,
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("in") / "x.parquet"
    pq.write_table(pa.table({"id": list(ROWS), "text": list(ROWS.values())}), path)
    return path


@pytest.fixture(scope="module")
def runs(corpus, tmp_path_factory):
    """Two runs: only to be read."""
    out = tmp_path_factory.mktemp("runs")
    options = {"id": "id", "on_error": "quarantine", "allow_loss": ["x.parquet"]}
    low = tamis.dedup(corpus, out=out / "low", threshold=0.8, **options)
    high = tamis.dedup(corpus, out=out / "high", threshold=0.9, **options)
    return low, high


def fates(found):
    return {(line["first"], line["second"]): line["rows"] for line in found["fates"]}


@pytest.mark.parametrize("by", ["place", "id"])
def test_fates_of_two_thresholds(runs, by):
    found = changes(*runs, by=by, memory_bytes=MEMORY)
    assert fates(found) == {
        ("kept", "kept"): 2,
        ("removed by exact", "removed by exact"): 1,
        ("removed by near", "kept"): 1,
        ("removed by near", "removed by near"): 1,
        ("quarantined: null-text", "quarantined: null-text"): 1,
    }
    (example,) = found["examples"]
    assert example == {
        "first": "removed by near",
        "second": "kept",
        "id": "close",
        "source": "x.parquet",
        "where_first": "x.parquet:1",
        "where_second": "x.parquet:1",
        "keeper_first": "x.parquet:0",
        "keeper_second": None,
        "similarity_first": pytest.approx(51 / 61),
        "similarity_second": None,
    }
    assert found["settings"] == [
        {"name": "near.threshold", "first": 0.8, "second": 0.9},
        {"name": "banding", "first": [28, 9], "second": [17, 15]},
    ]
    assert found["inputs"] == {"same": 1, "changed": [], "only_first": [], "only_second": []}
    kept = found["funnel"][-1]
    assert (kept["name"], kept["first"]["rows"], kept["second"]["rows"]) == ("kept", 2, 3)
    assert found["other_keepers"] == 0


def test_another_keeper_is_counted(corpus, runs, tmp_path):
    low, _ = runs
    longest = tamis.dedup(corpus, out=tmp_path / "longest", id="id", keep="longest", on_error="quarantine")
    found = changes(low, longest, memory_bytes=MEMORY)
    before, after = (dict(rows(run)) for run in (low, longest))
    expected = Counter((before[i], after[i]) for i in before)
    assert fates(found) == expected
    assert found["settings"] == [{"name": "keep.by", "first": "first", "second": "longest"}]


def rows(result):
    for name in ROWS:
        yield name, "kept"
    for row in result.removed.to_pylist():
        yield row["id"], f"removed by {row['stage']}"
    for row in result.quarantine.to_pylist():
        yield row["id"], f"quarantined: {row['rule']}"


def test_files_that_came_went_and_changed(tmp_path, write_parquet):
    a, b = (write_parquet(f"one/{name}.parquet", id=[name], text=[f"text of {name}"]) for name in "ab")
    first = tamis.dedup([str(a), str(b)], out=tmp_path / "first")
    write_parquet("one/a.parquet", id=["a", "new"], text=["text of a", "another"])
    c = write_parquet("one/c.parquet", id=["c"], text=["text of c"])
    second = tamis.dedup([str(a), str(c)], out=tmp_path / "second")
    found = changes(first, second, memory_bytes=MEMORY)
    assert found["inputs"] == {
        "same": 0,
        "changed": ["a.parquet"],
        "only_first": ["b.parquet"],
        "only_second": ["c.parquet"],
    }
    assert fates(found) == {("kept", "not in it"): 2, ("not in it", "kept"): 3}


def test_the_same_run_has_no_changes(runs):
    low, _ = runs
    found = changes(low, low, memory_bytes=MEMORY)
    assert all(line["first"] == line["second"] for line in found["fates"])
    assert sum(line["rows"] for line in found["fates"]) == low.ledger.total.read.rows
    assert (found["examples"], found["settings"]) == ([], [])


def test_ids_that_name_two_records_are_refused(tmp_path, write_parquet):
    path = write_parquet("in/x.parquet", id=["a", "a"], text=["one text", "another"])
    result = tamis.dedup(path, out=tmp_path / "out", id="id")
    with pytest.raises(InputError, match="'a' names 2"):
        changes(result, result, by="id", memory_bytes=MEMORY)


def test_ids_that_are_not_there_are_refused(tmp_path, write_parquet):
    result = tamis.dedup(write_parquet("in/x.parquet", text=["one text"]), out=tmp_path / "out")
    with pytest.raises(InputError, match="have ids"):
        changes(result, result, by="id", memory_bytes=MEMORY)


def test_ids_find_records_that_moved(tmp_path, write_parquet):
    ids = ["a", "b", "c"]
    texts = ["the first of the texts", "the second of them all", "the third"]
    one = tamis.dedup(write_parquet("one/x.parquet", id=ids, text=texts), out=tmp_path / "p", id="id")
    moved = write_parquet("two/y.parquet", id=ids[::-1], text=texts[::-1])
    two = tamis.dedup(moved, out=tmp_path / "q", id="id", where="id <> 'b'")
    found = changes(one, two, by="id", memory_bytes=MEMORY)
    assert fates(found) == {("kept", "kept"): 2, ("kept", "removed by filter"): 1}


def test_a_source_of_one_run_only():
    assert different_settings(
        {"stages": [{"stage": "exact"}], "seed": 1}, {"stages": [{"stage": "near", "threshold": 0.5}], "seed": 1}
    ) == [
        {"name": "exact.present", "first": True, "second": None},
        {"name": "near.present", "first": None, "second": True},
        {"name": "near.threshold", "first": None, "second": 0.5},
    ]


def test_the_command(runs, tmp_path):
    low, high = runs
    page = tmp_path / "changes.html"
    run = CliRunner().invoke(app, ["report", str(low.out), str(high.out), "--html", str(page)])
    assert run.exit_code == 0
    assert "near.threshold: 0.8 -> 0.9" in run.output
    assert "close: in the first for x.parquet:0 (0.836)" in run.output
    text = page.read_text()
    kept = len(changes(low, high, memory_bytes=MEMORY)["funnel"]) - 1
    assert f'<data value="2" data-key="funnel.{kept}.first.rows"' in text
    told = CliRunner().invoke(app, ["report", str(low.out), str(high.out), "--json"])
    assert json.loads(told.output) == changes(low, high, memory_bytes=MEMORY)
    again = CliRunner().invoke(app, ["report", str(low.out)])
    assert "What became of the rows" in again.output
    as_json = CliRunner().invoke(app, ["report", str(low.out), "--json"])
    assert json.loads(as_json.output) == json.loads((low.out / "report.json").read_text())


def test_a_page_shows_hostile_names_as_they_are(tmp_path):
    table = pa.table({"text": ["a text", "a text"], "id": ["<script>alert(1)</script>", "b"]})
    folder = Path(tmp_path / "in")
    folder.mkdir()
    pq.write_table(table, folder / "x.parquet")
    first = tamis.dedup(folder, out=tmp_path / "first", id="id", allow_loss=["in"])
    second = tamis.dedup(folder, out=tmp_path / "second", id="id", where="id = 'b'")
    page = changes_page(changes(first, second, memory_bytes=MEMORY), first="<b>", second="two")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>" not in page


def test_files_that_look_alike_are_told_apart(tmp_path, write_parquet):
    one = write_parquet("a/x.parquet", id=["a"], text=["the first of two"])
    two = write_parquet("b/x.parquet", id=["b"], text=["the other of 2!!"])
    result = tamis.dedup([str(one), str(two), str(one)], out=tmp_path / "out", allow_loss=["x.parquet"])
    found = changes(result, result, memory_bytes=MEMORY)
    assert all(line["first"] == line["second"] for line in found["fates"])
    assert sum(line["rows"] for line in found["fates"]) == 3
