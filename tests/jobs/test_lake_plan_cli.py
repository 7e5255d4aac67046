"""``tamis lake plan``, ``apply``, ``restore`` and ``costs`` as a person uses them."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from found_lake import scan_lake
from typer.testing import CliRunner

from tamis import __version__
from tamis.connectors.moved import digests
from tamis.jobs.cli import app
from tamis.pipeline.lake.costs import Costs, make_costs


@pytest.fixture
def lake(tmp_path):
    folder = tmp_path / "lake"
    (folder / "sales").mkdir(parents=True)
    rows = pa.table({"id": list(range(1000)), "city": [f"c{i % 7}" for i in range(1000)]})
    pq.write_table(rows, folder / "orders.parquet")
    pq.write_table(rows.take(pa.array(range(999, -1, -1))), folder / "sales" / "copy.parquet")
    pq.write_table(rows.slice(0, 990), folder / "some.parquet")
    (folder / "ids.csv").write_text("id\n1\n2\n")
    pq.write_table(pa.table({"other": [1]}), folder / "alone.parquet")
    scan_lake(folder, tmp_path / "found")
    return folder


def call(*arguments):
    return CliRunner().invoke(app, ["lake", *map(str, arguments)])


def lines(done):
    assert done.exit_code == 0, done.output
    return [line.rstrip() for line in done.output.splitlines()]


def test_a_lake_is_made_smaller_and_whole_again(lake, tmp_path):
    found = tmp_path / "found"
    before = digests(lake)
    sizes = {name: (lake / name).stat().st_size for name in before}
    said = lines(call("plan", found))
    assert said[0] == "What the plan saves"
    text = "\n".join(said)
    assert "of these may go" in text
    assert "(gap 0.00%)" in text
    copy = f"may go: sales/copy.parquet ({sizes['sales/copy.parquet']:,} bytes), a copy of orders.parquet"
    assert f"{copy}, which stays: it is in fewer folders" in text
    assert f"may go: some.parquet ({sizes['some.parquet']:,} bytes), from orders.parquet" in text
    plan = json.loads((found / "plan.json").read_text())
    assert [one["table"] for one in plan["deletions"]] == ["sales/copy.parquet", "some.parquet"]

    moved = sum(sizes[one["table"]] for one in plan["deletions"])
    said = lines(call("apply", found, "--dry-run"))
    assert said[-1] == f"2 tables, {moved:,} bytes."
    assert said[0].startswith("would move: sales/copy.parquet")
    assert digests(lake) == before
    assert not (found / "journal.jsonl").exists()

    said = lines(call("apply", found))
    assert said[1] == f"moved: some.parquet ({sizes['some.parquet']:,} bytes) to {found}/quarantine/2/some.parquet"
    assert json.loads((found / "recipes" / "1.json").read_text())["created_by"] == __version__
    assert digests(lake).keys() == before.keys() - {"sales/copy.parquet", "some.parquet"}
    assert lines(call("plan", found))[-1].endswith("--dry-run` says what would be moved.")
    assert json.loads((found / "plan.json").read_text())["pinned"] == [{"table": "orders.parquet", "children": 2}]

    said = lines(call("restore", found, "some.parquet", "--rebuild"))
    assert said[0].startswith(f"rebuilt: some.parquet ({sizes['some.parquet']:,} bytes) at {lake}/some.parquet")
    assert pq.read_table(lake / "some.parquet") == pq.read_table(lake / "orders.parquet").slice(0, 990)
    assert lines(call("restore", found))[0].startswith("brought back: sales/copy.parquet")
    assert digests(lake).keys() == before.keys()
    assert lines(call("restore", found)) == ["0 tables, 0 bytes."]


def test_a_scan_leaves_what_these_commands_left(lake, tmp_path):
    found = tmp_path / "found"
    lines(call("plan", found))
    lines(call("apply", found, "-q"))
    journal = (found / "journal.jsonl").read_bytes()
    (found / "tables.parquet").unlink()
    lines(call("scan", lake, "--out", found, "-q"))
    assert (found / "journal.jsonl").read_bytes() == journal
    assert len(list((found / "quarantine").iterdir())) == 2
    assert lines(call("restore", found, "-q")) == []


def test_costs_decide(lake, tmp_path):
    costs = tmp_path / "costs.yaml"
    costs.write_text("tables:\n  sales/*: {owner: ann}\n  none*: {owner: bob}\n")
    said = "\n".join(lines(call("plan", tmp_path / "found", "--costs", costs, "--out", tmp_path / "other.json")))
    assert "a copy of sales/copy.parquet, which stays: it has an owner" in said
    assert "no table is called none*, of the cost file" in said
    plan = json.loads((tmp_path / "other.json").read_text())
    assert plan["costs"]["tables"] == {"sales/*": {"owner": "ann"}, "none*": {"owner": "bob"}}
    assert not (tmp_path / "found" / "plan.json").exists()
    costs.write_text("accesses_per_month: 100\n")
    lines(call("plan", tmp_path / "found", "--costs", costs, "-q"))
    assert json.loads((tmp_path / "found" / "plan.json").read_text())["deletions"] == []


def test_a_cost_file_to_start_from(tmp_path):
    printed = call("costs").output
    assert make_costs(yaml.safe_load(printed)) == Costs()
    assert "storage_per_gb_month: 0.023" in printed.splitlines()


def test_what_was_refused_ends_with_a_code(lake, tmp_path):
    found = tmp_path / "found"
    lines(call("plan", found, "-q"))
    (lake / "sales" / "copy.parquet").rename(lake / "sales" / "kept")
    (lake / "sales" / "copy.parquet").hardlink_to(lake / "sales" / "kept")
    done = call("apply", found, "--quarantine", tmp_path / "away", "-q")
    assert done.exit_code == 3
    assert done.output.startswith("refused: sales/copy.parquet: files that are moved have no second name")
    assert (tmp_path / "away" / "1" / "some.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "nowhere"], "the folder of a scan has lake.json"),
        (["apply", "found"], "a plan can be read"),
        (["restore", "found", "orders.parquet"], "a table that is brought back was moved away"),
        (["plan", "found", "--costs", "none.yaml"], "cost file"),
    ],
)
def test_what_makes_no_sense_is_refused(lake, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in str(call(*arguments).exception)
