"""Near similarities: as near as they say, and the same for any threads."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.near_columns import SHIFT, fits_nearly, near_columns


def made(seed, n, d):
    return np.random.Generator(np.random.PCG64(seed)).normal(size=(n, d)).astype(np.float32)


def exact(columns):
    """Return the similarities of whole vectors, by integers of any size and one rounding."""
    items, rows = ([[int(x) for x in vector] for vector in side] for side in (columns.items, columns.rows))
    products = [[sum(a * b for a, b in zip(item, row, strict=True)) for row in rows] for item in items]
    return np.rint(np.array(products, np.float64) * columns.factor).astype(np.int64)


def inside(near):
    """Return near similarities of items and rows, without what fills up panels."""
    assert not near.near[len(near.items) :].any()
    assert not near.near[:, len(near.rows) :].any()
    return near.near[: len(near.items), : len(near.rows)].astype(np.int64)


def off(near, similarities):
    """Return how far near similarities are from exact ones, in their own units."""
    return np.abs((inside(near) << SHIFT) - similarities).max(initial=0) / (1 << SHIFT)


def test_golden_similarities():
    near = near_columns(dense_columns(np.array([[3.0, 4.0], [4.0, 3.0], [-3.0, -4.0], [0.0, 0.0]])))
    assert inside(near).tolist() == [
        [16384, 15729, -16384, 0],
        [15729, 16384, -15729, 0],
        [-16384, -15729, 16384, 0],
        [0, 0, 0, 0],
    ]
    assert near.off == 1
    assert near.near.shape == (32, 32)


def test_how_far_off():
    """By the longest part that cutting takes away: 2^14 units are a product of 1."""
    for vectors, bits in (
        (np.ones((1, 4)), 26),
        (made(1, 50, 384), 26),
        (made(2, 50, 384), 12),
        (made(3, 9, 2048), 26),
    ):
        columns = dense_columns(vectors, bits=bits)
        exactly = columns.items.astype(np.float64) * min(1.0, 32767 / columns.length)
        lost = np.linalg.norm(exactly - np.rint(exactly), axis=1).max() / min(32767, columns.length)
        assert near_columns(columns).off == int(np.ceil(0.51 + 2**14 * lost * (2 + lost)))
    assert near_columns(dense_columns(made(1, 50, 384))).off == 7
    assert near_columns(dense_columns(made(1, 50, 384), bits=12)).off == 1


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


def test_blocks_and_threads(monkeypatch):
    vectors, others = made(4, 333, 7), made(5, 70, 7)
    for rows in (None, others):
        expected = near_columns(dense_columns(vectors, rows, threads=1))
        assert off(expected, exact(dense_columns(vectors, rows))) <= expected.off
        for threads in (2, 5):
            near = near_columns(dense_columns(vectors, rows, threads=threads))
            np.testing.assert_array_equal(near.near, expected.near)
            assert near.off == expected.off


def test_near_similarities_are_those_of_cut_vectors():
    columns = dense_columns(made(8, 300, 5), made(9, 40, 5))
    items, rows = (np.rint(side * (32767 / columns.length)).astype(np.int64) for side in (columns.items, columns.rows))
    unit = np.float32(columns.factor * (columns.length / 32767) ** 2 / (1 << SHIFT))
    expected = np.rint((items @ rows.T).astype(np.float32) * unit)
    np.testing.assert_array_equal(inside(near_columns(columns)), expected)


def test_what_fits():
    vectors = made(6, 10, 8)
    assert fits_nearly(dense_columns(vectors, memory=200))
    assert not fits_nearly(dense_columns(vectors, memory=199))
    assert fits_nearly(dense_columns(vectors, bits=12))
    assert not fits_nearly(dense_columns(made(6, 10, 384), bits=4))  # rounding makes vectors three times as long


def test_no_rows():
    near = near_columns(dense_columns(np.empty((0, 3)), np.ones((2, 3))))
    assert inside(near).shape == (0, 2)
    assert inside(near_columns(dense_columns(np.empty((0, 3))))).shape == (0, 0)


@pytest.mark.parametrize("bits", [12, 26])
def test_clip_does_not_matter(bits):
    vectors = made(7, 20, 5)
    plain, clipped = (near_columns(dense_columns(vectors, bits=bits, clip=clip)) for clip in (False, True))
    assert plain.near.tolist() == clipped.near.tolist()
