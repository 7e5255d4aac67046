import os
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.pairs import check_pairs
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.search import found_pairs

TEXTS = st.lists(st.text("abé中 ", max_size=10), max_size=10)


def lexical_pairs(left, right, k, threads=None, **options):
    return found_pairs(lexical_search(left, right, k, **options), left, right, threads=threads)


def records(texts, ids=None):
    ids = range(len(texts)) if ids is None else ids
    return read_records(pa.table({"id": pa.array(ids, pa.int64()), "text": pa.array(texts, pa.string())}), "id")


def distinct(n, seed=5):
    """Return texts of which no two pairs have equal scores."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abcdefgh"), size)) for size in rng.integers(2, 9, 40)]
    return [" ".join(rng.choice(words, int(rng.integers(3, 12)))) + f" {i * 7919}" for i in range(n)]


def test_by_hand():
    left = records(["sony tv", "", "apple phone"], [10, 11, 12])
    right = records(["phone by apple", "tv sony", "nothing"], [1, 2, 3])
    found = lexical_pairs(left, right, 1)
    assert found.select(["left_id", "right_id", "blocker", "rank"]).to_pylist() == [
        {"left_id": "10", "right_id": "2", "blocker": "lexical", "rank": 1},
        {"left_id": "12", "right_id": "1", "blocker": "lexical", "rank": 1},
    ]
    assert found["score"][0].as_py() == pytest.approx(1.0)


def test_within_one_table():
    found = lexical_pairs(records(["sift", "grain", "sift", "sifts"]), None, 1)
    some = [tuple(row.values()) for row in found.select(["left_id", "right_id", "rank"]).to_pylist()]
    assert some == [("0", "2", 1), ("0", "3", 1)]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(TEXTS, TEXTS, st.integers(1, 12))
def test_ranks_and_scores_agree(left, right, k):
    found = lexical_pairs(records(left), records(right), k, threads=1)
    check_pairs(found)
    by_query = {}
    for row in found.to_pylist():
        by_query.setdefault(row["left_id"], []).append(row)
    for some in by_query.values():
        assert [row["rank"] for row in some] == list(range(1, len(some) + 1))
        assert len(some) <= k
        keys = [(-row["score"], int(row["right_id"])) for row in some]
        assert keys == sorted(keys)
        assert all(0.0 < row["score"] <= 1.0 + 1e-12 for row in some)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(TEXTS, st.integers(1, 12))
def test_a_table_with_itself_is_the_table_against_itself_but_for_the_diagonal(texts, k):
    one = records(texts)
    both = lexical_pairs(one, None, k, threads=1).to_pylist()
    assert all(row["left_id"] < row["right_id"] for row in both)
    full = lexical_pairs(one, None, len(texts) + 1, threads=1)
    scores = {(row["left_id"], row["right_id"]): row["score"] for row in full.to_pylist()}
    expected = {}
    for q in map(str, range(len(texts))):
        mine = {a if b == q else b: score for (a, b), score in scores.items() if q in (a, b)}
        for rank, other in enumerate(sorted(mine, key=lambda i: (-mine[i], int(i)))[:k], 1):
            pair = min(q, other), max(q, other)
            expected[pair] = min(rank, expected.get(pair, rank))
    assert {(row["left_id"], row["right_id"]): row["rank"] for row in both} == expected


def test_the_order_of_records_changes_nothing():
    texts, rng = distinct(400), np.random.default_rng(1)
    left, right = np.arange(150), np.arange(150, 400)
    expected = lexical_pairs(records([texts[i] for i in left], left), records([texts[i] for i in right], right), 5)
    dirty = lexical_pairs(records(texts), None, 3)
    for _ in range(3):
        a, b, c = (rng.permutation(some) for some in (left, right, np.arange(400)))
        assert lexical_pairs(records([texts[i] for i in a], a), records([texts[i] for i in b], b), 5) == expected
        assert lexical_pairs(records([texts[i] for i in c], c), None, 3) == dirty


def test_threads_change_nothing():
    one = records(distinct(700))
    assert lexical_pairs(one, None, 4, threads=1) == lexical_pairs(one, None, 4, threads=4)


def named(rows, ids):
    table = pa.table({"id": ids, "name": [row[0] for row in rows], "place": [row[1] for row in rows]})
    return read_records(table, "id")


def test_columns_apart():
    left = named([("paris hilton", "london")], ["l"])
    right = named([("london hilton", "paris"), ("paris hiltons", "londons")], ["r0", "r1"])
    together = lexical_pairs(left, right, 2).to_pylist()
    apart = lexical_pairs(left, right, 2, columns="apart").to_pylist()
    assert [row["right_id"] for row in together] == ["r0", "r1"]
    assert [row["right_id"] for row in apart] == ["r1", "r0"]
    assert together[0]["score"] == pytest.approx(1.0)
    assert lexical_pairs(left, left, 1, columns="apart")["score"].to_pylist() == [pytest.approx(1.0)]


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.text("abé ", max_size=6), st.text("abé ", max_size=6)), min_size=1, max_size=6))
def test_the_score_of_columns_apart_is_the_mean_of_two_cosines(texts):
    from tamis.hashing.ngrams import count_ngrams
    from tamis.hashing.sparse_topk import tfidf_rows
    from tamis.hashing.unicode_table import words_v1
    from tamis.pipeline.text_column import text_buffers

    def vectors(column):
        counts = count_ngrams(*text_buffers(pa.array(column, pa.large_string())), 3, 4, words_v1())
        weights = tfidf_rows(counts, sublinear=True).weights
        tf = 1 + np.log(counts.counts)
        idf = np.log((1 + len(column)) / (1 + counts.texts_with)) + 1
        dense, unit = np.zeros((len(column), len(counts.keys))), np.zeros((len(column), len(counts.keys)))
        for i in range(len(column)):
            part = slice(counts.bounds[i], counts.bounds[i + 1])
            dense[i, counts.terms[part]] = tf[part] * idf[counts.terms[part]]
            unit[i, counts.terms[part]] = weights[part]
        return dense, unit

    records = named(texts, [str(i) for i in range(len(texts))])
    whole = vectors(records.texts.to_pylist() * 2)[1]  # of both sides, which are the same
    own = np.hstack([vectors([x or "" for x in records.values[name].to_pylist() * 2])[0] for name in ("name", "place")])
    lengths = np.linalg.norm(own, axis=1, keepdims=True)
    both = np.hstack([whole, np.divide(own, lengths, out=np.zeros_like(own), where=lengths > 0)])
    lengths = np.linalg.norm(both, axis=1, keepdims=True)
    both = np.divide(both, lengths, out=np.zeros_like(both), where=lengths > 0)
    expected = both @ both.T
    found = lexical_pairs(records, records, len(texts), columns="apart").to_pylist()
    scores = {(int(row["left_id"]), int(row["right_id"])): row["score"] for row in found}
    for i in range(len(texts)):
        for j in range(len(texts)):
            assert scores.get((i, j), 0.0) == pytest.approx(expected[i, j], abs=1e-12)


@pytest.mark.parametrize("apart_is_better", [True, False])
def test_auto_takes_what_finds_more_mutual_pairs(apart_is_better):
    rng = np.random.default_rng(3)
    words = [f"w{i * 7919 % 9973}" for i in range(30)]
    rows = [[list(rng.choice(words, 4)) for _ in range(2)] for _ in range(300)]
    left = named([(" ".join(a), " ".join(b)) for a, b in rows], [f"l{i}" for i in range(300)])
    for row in rows:
        row[0][0], row[1][0] = rng.choice(words, 2)
    other = [(a, b) if apart_is_better else (b, a) for a, b in rows]
    right = named([(" ".join(a), " ".join(b)) for a, b in other], [f"r{i}" for i in range(300)])
    found = {how: lexical_pairs(left, right, 1, columns=how) for how in ("together", "apart", "auto")}
    hits = {
        how: sum(row["left_id"][1:] == row["right_id"][1:] for row in some.to_pylist()) for how, some in found.items()
    }
    assert (hits["apart"] > hits["together"]) == apart_is_better
    assert found["auto"] == found["apart" if apart_is_better else "together"]


def test_empty_tables():
    one, none = records(["a"]), records([])
    for left, right in ((one, none), (none, one), (none, none), (none, None), (one, None)):
        assert lexical_pairs(left, right, 3).num_rows == 0


@pytest.mark.parametrize("wrong", [{"k": 0}, {"ngrams": (4, 3)}, {"ngrams": (0, 3)}, {"ngrams": (3, 17)}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ConfigError, match="k is at least 1"):
        lexical_pairs(records(["a"]), None, **{"k": 1, **wrong})


@pytest.mark.skipif("TAMIS_DATA" not in os.environ, reason="TAMIS_DATA does not name the folder of real data")
def test_recall_on_products():
    import csv
    import gzip

    folder = Path(os.environ["TAMIS_DATA"]) / "A-abt-buy"

    def lines(name):
        with gzip.open(folder / name, "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="|"))

    left, right = (read_records(pa.Table.from_pylist(lines(f"{name}.csv.gz")), "id") for name in ("abt", "buy"))
    found = lexical_pairs(left, right, 3).select(["left_id", "right_id"]).to_pylist()
    pairs = {(row["left_id"], row["right_id"]) for row in found}
    true = {(line["D1"], line["D2"]) for line in lines("gt.csv.gz")}
    assert len(pairs & true) / len(true) >= 0.925
