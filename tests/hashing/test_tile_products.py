"""Products of tiles: those of whole numbers, on processors of any kind."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numba import njit
from numba.core.errors import TypingError

from tamis.hashing.tile_products import PANEL, ROWS, tile_products


@njit
def _all_products(some, others, pairs, out):
    for first in range(0, PANEL, ROWS):
        tile_products(some, first, others, pairs, out)


def panel(vectors):
    """Return vectors as a panel: each two components in turn of all vectors."""
    n, d = vectors.shape
    out = np.zeros(((d + 1) // 2, PANEL, 2), np.int16)
    for i in range(n):
        for k in range(d):
            out[k // 2, i, k % 2] = vectors[i, k]
    return out


def products(vectors, others):
    """Return the products of vectors."""
    out = np.full((PANEL, PANEL), 77, np.int32)
    _all_products(panel(vectors), panel(others), (vectors.shape[1] + 1) // 2, out)
    return out[: len(vectors), : len(others)]


def made(seed, n, d, most=2000):
    return np.random.Generator(np.random.PCG64(seed)).integers(-most, most + 1, (n, d)).astype(np.int16)


def test_golden_products():
    assert products(np.array([[1, 2, 3], [-4, 5, 0]]), np.array([[10, 100, 1000], [7, 0, -1]])).tolist() == [
        [3210, 4],
        [460, -28],
    ]


@settings(max_examples=30, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, PANEL), m=st.integers(1, PANEL), d=st.integers(0, 70))
def test_products_are_those_of_whole_numbers(seed, n, m, d):
    vectors, others = made(seed, n, d), made(seed + 1, m, d)
    expected = vectors.astype(np.int64) @ others.astype(np.int64).T
    assert products(vectors, others).tolist() == expected.tolist()


def test_the_largest_products():
    ends = np.array([[32767], [-32767], [-32768]], np.int16)
    assert products(ends, ends).tolist() == [[int(x) * int(y) for x in ends[:, 0]] for y in ends[:, 0]]
    pair = np.full((1, 2), 32767, np.int16)
    assert products(pair, pair).tolist() == [[2 * 32767**2]]


def test_only_the_rows_asked_for_are_written():
    @njit
    def some(one, out):
        tile_products(one, ROWS, one, one.shape[0], out)

    out = np.full((PANEL, PANEL), 77, np.int32)
    vectors = made(3, PANEL, 6)
    some(panel(vectors), out)
    expected = vectors.astype(np.int64) @ vectors.astype(np.int64).T
    assert out[ROWS : 2 * ROWS].tolist() == expected[ROWS : 2 * ROWS].tolist()
    assert (out[:ROWS] == 77).all()
    assert (out[2 * ROWS :] == 77).all()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names of processors of x86")
@pytest.mark.parametrize("processor", ["generic", "haswell"])
def test_other_processors_answer_the_same(processor):
    """In a process that compiles for a processor with fewer instructions."""
    code = (
        "import sys, numpy as np\n"
        "from tests.hashing.test_tile_products import made, products\n"
        "found = products(made(1, 32, 33), made(2, 32, 33))\n"
        "sys.stdout.write(str(found.tolist()))"
    )
    features = {"generic": "", "haswell": "+avx2,+avx"}[processor]
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == str(products(made(1, 32, 33), made(2, 32, 33)).tolist())


def test_arrays_with_gaps_are_refused():
    vectors = panel(made(1, 4, 8))
    with pytest.raises(TypingError):
        _all_products(vectors[:, ::2], vectors, 4, np.empty((PANEL, PANEL), np.int32))
