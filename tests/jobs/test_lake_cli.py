"""``tamis lake scan`` as a person uses it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tamis.jobs.cli import app


@pytest.fixture
def lake(tmp_path):
    folder = tmp_path / "lake"
    (folder / "sales").mkdir(parents=True)
    rows = pa.table({"id": list(range(100)), "city": [f"c{i % 7}" for i in range(100)]})
    pq.write_table(rows, folder / "orders.parquet")
    pq.write_table(rows.take(pa.array(range(99, -1, -1))), folder / "sales" / "copy.parquet")
    pq.write_table(rows.slice(10, 30), folder / "some.parquet")
    (folder / "ids.csv").write_text("id\n1\n2\n")
    (folder / "wrong.csv").write_text("id\n1\n200\n")
    (folder / "bad.csv").write_text("id,city\n1\n")
    pq.write_table(pa.table({"other": [1]}), folder / "alone.parquet")
    return folder


def call(*arguments):
    return CliRunner().invoke(app, ["lake", "scan", *map(str, arguments)])


def test_a_lake(lake, tmp_path):
    done = call(lake, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "some.parquet is inside orders.parquet" in done.output
    assert "equal: orders.parquet, sales/copy.parquet" in done.output
    rows = pq.read_table(tmp_path / "out" / "containment.parquet").to_pylist()
    verified = {(row["parent"], row["child"]) for row in rows if row["status"] == "verified"}
    whole = ("orders.parquet", "sales/copy.parquet")
    assert verified == {("orders.parquet", "some.parquet"), ("orders.parquet", "ids.csv")}
    done = call(lake, "--out", tmp_path / "all", "--closure")
    every = pq.read_table(tmp_path / "all" / "containment.parquet").to_pylist()
    assert {(row["parent"], row["child"]) for row in every if row["status"] == "verified"} == {
        whole,
        whole[::-1],
        *((parent, child) for parent in whole for child in ("some.parquet", "ids.csv")),
    }
    refuted = {(row["parent"], row["child"]): row for row in rows if row["status"] == "refuted"}
    assert all(row["missing"] >= 1 and ":" in row["witness"] for row in refuted.values())
    report = json.loads((tmp_path / "out" / "lake.json").read_text())
    assert report["tables"] | {"unreadable": list(report["tables"]["unreadable"])} == {
        "found": 7,
        "compared": 6,
        "apart": 0,
        "alone": 1,
        "without columns": 0,
        "empty": 0,
        "linked": 0,
        "unreadable": [],
        "unread_records": 1,
        "bytes": sum(path.stat().st_size for path in lake.rglob("*.*")),
    }
    assert pq.read_table(tmp_path / "out" / "quarantine.parquet").to_pylist() == [
        {"table": "bad.csv", "record": "bad.csv:0", "rule": "ragged: 1 field, the header has 2"}
    ]
    groups = {row["table"]: row for row in pq.read_table(tmp_path / "out" / "groups.parquet").to_pylist()}
    assert groups["orders.parquet"]["group"] == groups["sales/copy.parquet"]["group"] != groups["some.parquet"]["group"]
    assert groups["some.parquet"]["rows"] == groups["some.parquet"]["distinct_rows"] == 30
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "_SUCCESS",
        "containment.parquet",
        "groups.parquet",
        "lake.json",
        "measured.json",
        "memory",
        "quarantine.parquet",
        "report.html",
        "tables.parquet",
    ]


def test_a_scan_again_gives_the_same_bytes(lake, tmp_path):
    names = ("containment.parquet", "groups.parquet", "lake.json", "tables.parquet", "quarantine.parquet")
    assert call(lake, "--out", tmp_path / "out", "--threads", 1).exit_code == 0
    first = [(tmp_path / "out" / name).read_bytes() for name in names]
    assert call(lake, "--out", tmp_path / "out", "--threads", 3, "-q").output == ""
    assert [(tmp_path / "out" / name).read_bytes() for name in names] == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--match", "type"], "columns match by"),
        (["--memory", "much"], "a size is a number of bytes"),
    ],
)
def test_what_makes_no_sense_is_refused(lake, tmp_path, arguments, message):
    assert message in str(call(lake, "--out", tmp_path / "out", *arguments).exception)


def test_a_place_that_cannot_be_written(lake):
    failed = call(lake, "--out", "/proc/found")
    assert "the output folder can be made and written; found /proc/found: No such file" in str(failed.exception)


def test_other_folders_are_left_alone(lake, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    assert "mine.txt" in str(call(lake, "--out", tmp_path / "out").exception)
    assert "lies outside the input folders" in str(call(lake, "--out", lake / "out").exception)


def test_the_page_again(lake, tmp_path):
    assert call(lake, "--out", tmp_path / "out", "-q").exit_code == 0
    path = tmp_path / "out" / "report.html"
    first = path.read_text()
    assert "orders.parquet" in first
    assert (tmp_path / "out" / "_SUCCESS").stat().st_mtime_ns >= path.stat().st_mtime_ns
    path.unlink()
    again = CliRunner().invoke(app, ["lake", "report", str(tmp_path / "out")])
    assert again.exit_code == 0
    assert path.read_text() == first
    (tmp_path / "out" / "_SUCCESS").unlink()
    unfinished = CliRunner().invoke(app, ["lake", "report", str(tmp_path / "out")])
    assert "a scan that has finished" in str(unfinished.exception)
