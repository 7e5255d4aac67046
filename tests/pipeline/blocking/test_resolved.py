import json
import os
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ArtefactError, ConfigError, InputError
from tamis.pipeline.blocking import resolved
from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.pairs import pairs_of_one_table, pairs_table
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.resolved import ResolveOptions, read_resolution, resolve, resolve_into
from tamis.pipeline.blocking.search import found_pairs

FILES = sorted(["_SUCCESS", "resolution.json", *(f"{name}.parquet" for name in resolved.SCHEMAS)])
SCORED = ResolveOptions(0.5, score="blocker")
SHOPS = {"1": "Sony Bravia TV 40", "2": "sony bravia tv-40", "3": "Apple iPhone 8", "4": "apple iphone 8 case"}


def records(texts):
    return read_records(pa.table({"id": list(texts), "text": pa.array(list(texts.values()), pa.string())}), "id")


def named(names):
    return records(dict.fromkeys(names, "x"))


def pairs(found, one_table=True):
    """Return a table of {(id, id): score}."""
    left, right = (pa.array([pair[side] for pair in found], pa.string()) for side in (0, 1))
    make = pairs_of_one_table if one_table else pairs_table
    return make(left, right, np.array(list(found.values()), float), "b", np.ones(len(found), np.int64))


def lexical(texts, right=None):
    left, other = records(texts), None if right is None else records(right)
    return found_pairs(lexical_search(left, other, 3), left, other, threads=1), left, other


def test_one_table():
    found = resolve(*lexical(SHOPS), ResolveOptions(0.5, score="jaccard"))
    assert found.decisions.select(["id", "keeper_id", "via_id", "similarity", "blocker"]).to_pylist() == [
        {"id": "2", "keeper_id": "1", "via_id": "1", "similarity": 1.0, "blocker": "lexical"},
        {"id": "4", "keeper_id": "3", "via_id": "3", "similarity": 21 / 28, "blocker": "lexical"},
    ]
    assert found.identified.clusters.select(["cluster_id", "id", "kept"]).to_pylist() == [
        {"cluster_id": "1", "id": "1", "kept": True},
        {"cluster_id": "1", "id": "2", "kept": False},
        {"cluster_id": "3", "id": "3", "kept": True},
        {"cluster_id": "3", "id": "4", "kept": False},
    ]
    assert found.report == {
        "options": {"threshold": 0.5, "rule": "greedy", "score": "jaccard", "model": None, "text": "texts"},
        "run": 1,
        "counts": {
            "records": {"left": 4, "right": None},
            "pairs": 2,
            "matches": 2,
            "kept": 2,
            "dropped": 2,
            "clusters": 2,
            "new_ids": 2,
            "merged_ids": 0,
            "gone_ids": 0,
            "splits": 0,
        },
        "sizes": [{"size": 2, "clusters": 2}],
        "largest": [{"cluster_id": "1", "size": 2, "kept": "1"}, {"cluster_id": "3", "size": 2, "kept": "3"}],
        "warnings": [],
    }


def test_two_tables():
    found = resolve(*lexical({"1": "sony tv"}, {"1": "tv sony", "2": "radio"}), ResolveOptions(0.9, rule="one-to-one"))
    assert found.identified.clusters["cluster_id"].to_pylist() == ["left:1", "left:1", "right:2"]
    assert found.decisions.select(["id", "side", "keeper_id", "keeper_side"]).to_pylist() == [
        {"id": "1", "side": "right", "keeper_id": "1", "keeper_side": "left"}
    ]
    assert found.report["counts"]["records"] == {"left": 1, "right": 2}


def test_nothing():
    none = resolve(pairs({}), named([]), None, SCORED)
    assert none.identified.clusters.num_rows == none.decisions.num_rows == 0
    assert (none.report["sizes"], none.report["largest"]) == ([], [])
    alone = resolve(pairs({}), named("ab"), named("c"), SCORED)
    assert alone.identified.clusters["cluster_id"].to_pylist() == ["left:a", "left:b", "right:c"]


def test_a_column_ranks_and_the_id_stays_that_of_the_earliest():
    found = resolve(pairs({("a", "b"): 1.0}), named("ab"), None, SCORED, by=[pa.array([1, 2])])
    assert found.decisions["id"].to_pylist() == ["a"]
    assert found.identified.clusters.select(["cluster_id", "id", "kept"]).to_pylist() == [
        {"cluster_id": "a", "id": "a", "kept": False},
        {"cluster_id": "a", "id": "b", "kept": True},
    ]


NAMES = "abcdefgh"
MATCHES = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] < pair[1]),
    st.sampled_from([0.4, 0.5, 0.9]),
    max_size=14,
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(MATCHES, st.permutations(NAMES), st.integers(0, 8), st.sampled_from(["greedy", "components"]))
def test_what_was_kept_stays_kept_when_records_come(found, order, old, rule):
    """With a run before, its records rank first, so that new ones decide nothing among them (``greedy``)."""
    options = ResolveOptions(0.5, rule=rule, score="blocker")
    known = sorted(order[:old], reverse=True)
    some = {pair: score for pair, score in found.items() if set(pair) <= set(known)}
    before = resolve(pairs(some), named(known), None, options)
    after = resolve(pairs(found), named(order), None, options, previous=before.identified)
    for result, n in ((before, old), (after, len(NAMES))):
        rows = result.identified.clusters.to_pylist()
        kept = {row["id"] for row in rows if row["kept"]}
        gone = set(result.decisions["id"].to_pylist())
        assert len(rows) == n == len(kept) + len(gone)
        assert kept | gone == {row["id"] for row in rows}
        assert {row["keeper_id"] for row in result.decisions.to_pylist()} <= kept
        assert sum(line["size"] * line["clusters"] for line in result.report["sizes"]) == n
    if rule == "greedy":
        again = [row for row in after.decisions.to_pylist() if row["id"] in known]
        assert again == before.decisions.to_pylist()


def test_a_giant_cluster_is_named():
    names = [f"r{i:03}" for i in range(120)]
    chain = pairs({pair: 0.9 for pair in zip(names, names[1:], strict=False)})
    found = resolve(chain, named(names), None, ResolveOptions(0.5, rule="components", score="blocker"))
    assert found.report["warnings"] == [
        "cluster 'r000' has 120 of 120 records, which is seldom true: raise the threshold, or make clusters by the "
        "rule greedy"
    ]
    assert found.report["largest"] == [{"cluster_id": "r000", "size": 120, "kept": "r000"}]
    assert resolve(chain, named(names), None, SCORED).report["warnings"] == []


def test_scores_of_several_blockers_are_no_threshold():
    both = pairs({("a", "b"): 1.0, ("a", "c"): 1.0})
    both = both.set_column(3, both.schema.field("blocker"), pa.array(["dense", "dense+lexical"]))
    with pytest.raises(ConfigError, match="scores of several blockers"):
        resolve(both, named("abc"), None, SCORED)
    assert resolve(both, named("abc"), None, ResolveOptions(0.5)).decisions["blocker"].to_pylist() == [
        "dense",
        "dense+lexical",
    ]


def test_a_cross_encoder_scores(monkeypatch):
    asked = []

    def scores(left, right, model, *, folder):
        asked.append((left.to_pylist(), right.to_pylist(), model, folder))
        return np.array([0.1, 0.9])

    monkeypatch.setattr(resolved, "cross_encoder_scores", scores)
    two = pairs({("a", "x"): 0.0, ("a", "y"): 0.0}, one_table=False)
    options = ResolveOptions(0.5, score="cross-encoder", model="m", text="marked")
    found = resolve(two, records({"a": "p"}), records({"x": "q", "y": "r"}), options, scores=Path("kept"))
    assert asked == [(["COL text VAL p"] * 2, ["COL text VAL q", "COL text VAL r"], "m", Path("kept"))]
    assert found.decisions.select(["id", "similarity"]).to_pylist() == [{"id": "y", "similarity": 0.9}]


@pytest.mark.parametrize(
    "wrong", [{"score": "dice"}, {"score": "cross-encoder"}, {"model": "m"}, {"score": "cosine", "model": "m"}]
)
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ConfigError):
        ResolveOptions(0.5, **wrong)


def into(out, found, names, **options):
    return resolve_into(out, pairs(found), named(names), None, SCORED, **options)


def test_files(tmp_path):
    found = into(tmp_path / "one", {("a", "b"): 0.75}, "abc")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == FILES
    for name, table in found.tables.items():
        path = tmp_path / "one" / f"{name}.parquet"
        assert pq.read_table(path) == table
        assert found.report["files"][name]["size_bytes"] == path.stat().st_size
    assert json.loads((tmp_path / "one" / "resolution.json").read_text()) == found.report
    read = read_resolution(tmp_path / "one")
    assert (read.tables, read.report) == (found.tables, found.report)
    into(tmp_path / "two", {("a", "b"): 0.75}, "abc")
    for name in FILES:
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_a_finished_run_is_read(tmp_path, monkeypatch):
    first = into(tmp_path / "out", {("a", "b"): 0.75}, "abc")
    monkeypatch.setattr(resolved, "resolve", None)
    again = into(tmp_path / "out", {("a", "b"): 0.75}, "abc")
    assert (again.tables, again.report) == (first.tables, first.report)


@pytest.mark.parametrize(
    "other",
    [
        {"found": {("a", "b"): 0.5}},
        {"names": "abd"},
        {"version": "2"},
        {"by": [pa.array([3, 1, 2])]},
        {"previous": True},
    ],
)
def test_another_run_does_not_go_there(tmp_path, other):
    same = {"found": {("a", "b"): 0.75}, "names": "abc"}
    into(tmp_path / "out", **same)
    if "previous" in other:
        other = {"previous": tmp_path / "out"}
    with pytest.raises(ArtefactError, match="belongs to the same configuration"):
        into(tmp_path / "out", **{**same, **other})


def test_a_run_that_was_killed_is_made_anew(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(resolved, "write_atomically", killed)
    with pytest.raises(KeyboardInterrupt):
        into(tmp_path / "out", {("a", "b"): 0.75}, "abc")
    with pytest.raises(ArtefactError, match="the folder holds a finished resolution"):
        read_resolution(tmp_path / "out")
    monkeypatch.undo()
    into(tmp_path / "out", {("a", "b"): 0.75}, "abc")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES


def test_runs_go_on(tmp_path):
    one, two, three, four = (tmp_path / name for name in ("1", "2", "3", "4"))
    into(one, {("a", "b"): 0.75}, "abc")
    into(two, {("a", "b"): 0.75, ("c", "z"): 0.75}, "zabc", previous=one)
    found = into(three, {("a", "b"): 0.75, ("a", "c"): 0.75, ("c", "z"): 0.75}, "zabc", previous=two)
    assert read_resolution(two).identified.clusters.select(["cluster_id", "id", "born"]).to_pylist() == [
        {"cluster_id": "a", "id": "a", "born": 1},
        {"cluster_id": "a", "id": "b", "born": 1},
        {"cluster_id": "c", "id": "c", "born": 1},
        {"cluster_id": "c", "id": "z", "born": 1},
    ]
    assert found.identified.clusters.select(["cluster_id", "id", "born"]).to_pylist() == [
        {"cluster_id": "a", "id": "a", "born": 1},
        {"cluster_id": "a", "id": "b", "born": 1},
        {"cluster_id": "a", "id": "c", "born": 1},
        {"cluster_id": "z", "id": "z", "born": 3},
    ]
    assert found.identified.aliases.to_pylist() == [{"alias": "c", "cluster_id": "a", "run": 3}]
    assert found.identified.splits.to_pylist() == [{"cluster_id": "z", "split_from": "c", "run": 3}]
    counts = found.report["counts"]
    assert [counts[name] for name in ("new_ids", "merged_ids", "gone_ids", "splits")] == [1, 1, 0, 1]
    last = resolve_into(four, pairs({}), named("c"), None, SCORED, previous=three)
    assert last.report["run"] == 4
    assert [last.report["counts"][name] for name in ("merged_ids", "gone_ids")] == [0, 1]


def test_another_model_is_another_run(tmp_path, monkeypatch):
    monkeypatch.setattr(resolved, "cross_encoder_scores", lambda left, *_, **__: np.ones(len(left)))
    model = tmp_path / "model"
    model.mkdir()
    config = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "LABEL_0"}}
    (model / "config.json").write_text(json.dumps(config))
    given = pairs({("a", "b"): 0.0}), named("ab"), None, ResolveOptions(0.5, score="cross-encoder", model=str(model))
    assert resolve_into(tmp_path / "out", *given).report == resolve_into(tmp_path / "out", *given).report
    (model / "weights").write_bytes(b"other")
    with pytest.raises(ArtefactError, match="belongs to the same configuration"):
        resolve_into(tmp_path / "out", *given)


def test_damage_is_named(tmp_path):
    into(tmp_path / "out", {("a", "b"): 0.75}, "abc")
    for name in ("clusters.parquet", "aliases.parquet", "resolution.json"):
        path = tmp_path / "out" / name
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ArtefactError, match=name):
            read_resolution(tmp_path / "out")
        path.write_bytes(whole)
    report = tmp_path / "out" / "resolution.json"
    report.write_text(report.read_text().replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(ArtefactError, match="tamis-resolution version 2"):
        into(tmp_path / "next", {}, "abc", previous=tmp_path / "out")


def test_pairs_of_other_records(tmp_path):
    with pytest.raises(InputError, match="the ids of pairs are those of records"):
        into(tmp_path / "out", {("a", "z"): 0.75}, "abc")


@pytest.mark.skipif("TAMIS_DATA" not in os.environ, reason="TAMIS_DATA does not name the folder of real data")
def test_people():
    """Of 500 people with two records each, most are one cluster."""
    import csv
    import gzip

    folder = Path(os.environ["TAMIS_DATA"]) / "A-febrl"
    with gzip.open(folder / "dataset1.csv.gz", "rt", encoding="utf-8", newline="") as file:
        table = pa.Table.from_pylist(list(csv.DictReader(file, skipinitialspace=True)))
    some = read_records(table, "rec_id")
    found = resolve(found_pairs(lexical_search(some, None, 5), some, None), some, None, ResolveOptions(0.45))
    groups = {}
    for row in found.identified.clusters.to_pylist():
        groups.setdefault(row["cluster_id"], []).append(row["id"].split("-")[1])
    right = sum(len(group) == 2 and len(set(group)) == 1 for group in groups.values())
    assert right >= 450
