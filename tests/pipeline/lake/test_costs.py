"""Costs by hand, and which of equal tables stays."""

import datetime

import numpy as np
import pytest
from planted_lake import write_lake

from tamis.hashing.errors import ConfigError
from tamis.pipeline.lake.costs import GB, Costs, TableCosts, costs_schema, load_costs, make_costs, ranked
from tamis.pipeline.lake.costs import retention_problem as problem_of
from tamis.pipeline.lake.retention import check, solve


def edges(*pairs):
    parent, child = zip(*pairs, strict=True)
    return {"parent": np.array(parent, np.int64), "child": np.array(child, np.int64)}


def stays(names, **settings):
    """The copy that stays, of equal ones."""
    rank = ranked(make_costs(settings), names)
    return names[int(np.argmin(rank))]


def test_costs_by_hand():
    costs = Costs(
        storage_per_gb_month=2, scans_per_month=3, scan_per_gb=0.5, read_per_gb=0.1, write_per_gb=0.2,
        seconds_per_gb=4, accesses_per_month=5, horizon_months=10, latency_limit_s=100,
        tables={"b": TableCosts(accesses=1, latency_limit_s=0, pinned=True)},
    )  # fmt: skip
    problem = problem_of(costs, ["a", "b", "c"], [3 * GB, 2 * GB, GB // 2], **edges((0, 1), (0, 2), (1, 2)))
    assert problem.retain == pytest.approx([10 * 3.5 * 3, 10 * 3.5 * 2, 10 * 3.5 * 0.5])
    assert problem.rebuild == pytest.approx([10 * 1 * 0.7, 10 * 5 * 0.4, 10 * 5 * 0.3])
    assert problem.latency == pytest.approx([20, 14, 10])
    assert problem.limit.tolist() == [100, 0, 100]
    assert problem.must.tolist() == [False, True, False]


def test_defaults_are_a_whole_file():
    assert make_costs({}) == Costs() == make_costs(Costs().model_dump(mode="json"))
    problem = problem_of(Costs(), ["a", "b"], [GB, GB], **edges((0, 1)))
    assert problem.retain == pytest.approx([12 * 0.028] * 2)
    assert problem.rebuild == pytest.approx([12 * 0.01])
    assert problem.limit.tolist() == [np.inf, np.inf]
    assert solve(problem).kept.tolist() == [True, False]


def test_a_table_that_is_read_often_stays():
    costs = Costs(tables={"b": TableCosts(accesses=3)})
    assert solve(problem_of(costs, ["a", "b"], [GB, GB], **edges((0, 1)))).kept.all()


def test_no_tables():
    none = np.empty(0, np.int64)
    problem = problem_of(Costs(), [], [], parent=none, child=none, group=none)
    assert len(problem.retain) == 0


def test_later_globs_override_what_they_say():
    costs = make_costs(
        {
            "tables": {
                "*": {"accesses": 2, "owner": "ann"},
                "raw/*": {"accesses": 0, "pinned": True},
                "raw/b*": {"pinned": False},
            }
        }
    )
    assert costs.of("x") == TableCosts(accesses=2, owner="ann")
    assert costs.of("raw/deep/a") == TableCosts(accesses=0, owner="ann", pinned=True)
    assert costs.of("raw/b") == TableCosts(accesses=0, owner="ann", pinned=False)
    assert costs.unmatched(["x", "y"]) == ["raw/*", "raw/b*"]


def test_the_policy_in_its_order():
    names = ["a/b/old", "a/read", "deep/er/used", "owned", "z"]
    tables = {
        "owned": {"owner": "ann"},
        "a/read": {"last_read": "2026-02-03"},
        "a/b/old": {"last_read": "2025-02-03", "dependants": 9},
        "deep/er/used": {"dependants": 3, "accesses": 7},
    }
    assert stays(names, tables=tables) == "owned"
    assert ranked(make_costs({"tables": tables}), names).tolist() == [2, 1, 3, 0, 4]
    assert stays(names, tables=tables, keep=["last-read"]) == "a/read"
    assert stays(names, tables=tables, keep=["dependants"]) == "a/b/old"
    assert stays(names, tables=tables, keep=["accesses"]) == "deep/er/used"
    assert stays(names, tables=tables, keep=["shallow"]) == "owned"
    assert stays(names, tables=tables, keep=[]) == "a/b/old"
    assert stays(names, tables={**tables, "z": {"pinned": True}}) == "z"


def test_the_policy_does_not_depend_on_the_order_of_tables():
    names = [f"{folder}/{name}" for folder in ("a", "b/c") for name in "zyx"]
    best = {stays(list(order)) for order in (names, names[::-1], names[3:] + names[:3])}
    assert best == {"a/x"}


def test_equal_tables_are_rebuilt_from_the_preferred_one():
    costs = Costs(tables={"b": TableCosts(owner="ann")})
    both_ways = edges((0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1))
    problem = problem_of(costs, ["a", "b", "c"], [GB, GB, GB], **both_ways, group=np.zeros(3, np.int64))
    assert solve(problem).parent.tolist() == [1, -1, 1]


def test_a_plan_for_a_lake(tmp_path):
    truth = write_lake(tmp_path, seed=3, tables=60)
    names = sorted(truth.tables)
    number = {name: place for place, name in enumerate(names)}
    pairs = sorted(pair for pair in truth.as_bags if not {*pair} & truth.empty)
    group = np.arange(len(names))
    for copies in truth.equal_bags:
        group[[number[name] for name in copies]] = number[copies[0]]
    costs = Costs(accesses_per_month=0.5, tables={"*-copy-parts": TableCosts(owner="ann")})
    sizes = [sum(path.stat().st_size for path in tmp_path.glob(f"{name}*") if path.is_file()) or 9000 for name in names]
    problem = problem_of(costs, names, sizes, **edges(*((number[p], number[c]) for p, c in pairs)), group=group)
    plan = solve(problem)
    assert check(problem, plan) == []
    deleted = {names[place]: names[plan.parent[place]] for place in np.flatnonzero(~plan.kept)}
    assert len(deleted) > 10
    assert {(parent, child) for child, parent in deleted.items()} <= truth.as_bags
    assert not deleted.keys() & {"000-copy-parts", "000-cell.parquet", "000-disjoint.parquet", "000-zone.parquet"}
    assert {"000-root.parquet", "000-copy.parquet", "000-copy-rows.parquet"} <= deleted.keys()


def test_a_file(tmp_path):
    path = tmp_path / "costs.yaml"
    path.write_text(
        "horizon_months: 6\ntables:\n  'a*': {last_read: 2026-01-02 03:04:05, owner: ann}\n", encoding="utf-8"
    )
    costs = load_costs(str(path))
    assert costs.horizon_months == 6
    assert costs.of("abc").last_read == datetime.date(2026, 1, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"storage_per_gb": 1}, "Did you mean 'storage_per_gb_month'?"),
        ({"tables": {"a": {"ownr": "ann"}}}, "Did you mean 'owner'?"),
        ({"zzz": 1}, "It has version"),
        ({"scan_per_gb": -1}, "`scan_per_gb`"),
        ({"horizon_months": 0}, "`horizon_months`"),
        ({"read_per_gb": float("nan")}, "`read_per_gb`"),
        ({"keep": ["newest"]}, "`keep.0`"),
        ({"version": 2}, "`version`"),
    ],
)
def test_files_that_are_none(settings, message):
    with pytest.raises(ConfigError) as caught:
        make_costs(settings)
    assert message in str(caught.value)


@pytest.mark.parametrize("model", [Costs, TableCosts])
def test_every_setting_has_a_meaning(model):
    assert [name for name, field in model.model_fields.items() if not field.description] == []
    assert costs_schema()["title"] == "Costs"
