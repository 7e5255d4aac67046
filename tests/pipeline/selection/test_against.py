"""Rows that are there already: what a choice adds to them, against greedy from the same start made here."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tamis
from tamis.hashing.hashed_vectors import hashed_vectors
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.facility_location import FacilityLocation, coverage
from tamis.hashing.selection.greedy import greedy
from tamis.hashing.selection.optimum import Budget
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.result import Result
from tamis.pipeline.text_column import text_buffers
from tamis.pipeline.verify import verify


def corpus(rows, topics, seed):
    """Return texts around some topics."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return [" ".join(f"t{topic}w{i}" for i in rng.zipf(1.4, 25) % 60) for topic in rng.choice(topics, size=rows)]


OLD = corpus(60, [0, 1, 2], 5)
NEW = corpus(240, [0, 1, 2, 3, 4, 5, 6], 6)


def chosen_of(folder, select, old=OLD, new=NEW, **columns):
    """Select among new texts beside old ones; return the result, which verifies."""
    for name, texts, more in (("old", old, {}), ("new", new, columns)):
        table = pa.table({"text": texts, "id": [f"{name}{i}" for i in range(len(texts))], **more})
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=17)
    out = folder / f"out{len(list(folder.iterdir()))}"
    config = make_config(
        {
            "inputs": [{"path": str(folder / "new.parquet")}],
            "against": [{"path": str(folder / "old.parquet")}],
            "columns": {"id": "id"},
            "stages": ["exact", {"select": select}],
            "out": str(out),
        }
    )
    prepared = plan.prepare(config, version=tamis.__version__)
    plan.run(prepared, lambda work: LocalEngine(work, threads=2, batch_rows=23), Silent())
    assert [check.name for check in verify(out) if not check.passed] == []
    return Result(out)


def vectors_of(texts):
    return hashed_vectors(*text_buffers(pa.array(texts, pa.large_string())))


def begun(vectors, old_vectors):
    """Return facility location of new rows that begins with old ones, by products in float64."""
    columns = dense_columns(vectors)
    cosines = vectors.astype(np.float64) @ old_vectors.astype(np.float64).T
    covered = np.rint(np.maximum(cosines.max(axis=1), 0.0) / columns.unit).astype(np.int32)
    return FacilityLocation(columns, covered), cosines


def items_of(result):
    return np.array([int(name.removeprefix("new")) for name in result.selection["id"].to_pylist()])


def test_the_choice_adds_to_what_is_there(tmp_path):
    result = chosen_of(tmp_path, {"rows": 12})
    function, _ = begun(vectors_of(NEW), vectors_of(OLD))
    found = greedy(function, Budget(12))
    assert items_of(result).tolist() == found.items.tolist()
    assert result.selection["gain"].to_pylist() == pytest.approx(found.gains.tolist(), abs=1e-6)
    line = result.report["selection"]["select"]["groups"][0]
    assert (line["value"], line["bound"]) == (pytest.approx(found.value), pytest.approx(found.bound))
    assert line["curve"][0] == [1, pytest.approx(function.value() + found.gains[0])]
    assert line["curve"][-1] == [12, pytest.approx(found.value)]
    topics = [NEW[item].split("w")[0] for item in items_of(result).tolist()]
    assert set(topics[:4]) == {"t3", "t4", "t5", "t6"}  # what old rows are not about comes first


def test_a_row_that_goes_names_the_nearest_chosen_or_old_one(tmp_path):
    result = chosen_of(tmp_path, {"rows": 12})
    vectors = vectors_of(NEW).astype(np.float64)
    function, cosines = begun(vectors_of(NEW), vectors_of(OLD))
    kept = np.sort(items_of(result))
    keepers = [*(f"old{i}" for i in range(len(OLD))), *(f"new{i}" for i in kept.tolist())]
    total = float(len(kept))
    for row in result.removed.to_pylist():
        assert row["stage"] == "select"
        item = int(row["id"].removeprefix("new"))
        scores = np.concatenate([cosines[item], vectors[kept] @ vectors[item]])
        assert row["similarity"] == pytest.approx(scores.max(), abs=1e-6)
        assert scores[keepers.index(row["keeper_id"])] == pytest.approx(scores.max(), abs=1e-6)
        assert row["keeper_corpus"] == ("old.parquet" if row["keeper_id"].startswith("old") else None)
        total += max(0.0, row["similarity"])
    assert {row["keeper_corpus"] for row in result.removed.to_pylist()} == {"old.parquet", None}
    facts = result.report["selection"]["select"]
    assert facts["mean_similarity"] == pytest.approx(total / len(NEW), abs=1e-6)
    before = np.maximum(cosines.max(axis=1), 0.0).mean()
    assert facts["mean_similarity_before"] == pytest.approx(before, abs=1e-6)
    assert "before anything was chosen" in (result.out / "report.html").read_text()


def test_parts_begin_with_it_too(tmp_path):
    result = chosen_of(tmp_path, {"rows": 12, "parts": 3})
    function, _ = begun(vectors_of(NEW), vectors_of(OLD))
    best = greedy(function, Budget(12))
    for item in items_of(result).tolist():
        function.add(item)
    assert function.value() >= 0.98 * best.value
    assert result.report["selection"]["select"]["groups"][0]["value"] == pytest.approx(function.value(), rel=1e-3)


def test_old_rows_stand_for_rows_of_all_groups(tmp_path):
    kinds = ["a" if i % 2 else "b" for i in range(len(NEW))]
    result = chosen_of(tmp_path, {"rows": 4, "by": ["kind"]}, kind=kinds)
    vectors = vectors_of(NEW)
    expected = []
    for kind in ("a", "b"):
        rows = np.flatnonzero(np.array(kinds) == kind)
        function, _ = begun(np.ascontiguousarray(vectors[rows]), vectors_of(OLD))
        expected += rows[greedy(function, Budget(4)).items].tolist()
    assert sorted(items_of(result).tolist()) == sorted(expected)


def test_other_functions_look_at_new_rows_alone(tmp_path):
    beside = chosen_of(tmp_path, {"rows": 9, "function": "graph-cut"})
    nothing = chosen_of(tmp_path, {"rows": 9, "function": "graph-cut"}, old=["..."])
    assert items_of(beside).tolist() == items_of(nothing).tolist()
    assert beside.report["selection"]["select"]["mean_similarity_before"] is None
    assert {row["keeper_corpus"] for row in beside.removed.to_pylist()} == {None}


def test_old_rows_without_a_word_stand_for_nothing(tmp_path):
    result = chosen_of(tmp_path, {"rows": 9}, old=["...", "!"], new=[*NEW[:60], "?"])
    found = greedy(FacilityLocation(dense_columns(vectors_of(NEW[:60]))), Budget(9))
    assert items_of(result).tolist() == found.items.tolist()
    assert result.report["selection"]["select"]["mean_similarity_before"] == 0.0
    assert [row["keeper_id"] for row in result.removed.to_pylist() if row["id"] == "new60"] == [None]
    assert coverage(dense_columns(vectors_of(NEW[:60])), items_of(result)) == pytest.approx(found.value)
