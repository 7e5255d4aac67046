"""The hash of a cell is that of its canonical text, whether or not the text is written."""

import datetime as dt
import struct
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.cells import LIMIT, text_cells
from tamis.hashing.murmur3 import murmur3_bytes
from tamis.pipeline.lake.canonical import canonical_texts, cell_hashes
from tamis.pipeline.text_column import text_buffers

SEED = np.uint64(7)


def of_texts(texts):
    data, offsets = text_buffers(pa.array(texts, pa.large_string()))
    return [tuple(pair) for pair in text_cells(data, offsets, SEED).tolist()]


def check(column):
    """Compare the hashes of values with those of their texts as a column of strings."""
    texts = canonical_texts("x", column)
    assert np.array_equal(cell_hashes("x", column), cell_hashes("x", texts.cast(pa.large_string())))
    half = len(column) // 2
    assert np.array_equal(cell_hashes("x", column.slice(half)), cell_hashes("x", column)[half:])


def floats_near_decimals():
    """Return floats that are decimals of few digits, their neighbours, and any bits."""
    rng = np.random.default_rng(3)
    decimals = rng.integers(-(10**15), 10**15, 4000) / 10.0 ** rng.integers(0, 23, 4000)
    shorter = rng.integers(-(10**6), 10**6, 4000) / 10.0 ** rng.integers(0, 12, 4000)
    bits = rng.integers(0, 2**63, 4000).view(np.float64)
    found = np.concatenate([decimals, shorter, bits, -bits, rng.random(4000)])
    found = found[np.isfinite(found)]
    return np.concatenate([found, np.nextafter(found, np.inf), np.nextafter(found, -np.inf)])


EDGES = [0, 1, -1, 9, 10, 250, LIMIT - 1, LIMIT, LIMIT + 1, -LIMIT + 1, -LIMIT, 2**53 + 1, 2**63 - 1, -(2**63)]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([*EDGES, None], pa.int64()),
        pa.array([0, 5, 2**63, 2**64 - 1, LIMIT, LIMIT - 1, None], pa.uint64()),
        pa.array([0, -128, 127, None], pa.int8()),
        pa.array([*map(float, EDGES), 0.1, -0.0, 1e-5, 1e22, 1e300, 5e-324, 2.5, float("nan"), float("inf"), None]),
        pa.array([0.1, 1e-7, 16777216.0, None], pa.float32()),
        pa.array([Decimal("0.00"), Decimal("-1.50"), Decimal("9" * 35 + ".123"), Decimal("0.001"), None]),
        pa.array([Decimal("0." + "0" * 36 + "1"), None], pa.decimal128(38, 37)),
        pa.array([Decimal("1.10"), Decimal("-7")], pa.decimal64(5, 2)),
        pa.array([Decimal("1.10"), Decimal("-7")], pa.decimal256(50, 2)),
        pa.array([True, False, None]),
        pa.array(["a", None, "12", "a"]).dictionary_encode(),
        pa.array([None, None]).cast(pa.dictionary(pa.int8(), pa.string())),
    ],
    ids=lambda column: str(column.type),
)
def test_values_are_hashed_as_their_texts(column):
    check(column)


def test_bytes_are_hashed_as_texts():
    found = cell_hashes("x", pa.array([b"12", b"\xff", None, b"a"]))
    assert np.array_equal(found[[0, 2, 3]], cell_hashes("x", pa.array(["12", None, "a"])))


def test_floats_are_hashed_as_the_shortest_text():
    check(pa.array(floats_near_decimals()))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(st.floats() | st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("d", struct.pack("Q", bits))[0]))
)
def test_any_floats(values):
    check(pa.array(values, pa.float64()))


def random_instants(unit):
    rng = np.random.default_rng(4)
    in_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    low, high = (-62_167_219_200, 253_402_300_800) if unit != "ns" else (-9 * 10**9, 9 * 10**9)
    whole = rng.integers(low, high, 3000)
    fraction = rng.integers(0, in_second, 3000) // 10 ** rng.integers(0, 10, 3000) * 10 ** rng.integers(0, 3, 3000)
    return np.concatenate([whole * in_second, whole * in_second + fraction % in_second])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_instants(unit, zone):
    check(pa.array(random_instants(unit), pa.timestamp(unit, zone)))
    days = [
        dt.date(year, month, day)
        for year in (1600, 1900, 1970, 2000, 2023, 2024, 9999)
        for month, day in ((1, 1), (2, 28), (3, 1), (12, 31))
    ]
    seconds = [(day - dt.date(1970, 1, 1)).days * 86400 + 86399 for day in [*days, dt.date(2000, 2, 29)]]
    values = [s * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit] for s in seconds]
    kept = [value for value in values if abs(value) < 2**63]
    check(pa.array([*kept, None], pa.timestamp(unit, zone)))


NUMBERS = ["0", "1", "-1", "10", "0.5", "-0.5", "12.25", "999999999999999999", "0.000000000000000001"]
TEXTS = [
    *("", "-", "-0", "00", "007", "1.0", "1.", ".5", "1e5", "1.50", "+1", " 1", "1 ", "1,5", "1000000000000000000"),
    *("0.0", "1.2.3", "--1", "1.-5", "٣", "0x1", "9" * 70, "NaN"),
]


def test_only_plain_numbers_are_hashed_as_numbers():
    for text, found in zip(NUMBERS, of_texts(NUMBERS), strict=True):
        assert found != murmur3_bytes(text.encode(), seed=7)
    for text, found in zip(TEXTS, of_texts(TEXTS), strict=True):
        assert found == murmur3_bytes(text.encode(), seed=7)


def test_different_texts_have_different_hashes():
    more = [f"{whole}{rest}" for whole in range(11, 300) for rest in ("", ".1", ".01", ".25")]
    texts = {*NUMBERS, *TEXTS, *more}
    assert len(set(of_texts(sorted(texts)))) == len(texts)


def test_golden():
    assert of_texts(["250", "2.5", "0.1", "tamis"]) == [
        (11424908444446778455, 15708525007330304784),
        (9661636808955996405, 16088088114911986377),
        (13395966375961203533, 4158358513263513507),
        (8225205431136005296, 17401006379116692831),
    ]
