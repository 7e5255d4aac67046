"""Near similarities: as near as they say, for any vectors, strips and threads."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.selection import near_columns as module
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.near_columns import SHIFT, fits_nearly, near_columns


def made(seed, n, d):
    return np.random.Generator(np.random.PCG64(seed)).normal(size=(n, d)).astype(np.float32)


def exact(columns):
    """Return the similarities of whole vectors, by integers of any size and one rounding."""
    items, rows = ([[int(x) for x in vector] for vector in side] for side in (columns.items, columns.rows))
    products = [[sum(a * b for a, b in zip(item, row, strict=True)) for row in rows] for item in items]
    return np.rint(np.array(products, np.float64) * columns.factor).astype(np.int64)


def off(near, similarities):
    """Return how far near similarities are from exact ones, in their own units."""
    return np.abs((near.near.astype(np.int64) << SHIFT) - similarities).max(initial=0) / (1 << SHIFT)


def test_golden_similarities():
    near = near_columns(dense_columns(np.array([[3.0, 4.0], [4.0, 3.0], [-3.0, -4.0], [0.0, 0.0]])))
    assert near.near.tolist() == [
        [16384, 15729, -16384, 0],
        [15729, 16384, -15729, 0],
        [-16384, -15729, 16384, 0],
        [0, 0, 0, 0],
    ]
    assert near.off == 1
    assert [near_columns(dense_columns(np.ones((1, d)))).off for d in (384, 505, 506, 1024, 2048)] == [1, 1, 2, 2, 3]


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 9),
    m=st.integers(0, 9),
    d=st.integers(1, 90),
    bits=st.sampled_from([12, 20, 26]),
    metric=st.sampled_from(["cosine", "dot"]),
)
def test_as_near_as_it_says(seed, n, m, d, bits, metric):
    rows = made(seed + 1, m, d) if m else None  # none: a square
    columns = dense_columns(made(seed, n, d), rows, bits=bits, metric=metric, threads=1 + seed % 3)
    near, similarities = near_columns(columns), exact(columns)
    assert off(near, similarities) <= near.off
    np.testing.assert_array_equal(similarities, [columns.column(j)[1] for j in range(n)])
    assert near.items.tolist() == columns.items.tolist()
    assert near.rows.tolist() == columns.rows.tolist()


def test_as_near_where_all_roundings_go_one_way():
    for d in (384, 2000):
        one = np.full((1, d), 1 + 2.0**-12)
        one[0, ::2] = 1.0
        columns = dense_columns(np.concatenate([one, one[:, ::-1], -one]))
        near = near_columns(columns)
        assert off(near, exact(columns)) <= near.off


def test_strips_and_threads(monkeypatch):
    vectors, others = made(4, 77, 6), made(5, 41, 6)
    for strip, room in ((5, 1 << 20), (1024, 300), (70, 1 << 20)):
        monkeypatch.setattr(module, "_STRIP", strip)
        monkeypatch.setattr(module, "_ROOM", room)
        for rows in (None, others):
            for threads in (1, 2, 5):
                columns = dense_columns(vectors, rows, threads=threads)
                assert off(near_columns(columns), exact(columns)) <= 1


def test_what_fits():
    vectors = made(6, 10, 8)
    assert fits_nearly(dense_columns(vectors, memory=200))
    assert not fits_nearly(dense_columns(vectors, memory=199))
    assert fits_nearly(dense_columns(vectors, bits=12))
    assert not fits_nearly(dense_columns(made(6, 10, 384), bits=4))  # rounding makes vectors three times as long


def test_no_rows():
    near = near_columns(dense_columns(np.empty((0, 3)), np.ones((2, 3))))
    assert near.near.shape == (0, 2)
    assert near_columns(dense_columns(np.empty((0, 3)))).near.shape == (0, 0)


@pytest.mark.parametrize("bits", [12, 26])
def test_clip_does_not_matter(bits):
    vectors = made(7, 20, 5)
    plain, clipped = (near_columns(dense_columns(vectors, bits=bits, clip=clip)) for clip in (False, True))
    assert plain.near.tolist() == clipped.near.tolist()
