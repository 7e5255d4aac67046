"""Ids over runs, against plain Python: a run is a list of clusters, each a set of records, and the order of records."""

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import InputError
from tamis.pipeline.blocking.clusters import Clustering
from tamis.pipeline.blocking.ranked_records import ranked_records
from tamis.pipeline.blocking.stable_ids import ALIASES, CLUSTERS, SPLITS, stable_clusters

NAMES = ["a", "b", "c", "d", "e", "f", "a@2", "a@3"]


def clustering(groups, order, right=None, known=None):
    """Return clusters of records; ``groups`` maps names to anything that tells clusters apart."""
    records = ranked_records(pa.array(order, pa.string()), right, known=known)
    first, keeper = {}, np.empty(len(records), np.int64)
    for row, name in enumerate(records.names.to_pylist()):
        keeper[row] = first.setdefault(groups[name], row)
    nothing = np.full(len(records), -1, np.int64)
    return Clustering(records, keeper, nothing, nothing)


def run_all(runs):
    """Return what ``stable_clusters`` gave in each run of [(groups, order)]."""
    found, results = None, []
    for groups, order in runs:
        known = None if found is None else found.names
        found = stable_clusters(clustering(groups, order, known=known), found)
        results.append(found)
    return results


def members(found):
    some = {}
    for row in found.clusters.to_pylist():
        some.setdefault(row["cluster_id"], []).append(row["id"])
    return some


class Oracle:
    """The rules of ``stable_ids`` in plain Python."""

    def __init__(self):
        self.run, self.places, self.of = 0, {}, {}
        self.born, self.first, self.aliases, self.splits = {}, {}, {}, []

    def step(self, groups, order):
        self.run += 1
        before = self.places
        following = max(before.values(), default=-1) + 1
        new = {name: following + i for i, name in enumerate(name for name in order if name not in before)}
        places = {name: before.get(name, new.get(name)) for name in order}
        clusters = {}
        for name in sorted(order, key=places.__getitem__):
            clusters.setdefault(groups[name], []).append(name)
        became = {}
        for name in sorted((name for name in order if name in before), key=places.__getitem__):
            became.setdefault(self.of[name], groups[name])
        oldest = sorted(became, key=lambda old: (self.born[old], self.first[old]))
        ids = {}
        for old in oldest:
            ids.setdefault(became[old], old)
        ever = {*self.born, *self.aliases}
        fresh = [group for group in clusters if group not in ids]
        taken = ever | {clusters[group][0] for group in fresh}
        for group in fresh:
            name = clusters[group][0]
            while name in ever or (name != clusters[group][0] and name in taken):
                name += f"@{self.run}"
            taken.add(name)
            ids[group] = name
        led = {old: ids.get(became.get(old)) for old in self.born}
        self.aliases = {alias: (led.get(now), run) for alias, (now, run) in self.aliases.items()}
        self.aliases |= {old: (now, self.run) for old, now in led.items() if old != now}
        parted = {(self.of[n], ids[groups[n]]) for n in order if n in before and led[self.of[n]] != ids[groups[n]]}
        self.splits += [(new, old, self.run) for old, new in sorted(parted)]
        self.born = {ids[group]: self.born.get(ids[group], self.run) for group in clusters}
        self.first = {ids[group]: places[clusters[group][0]] for group in clusters}
        self.of = {name: ids[groups[name]] for name in order}
        self.places = places

    def check(self, found):
        rows = found.clusters.to_pylist()
        assert {row["id"]: (row["cluster_id"], row["born"], row["place"]) for row in rows} == {
            name: (self.of[name], self.born[self.of[name]], place) for name, place in self.places.items()
        }
        assert found.aliases.to_pylist() == [
            {"alias": alias, "cluster_id": now, "run": run} for alias, (now, run) in sorted(self.aliases.items())
        ]
        assert [tuple(row.values()) for row in found.splits.to_pylist()] == self.splits


RUN = st.tuples(st.permutations(NAMES), st.integers(0, len(NAMES)), st.lists(st.integers(0, 3), min_size=8, max_size=8))
RUNS = st.lists(RUN.map(lambda x: (dict(zip(NAMES, x[2], strict=True)), x[0][: x[1]])), min_size=1, max_size=6)


@settings(max_examples=120, derandomize=True, deadline=None)
@given(RUNS)
def test_ids_are_those_of_the_rules(runs):
    oracle = Oracle()
    for (groups, order), found in zip(runs, run_all(runs), strict=True):
        oracle.step(groups, order)
        oracle.check(found)


def test_many_records_over_many_runs():
    rng, names = np.random.Generator(np.random.PCG64(9)), [f"r{i}" for i in range(150)]
    runs = []
    for _ in range(8):
        order = rng.permutation(names)[: int(rng.integers(50, 150))].tolist()
        runs.append((dict(zip(names, rng.integers(0, 60, len(names)).tolist(), strict=True)), order))
    oracle = Oracle()
    for (groups, order), found in zip(runs, run_all(runs), strict=True):
        oracle.step(groups, order)
        oracle.check(found)
    assert len(oracle.aliases) > 100
    assert len(oracle.splits) > 50
    assert sum("@" in name for name in oracle.born) > 5


@settings(max_examples=80, derandomize=True, deadline=None)
@given(RUNS)
def test_what_holds_of_all_runs(runs):
    names_before, ever = set(), set()
    for (groups, order), found in zip(runs, run_all(runs), strict=True):
        assert (found.clusters.schema, found.aliases.schema, found.splits.schema) == (CLUSTERS, ALIASES, SPLITS)
        assert sorted(found.clusters["id"].to_pylist()) == sorted(order)  # each record once
        assert {frozenset(some) for some in members(found).values()} == {
            frozenset(name for name in order if groups[name] == group) for group in {groups[name] for name in order}
        }
        now, aliases = set(members(found)), set(found.aliases["alias"].to_pylist())
        assert not now & aliases  # aliases end: they lead to clusters, and are none
        assert {one for one in found.aliases["cluster_id"].to_pylist() if one is not None} <= now
        assert (now - names_before) & ever == set()  # no id comes back
        ever |= now
        assert now | aliases == ever  # none is forgotten
        names_before = now
        rows = found.clusters.to_pylist()
        first = {}
        for row in rows:
            first.setdefault(row["cluster_id"], row["place"])
        assert rows == sorted(rows, key=lambda row: (first[row["cluster_id"]], row["place"]))


@settings(max_examples=50, derandomize=True, deadline=None)
@given(RUNS)
def test_the_same_data_again_has_the_same_ids(runs):
    *_, before, after = run_all([*runs, runs[-1]])
    assert after.clusters == before.clusters
    assert after.aliases == before.aliases
    assert after.splits == before.splits


@settings(max_examples=50, derandomize=True, deadline=None)
@given(RUNS, st.permutations(NAMES), st.lists(st.integers(0, 7), min_size=8, max_size=8))
def test_records_that_come_change_no_id_of_a_cluster_that_does_not_unite(runs, order, places):
    """New records join clusters or found new ones, or none; wherever they stand in the table."""
    groups, old = runs[-1]
    some = {name: groups[name] if name in old else place for name, place in zip(NAMES, places, strict=True)}
    *_, before, after = run_all([*runs, (some, list(order))])
    ids = {row["id"]: row["cluster_id"] for row in after.clusters.to_pylist()}
    assert {row["id"]: ids[row["id"]] for row in before.clusters.to_pylist()} == {
        row["id"]: row["cluster_id"] for row in before.clusters.to_pylist()
    }


@settings(max_examples=50, derandomize=True, deadline=None)
@given(RUNS, st.permutations(NAMES))
def test_the_order_of_known_records_changes_nothing(runs, order):
    groups, old = runs[-1]
    shuffled = [name for name in order if name in old]
    *_, found = run_all([*runs, runs[-1]])
    *_, again = run_all([*runs, (groups, shuffled)])
    assert (again.clusters, again.aliases, again.splits) == (found.clusters, found.aliases, found.splits)


def test_a_story():
    """Merge, split again, merge again, and all that once had the first id goes."""
    together, apart = {"a": 0, "b": 0, "c": 1}, {"a": 0, "b": 1, "c": 1}
    orders = [list("abc")] * 4 + [["c"], ["c", "a"]]
    groups = [{"a": 0, "b": 1, "c": 2}, together, apart, {"a": 0, "b": 0, "c": 0}, {"c": 0}, {"c": 0, "a": 1}]
    results = run_all(list(zip(groups, orders, strict=True)))
    assert [members(found) for found in results] == [
        {"a": ["a"], "b": ["b"], "c": ["c"]},
        {"a": ["a", "b"], "c": ["c"]},  # b became part of a
        {"a": ["a"], "c": ["b", "c"]},  # b went over to c, which keeps its id: born in run 1
        {"a": ["a", "b", "c"]},
        {"a": ["c"]},  # the rest is gone
        {"a": ["c"], "a@6": ["a"]},  # the record a is back, but its name is in use
    ]
    last = results[-1]
    assert last.aliases.to_pylist() == [
        {"alias": "b", "cluster_id": "a", "run": 2},
        {"alias": "c", "cluster_id": "a", "run": 4},
    ]
    assert last.splits.to_pylist() == [{"cluster_id": "c", "split_from": "a", "run": 3}]
    assert [last.resolved(name) for name in ("a", "b", "c", "a@6")] == ["a", "a", "a", "a@6"]
    assert last.clusters["born"].to_pylist() == [1, 6]
    assert last.names.to_pylist() == ["c", "a"]
    with pytest.raises(InputError, match="an id is that of a cluster"):
        last.resolved("z")


def test_an_id_whose_records_are_gone_is_an_alias_of_nothing():
    *_, found = run_all([({"a": 0}, ["a"]), ({}, []), ({"a": 0}, ["a"])])
    assert found.aliases.to_pylist() == [{"alias": "a", "cluster_id": None, "run": 2}]
    assert members(found) == {"a@3": ["a"]}
    assert found.resolved("a") is None


def test_names_with_a_run_behind_do_not_meet():
    apart = {"a": 0, "a@3": 1}
    *_, found = run_all([(apart, ["a", "a@3"]), ({}, []), (apart, ["a", "a@3"])])
    assert members(found) == {"a@3@3": ["a"], "a@3@3@3": ["a@3"]}


def test_records_of_two_tables():
    ids, first = pa.array(["7"]), {"left:7": 0, "right:7": 1, "right:8": 1}
    found = stable_clusters(clustering(first, ["7"], pa.array(["7", "8"])), None)
    assert found.clusters.select(["cluster_id", "id", "side", "kept"]).to_pylist() == [
        {"cluster_id": "left:7", "id": "7", "side": "left", "kept": True},
        {"cluster_id": "right:7", "id": "7", "side": "right", "kept": True},
        {"cluster_id": "right:7", "id": "8", "side": "right", "kept": False},
    ]
    with pytest.raises(InputError, match="one table after two tables"):
        stable_clusters(clustering({"7": 0}, ids), found)
