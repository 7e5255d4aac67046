"""Plans by hand: which tables may go, which stay and why."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from found_lake import change_ledger

from tamis.hashing.errors import ArtefactError
from tamis.pipeline.lake.costs import Costs, TableCosts, commented, make_costs
from tamis.pipeline.lake.found import read_found
from tamis.pipeline.lake.journal import Entry
from tamis.pipeline.lake.outputs import TABLES
from tamis.pipeline.lake.plan import make_plan, plan_text, read_plan
from tamis.pipeline.lake.rebuildable import edges

GB = 10**9
FLAT = {"seconds_per_gb": 0.5, "accesses_per_month": 0.5}


def leave(folder, tables, pairs, options=None, lakes=("lake",)):
    """Write the folder of a scan: tables by name with what is not as usual, pairs (parent, child[, status])."""
    folder.mkdir(parents=True, exist_ok=True)
    usual = {"kind": "files", "format": "parquet", "state": "compared", "bytes": GB, "columns": ["a"], "rows": 5}
    usual |= {
        "paths": ["/lake/x"],
        "sizes": [GB],
        "fingerprint": "f",
        "snapshot": "",
        "unread_rows": 0,
        "contents": "c",
    }
    groups = {name: number for number, name in enumerate(tables)}
    rows = [usual | {"table": name, "group": groups[name]} | more for name, more in tables.items()]
    pq.write_table(pa.Table.from_pylist(rows, schema=TABLES), folder / "tables.parquet")
    schema = pa.schema([(name, pa.string()) for name in ("parent", "child", "status", "columns")])
    found = [dict(zip(schema.names, (*pair, *("verified", None)[len(pair) - 2 :]), strict=True)) for pair in pairs]
    pq.write_table(pa.Table.from_pylist(found, schema=schema), folder / "containment.parquet")
    report = {"format": "tamis-lake", "format_version": 1, "lakes": list(lakes), "options": options or {}}
    (folder / "lake.json").write_text(json.dumps(report))
    (folder / "_SUCCESS").touch()
    return read_found(folder)


def went(plan):
    return {one["table"]: one["parent"] for one in plan["deletions"]}


COPIES = {name: {"group": 0} for name in ("x/deep/a", "x/b", "x/c")}


@pytest.mark.parametrize(
    ("tables", "stays", "by"),
    [
        ({}, "x/b", {"x/c": "name", "x/deep/a": "shallow"}),
        ({"x/c": {"owner": "ann"}}, "x/c", {"x/b": "owner", "x/deep/a": "owner"}),
        ({"*": {"owner": "a"}, "x/deep/*": {"dependants": 2}}, "x/deep/a", {"x/b": "dependants", "x/c": "dependants"}),
        ({"x/deep/a": {"last_read": "2026-01-02"}}, "x/deep/a", {"x/b": "last-read", "x/c": "last-read"}),
        ({"x/c": {"pinned": True}, "x/b": {"owner": "ann"}}, "x/c", {"x/b": "pinned", "x/deep/a": "pinned"}),
    ],
)  # fmt: skip
def test_the_policy_says_which_copy_stays(tmp_path, tables, stays, by):
    found = leave(tmp_path, COPIES, [])
    plan = make_plan(found, make_costs({"tables": tables}))
    assert went(plan) == dict.fromkeys(by, stays)
    assert {one["table"]: one["stays_by"] for one in plan["deletions"]} == by
    assert {one["why"] for one in plan["deletions"]} == {"equal copy"}
    assert plan["pinned"] == [{"table": stays, "children": 2}]


def test_amounts_by_hand(tmp_path):
    found = leave(tmp_path, {"all": {"bytes": 4 * GB}, "some": {"bytes": 2 * GB}}, [("all", "some")])
    costs = Costs(
        storage_per_gb_month=0.1, scans_per_month=0, read_per_gb=0.01, write_per_gb=0.02,
        seconds_per_gb=3, accesses_per_month=2, horizon_months=10,
    )  # fmt: skip
    plan = make_plan(found, costs)
    assert plan["deletions"] == [
        {
            "table": "some", "parent": "all", "why": "inside", "stays_by": None, "apply": "files", "hint": None,
            "bytes": 2 * GB, "rows": 5, "columns": ["a"], "contents": "c",
            "saves": pytest.approx(10 * 0.1 * 2 - 10 * 2 * (4 * 0.01 + 2 * 0.02)), "rebuild_s": 18.0, "loses": [],
        }
    ]  # fmt: skip
    assert plan["totals"] == {
        "tables": 2, "bytes": 6 * GB, "deletions": 1, "bytes_saved": 2 * GB, "cost_before": pytest.approx(6.0),
        "cost_after": pytest.approx(4 + 1.6), "cost_bound": pytest.approx(5.6), "gap": 0.0,
        "solved": {"tree": {"parts": 1, "tables": 2}},
    }  # fmt: skip
    assert plan["edges"] == {"count": 1, "which": "all"}
    assert make_plan(found, costs.model_copy(update={"latency_limit_s": 17}))["deletions"] == []


def test_a_table_is_rebuilt_from_what_a_chain_of_pairs_leads_to(tmp_path):
    chain = {"a": {}, "b": {"bytes": GB // 2}, "c": {"bytes": GB // 4}}
    found = leave(tmp_path, chain, [("a", "b"), ("b", "c")])
    costs = Costs(**FLAT)
    assert went(make_plan(found, costs)) == {"b": "a", "c": "a"}
    assert went(make_plan(found, costs, all_up_to=0)) == {"b": "a", "c": "a"}
    assert make_plan(found, costs, all_up_to=0)["edges"] == {
        "count": 3,
        "which": "direct, equal copies and roots",
    }


@pytest.mark.parametrize("closure", [False, True])
def test_edges_are_those_of_all_pairs(closure):
    groups = [[0], [1, 4], [2], [3, 5]]
    direct = {(1, 0), (2, 1), (3, 0)}
    found, kind = edges(groups, direct | {(2, 0)} if closure else direct, lambda members: members[:1])
    assert kind == "all"
    assert found.tolist() == sorted(
        [[0, 1], [0, 4], [0, 2], [0, 3], [0, 5], [1, 2], [4, 2], [1, 4], [4, 1], [3, 5], [5, 3]]
    )
    few, kind = edges(groups, direct, lambda members: members[:1], all_up_to=10)
    assert kind == "direct, equal copies and roots"
    assert few.tolist() == sorted([[0, 1], [0, 4], [0, 2], [0, 3], [0, 5], [1, 2], [1, 4], [3, 5]])


def test_a_circle_of_groups_is_no_containment():
    with pytest.raises(ArtefactError, match="in a circle"):
        edges([[0], [1]], {(0, 1), (1, 0)}, lambda members: members)


INSIDE = [("all", "some")]


@pytest.mark.parametrize(
    ("some", "options", "why"),
    [
        ({"columns": ["a", "seen"]}, {"ignore": ["seen"]}, "column seen"),
        ({}, {"trim": True}, "white space around texts"),
        ({"format": "csv"}, {"typed_csv": True}, "how values are written"),
    ],
)
def test_tables_that_would_lose_something_stay_unless_that_is_allowed(tmp_path, some, options, why):
    found = leave(tmp_path, {"all": {}, "some": some}, INSIDE, options)
    plan = make_plan(found, Costs())
    assert plan["deletions"] == []
    said = f"a rebuild would not give back: {why} (--allow-loss plans it nevertheless)"
    assert plan["not_planned"] == [{"table": "some", "why": said}]
    allowed = make_plan(found, Costs(), allow_loss=True)
    assert [(one["table"], one["loses"]) for one in allowed["deletions"]] == [("some", [why])]
    assert allowed["not_planned"] == []


def test_options_that_lose_nothing(tmp_path):
    found = leave(tmp_path, {"all": {}, "some": {}}, INSIDE, {"ignore": ["seen"], "typed_csv": True, "bags": True})
    assert went(make_plan(found, Costs())) == {"some": "all"}


@pytest.mark.parametrize(
    ("some", "why"),
    [
        ({"unread_rows": 3}, "3 of its records could not be read"),
        ({"state": "linked", "why": "a link to all"}, "a link to all"),
        ({"state": "empty"}, "it has no rows: there is nothing to save"),
        ({"format": "arrow"}, "tables of the format arrow are not written again"),
    ],
)
def test_tables_that_are_never_planned(tmp_path, some, why):
    found = leave(tmp_path, {"all": {}, "some": some}, INSIDE)
    plan = make_plan(found, Costs(), allow_loss=True)
    assert plan["deletions"] == []
    assert plan["not_planned"] == [{"table": "some", "why": why}]


def test_tables_whose_parents_call_columns_otherwise_are_not_planned(tmp_path):
    pairs = [("all", "some", "verified", '{"a": "b"}'), ("all", "both", "verified", '{"a": "b"}'), ("more", "both")]
    found = leave(tmp_path, {"all": {}, "more": {}, "some": {}, "both": {}}, pairs)
    plan = make_plan(found, Costs())
    assert went(plan) == {"both": "more"}
    why = "it lies inside tables whose columns are called otherwise: rename them, and scan again"
    assert plan["not_planned"] == [{"table": "some", "why": why}]


def test_what_is_not_verified_is_not_planned(tmp_path):
    pairs = [("all", "some", "not_refuted"), ("all", "wrong", "refuted")]
    pairs += [("all", "unread", "not_refuted")]
    found = leave(tmp_path, {"all": {}, "some": {}, "unread": {"unread_rows": 2}, "wrong": {}}, pairs)
    plan = make_plan(found, Costs())
    assert plan["deletions"] == []
    assert {one["table"]: one["why"] for one in plan["not_planned"]} == {
        "some": "not all its rows were looked for: only a sample was",
        "unread": "2 of its records could not be read",
    }


@pytest.mark.parametrize(
    ("every", "some", "options", "hint"),
    [
        ({}, {"kind": "delta"}, {}, "Drop the Delta table"),
        ({}, {"kind": "iceberg"}, {}, "Drop the Iceberg table"),
        ({"kind": "delta"}, {}, {}, "Its parent is a Delta table"),
        ({}, {"paths": ["memory://x"]}, {}, "in a store"),
        ({"format": "csv"}, {}, {"typed_csv": True}, "Values of delimited files were compared by types"),
    ],
)
def test_what_is_done_by_hand(tmp_path, every, some, options, hint):
    found = leave(tmp_path, {"all": every, "some": some}, INSIDE, options)
    deletion = make_plan(found, Costs())["deletions"][0]
    assert deletion["table"] == "some"
    assert deletion["apply"] == "by hand"
    assert hint in deletion["hint"]


def test_what_is_gone_is_no_table_and_its_parent_stays(tmp_path):
    found = leave(tmp_path, {"all": {}, "more": {}, "some": {}}, [("all", "more"), ("more", "some")])
    done = [Entry("moved", 1, "some", "more", "/lake/some", "/q/1/some")]
    plan = make_plan(found, Costs(), done=done)
    assert plan["deletions"] == []
    assert plan["totals"]["tables"] == 2
    assert plan["pinned"] == [{"table": "more", "children": 1}]
    assert plan["applied"] == [{"table": "some", "parent": "more"}]
    assert went(make_plan(found, Costs())) == {"more": "all", "some": "all"}


def test_a_plan_is_the_same_every_time_and_knows_its_scan(tmp_path):
    found = leave(tmp_path, {"all": {}, "some": {}}, INSIDE)
    text = plan_text(make_plan(found, Costs()))
    assert text == plan_text(make_plan(read_found(tmp_path), Costs()))
    path = tmp_path / "plan.json"
    path.write_text(text)
    assert read_plan(path, found) == json.loads(text)
    change_ledger(tmp_path, lambda row: {"bytes": 7} if row["table"] == "some" else None)
    with pytest.raises(ArtefactError, match="made from the scan"):
        read_plan(path, read_found(tmp_path))
    path.write_text(text.replace('"version": 1', '"version": 2', 1))
    with pytest.raises(ArtefactError, match="version 1"):
        read_plan(path, found)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "_SUCCESS").unlink(), "finished left _SUCCESS"),
        (lambda folder: (folder / "lake.json").unlink(), "has lake.json"),
        (lambda folder: (folder / "lake.json").write_text("[]"), "format is tamis-lake"),
        (lambda folder: change_report(folder, format_version=2), "of version 1; found 2"),
        (lambda folder: change_report(folder, lakes=None), "has `lakes`"),
        (lambda folder: (folder / "tables.parquet").unlink(), "left tables.parquet"),
        (lambda folder: (folder / "tables.parquet").write_bytes(b"PAR1"), "left tables.parquet"),
        (lambda folder: leave(folder, {"all": {}}, [("all", "other")]), "are in tables.parquet; found other"),
    ],
)
def test_folders_that_are_none_of_a_scan(tmp_path, spoil, message):
    with pytest.raises(ArtefactError, match=message):
        read_spoiled(tmp_path, spoil)


def read_spoiled(folder, spoil):
    leave(folder, {"all": {}}, [])
    spoil(folder)
    return read_found(folder)


def change_report(folder, **changes):
    report = json.loads((folder / "lake.json").read_text()) | changes
    (folder / "lake.json").write_text(json.dumps({key: value for key, value in report.items() if value is not None}))


def test_the_cost_file_to_start_from_is_that_of_the_defaults(tmp_path):
    assert make_costs(yaml.safe_load(commented())) == Costs()
    assert all(f"{name}:" in commented() for name in (*Costs.model_fields, *TableCosts.model_fields))
