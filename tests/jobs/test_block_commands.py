"""``tamis block evaluate`` and ``cluster`` as a person uses them."""

import json

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tamis.jobs.cli import app

SHOP = (
    "id|name|price\na1|Sony KDL-40 television|400\na2|Apple iPod nano 8 GB|99\na3|canned soup|2\na4|canned soup red|3\n"
)
OTHER = (
    "id|name|price\nb1|iPod nano 8GB by Apple|99\nb2|Sony television KDL-40|400\nb3|garden chair|20\nb4|soup red|1\n"
)
KNOWN = "left_id,right_id,label\na1,b2,1\na2,b1,1\na3,b3,1\na4,b3,0\n"


def call(*arguments):
    return CliRunner().invoke(app, ["block", *map(str, arguments)])


@pytest.fixture
def blocked(tmp_path):
    for name, text in (("shop.csv", SHOP), ("other.csv", OTHER), ("known.csv", KNOWN)):
        (tmp_path / name).write_text(text)
    tables = tmp_path / "shop.csv", tmp_path / "other.csv"
    assert call(*tables, "--id", "id", "--top-k", 1, "--out", tmp_path / "one", "-q").exit_code == 0
    several = ["--blocker", "lexical", "--blocker", "rules", "--rule", "words(name)", "--max-block", 100]
    done = call(*tables, "--id", "id", *several, "--top-k", 2, "--out", tmp_path / "both", "-q")
    assert done.exit_code == 0, done.output
    return tmp_path


def report(folder):
    return json.loads((folder / "blocking.json").read_text())


def test_known_matches(blocked):
    known = blocked / "known.csv"
    done = call("evaluate", blocked / "one", blocked / "both", "--matches", known, "--out", blocked / "measured")
    assert done.exit_code == 0, done.output
    found = {one["name"]: one for one in report(blocked / "measured")["blockers"]}
    assert list(found) == ["one: lexical", "both: lexical", "both: rules", "both: fusion"]
    lexical = found["one: lexical"]
    assert (lexical["pairs"], lexical["against"]["found"], lexical["against"]["missed"]) == (4, 2, 1)
    assert lexical["against"]["pc"] == 2 / 3
    assert lexical["against"]["pq"] == 0.5
    assert lexical["blocks"] is None
    assert found["both: rules"]["blocks"]["count"] > 3
    page = (blocked / "measured" / "blocking.html").read_text()
    assert "garden chair" in page
    assert "66.67 %" in done.output


def test_without_texts(blocked):
    known = blocked / "known.csv"
    assert call("evaluate", blocked / "one", "--matches", known, "--no-text", "--out", blocked / "m").exit_code == 0
    assert "garden chair" not in (blocked / "m" / "blocking.html").read_text()


def test_planted_copies(blocked):
    done = call("evaluate", blocked / "both", "--plant", 3, "--seed", 5, "--out", blocked / "measured")
    assert done.exit_code == 0, done.output
    blockers = report(blocked / "measured")["blockers"]
    assert [one["name"] for one in blockers] == ["lexical", "rules", "fusion"]
    for one in blockers:
        every = one["planted"][0]
        assert (every["kind"], every["copies"], one["against"]) == ("all", 3, None)
    again = call("evaluate", blocked / "both", "--plant", 3, "--seed", 5, "--out", blocked / "again")
    assert again.exit_code == 0
    assert report(blocked / "again") == report(blocked / "measured")


def test_runs_of_other_tables_are_not_measured_together(blocked):
    (blocked / "third.csv").write_text(SHOP.replace("a1", "z1"))
    done = call(blocked / "third.csv", blocked / "other.csv", "--id", "id", "--out", blocked / "third", "-q")
    assert done.exit_code == 0
    failed = call("evaluate", blocked / "one", blocked / "third", "--out", blocked / "m")
    assert "are of the same tables" in str(failed.exception)


@pytest.mark.parametrize("command", [["evaluate"], ["cluster", "--threshold", "0.5"]])
def test_tables_that_have_changed_are_refused(blocked, command):
    (blocked / "shop.csv").write_text(SHOP + "a5|new|1\n")
    failed = call(command[0], blocked / "one", *command[1:], "--out", blocked / "m")
    assert "are those of the blocking run" in str(failed.exception)
    failed = call(command[0], blocked / "nowhere", *command[1:], "--out", blocked / "m")
    assert "finished blocking run" in str(failed.exception)


def test_clusters(blocked):
    done = call("cluster", blocked / "one", "--threshold", 0.4, "--rule", "one-to-one", "--out", blocked / "c")
    assert done.exit_code == 0, done.output
    decisions = pq.read_table(blocked / "c" / "decisions.parquet").to_pylist()
    assert {(row["keeper_id"], row["id"]) for row in decisions} == {("a1", "b2"), ("a2", "b1"), ("a4", "b4")}
    assert all(row["blocker"] == "lexical" and row["similarity"] >= 0.4 for row in decisions)
    assert "4 of 4 pairs are matches: 5 clusters" in done.output


def test_the_record_with_the_highest_value_stays(blocked):
    one = ["--threshold", 0.4, "--rule", "greedy", "--keep", "price"]
    assert call("cluster", blocked / "one", *one, "--out", blocked / "c").exit_code == 0
    decisions = pq.read_table(blocked / "c" / "decisions.parquet").to_pylist()
    assert ("a4", "b4") in {(row["keeper_id"], row["id"]) for row in decisions}  # 3 is more than 1
    failed = call("cluster", blocked / "one", "--threshold", 0.4, "--keep", "colour", "--out", blocked / "d")
    assert "'colour' among" in str(failed.exception)


def test_ids_go_on(blocked):
    assert call("cluster", blocked / "one", "--threshold", 0.99, "--out", blocked / "first", "-q").exit_code == 0
    done = call("cluster", blocked / "one", "--threshold", 0.4, "--previous", blocked / "first", "--out", blocked / "c")
    assert done.exit_code == 0, done.output
    aliases = pq.read_table(blocked / "c" / "aliases.parquet").to_pylist()
    assert {"alias": "right:b1", "cluster_id": "left:a2", "run": 2} in aliases
