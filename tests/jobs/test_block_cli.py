"""``tamis block`` as a person uses it."""

import hashlib
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tamis.hashing.errors import TamisError
from tamis.jobs.cli import app

SHOP = "id|name|price\na1|Sony KDL-40 television|400\na2|Apple iPod nano 8 GB|99\na3|canned soup|\n"
OTHER = "id|title|cost\nb1|iPod nano 8GB by Apple|95.5\nb2|Sony television KDL-40|410\nb3|garden chair|20\n"


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP)
    (tmp_path / "other.csv").write_text(OTHER)
    return tmp_path / "shop.csv", tmp_path / "other.csv"


def call(*arguments):
    return CliRunner().invoke(app, ["block", *map(str, arguments)])


def found(out, name="pairs.parquet"):
    return [(row["left_id"], row["right_id"], row["rank"]) for row in pq.read_table(out / name).to_pylist()]


def recorded(out, name, rows):
    data = (out / name).read_bytes()
    return {"name": name, "rows": rows, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def test_two_tables(tables, tmp_path):
    done = call(*tables, "--id", "id", "--top-k", 1, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert found(tmp_path / "out") == [("a1", "b2", 1), ("a2", "b1", 1), ("a3", "b2", 1)]
    assert "3 records ask, 3 are searched." in done.output
    assert "3 pairs, 33.333 % of all that there are" in done.output
    assert pq.read_table(tmp_path / "out" / "records.parquet").to_pylist() == [
        {"side": "left", "id": "a1", "text": "Sony KDL-40 television 400"},
        {"side": "left", "id": "a2", "text": "Apple iPod nano 8 GB 99"},
        {"side": "left", "id": "a3", "text": "canned soup"},
        {"side": "right", "id": "b1", "text": "iPod nano 8GB by Apple 95.5"},
        {"side": "right", "id": "b2", "text": "Sony television KDL-40 410"},
        {"side": "right", "id": "b3", "text": "garden chair 20"},
    ]
    report = json.loads((tmp_path / "out" / "block.json").read_text())
    assert report["records"] == {"left": 3, "right": 3, "unread": 0}
    assert report["pairs"] == {
        "found": 3,
        "possible": 9,
        "cssr": 1 / 3,
        "records_with_a_pair": {"left": 3, "right": 2},
    }
    assert report["delimiters"] == ["|", "|"]
    assert report["files"] == [
        recorded(tmp_path / "out", "pairs.parquet", 3),
        recorded(tmp_path / "out", "records.parquet", 6),
    ]
    assert (tmp_path / "out" / "_SUCCESS").exists()
    assert not (tmp_path / "out" / "_work").exists()


def test_one_table(tmp_path):
    pq.write_table(pa.table({"key": [5, 6, 7], "x": ["sieve", "sieves", "drum"]}), tmp_path / "t.parquet")
    done = call(tmp_path / "t.parquet", "--id", "key", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert found(tmp_path / "out") == [("5", "6", 1)]
    assert "3 records." in done.output


def test_options_may_stand_first_and_the_command_may_be_named(tables, tmp_path):
    for i, arguments in enumerate([("--id", "id", *tables), ("pairs", *tables, "--id", "id")]):
        done = call(*arguments, "--top-k", 1, "--out", tmp_path / f"out{i}")
        assert done.exit_code == 0, done.output
        assert len(found(tmp_path / f"out{i}")) == 3


def test_columns(tables, tmp_path):
    done = call(*tables, "--id", "id", "--column", "price", "--column", "cost", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert ("a1", "b2", 1) not in found(tmp_path / "out")


def test_ids_of_other_names_and_a_budget(tables, tmp_path):
    tables[1].write_text(OTHER.replace("id|", "sku|", 1))
    done = call(*tables, "--left-id", "id", "--right-id", "sku", "--max-pairs", 2, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert found(tmp_path / "out") == [("a1", "b2", 1), ("a2", "b1", 1)]


def test_a_finished_run_is_left_alone_and_another_one_is_refused(tables, tmp_path):
    arguments = [*tables, "--id", "id", "--out", tmp_path / "out"]
    assert call(*arguments).exit_code == 0
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert call(*arguments).exit_code == 0
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before
    refused = call(*arguments, "--top-k", 2)
    assert refused.exit_code == 1
    assert "belongs to the same configuration" in str(refused.exception)


def test_records_that_cannot_be_read(tables, tmp_path):
    tables[0].write_text(SHOP + "a4|too|many|fields\n")
    failed = call(*tables, "--id", "id", "--out", tmp_path / "out")
    assert "1 cannot, the first is record 3" in str(failed.exception)
    done = call(*tables, "--id", "id", "--on-error", "quarantine", "--out", tmp_path / "out2")
    assert done.exit_code == 0, done.output
    assert pq.read_table(tmp_path / "out2" / "quarantine.parquet").to_pylist() == [
        {"side": "left", "path": str(tables[0]), "record": 3, "rule": "ragged: 4 fields, the header has 3"}
    ]
    files = json.loads((tmp_path / "out2" / "block.json").read_text())["files"]
    assert files[-1] == recorded(tmp_path / "out2", "quarantine.parquet", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "each table has a column of ids"),
        (["--id", "sku"], "'sku' among id, name, price"),
        (["--id", "id", "--top-k", "0"], "at least 1 neighbour"),
        (["--id", "id", "--exclude", "nmae"], "no column 'nmae' in the left table"),
        (["--id", "id", "--blocker", "magic"], "a blocker is one of lexical, minhash, rules, dense, learned"),
        (["--id", "id", "--combine", "sum"], "blockers combine by in-order"),
        (["--id", "id", "--column", "colour"], "'colour' among"),
        (["--id", "id", "--column", "id"], "a record has something to compare by"),
        (["--id", "id", "--engine", "ray"], "an engine is `local` or `spark`"),
        (["--id", "id", "--on-error", "skip"], "go to `quarantine`"),
        (["--id", "id", "--delimiter", "||"], "a delimiter is one character"),
        (["--id", "id", "--delimiter", ""], "a delimiter is one character"),
        (["--id", "id", "--delimiter", "§"], "a delimiter is one character"),
    ],
)
def test_what_cannot_be(tables, tmp_path, arguments, said):
    failed = call(*tables, *arguments, "--out", tmp_path / "out")
    assert failed.exit_code != 0
    assert said in str(failed.exception)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (b"", "t.csv", "'id' among no columns of .*t.csv"),
        (b"id|name\n1|soup\n|tea\n \xc2\xa0|milk\n", "t.csv", "2 of 3 records have none, the first in row 1, 2"),
        (b"id|name\n1|soup\n1|tea\n", "t.csv", "1 id of several records: '1' in rows 0, 1"),
        (b"id|name\n1|caf\xe9\n", "t.csv", "(?s)the first is record 0 of .*t.csv: invalid-utf8.*text is UTF-8"),
        (b'[{"id": 1, "name": "a"}]', "t.json", "(?s)record 0 of .*t.json: not-an-object.*JSON one object a line"),
        (b'{"id": null, "name": "a"}\n', "t.jsonl", "1 of 1 record has none"),
        (b'{"id": 1, "name": ["a"]}\n', "t.jsonl", "column 'name' of type list"),
        (b"not parquet", "t.parquet", "a readable Parquet file"),
        (b"a text", "t.txt", "ending names its format"),
    ],
)
def test_tables_that_cannot_be_blocked(tmp_path, text, name, said):
    (tmp_path / name).write_bytes(text)
    failed = call(tmp_path / name, "--id", "id", "--out", tmp_path / "out")
    assert isinstance(failed.exception, TamisError)
    assert re.search(said, str(failed.exception))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id|name\n1|soup\n", []),
        ("id|name\n1|\n2|\n3|?\n", []),
        ("id|name\n1|soup\n2|soup\n3|soup\n", [("1", "2", 1), ("1", "3", 1), ("2", "3", 2)]),
        ("\ufeffid,name\r\n1,soup\r\n2,soups\r\n", [("1", "2", 1)]),
    ],
)
@pytest.mark.parametrize("blocker", ["lexical", "minhash", "rules"])
def test_tables_of_little(tmp_path, text, expected, blocker):
    (tmp_path / "t.csv").write_bytes(text.encode())
    how = ["--blocker", blocker, *(["--rule", "name[:3]", "--max-block", 9] if blocker == "rules" else [])]
    done = call(tmp_path / "t.csv", "--id", "id", *how, "--top-k", 10**24, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert found(tmp_path / "out") == expected


def test_a_table_beside_itself_is_told_of(tables, tmp_path):
    done = call(tables[0], tables[0], "--id", "id", "--top-k", 1, "--out", tmp_path / "out")
    assert "each record finds itself" in done.output
    assert found(tmp_path / "out") == [("a1", "a1", 1), ("a2", "a2", 1), ("a3", "a3", 1)]
    assert "finds itself" not in call(*tables, "--id", "id", "--out", tmp_path / "two").output


def test_texts_may_be_left_out(tables, tmp_path):
    assert call(*tables, "--id", "id", "--no-text", "--out", tmp_path / "out").exit_code == 0
    assert pq.read_table(tmp_path / "out" / "records.parquet").column_names == ["side", "id"]


@pytest.mark.parametrize("other", ["", "id|title\n"])
def test_tables_without_records(tables, tmp_path, other):
    tables[1].write_text(other)
    done = call(*tables, "--id", "id", "--out", tmp_path / "out")
    if other:
        assert done.exit_code == 0, done.output
        assert found(tmp_path / "out") == []
    else:
        assert done.exit_code != 0


@pytest.mark.parametrize(
    ("combine", "expected"),
    [
        ("in-order", {("a1", "b2", 1), ("a2", "b1", 1), ("a3", "b2", 1)}),
        ("intersection", {("a1", "b2", 1), ("a2", "b1", 1)}),
        ("exclusion", {("a3", "b2", 1)}),
    ],
)
def test_blockers_together(tables, tmp_path, combine, expected):
    several = ["--blocker", "lexical", "--blocker", "rules", "--rule", "words(name) = words(title)"]
    done = call(*tables, "--id", "id", "--top-k", 1, *several, "--combine", combine, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert set(found(tmp_path / "out")) == expected
    assert set(found(tmp_path / "out", "blockers/rules.parquet")) == {("a1", "b2", 1), ("a2", "b1", 1)}
    files = json.loads((tmp_path / "out" / "block.json").read_text())["files"]
    names = ["pairs.parquet", "blockers/lexical.parquet", "blockers/rules.parquet", "records.parquet"]
    assert [line["name"] for line in files] == names
    assert files[2] == recorded(tmp_path / "out", "blockers/rules.parquet", 2)


@pytest.mark.parametrize("blocker", ["lexical", "minhash", "rules"])
def test_an_excluded_pair_takes_no_place(tmp_path, blocker):
    """Of each record the best one is excluded, and so the next one has its place."""
    rows = ["1|red canned tomato soup|x", "2|red canned tomato soup|x", "3|red canned tomato juice|y"]
    (tmp_path / "t.csv").write_text("\n".join(["id|name|shop", *rows]) + "\n")
    how = ["--blocker", blocker, *(["--rule", "words(name)", "--max-block", 100] if blocker == "rules" else [])]
    arguments = [tmp_path / "t.csv", "--id", "id", "--column", "name", "--column", "shop", "--top-k", 1, *how]
    assert call(*arguments, "--out", tmp_path / "all").exit_code == 0
    assert ("1", "2", 1) in found(tmp_path / "all")
    done = call(*arguments, "--exclude", "shop", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert found(tmp_path / "out") == [("1", "3", 1), ("2", "3", 1)]
    assert json.loads((tmp_path / "out" / "block.json").read_text())["blockers"][blocker]["pairs"] == 2


def test_a_run_is_opened_from_anywhere(tables, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("shop.csv", "other.csv", "--id", "id", "--out", "out", "-q").exit_code == 0
    monkeypatch.chdir(tmp_path.parent)
    done = call("cluster", tmp_path / "out", "--threshold", 0.5, "--out", tmp_path / "clusters")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--threshold", "0.5"], "--threshold is for the blocker minhash"),
        (["--bands", "4x8"], "--bands is for the blocker learned"),
        (["--probes", "3", "--blocker", "minhash"], "--probes is for the blocker learned"),
        (["--lexical-columns", "apart", "--blocker", "minhash"], "--lexical-columns is for the blocker lexical"),
        (["--index", "hnsw"], "--index is for the blocker dense"),
        (["--max-block", "9"], "--max-block is for the blocker minhash or rules"),
    ],
)
def test_options_of_blockers_that_are_not_asked_for(tables, tmp_path, arguments, said):
    done = call(*tables, "--id", "id", *arguments, "--out", tmp_path / "out")
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()
