"""Indexes of FAISS against the exact search."""

import pickle

import numpy as np
import pyarrow as pa
import pytest

from tamis.pipeline.blocking.allowed import allowed_only
from tamis.pipeline.blocking.dense import FaissOptions, dense_search
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.rules import shared_keys
from tamis.pipeline.blocking.search import Found, found_pairs

pytestmark = pytest.mark.neural
pytest.importorskip("faiss", reason="FAISS is not installed")

METRICS = ("cosine", "inner", "euclidean")


def clusters(n, seed=1, d=24):
    """Return vectors in clusters, with some equal ones and one of zeros."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((n // 10, d))
    some = (centres[rng.integers(0, len(centres), n)] + 0.3 * rng.standard_normal((n, d))).astype(np.float32)
    some[5], some[n // 2], some[7] = some[3], some[3], 0.0
    return some


def same(one, other):
    return all(getattr(one, name).tolist() == getattr(other, name).tolist() for name in ("queries", "rows", "scores"))


@pytest.mark.parametrize("metric", METRICS)
def test_flat_answers_as_exact(metric):
    some = clusters(900)
    for right in (None, clusters(500, seed=2)):
        exact = dense_search(some, right, 6, metric=metric)(0, 900)
        assert same(dense_search(some, right, 6, metric=metric, index="flat")(0, 900), exact)


def test_flat_answers_as_exact_where_proposals_prove_nothing():
    rng = np.random.default_rng(4)
    one = rng.standard_normal(24).astype(np.float32)
    some = np.tile(one, (400, 1))
    some[np.arange(400), rng.integers(0, 24, 400)] += np.float32(1e-7)
    for metric in METRICS:
        exact = dense_search(some, None, 3, metric=metric)(0, 400)
        assert same(dense_search(some, None, 3, metric=metric, index="flat")(0, 400), exact)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_two_builds_and_any_ranges_give_the_same(kind, metric):
    some = clusters(1200)
    one = dense_search(some, None, 5, metric=metric, index=kind)
    other = dense_search(some.copy(), None, 5, metric=metric, index=kind)
    assert one.faiss.stored == other.faiss.stored
    whole = one(0, 1200)
    parts = [pickle.loads(pickle.dumps(other))(first, min(first + 37, 1200)) for first in range(0, 1200, 37)]
    assert whole.queries.tolist() == [q for part in parts for q in part.queries.tolist()]
    assert whole.rows.tolist() == [r for part in parts for r in part.rows.tolist()]
    assert whole.scores.tolist() == [s for part in parts for s in part.scores.tolist()]
    assert not np.any(whole.queries == whole.rows)


@pytest.mark.parametrize(("kind", "least"), [("hnsw", 0.98), ("ivf", 0.9)])
def test_most_neighbours_are_found(kind, least):
    some = clusters(2000)
    exact, found = dense_search(some, None, 5)(0, 2000), dense_search(some, None, 5, index=kind)(0, 2000)
    true = dict(zip(zip(exact.queries.tolist(), exact.rows.tolist(), strict=True), exact.scores.tolist(), strict=True))
    pairs = dict(zip(zip(found.queries.tolist(), found.rows.tolist(), strict=True), found.scores.tolist(), strict=True))
    common = true.keys() & pairs.keys()
    assert len(common) >= least * len(true)
    assert all(true[pair] == pairs[pair] for pair in common)


def test_looking_everywhere_is_exact():
    some = clusters(700)
    exact = dense_search(some, None, 5)(0, 700)
    assert same(dense_search(some, None, 5, index="ivf", options=FaissOptions(lists=20, probes=20))(0, 700), exact)


def test_another_seed_builds_another_index():
    some = clusters(700)
    for kind in ("hnsw", "ivf"):
        one, other = (dense_search(some, None, 5, index=kind, options=FaissOptions(seed=seed)) for seed in (1, 2))
        assert one.faiss.stored != other.faiss.stored


def test_threads_change_nothing():
    some = clusters(1000)
    ids = read_records(pa.table({"id": range(1000), "text": [""] * 1000}), "id")
    for kind in ("flat", "hnsw", "ivf"):
        search = dense_search(some, None, 3, index=kind)
        assert found_pairs(search, ids, None, threads=1) == found_pairs(search, ids, None, threads=4)


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"])
def test_few_records(kind):
    none, one, some = np.empty((0, 4), np.float32), np.ones((1, 4), np.float32), clusters(30, d=4)
    for left, right in ((none, None), (one, None), (one, none), (none, one), (none, none)):
        assert len(dense_search(left, right, 3, index=kind)(0, len(left))) == 0
    options = FaissOptions(lists=3)
    found = dense_search(one, some, 50, index=kind, options=options)(0, 1)
    assert same(found, dense_search(one, some, 50)(0, 1))


@pytest.mark.parametrize("index", ["flat", "hnsw", "ivf"])
def test_excluded_pairs_take_no_place_and_ranges_change_nothing(index):
    some = clusters(300)
    years = [str(i % 3) if i % 7 else None for i in range(300)]
    left = read_records(pa.table({"id": [f"r{i:03}" for i in range(300)], "year": years}), "id")
    excluded = shared_keys(["year"], left, None)
    found = allowed_only(dense_search(some, None, 5, index=index), 5, 300, excluded)
    whole = found(0, 300)
    counts = np.bincount(whole.queries, minlength=300)
    assert counts[7] == 0  # a vector of zeros
    assert set(np.delete(counts, 7)) == {5} or index == "ivf"
    assert not any(
        years[q] is not None and years[q] == years[r] for q, r in zip(whole.queries, whole.rows, strict=True)
    )
    for cuts in ([0, 1, 130, 300], list(range(301))):
        assert same(Found.of([found(a, b) for a, b in zip(cuts, cuts[1:], strict=False)]), whole)
    if index == "flat":
        assert same(allowed_only(dense_search(some, None, 5), 5, 300, excluded)(0, 300), whole)
