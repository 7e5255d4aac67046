import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.hashing.lsh import Banding
from tamis.pipeline.blocking.minhash import minhash_search
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.search import found_pairs

TEXTS = st.lists(st.text("abé中 ", max_size=10), max_size=8)
EVERY = {"banding": Banding(64, 1), "values": 64}
"""Bands of one row each, so many that no pair with something in common is missed in these tests."""


def records(texts, ids=None):
    ids = range(len(texts)) if ids is None else ids
    return read_records(pa.table({"id": pa.array(ids, pa.int64()), "text": pa.array(texts, pa.string())}), "id")


def minhash_pairs(left, right, k=None, **options):
    return found_pairs(minhash_search(left, right, k, **options), left, right, threads=1)


def ngrams(text, n=3):
    """Return the n-grams of the runs of a text of these tests: nothing but white space is between them."""
    runs = [f" {run} " for run in text.split()]
    return {run[i : i + n] for run in runs for i in range(len(run) - n + 1)}


def jaccard(a, b):
    return len(a & b) / len(a | b)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(TEXTS, TEXTS)
def test_scores_are_the_exact_similarity_of_sets(one, other):
    found = minhash_pairs(records(one), records(other), **EVERY)
    expected = {
        (str(i), str(j)): jaccard(ngrams(a), ngrams(b))
        for i, a in enumerate(one)
        for j, b in enumerate(other)
        if ngrams(a) & ngrams(b)
    }
    assert {(row["left_id"], row["right_id"]): row["score"] for row in found.to_pylist()} == expected


def noisy(n, seed=4):
    """Return texts of ten words in pairs, of which some words differ."""
    rng = np.random.Generator(np.random.PCG64(seed))
    texts = []
    for _ in range(n):
        words = ["".join(rng.choice(list("abcdefghijklm"), 6)) for _ in range(10)]
        other = [*words]
        for place in rng.choice(10, int(rng.integers(0, 8)), replace=False):
            other[place] = "".join(rng.choice(list("nopqrstuvwxyz"), 6))
        texts += [" ".join(words), " ".join(other)]
    return texts


def test_recall_is_what_is_promised():
    texts = noisy(400)
    found = minhash_pairs(records(texts), None, threshold=0.5, recall=0.9, unit="words", size=1)
    pairs = {(row["left_id"], row["right_id"]) for row in found.to_pylist()}
    alike = [
        i for i in range(0, len(texts), 2) if jaccard(set(texts[i].split()), set(texts[i + 1].split())) >= 0.5
    ]  # ten words, four of which differ at most: 6 / 14; three: 7 / 13
    hits = sum(tuple(sorted((str(i), str(i + 1)))) in pairs for i in alike)
    assert len(alike) > 150
    assert hits / len(alike) >= 0.9


def test_less_alike_pairs_are_none():
    one = records(["ab cd ef gh", "ab cd ef zz", "ab xx yy vv"])
    every = minhash_pairs(one, None, unit="words", size=1, **EVERY)
    assert [(row["left_id"], row["right_id"], row["score"]) for row in every.to_pylist()] == [
        ("0", "1", 3 / 5),
        ("0", "2", 1 / 7),
        ("1", "2", 1 / 7),
    ]
    some = minhash_pairs(one, None, unit="words", size=1, least=0.6, **EVERY)
    assert [(row["left_id"], row["right_id"]) for row in some.to_pylist()] == [("0", "1")]


@pytest.mark.parametrize(("unit", "size"), [("ngrams", 3), ("characters", 4), ("words", 1)])
def test_order_and_k(unit, size):
    texts = noisy(40)
    rng = np.random.Generator(np.random.PCG64(1))
    options = {"unit": unit, "size": size, "threshold": 0.2}
    every = minhash_pairs(records(texts), None, **options)
    best = minhash_pairs(records(texts), None, 1, **options)
    assert {row["rank"] for row in best.to_pylist()} == {1}
    assert best.num_rows <= every.num_rows
    for _ in range(2):
        order = rng.permutation(len(texts))
        assert minhash_pairs(records([texts[i] for i in order], order), None, **options) == every
        assert minhash_pairs(records([texts[i] for i in order], order), None, 1, **options) == best


def test_blocks_are_named_by_a_record():
    search = minhash_search(records(["ab cd"]), records(["ab cd"]), banding=Banding(2, 3))
    assert search.blocks.count == 2
    assert [block.key for block in search.blocks.largest] == ["band 1 of '0'", "band 2 of '0'"]


def test_records_without_words_and_empty_tables():
    one, none = records(["", "...", "ab"]), records([])
    for left, right in ((one, none), (none, one), (none, None), (one, None)):
        assert minhash_pairs(left, right, 3).num_rows == 0
    assert minhash_pairs(one, one).select(["left_id", "right_id"]).to_pylist() == [{"left_id": "2", "right_id": "2"}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.0},
        {"recall": 1.0},
        {"least": 1.5},
        {"unit": "letters"},
        {"size": 0},
        {"size": 17},
        {"values": 4, "threshold": 0.1},
        {"banding": Banding(100, 2)},
        {"k": 0},
        {"max_block": 0},
    ],
)
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ConfigError):
        minhash_search(records(["ab"]), None, **wrong)
