"""The select stage against a greedy choice made here, and against brute force for its witnesses."""

import json
from collections import Counter
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from few_rows import staged

import tamis
from tamis.hashing.bagging import draws, fold
from tamis.hashing.errors import ConfigError
from tamis.hashing.hashed_vectors import hashed_vectors
from tamis.hashing.murmur3 import murmur3_bytes
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.facility_location import FacilityLocation, coverage
from tamis.hashing.selection.greedy import greedy
from tamis.hashing.selection.optimum import Budget
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.result import Result
from tamis.pipeline.selection.rounds import rounds_of
from tamis.pipeline.text_column import text_buffers
from tamis.pipeline.verify import verify


def corpus(rows, seed=3, topics=7):
    """Return texts around topics, with the topic of each."""
    rng = np.random.Generator(np.random.PCG64(seed))
    of = rng.integers(topics, size=rows)
    texts = [" ".join(f"t{topic}w{i}" for i in rng.zipf(1.4, 25) % 60) for topic in of]
    return texts, [f"topic {topic}" for topic in of]


def chosen_of(folder, texts, select, **columns):
    """Select among texts; return the result, which verifies."""
    return staged(folder, texts, {"select": select}, **columns)


def names_of(result):
    return result.selection["id"].to_pylist()


def vectors_of(texts):
    return hashed_vectors(*text_buffers(pa.array(texts, pa.large_string())))


@pytest.fixture(scope="module")
def texts():
    return corpus(300)[0]


def test_the_choice_and_its_gains_are_those_of_greedy(tmp_path, texts):
    result = chosen_of(tmp_path, texts, {"rows": 20})
    found = greedy(FacilityLocation(dense_columns(vectors_of(texts))), Budget(20))
    assert names_of(result) == [f"r{i}" for i in found.items]
    assert result.selection["gain"].to_pylist() == found.gains.tolist()
    assert result.selection["place"].to_pylist() == list(range(20))
    assert {row["id"] for batch in result.kept() for row in batch.to_pylist()} == set(names_of(result))
    line = result.report["selection"]["select"]["groups"][0]
    assert (line["value"], line["bound"]) == (found.value, found.bound)
    assert line["curve"][-1] == [20, pytest.approx(found.value)]


def test_each_row_that_goes_names_the_nearest_that_stays(tmp_path, texts):
    result = chosen_of(tmp_path, texts, {"rows": 20})
    vectors = vectors_of(texts).astype(np.float64)
    kept = sorted(int(name[1:]) for name in names_of(result))
    cosines = vectors @ vectors[kept].T
    for row in result.removed.to_pylist():
        scores = cosines[int(row["id"][1:])]
        assert (row["stage"], row["reason"]) == ("select", "represented")
        assert row["similarity"] == pytest.approx(scores.max(), abs=1e-6)
        assert scores[kept.index(int(row["keeper_id"][1:]))] == pytest.approx(scores.max(), abs=1e-6)
    mean = (sum(max(0.0, row["similarity"]) for row in result.removed.to_pylist()) + 20) / 300
    assert result.report["selection"]["select"]["mean_similarity"] == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize("parts", [4, 16])
@pytest.mark.parametrize("rows", [5, 40])
def test_parts_reach_nearly_what_all_rows_at_once_do(tmp_path, parts, rows):
    texts = corpus(1200, topics=12)[0]
    columns = dense_columns(vectors_of(texts))
    at_once = greedy(FacilityLocation(columns), Budget(rows)).value
    result = chosen_of(tmp_path, texts, {"rows": rows, "parts": parts})
    items = np.array([int(name[1:]) for name in names_of(result)])
    assert len(items) == rows
    assert coverage(columns, items) >= 0.95 * at_once


def test_parts_choose_for_good_where_comparing_all_would_be_too_much(tmp_path, monkeypatch):
    texts = corpus(1200, topics=12)[0]
    monkeypatch.setattr("tamis.pipeline.selection.rounds.MANY", 10)
    monkeypatch.setattr("tamis.pipeline.selection.stage.rounds_of", partial(rounds_of, most=1000))
    result = chosen_of(tmp_path, texts, {"rows": 101, "parts": 4})
    columns = dense_columns(vectors_of(texts))
    items = np.array([int(name[1:]) for name in names_of(result)])
    assert len(set(items.tolist())) == 101
    assert coverage(columns, items) >= 0.95 * greedy(FacilityLocation(columns), Budget(101)).value
    line = result.report["selection"]["select"]["groups"][0]
    assert (line["merged"], line["chosen"], line["curve"][-1][0]) == (False, 101, 101)
    assert line["value"] == pytest.approx(sum(result.selection["gain"].to_pylist()))
    places = result.selection["place"].to_pylist()
    assert places == sorted(set(places))
    hashes = np.array([murmur3_bytes(text.encode(), seed=0) for text in texts], np.uint64)
    high, low = (np.ascontiguousarray(hashes[:, half]).view(np.int64) for half in (0, 1))
    parts = fold(draws(high, low, seed=0, purpose="parts of a selection"), 4)
    for row in result.removed.to_pylist():
        if row["stage"] == "select":
            assert parts[int(row["id"][1:])] == parts[int(row["keeper_id"][1:])]


@pytest.mark.parametrize("function", ["graph-cut", "log-determinant", "saturated-coverage", "features"])
@pytest.mark.parametrize("parts", [1, 3])
def test_other_functions_choose_as_many(tmp_path, texts, function, parts):
    result = chosen_of(tmp_path, texts, {"rows": 9, "function": function, "parts": parts})
    gains = result.selection["gain"].to_pylist()
    assert len(set(names_of(result))) == 9
    assert all(first >= later - 1e-9 for first, later in zip(gains, gains[1:], strict=False))


def test_a_smaller_choice_is_the_beginning_of_a_larger_one(tmp_path, texts):
    large = names_of(chosen_of(tmp_path, texts, {"rows": 30}))
    assert names_of(chosen_of(tmp_path, texts, {"rows": 12})) == large[:12]


def test_words_are_a_budget(tmp_path, texts):
    result = chosen_of(tmp_path, texts, {"tokens": 120})
    assert result.selection["tokens"].to_pylist() == [25] * 4
    assert result.report["selection"]["select"]["unit"] == "words"


def test_a_share_is_of_each_group(tmp_path):
    texts, topics = corpus(200, topics=3)
    result = chosen_of(tmp_path, texts, {"share": 0.1, "by": ["topic"]}, topic=topics)
    counts = Counter(topics)
    assert Counter(json.loads(name)[0] for name in result.selection["group"].to_pylist()) == {
        topic: int(0.1 * count) for topic, count in counts.items()
    }
    for row in result.removed.to_pylist():  # each is represented by a row of its group
        assert topics[int(row["id"][1:])] == topics[int(row["keeper_id"][1:])]


def test_a_mixture_says_how_much_of_each_source(tmp_path):
    texts, topics = corpus(240, topics=3)
    mixture = {"unit": "rows", "budget": 30, "sources": {"topic 0": 3, "topic 1": 2, "topic 2": 0}}
    result = chosen_of(tmp_path, texts, {"mixture": mixture, "apart": True}, source=topics)
    assert Counter(result.selection["source"].to_pylist()) == {"topic 0": 18, "topic 1": 12}
    gone = [row for row in result.removed.to_pylist() if row["source"] == "topic 2"]
    assert {row["keeper_id"] for row in gone} == {None}


def test_a_source_shares_its_budget_among_its_templates(tmp_path):
    texts, _ = corpus(100)
    template = ["a"] * 60 + ["b"] * 20 + ["c"] * 20
    mixture = {"unit": "rows", "budget": 11, "sources": {"task": 1}}
    select = {"mixture": mixture, "apart": True, "by": ["template"]}
    result = chosen_of(tmp_path, texts, select, source=["task"] * 100, template=template)
    counts = Counter(json.loads(name)[1] for name in result.selection["group"].to_pylist())
    assert counts == {"a": 7, "b": 2, "c": 2}


def test_sources_get_all_that_a_mixture_asks_for(tmp_path):
    texts, topics = corpus(120, topics=3)
    mixture = {"unit": "rows", "budget": 10, "sources": dict.fromkeys(sorted(set(topics)), 1)}
    result = chosen_of(tmp_path, texts, {"mixture": mixture, "apart": True}, source=topics)
    assert Counter(result.selection["source"].to_pylist()) == {"topic 0": 4, "topic 1": 3, "topic 2": 3}
    facts = result.report["selection"]["select"]
    assert (facts["asked"], facts["got"]) == (10, 10)


def test_small_templates_get_rows_of_a_budget_in_words(tmp_path):
    texts, _ = corpus(120)  # of 25 words each
    template = [f"t{i % 40:02}" for i in range(120)]
    mixture = {"budget": 500, "sources": {"task": 1}}  # 12.5 words for each template
    select = {"mixture": mixture, "apart": True, "by": ["template"]}
    result = chosen_of(tmp_path, texts, select, source=["task"] * 120, template=template)
    groups = [json.loads(name)[1] for name in result.selection["group"].to_pylist()]
    assert sorted(groups) == [f"t{i:02}" for i in range(20)]
    assert result.report["selection"]["select"]["got"] == 500


def test_a_source_may_have_lost_all_its_rows(tmp_path):
    texts, _ = corpus(40)
    mixture = {"unit": "rows", "budget": 20, "sources": {"news": 1, "mirror": 1}}
    select = {"mixture": mixture, "apart": True}
    result = chosen_of(tmp_path, [*texts, *texts], select, source=["news"] * 40 + ["mirror"] * 40)
    assert Counter(result.selection["source"].to_pylist()) == {"news": 10}


def test_a_mixture_names_no_other_source(tmp_path):
    texts, topics = corpus(60, topics=2)
    mixture = {"unit": "rows", "budget": 9, "sources": {"topic 0": 1, "topic 1": 2, "topc 1": 1}}
    with pytest.raises(ConfigError, match="topc 1"):
        chosen_of(tmp_path, texts, {"mixture": mixture, "apart": True}, source=topics)


def test_what_is_lacking_is_told(tmp_path, texts):
    result = chosen_of(tmp_path, texts[:30], {"rows": 100})
    facts = result.report["selection"]["select"]
    assert (facts["asked"], facts["got"]) == (100, 30)
    assert "100</data> rows that were asked for" in (result.out / "report.html").read_text()


def test_columns_may_have_any_name(tmp_path, texts):
    names = ["row", "address", "tokens", "hash_high", "group", "part", "leaf", "code", "values", "source"]
    kinds = ["a", "b"] * 20
    result = chosen_of(tmp_path, texts[:40], {"rows": 3, "by": names}, **dict.fromkeys(names, kinds))
    groups = Counter(tuple(json.loads(name)) for name in result.selection["group"].to_pylist())
    assert groups == {("a",) * 10: 3, ("b",) * 10: 3}


def test_nothing_is_left_to_choose_from(tmp_path, texts):
    table = pa.table({"text": texts[:5]})
    pq.write_table(table, tmp_path / "old.parquet")
    pq.write_table(table, tmp_path / "new.parquet")
    config = make_config(
        {
            "inputs": [{"path": str(tmp_path / "new.parquet")}],
            "against": [{"path": str(tmp_path / "old.parquet")}],
            "stages": ["exact", {"balance": {"most": 3, "bits": 2}}, {"select": {"rows": 2}}],
            "out": str(tmp_path / "out"),
        }
    )
    plan.run(plan.prepare(config, version=tamis.__version__), LocalEngine, Silent())
    result = Result(tmp_path / "out")
    assert (result.selection.num_rows, result.removed.num_rows) == (0, 5)
    assert [check.name for check in verify(tmp_path / "out") if not check.passed] == []


def test_a_mixture_names_all_sources(tmp_path):
    texts, topics = corpus(60, topics=3)
    mixture = {"unit": "rows", "budget": 30, "sources": {"topic 0": 3, "topic 1": 2}}
    with pytest.raises(ConfigError, match="topic 2"):
        chosen_of(tmp_path, texts, {"mixture": mixture, "apart": True}, source=topics)


def test_more_than_there_is_keeps_all(tmp_path, texts):
    result = chosen_of(tmp_path, texts[:30], {"rows": 100})
    assert (result.selection.num_rows, result.removed.num_rows) == (30, 0)


def test_texts_without_a_word_are_not_chosen(tmp_path, texts):
    result = chosen_of(tmp_path, [*texts[:9], "...", "!"], {"rows": 11})
    assert set(names_of(result)) == {f"r{i}" for i in range(9)}
    assert [(row["id"], row["keeper_id"], row["similarity"]) for row in result.removed.to_pylist()] == [
        ("r9", None, None),
        ("r10", None, None),
    ]
    assert result.report["selection"]["select"]["empty_rows"] == 2


def test_a_budget_below_all_rows_is_refused(tmp_path, texts):
    with pytest.raises(ConfigError, match="a selection keeps a row; found none: words to keep are 3"):
        chosen_of(tmp_path, texts, {"tokens": 3})


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ({}, "not none"),
        ({"rows": 3, "share": 0.5}, "not rows and share"),
        ({"mixture": {"sources": {"a": 1}, "budget": 5}}, "apart: true"),
        ({"mixture": {"sources": {"a": 1}}, "apart": True}, "has a budget"),
        ({"rows": 3, "by": ["a", "a"]}, "named once"),
        ({"rows": 10**20}, "less than or equal to"),
    ],
)
def test_one_setting_says_how_much(select, said):
    with pytest.raises(ConfigError, match=said):
        make_config({"inputs": [{"path": "x"}], "stages": [{"select": select}]})
