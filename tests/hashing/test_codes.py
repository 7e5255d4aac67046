"""Codes against single bits in plain Python."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from tamis.hashing.codes import band_keys, check_codes, hamming, pack_signs
from tamis.hashing.errors import ConfigError, InputError

SHAPES = st.tuples(st.integers(0, 4), st.integers(1, 200))
VALUES = SHAPES.flatmap(lambda shape: arrays(np.float32, shape, elements=st.floats(-2, 2, width=32)))


def numbers(codes):
    """Return codes as integers of any length."""
    return [sum(int(word) << 64 * i for i, word in enumerate(code)) for code in codes]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(VALUES)
def test_bits_are_signs(values):
    codes = pack_signs(values)
    assert codes.dtype == np.uint64
    assert codes.shape == (len(values), -(-values.shape[1] // 64))
    assert numbers(codes) == [sum(1 << i for i, x in enumerate(row) if x >= 0) for row in values]
    check_codes(codes, values.shape[1])


def test_golden_codes():
    values = np.array([[0.0, -0.0, -1e-45, np.inf, -np.inf] + [1.0] * 59 + [-1.0, 2.0]], np.float32)
    assert pack_signs(values).tolist() == [[0xFFFFFFFFFFFFFFEB, 0b10]]
    assert band_keys(pack_signs(values), 8, 16).tolist() == [[0xFFEB, 0xFFFF, 0xFFFF, 0xFFFF, 2, 0, 0, 0]]


@pytest.mark.parametrize("shape", [(3,), (3, 0), (1, 2, 2)])
def test_no_bits(shape):
    with pytest.raises(InputError, match="at least one a record"):
        pack_signs(np.zeros(shape, np.float32))


def test_nan_has_no_sign():
    values = np.zeros((5, 3), np.float32)
    values[[2, 4], 1] = np.nan
    with pytest.raises(InputError, match="NaN in 2 records, the first in row 2"):
        pack_signs(values)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(VALUES, st.integers(1, 64), st.data())
def test_bands_are_bits_in_order(values, width, data):
    codes = pack_signs(values)
    width = min(width, 64 * codes.shape[1])
    bands = data.draw(st.integers(1, 64 * codes.shape[1] // width))
    keys = band_keys(codes, bands, width)
    assert keys.shape == (len(codes), bands)
    mask = (1 << width) - 1
    assert keys.tolist() == [[code >> band * width & mask for band in range(bands)] for code in numbers(codes)]


@pytest.mark.parametrize(("bands", "width"), [(0, 8), (1, 0), (1, 65), (5, 13), (65, 1), (-1, -1)])
def test_bands_that_cannot_be(bands, width):
    with pytest.raises(ConfigError, match=f"{bands} bands of {width} bits"):
        band_keys(np.zeros((1, 1), np.uint64), bands, width)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.integers(1, 3).flatmap(lambda words: arrays(np.uint64, (2, 5, words))))
def test_distance_is_of_differing_bits(pair):
    one, other = pair
    expected = [(a ^ b).bit_count() for a, b in zip(numbers(one), numbers(other), strict=True)]
    assert hamming(one, other).tolist() == expected


@pytest.mark.parametrize(
    ("codes", "bits"),
    [
        (np.zeros((2, 1), np.int64), 64),
        (np.zeros(2, np.uint64), 64),
        (np.zeros((2, 1), np.uint64), 65),
        (np.zeros((2, 2), np.uint64), 64),
        (np.zeros((2, 1), np.uint64), 0),
        (np.array([[7], [8]], np.uint64), 3),
    ],
)
def test_codes_that_are_none(codes, bits):
    with pytest.raises(InputError, match=f"codes of {bits} bits"):
        check_codes(codes, bits)
