"""Canonical texts, written out, and fingerprints of rows."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.errors import InputError
from tamis.pipeline.lake.canonical import canonical_texts, cell_hashes, row_fingerprints

BERLIN = dt.timezone(dt.timedelta(hours=1))
STRUCT = pa.struct([("b", pa.float64()), ("a", pa.string())])
MAP = pa.map_(pa.string(), pa.int64())
INSTANT = dt.datetime(2026, 1, 31, 12, 0, 0, 500_000)


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        ([1, -7, None], pa.int8(), ["1", "-7", None]),
        ([2**64 - 1], pa.uint64(), ["18446744073709551615"]),
        (list(map(Decimal, ("1.50", "-2.00", "0.00", "100"))), pa.decimal128(10, 2), ["1.5", "-2", "0", "100"]),
        ([1.0, -0.0, 0.1, float("nan"), float("inf")], pa.float64(), ["1", "0", "0.1", "NaN", "inf"]),
        ([1e300, -1.5], pa.float64(), [str(int(1e300)), "-1.5"]),
        ([1.5, None, 2.0], pa.float32(), ["1.5", None, "2"]),
        ([0.1], pa.float32(), ["0.10000000149011612"]),
        ([True, False, None], pa.bool_(), ["true", "false", None]),
        ([" a ", "", None, "1"], pa.string(), [" a ", "", None, "1"]),
        (["a", "b", "a"], pa.dictionary(pa.int32(), pa.string()), ["a", "b", "a"]),
        ([INSTANT], pa.timestamp("us"), ["2026-01-31T12:00:00.5"]),
        ([INSTANT.replace(microsecond=0)], pa.timestamp("s"), ["2026-01-31T12:00:00"]),
        ([INSTANT.replace(tzinfo=BERLIN)], pa.timestamp("ms", "Europe/Berlin"), ["2026-01-31T11:00:00.5Z"]),
        ([dt.date(2026, 1, 31)], pa.date32(), ["2026-01-31"]),
        ([dt.time(12, 0, 0, 500_000)], pa.time64("us"), ["12:00:00.5"]),
        ([dt.timedelta(microseconds=5)], pa.duration("us"), ["5000ns"]),
        ([2**40, 0, -1, None], pa.duration("s"), [f"{2**40}000000000ns", "0ns", "-1000000000ns", None]),
        ([b"\xff\x00", None], pa.binary(), [b"\xff\x00", None]),
        ([None, None], pa.null(), [None, None]),
        ([[1, None], None, []], pa.list_(pa.int32()), ['["1", null]', None, "[]"]),
        ([{"b": 1.0, "a": "x"}, None], STRUCT, ['{"a": "x", "b": "1"}', None]),
        ([[("k", 2), ("j", 1)]], MAP, ['[{"k": "j", "v": "1"}, {"k": "k", "v": "2"}]']),
        ([[{"t": [True]}]], pa.list_(pa.struct([("t", pa.list_(pa.bool_()))])), ['[{"t": ["true"]}]']),
    ],
)  # fmt: skip
def test_canonical_texts(values, kind, texts):
    assert canonical_texts("x", pa.array(values, kind)).to_pylist() == texts
    assert canonical_texts("x", pa.array([*values, *values], kind).slice(len(values))).to_pylist() == texts
    assert canonical_texts("x", pa.array([], kind)).to_pylist() == []


def test_white_space_counts_unless_it_is_trimmed():
    column = pa.array([" a\t", "a"])
    assert canonical_texts("x", column, trim=True).to_pylist() == ["a", "a"]
    assert len(set(map(bytes, cell_hashes("x", column)))) == 2
    assert len(set(map(bytes, cell_hashes("x", column, trim=True)))) == 1


def test_a_type_without_canonical_text_is_named():
    with pytest.raises(InputError, match="'x' of type"):
        canonical_texts("x", pa.array([(1, 2, 3)], pa.month_day_nano_interval()))


def test_null_is_no_text():
    hashes = cell_hashes("x", pa.array([None, "", "null", "None"]))
    assert len(set(map(bytes, hashes))) == 4
    assert np.array_equal(hashes[:1], cell_hashes("x", pa.array([None], pa.int32())))


def test_golden():
    found = row_fingerprints([("id", pa.array([1, 2])), ("name", pa.array(["a", None]))], 2)
    assert found.tolist() == [[4062838731020254994, 933869851113494765], [870798946357015279, 1507630055074303733]]


def test_columns_in_any_order_and_values_in_any_type():
    one = row_fingerprints([("id", pa.array([1, 2])), ("x", pa.array([0.5, 3.0]))], 2)
    two = row_fingerprints([("x", pa.array(["0.5", "3"])), ("id", pa.array(["1", "2"]))], 2)
    assert np.array_equal(one, two)
    swapped = row_fingerprints([("x", pa.array([1, 2])), ("id", pa.array([0.5, 3.0]))], 2)
    assert not np.any(one == swapped)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.text("ab ", max_size=2)), min_size=1))
def test_equal_rows_and_no_others_have_equal_fingerprints(rows):
    columns = [("n", pa.array([n for n, _ in rows], pa.int64())), ("s", pa.array([s for _, s in rows], pa.string()))]
    found = [tuple(pair) for pair in row_fingerprints(columns, len(rows)).tolist()]
    assert all((found[i] == found[j]) == (rows[i] == rows[j]) for i in range(len(rows)) for j in range(len(rows)))


def test_lists_are_no_texts_and_bytes_are_no_structs():
    pairs = [
        (pa.array([[1, 2]]), pa.array(['["1", "2"]'])),
        (pa.array([[b"a"]]), pa.array([[{"base64": "YQ=="}]])),
    ]
    for one, other in pairs:
        assert not np.any(cell_hashes("x", one) == cell_hashes("x", other))


def test_numbers_of_delimited_files():
    column = pa.array(
        ["1.0", "-0", "1e2", "1.5E-3", "0042", "1e400", "2e500", "", "12345678901234567890e0", "0e9", "x"]
    )
    texts = ["1", "0", "100", "0.0015", "0042", "1e400", "2e500", None, "12345678901234567890", "0", "x"]
    assert np.array_equal(cell_hashes("x", column, typed=True), cell_hashes("x", pa.array(texts)))
    assert np.array_equal(cell_hashes("x", pa.array(["1e-05"]), typed=True), cell_hashes("x", pa.array([1e-05])))
