"""Texts inside others, against sets."""

from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brute_force import shingles
from hypothesis import given, settings
from hypothesis import strategies as st

import tamis
from tamis.hashing.errors import ConfigError
from tamis.hashing.jaccard import compare_contained
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify

VOCABULARY = [f"w{i}" for i in range(20_000)]


def words(rng, count):
    return rng.choices(VOCABULARY, k=count)


def sift(texts, folder, *, engine=LocalEngine, stages=("exact", {"contained": {"one_in": 1}}), **settings_):
    (folder / "in").mkdir(parents=True, exist_ok=True)
    table = pa.table({"text": texts, "id": [f"d{i}" for i in range(len(texts))]})
    pq.write_table(table, folder / "in" / "x.parquet", row_group_size=50)
    config = make_config(
        {
            "inputs": [{"path": str(folder / "in")}],
            "columns": {"text": "text", "id": "id"},
            "stages": list(stages),
            "keep": "longest",
            "allow_loss": ["in"],
            "out": str(folder / "out"),
        }
        | settings_
    )
    return Result(plan.run(plan.prepare(config, version=tamis.__version__), engine, Silent()))


sets_of = st.sets(st.integers(0, 60), max_size=40)


@settings(deadline=None)
@given(sets_of, sets_of, st.floats(0, 1))
def test_shares_are_those_of_sets(a, b, least):
    rows = [np.array(sorted(values), np.uint64) for values in (a, b)]
    bounds = np.array([0, len(a), len(a) + len(b)], np.int64)
    (found,) = compare_contained(np.concatenate(rows), bounds, np.array([0]), np.array([1]), least)
    share = len(a & b) / len(a) if a else 0.0
    assert found == (share if share >= least else 0.0)


def test_a_small_set_in_a_large_one():
    large = np.arange(0, 30_000, 3, dtype=np.uint64)
    small = np.array([0, 4, 6, 9000, 29_997, 40_000], np.uint64)
    bounds = np.array([0, len(small), len(small) + len(large)], np.int64)
    (found,) = compare_contained(np.concatenate([small, large]), bounds, np.array([0]), np.array([1]))
    assert found == 4 / 6


def oracle(texts, threshold):
    """Decide from the longest to the shortest: a text goes if enough of it is in one that stays."""
    sets = [shingles(text) for text in texts]
    kept, gone = [], {}
    for i in sorted(range(len(texts)), key=lambda i: -len(texts[i].encode())):
        shares = [(len(sets[i] & sets[j]) / len(sets[i]), j) for j in kept if sets[i]]
        found = next(((share, j) for share, j in shares if share >= threshold), None)
        if found:
            gone[f"d{i}"] = (f"d{found[1]}", found[0])
        else:
            kept.append(i)
    return gone


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_decisions_are_those_of_brute_force(tmp_path, seed):
    rng = Random(seed)
    texts = []
    for _ in range(12):
        long = words(rng, rng.randint(150, 400))
        texts.append(long)
        for _ in range(rng.randint(0, 5)):
            start, count = rng.randint(0, 100), rng.randint(10, 120)
            part = long[start : start + count]
            extra = words(rng, rng.choice([0, 0, 3, 20, 60]))
            texts.append(part + extra)
    rng.shuffle(texts)
    lines = list(dict.fromkeys(" ".join(text) for text in texts))
    sizes = [len(line.encode()) for line in lines]
    lines = [line for line, size in zip(lines, sizes, strict=True) if sizes.count(size) == 1]  # no ties of rank
    result = sift(lines, tmp_path, stages=["exact", {"contained": {"one_in": 1, "max_anchors": 50}}])
    assert all(check.passed for check in verify(result.out))
    found = {row["id"]: (row["keeper_id"], row["similarity"]) for row in result.removed.to_pylist()}
    wanted = oracle(lines, 0.8)
    assert found == {name: (keeper, pytest.approx(share)) for name, (keeper, share) in wanted.items()}
    assert len(found) > 5
    assert {row["reason"] for row in result.removed.to_pylist()} == {"contained"}


def test_short_texts_inside_ones_fifty_times_as_long(tmp_path):
    """Of 204 words, 200 shingles; found by one shingle in sixteen."""
    rng = Random(5)
    texts, inside = [], []
    for i in range(200):
        long = words(rng, 10_200)
        start = rng.randint(0, 9_900)
        texts += [" ".join(long), " ".join(long[start : start + 204])]
        inside.append(f"d{2 * i + 1}")
    result = sift(texts, tmp_path, stages=["contained"])
    found = {row["id"]: row["keeper_id"] for row in result.removed.to_pylist()}
    assert len(found) >= 198
    assert all(found[name] == f"d{int(name[1:]) - 1}" for name in found)


def test_after_near_copies(tmp_path):
    rng = Random(6)
    long = words(rng, 100)
    texts = [" ".join(long), " ".join([*long[:-1], "end"]), " ".join(long[10:50])]
    result = sift(texts, tmp_path, stages=["exact", "near", {"contained": {"one_in": 1}}], keep="first")
    assert all(check.passed for check in verify(result.out))
    rows = {row["id"]: (row["stage"], row["keeper_id"], row["similarity"]) for row in result.removed.to_pylist()}
    assert rows["d1"][:2] == ("near", "d0")
    assert rows["d2"] == ("contained", "d0", 1.0)


def test_stages_keep_their_order(tmp_path):
    with pytest.raises(ConfigError, match="in this order"):
        sift(["a"], tmp_path, stages=["contained", "near"])
