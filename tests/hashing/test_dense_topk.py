"""Nearest vectors against a computation of all scores in plain Python, in the order of summation that is promised."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing import dense_topk
from tamis.hashing.dense_topk import METRICS, dense_rows, nearest_among, nearest_dense, score_pairs
from tamis.hashing.errors import ConfigError, InputError

SMALL = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
WIDE = st.floats(-(2.0**49), 2.0**49, width=32)  # subnormal ones too


@st.composite
def matrices(draw, values, most=14):
    columns = draw(st.integers(1, 5))
    rows = st.lists(st.lists(values, min_size=columns, max_size=columns), max_size=most)
    queries, searched = draw(rows), draw(rows)
    return tuple(np.array(some, np.float32).reshape(-1, columns) for some in (queries, searched))


def score(one, other, metric):
    """Return the score of two vectors, added up one by one."""
    total = square = turned = 0.0
    for x, y in zip(one.tolist(), other.tolist(), strict=True):
        total += (x - y) * (x - y) if metric == "euclidean" else x * y
        square += x * x
        turned += y * y
    if metric == "euclidean":
        return -math.sqrt(total)
    if metric == "inner":
        return total
    both = square * turned
    return max(-1.0, min(1.0, total / math.sqrt(both))) if both else -math.inf


def best(queries, searched, metric, k, own):
    """Return the rows and scores that ``nearest_dense`` should: all scores, sorted."""
    found = []
    for q, query in enumerate(queries):
        scores = [score(query, row, metric) for row in searched]
        some = [(-s, i) for i, s in enumerate(scores) if s > -math.inf and not (own >= 0 and i == own + q)]
        found.append([(i, -s) for s, i in sorted(some)[:k]])
    return found


def listed(found):
    return [
        [(int(i), float(s)) for i, s in zip(*pair, strict=True) if i >= 0]
        for pair in zip(found.rows, found.scores, strict=True)
    ]


def nearest(queries, searched, metric, k, own=-1, **blocks):
    index = dense_rows(searched, metric)
    return listed(nearest_dense(dense_rows(queries, metric, index), index, k, own, **blocks))


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.one_of(matrices(SMALL), matrices(WIDE)), st.sampled_from(list(METRICS)), st.integers(1, 16), st.data())
def test_nearest_is_the_sorted_list_of_all_scores_to_the_bit(both, metric, k, data):
    queries, searched = both
    blocks = {"block": data.draw(st.integers(1, 5)), "tile": data.draw(st.integers(1, 5))}
    assert nearest(queries, searched, metric, k, **blocks) == best(queries, searched, metric, k, -1)
    assert nearest(searched, searched, metric, k, 0, **blocks) == best(searched, searched, metric, k, 0)


def nearly_equal(seed, n, d):
    """Return vectors that float32 products cannot tell apart: a few components of one differ in their last bits."""
    rng = np.random.default_rng(seed)
    one = rng.standard_normal(d).astype(np.float32)
    some = np.tile(one, (n, 1))
    for row in some:
        for column in rng.integers(0, d, 3):
            row[column] = np.nextafter(row[column], np.float32(rng.choice([-9.0, 9.0])))
    return some


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 7])
def test_rows_that_float32_cannot_tell_apart(metric, k):
    some = nearly_equal(5, 150, 33)
    expected = best(some, some, metric, k, 0)
    assert nearest(some, some, metric, k, 0) == expected
    assert nearest(some, some, metric, k, 0, block=7, tile=64) == expected
    products = some @ some.T
    assert len(np.unique(products[0])) < 40  # they really cannot


@pytest.mark.parametrize("metric", METRICS)
def test_any_products_within_the_bound_give_the_same(metric, monkeypatch):
    rng = np.random.default_rng(8)
    some = np.concatenate([nearly_equal(6, 120, 20), rng.standard_normal((120, 20)).astype(np.float32)])
    index = dense_rows(some, metric)
    expected = best(some, some, metric, 5, 0)
    plain = dense_topk.blocks_of_products

    def wrong(queries, index, block, tile):
        for first, start, products in plain(queries, index, block, tile):
            a = queries.lengths[first : first + products.shape[0], None]
            b = index.lengths[None, start : start + products.shape[1]]
            error = 20 * 2.0**-24 * a * b * rng.choice([-1.0, 1.0], products.shape)
            yield first, start, (products + error).astype(np.float32)

    monkeypatch.setattr(dense_topk, "blocks_of_products", wrong)
    assert listed(nearest_dense(index, index, 5, 0)) == expected


@pytest.mark.parametrize("metric", METRICS)
def test_rows_in_ascending_order_of_score(metric):
    angles = np.linspace(1.5, 0.0, 200)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    query = np.array([[1.0, 0.0]], np.float32)
    assert nearest(query, rows, metric, 3) == best(query, rows, metric, 3, -1)
    assert [row for row, _ in nearest(query, rows, metric, 3)[0]] == [199, 198, 197]


def test_far_from_the_origin():
    rng = np.random.default_rng(2)
    some = (1e6 + rng.standard_normal((100, 8))).astype(np.float32)
    assert nearest(some, some, "euclidean", 4, 0) == best(some, some, "euclidean", 4, 0)


def test_equal_vectors_go_by_row_and_score_one():
    one = np.array([[0.1, 0.7, -0.3]], np.float32)
    rows = np.concatenate([one, -one, one * np.float32(2), one, one])
    assert nearest(rows, rows, "cosine", 2, 0) == [
        [(2, 1.0), (3, 1.0)],
        [(0, -1.0), (2, -1.0)],
        [(0, 1.0), (3, 1.0)],
        [(0, 1.0), (2, 1.0)],
        [(0, 1.0), (2, 1.0)],
    ]


def test_vectors_of_zeros():
    rows = np.array([[0, 0], [1, 0], [0, 0], [1, 1]], np.float32)
    assert nearest(rows, rows, "cosine", 3, 0) == [[], [(3, 0.7071067811865475)], [], [(1, 0.7071067811865475)]]
    assert nearest(rows, rows, "inner", 1, 0) == [[(1, 0.0)], [(3, 1.0)], [(0, 0.0)], [(1, 1.0)]]
    assert nearest(rows, rows, "euclidean", 1, 0) == [[(2, 0.0)], [(0, -1.0)], [(0, 0.0)], [(1, -1.0)]]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(matrices(SMALL), st.sampled_from(list(METRICS)), st.integers(1, 6), st.data())
def test_the_best_of_what_is_proposed(both, metric, k, data):
    queries, searched = both
    sets = st.sets(st.integers(0, max(0, len(searched) - 1)), max_size=4)
    some = [sorted(data.draw(sets)) if len(searched) else [] for _ in queries]
    proposed = np.array([[-1] * (4 - len(rows)) + rows for rows in some], np.int64).reshape(-1, 4)
    index = dense_rows(searched, metric)
    for own in (-1, 0):
        found = listed(nearest_among(dense_rows(queries, metric, index), index, proposed, k, own))
        full = best(queries, searched, metric, len(searched) or 1, own)
        assert found == [[pair for pair in one if pair[0] in rows][:k] for one, rows in zip(full, some, strict=True)]


def test_golden_scores():
    rows = np.array([[0.1, 0.2, 0.3], [0.3, -0.2, 0.1], [-0.5, 0.25, 0.125]], np.float32)
    index = dense_rows(rows, "cosine")
    places, others = np.array([0, 0, 1]), np.array([1, 2, 2])
    assert score_pairs(index, index, places, others).tolist() == pytest.approx(
        [0.14285714285714288, 0.17496355305594127, -0.8748177652797063], rel=1e-7
    )
    assert score_pairs(index, index, places, others).tolist() == [
        score(rows[i], rows[j], "cosine") for i, j in ((0, 1), (0, 2), (1, 2))
    ]


def test_no_vectors():
    none, one = np.empty((0, 3), np.float32), np.ones((1, 3), np.float32)
    for metric in METRICS:
        assert nearest(none, one, metric, 2) == []
        assert nearest(one, none, metric, 2) == [[]]
        assert nearest(none, none, metric, 2, 0) == []


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e16])
def test_what_is_no_number_is_refused(wrong):
    some = np.ones((3, 4), np.float32)
    some[1, 2] = wrong
    with pytest.raises(InputError, match="row 1, column 2"):
        dense_rows(some, "inner")


def test_what_is_no_matrix_is_refused():
    with pytest.raises(InputError, match="float64"):
        dense_rows(np.ones((2, 2)), "cosine")
    with pytest.raises(InputError, match="as many components"):
        dense_rows(np.ones((2, 2), np.float32), "cosine", dense_rows(np.ones((2, 3), np.float32), "cosine"))
    with pytest.raises(ConfigError, match="manhattan"):
        dense_rows(np.ones((2, 2), np.float32), "manhattan")
