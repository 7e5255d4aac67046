import pickle
import sys

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError, InputError
from tamis.pipeline.blocking.dense import FaissOptions, dense_search
from tamis.pipeline.blocking.pairs import check_pairs
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.search import found_pairs

COMPONENT = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])


def vectors(most):
    rows = st.lists(st.lists(COMPONENT, min_size=3, max_size=3), max_size=most)
    return rows.map(lambda some: np.array(some, np.float32).reshape(-1, 3))


def records(n, start=0):
    ids = pa.array(range(start, start + n), pa.int64())
    return read_records(pa.table({"id": ids, "text": pa.array([""] * n, pa.string())}), "id")


def dense_pairs(left, right, k, threads=1, **settings):
    search = dense_search(left, right, k, **settings)
    return found_pairs(search, records(len(left)), None if right is None else records(len(right)), threads=threads)


def random_vectors(n, seed=3, d=16):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def test_by_hand():
    left = np.array([[1, 0], [0, 0], [0, 2]], np.float32)
    right = np.array([[3, 4], [0, 1], [4, 3]], np.float32)
    assert dense_pairs(left, right, 2).to_pylist() == [
        {"left_id": "0", "right_id": "2", "score": 0.8, "blocker": "dense", "rank": 1},
        {"left_id": "0", "right_id": "0", "score": 0.6, "blocker": "dense", "rank": 2},
        {"left_id": "2", "right_id": "1", "score": 1.0, "blocker": "dense", "rank": 1},
        {"left_id": "2", "right_id": "0", "score": 0.8, "blocker": "dense", "rank": 2},
    ]


def test_within_one_table():
    some = np.array([[1, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    found = dense_pairs(some, None, 1, metric="inner").to_pylist()
    assert [(row["left_id"], row["right_id"], row["score"], row["rank"]) for row in found] == [
        ("0", "2", 1.0, 1),
        ("0", "3", 1.0, 1),
        ("1", "3", 1.0, 1),
    ]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(vectors(9), vectors(9), st.integers(1, 10), st.sampled_from(["cosine", "inner", "euclidean"]))
def test_pairs_are_the_nearest_of_all(left, right, k, metric):
    found = dense_pairs(left, right, k, metric=metric)
    check_pairs(found)
    expected = {}
    for q, one in enumerate(left.astype(float)):
        for r, other in enumerate(right.astype(float)):
            lengths = np.sqrt((one @ one) * (other @ other))  # these products are exact
            if metric == "euclidean":
                expected[q, r] = -float(np.sqrt((one - other) @ (one - other)))
            elif metric == "inner":
                expected[q, r] = float(one @ other)
            elif lengths:
                expected[q, r] = min(1.0, float(one @ other / lengths))
    by_query = {}
    for row in found.to_pylist():
        by_query.setdefault(int(row["left_id"]), []).append(row)
    for q in range(len(left)):
        mine = sorted((-score, r) for (a, r), score in expected.items() if a == q)[:k]
        assert [(int(row["right_id"])) for row in by_query.get(q, [])] == [r for _, r in mine]
        assert [row["score"] for row in by_query.get(q, [])] == [-s for s, _ in mine]
        assert [row["rank"] for row in by_query.get(q, [])] == list(range(1, len(mine) + 1))


def test_a_range_answers_as_a_part_of_the_whole():
    search = dense_search(random_vectors(300), None, 4)
    whole, part = search(0, 300), search(70, 200)
    mine = (whole.queries >= 70) & (whole.queries < 200)
    assert part.queries.tolist() == whole.queries[mine].tolist()
    assert part.rows.tolist() == whole.rows[mine].tolist()
    assert part.scores.tolist() == whole.scores[mine].tolist()


def test_threads_and_pickling_change_nothing():
    some = random_vectors(600)
    search = dense_search(some, None, 4)
    again = pickle.loads(pickle.dumps(search))
    expected = found_pairs(search, records(600), None, threads=1)
    assert found_pairs(again, records(600), None, threads=4) == expected


def test_empty_tables():
    one, none = random_vectors(1), random_vectors(0)
    for left, right in ((one, none), (none, one), (none, none), (none, None), (one, None)):
        assert dense_pairs(left, right, 3).num_rows == 0


@pytest.mark.parametrize(
    "wrong",
    [{"k": 0}, {"index": "tree"}, {"options": FaissOptions(links=0)}, {"options": FaissOptions(lists=-1)}],
)
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ConfigError, match="at least 1"):
        dense_search(random_vectors(2), None, **{"k": 1, **wrong})


def test_numbers_that_are_none():
    with pytest.raises(InputError, match="nan at row 0, column 1"):
        dense_search(np.array([[1, np.nan]], np.float32), None, 1)


def test_without_faiss(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ConfigError, match=r"pip install 'tamis\[neural\]'"):
        dense_search(random_vectors(2), None, 1, index="hnsw")
