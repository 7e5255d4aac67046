"""Similarities of a graph against a matrix."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import InputError
from tamis.hashing.selection.sparse_columns import nearest_columns, sparse_columns

from . import set_cases


def matrix_of(columns):
    found = np.zeros((columns.n_rows, columns.n_items))
    for item in range(columns.n_items):
        rows, values = columns.column(item)
        found[rows, item] = values * columns.unit
    return found


def test_rows_become_columns():
    columns = sparse_columns(np.array([0, 2, 2, 3]), np.array([1, 0, 1]), np.array([0.5, 0.25, 1.0]), 2)
    assert matrix_of(columns).tolist() == [[0.25, 0.5], [0.0, 0.0], [0.0, 1.0]]
    assert columns.starts.tolist() == [0, 1, 3]
    assert columns.rows.tolist() == [0, 0, 2]
    assert not columns.square
    assert not columns.symmetric()


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8))
def test_sums_are_those_of_the_matrix(seed, n, m):
    made = np.random.Generator(np.random.PCG64(seed))
    matrix = np.where(made.random((n, m)) < 0.5, np.round(made.normal(size=(n, m)), 3), 0.0)
    columns, asked = set_cases.graph(matrix), np.arange(m)
    units = np.rint(matrix / columns.unit).astype(np.int64)
    held = made.integers(0, 1 << 30, n).astype(np.int32)
    room = made.integers(0, 1 << 31, n)
    assert columns.added(asked, held).tolist() == np.maximum(0, units - held[:, None]).sum(axis=0).tolist()
    there = matrix != 0
    assert columns.filling(asked, room).tolist() == (np.minimum(units, room[:, None]) * there).sum(axis=0).tolist()
    assert columns.totals("items").tolist() == units.sum(axis=0).tolist()
    assert columns.totals("rows").tolist() == units.sum(axis=1).tolist()
    assert columns.least() == min(0, units.min())


def test_both_ways_takes_the_higher_and_itself_fills_the_diagonal():
    columns = set_cases.graph([[0, 0.5, 0.25], [0.75, 0.125, 0], [0, 0, 0]], both_ways=True, itself=1.0)
    assert matrix_of(columns).tolist() == [[1, 0.75, 0.25], [0.75, 1, 0], [0.25, 0, 1]]
    assert (columns.itself() * columns.unit).tolist() == [1, 1, 1]
    assert columns.symmetric()
    assert not set_cases.graph([[0, 0.5], [0.25, 0]]).symmetric()
    assert set_cases.graph([[0, 0.5], [0.25, 1]]).itself().tolist() == [0, 1 << 30]


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.booleans())
def test_any_graph_both_ways(seed, n, with_itself):
    made = np.random.Generator(np.random.PCG64(seed))
    matrix = np.where(made.random((n, n)) < 0.5, made.integers(-4, 5, (n, n)) / 4, 0.0)
    columns = set_cases.graph(matrix, both_ways=True, itself=1.0 if with_itself else None)
    expected = np.where((matrix != 0) & (matrix.T != 0), np.maximum(matrix, matrix.T), matrix + matrix.T)
    if with_itself:
        np.fill_diagonal(expected, 1.0)
    assert matrix_of(columns).tolist() == expected.tolist()
    assert all((np.diff(columns.column(item)[0]) > 0).all() for item in range(n))
    assert columns.symmetric()


def test_nearest_of_a_search():
    items, scores = np.array([[1, 0], [2, -1]]), np.array([[0.5, 0.25], [1.0, 9.0]])
    assert matrix_of(nearest_columns(items, scores, 3)).tolist() == [[0.25, 0.5, 0], [0, 0, 1]]
    square = nearest_columns(np.array([[1], [-1]]), np.array([[0.5], [0.0]]), 2, itself=1.0, both_ways=True)
    assert matrix_of(square).tolist() == [[1, 0.5], [0.5, 1]]
    with pytest.raises(InputError, match="one shape"):
        nearest_columns(items, scores[:, :1], 3)
    with pytest.raises(InputError, match="found -2 to 0"):
        nearest_columns(np.array([[0, -2]]), np.array([[1.0, 1.0]]), 3)


def test_what_is_refused():
    def made(bounds, items, values, n_items=2, **options):
        return sparse_columns(np.array(bounds), np.array(items, np.int64), np.array(values), n_items, **options)

    with pytest.raises(InputError, match="finite; found entry 1"):
        made([0, 2], [0, 1], [1.0, float("nan")])
    with pytest.raises(InputError, match="from 0 to 1; found 0 to 2"):
        made([0, 2], [0, 2], [1.0, 1.0])
    with pytest.raises(InputError, match="from 0 to 1; found -1 to 0"):
        made([0, 2], [0, -1], [1.0, 1.0])
    with pytest.raises(InputError, match="once; found row 1, item 0"):
        made([0, 1, 3], [0, 0, 0], [1.0, 1.0, 1.0])
    with pytest.raises(InputError, match="bounds rise"):
        made([0, 3], [0, 1], [1.0, 1.0])
    with pytest.raises(InputError, match="found 2 and 1"):
        made([0, 2], [0, 1], [1.0])
    with pytest.raises(InputError, match="1 rows, 2 items"):
        made([0, 2], [0, 1], [1.0, 1.0], itself=1.0)
