"""Similarities of vectors: exact whole numbers, whatever the blocks, the threads and the order of components."""

import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.selection import dense_columns as module
from tamis.hashing.selection.dense_columns import dense_columns


def made(seed, n, d, dtype=np.float32):
    return np.random.Generator(np.random.PCG64(seed)).normal(size=(n, d)).astype(dtype)


def all_of(columns):
    return np.array([columns.column(j)[1] for j in range(columns.n_items)])


def test_golden_similarities():
    columns = dense_columns(np.array([[3.0, 4.0], [4.0, 3.0], [0.0, 0.0]]), bits=26)
    np.testing.assert_allclose(all_of(columns) * columns.unit, [[1, 0.96, 0], [0.96, 1, 0], [0, 0, 0]], atol=1e-7)
    columns = dense_columns(np.array([[3.0, 4.0], [4.0, 3.0], [0.0, -1.0]]), metric="dot")
    np.testing.assert_allclose(all_of(columns) * columns.unit, [[25, 24, -4], [24, 25, -3], [-4, -3, 1]], atol=1e-5)
    assert columns.least() == columns.column(0)[1][2]
    assert columns.itself().tolist() == np.diag(all_of(columns)).tolist()


@pytest.mark.parametrize(("bits", "off"), [(12, 5e-4), (26, 5e-8)])
@pytest.mark.parametrize("metric", ["cosine", "dot"])
def test_similarities_are_those_of_the_vectors(bits, off, metric):
    items, rows = made(1, 20, 48, np.float64), made(2, 30, 48, np.float64)
    columns = dense_columns(items, rows, bits=bits, metric=metric)
    longest = np.sqrt(max((items**2).sum(axis=1).max(), (rows**2).sum(axis=1).max()))
    if metric == "cosine":
        items /= np.linalg.norm(items, axis=1, keepdims=True)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        longest = 1.0
    np.testing.assert_allclose(all_of(columns) * columns.unit, items @ rows.T, atol=off * longest**2)


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 9), st.integers(1, 70), st.sampled_from([12, 26]))
def test_every_way_makes_the_same_bits(seed, n, m, d, bits):
    items, rows = made(seed, n, d), made(seed + 1, m, d)
    order = np.random.Generator(np.random.PCG64(seed)).permutation(d)
    asked = np.arange(n)
    held, room = np.arange(m, dtype=np.int32) << 20, np.arange(m) << 22
    ways = [
        dense_columns(items, rows, bits=bits, threads=1),
        dense_columns(items, rows, bits=bits, memory=0),
        dense_columns(items[:, order], rows[:, order], bits=bits, threads=3),
    ]
    first = ways[0]
    for way in ways[1:]:
        assert np.array_equal(all_of(way), all_of(first))
        assert np.array_equal(way.added(asked, held), first.added(asked, held))
        assert np.array_equal(way.filling(asked, room), first.filling(asked, room))
    matrix = all_of(first).astype(np.int64)
    assert first.added(asked, held).tolist() == np.maximum(0, matrix - held).sum(axis=1).tolist()
    assert first.filling(asked, room).tolist() == np.minimum(matrix, room).sum(axis=1).tolist()
    assert first.totals("items").tolist() == matrix.sum(axis=1).tolist()
    assert ways[1].totals("rows").tolist() == matrix.sum(axis=0).tolist()


def test_a_square_is_its_own_mirror_across_tiles(monkeypatch):
    vectors = made(4, 23, 6)
    whole = all_of(dense_columns(vectors, memory=0))
    monkeypatch.setattr(module, "_TILE", 5)
    assert np.array_equal(all_of(dense_columns(vectors)), whole)
    assert np.array_equal(whole, whole.T)
    clipped = all_of(dense_columns(vectors, clip=True))
    assert np.array_equal(clipped, np.maximum(whole, 0))


def test_threads_share_the_items(monkeypatch):
    vectors = made(5, 50, 6)
    asked, held = np.arange(49, -1, -1), np.full(50, 1 << 28, np.int32)
    alone = dense_columns(vectors, threads=1).added(asked, held)
    monkeypatch.setattr(module, "_ENOUGH", 100)
    assert np.array_equal(dense_columns(vectors, threads=3).added(asked, held), alone)


def test_a_pickled_square_is_a_square():
    columns = dense_columns(made(6, 9, 4))
    again = pickle.loads(pickle.dumps(columns))
    assert again.square
    assert np.array_equal(all_of(again), all_of(columns))
    assert not dense_columns(made(6, 9, 4), made(6, 9, 4)).square


def test_sums_are_exact_for_vectors_of_one_direction():
    ones = np.ones((2, 384), np.float32)  # every partial sum is as large as can be
    for bits in (12, 26):
        columns = dense_columns(ones, bits=bits)
        assert len(set(all_of(columns).ravel().tolist())) == 1
        assert all_of(columns)[0, 0] * columns.unit == pytest.approx(1.0, abs=4.0 ** (3 - bits / 2))


def test_what_is_refused():
    with pytest.raises(InputError, match="finite; found row 1"):
        dense_columns(np.array([[1.0], [np.nan]]))
    with pytest.raises(InputError, match="shape"):
        dense_columns(np.ones(3))
    with pytest.raises(InputError, match="one width; found 2 and 3"):
        dense_columns(np.ones((1, 2)), np.ones((1, 3)))
    with pytest.raises(ConfigError, match="4 to 26 bits; found 27"):
        dense_columns(np.ones((1, 2)), bits=27)
    with pytest.raises(ConfigError, match="cosine or dot; found l2"):
        dense_columns(np.ones((1, 2)), metric="l2")
    with pytest.raises(ConfigError, match="longer than its rounding"):
        dense_columns(np.ones((1, 2000)), bits=4)
