"""The semantic stage against a loop over all pairs of its vectors."""

import json
import math
import sys
from random import Random

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from runs import digests

import tamis
from tamis.hashing.errors import ConfigError
from tamis.hashing.hashed_vectors import hashed_vectors
from tamis.jobs.explained import lines_of
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import Semantic, make_config
from tamis.pipeline.explain import explain, find
from tamis.pipeline.result import Result
from tamis.pipeline.semantic.stage import banding_of
from tamis.pipeline.text_column import text_buffers
from tamis.pipeline.verify import verify

WORDS = [f"{a}{b}" for a in ("sift", "grain", "flour", "mill", "wheat", "sieve") for b in ("", "ed", "er", "s", "ing")]


def prepared(texts, folder, *, stages, sources=None, **more):
    (folder / "in").mkdir(parents=True, exist_ok=True)
    columns = {"text": texts, "id": [f"d{i}" for i in range(len(texts))]}
    named = {} if sources is None else {"source": sources}
    pq.write_table(pa.table(columns | named), folder / "in" / "x.parquet", row_group_size=7)
    config = {
        "inputs": [{"path": str(folder / "in")}],
        "columns": {"text": "text", "id": "id", **({"source": "source"} if sources else {})},
        "stages": stages,
        "allow_loss": ["in", *(sources or ())],
        "out": str(folder / "out"),
    }
    return plan.prepare(make_config(config | more), version=tamis.__version__)


def sift(texts, folder, *, stages=("semantic",), engine=LocalEngine, **more):
    return Result(plan.run(prepared(texts, folder, stages=list(stages), **more), engine, Silent()))


def removals(result, stage="semantic"):
    rows = [row for row in result.removed.to_pylist() if row["stage"] == stage]
    return {row["id"]: (row["keeper_id"], row["similarity"]) for row in rows}


def cosine(one, other):
    total = square = turned = 0.0
    for x, y in zip(one.tolist(), other.tolist(), strict=True):
        total, square, turned = total + x * y, square + x * x, turned + y * y
    return min(1.0, total / math.sqrt(square * turned)) if square * turned else -1.0


def oracle(texts, asked, order=None):
    """Decide row by row: one goes if it is similar to one that stays; the best-ranked of these is its keeper."""
    vectors = hashed_vectors(*text_buffers(pa.array(texts, pa.large_string())))
    squares = (vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
    vectors = (vectors / np.sqrt(np.where(squares > 0, squares, 1.0))).astype(np.float32)
    kept, gone = [], {}
    for i in order or range(len(texts)):
        for j in kept:
            similarity = cosine(vectors[i], vectors[j])
            if similarity >= max(asked[i], asked[j]):
                gone[f"d{i}"] = (f"d{j}", pytest.approx(similarity, abs=1e-7))
                break
        else:
            kept.append(i)
    return gone


def variations(seed, n):
    """Return texts, many of which are others with some words changed."""
    rng = Random(seed)
    texts = []
    for i in range(n):
        if i % 3 and texts:
            words = rng.choice(texts).split()
            for _ in range(rng.randint(0, 5)):
                words[rng.randrange(len(words))] = rng.choice(WORDS)
        else:
            words = rng.choices(WORDS, k=rng.randint(4, 20))
        texts.append(" ".join(words))
    return texts


@settings(max_examples=5, derandomize=True, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.7, 0.85, 0.95]), st.sampled_from(["first", "longest"]))
def test_decisions_are_those_of_brute_force(tmp_path_factory, seed, threshold, keep):
    texts = list(dict.fromkeys(variations(seed, 40)))
    sizes = [len(text) for text in texts]
    if keep == "longest":  # no ties of rank
        texts = [text for text in texts if sizes.count(len(text)) == 1]
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i])) if keep == "longest" else None
    stages = ["exact", {"semantic": {"threshold": threshold, "max_anchors": 100}}]
    result = sift(texts, tmp_path_factory.mktemp("run"), stages=stages, keep=keep)
    assert removals(result) == oracle(texts, [threshold] * len(texts), order)
    assert all(check.passed for check in verify(result.out))


def test_each_source_has_its_threshold_and_the_higher_one_of_a_pair_counts(tmp_path):
    texts = list(dict.fromkeys(variations(5, 90)))
    sources = [("web", "code", "news")[i % 3] for i in range(len(texts))]
    thresholds = {"code": 0.99, "news": 0.8}
    stage = {"semantic": {"threshold": 0.7, "thresholds": thresholds, "max_anchors": 100}}
    result = sift(texts, tmp_path, stages=["exact", stage], sources=sources)
    asked = [thresholds.get(source, 0.7) for source in sources]
    expected = oracle(texts, asked)
    assert removals(result) == expected
    assert len(expected) > 15
    assert all(check.passed for check in verify(result.out))
    assert expected != oracle(texts, [0.7] * len(texts))


def test_equal_texts_without_an_exact_stage(tmp_path):
    texts = ["a sieve for flour", "the mill", "a sieve for flour", "A sieve, for flour!", "", "?!", "the mill"]
    result = sift(texts, tmp_path, stages=[{"semantic": {"threshold": 1.0}}])
    assert removals(result) == {"d2": ("d0", 1.0), "d3": ("d0", 1.0), "d6": ("d1", 1.0)}
    facts = json.loads((result.out / "report.json").read_text())["semantic"]
    assert facts["encoded_rows"] == 7
    assert facts["empty_rows"] == 2
    assert facts["pairs"] == 4


def test_what_is_like_a_removed_row_alone_stays(tmp_path):
    """No chains: of a, b and c in a row, c is like b only, which went for a."""
    words = WORDS[:16]
    a, b = " ".join(words), " ".join([*words[:13], "one", "two", "three"])
    c = " ".join([*words[3:13], "one", "two", "three", "four", "five", "six"])
    assert sift([a], tmp_path / "without", stages=["exact"]).semantic_pairs.num_rows == 0
    result = sift([a, b, c], tmp_path, stages=[{"semantic": {"threshold": 0.75}}])
    assert list(removals(result)) == ["d1"]
    pairs = result.semantic_pairs.to_pylist()
    assert [(row["id"], row["better_id"]) for row in pairs] == [("d1", "d0"), ("d2", "d1")]
    assert all(row["similarity"] >= 0.75 for row in pairs)
    verdict = explain(result, find(result, "d2")[0])
    assert verdict.fate == "kept"
    assert [(one.id, one.semantic) for one in verdict.relatives] == [("d1", True)]
    told = list(lines_of(verdict, result.where))
    assert told[1].startswith("It is close in meaning to d1 (x.parquet:1) (similarity 0.")
    assert told[1].endswith("was itself removed for d0 (x.parquet:0).")
    verdict = explain(result, find(result, "d1")[0])
    lines = list(lines_of(verdict, result.where))
    assert lines[0].startswith("x.parquet:1") or "was removed by the stage `semantic` (cosine of vectors 0." in lines[0]
    assert lines[1] == "In its place stays d0 (x.parquet:0)."


def test_more_similar_rows_than_anchors_are_counted(tmp_path):
    texts = [f"{' '.join(WORDS)} {ending}" for ending in ("x", "y", "z", "v", "w")]
    result = sift(texts, tmp_path, stages=[{"semantic": {"threshold": 0.9, "max_anchors": 2}}])
    assert {name: keeper for name, (keeper, _) in removals(result).items()} == dict.fromkeys(
        ["d1", "d2", "d3", "d4"], "d0"
    )
    facts = json.loads((result.out / "report.json").read_text())["semantic"]
    assert (facts["capped_rows"], facts["pairs"]) == (2, 7)
    page = (result.out / "report.html").read_text()
    assert "are like more rows than <code>max_anchors</code>" in page
    assert "made by hashed-ngrams" in page


def test_codes_find_nearly_all(tmp_path):
    texts = list(dict.fromkeys(variations(7, 120)))
    exact = sift(texts, tmp_path / "exact", stages=["exact", {"semantic": {"threshold": 0.9, "max_anchors": 100}}])
    stage = {"semantic": {"threshold": 0.9, "index": "codes", "recall": 0.999, "max_anchors": 100}}
    codes = sift(texts, tmp_path / "codes", stages=["exact", stage])
    assert removals(codes) == removals(exact)
    assert len(removals(exact)) > 20
    assert all(check.passed for check in verify(codes.out))


@pytest.mark.parametrize("index", ["exact", "codes"])
@pytest.mark.parametrize("options", [{"threads": 1, "batch_rows": 1}, {"threads": 8, "batch_rows": 5}])
def test_threads_and_batches_change_no_byte(tmp_path, index, options):
    texts = variations(9, 60)
    stages = [{"semantic": {"threshold": 0.85, "index": index}}]
    one = sift(texts, tmp_path / "one", stages=stages)
    other = sift(texts, tmp_path / "other", stages=stages, engine=lambda work: LocalEngine(work, **options))
    assert digests(one.out) == digests(other.out)


def test_against_what_is_there_already(tmp_path):
    (tmp_path / "old").mkdir(parents=True)
    old = [" ".join(WORDS[:12]), " ".join(WORDS[1:13])]
    pq.write_table(pa.table({"text": old, "id": ["o0", "o1"]}), tmp_path / "old" / "o.parquet")
    texts = [" ".join([*WORDS[:11], "x"]), " ".join(WORDS[20:30])]
    against = [{"path": str(tmp_path / "old")}]
    result = sift(texts, tmp_path, stages=["exact", {"semantic": {"threshold": 0.8}}], against=against)
    rows = [row for row in result.removed.to_pylist() if row["stage"] == "semantic"]
    assert [(row["id"], row["keeper_id"], row["keeper_corpus"]) for row in rows] == [("d0", "o0", "old")]
    assert all(check.passed for check in verify(result.out))


def test_a_removal_below_its_threshold_is_a_fault(tmp_path):
    texts = variations(3, 40)
    sources = [("web", "code")[i % 2] for i in range(40)]
    stages = [{"semantic": {"threshold": 0.8, "thresholds": {"code": 0.85}}}]
    result = sift(texts, tmp_path, stages=stages, sources=sources)
    assert all(check.passed for check in verify(result.out))
    path = result.out / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["settings"]["stages"][0]["thresholds"]["code"] = 1.0
    path.write_text(json.dumps(manifest))
    (faults,) = (check.faults for check in verify(result.out) if check.name == "no removal is below the threshold")
    assert "at similarity 0." in faults[0]
    assert "below 1.0 of source 'code'" in faults[0]


def below(out):
    (faults,) = (check.faults for check in verify(out) if check.name == "no removal is below the threshold")
    return faults


@pytest.mark.parametrize("old", [False, True])
def test_of_a_pair_of_two_sources_the_higher_threshold_is_verified(tmp_path, old):
    """``web`` asks for less than the similarity of the pair and ``code`` for more: a removal for such a keeper."""
    texts = [" ".join(WORDS[:12]), " ".join([*WORDS[:11], "other"])]
    if old:
        (tmp_path / "code").mkdir()
        pq.write_table(pa.table({"text": texts[:1], "id": ["o0"], "source": ["code"]}), tmp_path / "code" / "x.parquet")
    more = {"against": [{"path": str(tmp_path / "code")}]} if old else {}
    new, sources = (texts[1:], ["web"]) if old else (texts, ["code", "web"])
    stages = [{"semantic": {"threshold": 0.5, "thresholds": {"other": 0.9}}}]
    result = sift(new, tmp_path, stages=stages, sources=sources, **more)
    ((gone, (keeper, similarity)),) = removals(result).items()
    assert (gone, keeper) == (("d0", "o0") if old else ("d1", "d0"))
    assert 0.5 < similarity < 0.99
    assert below(result.out) == ()
    path = result.out / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["settings"]["stages"][0]["thresholds"] = {"code": 0.99}
    path.write_text(json.dumps(manifest))
    said = f"the semantic stage removed {gone} at similarity {similarity}"
    assert below(result.out) == (f"{said}, below 0.99 of source 'code', which its keeper is of",)
    manifest["settings"]["stages"][0]["thresholds"] = {"web": 0.98}
    path.write_text(json.dumps(manifest))
    assert below(result.out) == (f"{said}, below 0.98 of source 'web'",)


def test_a_keeper_may_go_for_its_paragraphs(tmp_path):
    lines = [" ".join(WORDS[i : i + 9]) for i in range(0, 18, 9)]
    texts = ["\n".join(lines), "\n".join([*lines, "x"]), *lines, *(f"{line}\n{i}" for i, line in enumerate(lines * 3))]
    stages = [{"semantic": {"threshold": 0.97}}, {"paragraphs": {"rows": 2, "min_bytes": 20}}]
    result = sift(texts, tmp_path, stages=stages, keep="longest")
    assert all(check.passed for check in verify(result.out))
    assert removals(result)


@pytest.mark.parametrize("index", ["exact", "codes"])
def test_nothing_to_compare(tmp_path, index):
    stages = [{"filter": "text <> 'a mill'"}, {"semantic": {"index": index}}]
    for name, texts, rows in (("one", ["a sieve"], 1), ("none", ["a mill", "a mill"], 0)):
        result = sift(texts, tmp_path / name, stages=stages)
        assert removals(result) == {}
        assert result.report["semantic"]["encoded_rows"] == rows
        assert all(check.passed for check in verify(result.out))


@pytest.mark.parametrize(
    ("stage", "rows", "expected"),
    [
        (Semantic(threshold=1.0), 1000, (1, 12)),
        (Semantic(threshold=0.95), 1_000_000, (39, 22)),
        (Semantic(threshold=0.95), 2, (8, 8)),
        (Semantic(threshold=0.95, thresholds={"code": 0.9}), 2, (12, 8)),
        (Semantic(bands=5, width=3), 100, (5, 3)),
    ],
)
def test_bands_reach_the_recall(stage, rows, expected):
    assert banding_of(stage, rows) == expected
    bands, width = expected
    least = min([stage.threshold, *stage.thresholds.values()])
    agree = (1 - math.acos(least) / math.pi) ** width
    assert stage.bands or 1 - (1 - agree) ** bands >= stage.recall > 1 - (1 - agree) ** (bands - 1)


def test_bands_that_are_too_many():
    with pytest.raises(ConfigError, match="at most 127 bands"):
        banding_of(Semantic(threshold=0.5), 1_000_000)


def test_settings_that_cannot_be(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="hashed-ngrams or the folder of a hasher"):
        prepared(["a"], tmp_path, stages=[{"semantic": {"model": str(tmp_path / "none")}}])
    with pytest.raises(ConfigError, match="in this order"):
        prepared(["a"], tmp_path, stages=["semantic", "near"])
    with pytest.raises(ConfigError, match="thresholds"):
        prepared(["a"], tmp_path, stages=[{"semantic": {"thresholds": {"web": 2}}}])
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ConfigError, match=r"pip install 'tamis\[neural\]'"):
        prepared(["a"], tmp_path, stages=[{"semantic": {"index": "ivf"}}])


def test_another_threshold_is_another_run(tmp_path):
    names = {
        prepared(["a"], tmp_path, stages=[{"semantic": stage}]).fingerprint
        for stage in ({}, {"threshold": 0.9}, {"index": "codes"}, {"thresholds": {"web": 0.9}})
    }
    assert len(names) == 4
