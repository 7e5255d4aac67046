import math
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.errors import InputError
from tamis.pipeline.keep import KeepPolicy
from tamis.pipeline.keep_key import ordered_bits, policy_key, unusable


def order(policy, column=None, *, sizes=None, sources=None):
    """Row numbers from best to worst."""
    n = len(column) if column is not None else len(sizes) if sizes is not None else len(sources)
    key = policy_key(
        policy,
        sizes=np.array(sizes if sizes is not None else [0] * n, np.int64),
        sources=pa.array(sources if sources is not None else [""] * n),
        column=column,
    )
    return np.lexsort((key.low, key.high, key.missing)).tolist()


QUALITY = KeepPolicy(by="quality", column="q")
NEWEST = KeepPolicy(by="newest", column="t")


def test_longest():
    assert order(KeepPolicy(by="longest"), sizes=[3, 9, 0, 9]) == [1, 3, 0, 2]


def test_source_order_with_unknown_sources_last():
    policy = KeepPolicy(by="source", sources=("b", "a"))
    assert order(policy, sources=["a", "b", "zzz", None, "b"]) == [1, 4, 0, 2, 3]


def test_quality_puts_missing_and_nan_last():
    column = pa.array([0.5, None, math.nan, -math.inf, 2.0, math.inf], pa.float64())
    assert order(QUALITY, column) == [5, 4, 0, 3, 1, 2]


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint16(), pa.uint64(), pa.float32(), pa.decimal128(20, 1)])
def test_quality_of_every_numeric_type(kind):
    assert order(QUALITY, pa.array([1, None, 7, 0], pa.int64()).cast(kind, safe=False)) == [2, 0, 3, 1]


def test_quality_of_extreme_integers():
    column = pa.array([-(2**63), None, 2**63 - 1, 0, 2**53 + 1, 2**53, -(2**63) + 1], pa.int64())
    assert order(QUALITY, column) == [2, 4, 5, 3, 6, 0, 1]


def test_quality_of_extreme_unsigned_integers():
    assert order(QUALITY, pa.array([2**64 - 2, 0, None, 2**64 - 1, 2**63], pa.uint64())) == [3, 0, 4, 1, 2]


def test_quality_of_wide_decimals():
    values = [
        "-1.5",
        None,
        "99999999999999999999999999.5",
        "99999999999999999999999999.4",
        "0",
        "-99999999999999999999999999",
    ]
    column = pa.array([None if v is None else Decimal(v) for v in values], pa.decimal128(38, 1))
    assert order(QUALITY, column) == [2, 3, 4, 0, 5, 1]
    assert order(QUALITY, column.cast(pa.decimal256(60, 1))) == [2, 3, 4, 0, 5, 1]


def test_newest_to_the_nanosecond():
    assert order(NEWEST, pa.array([1, 2, None, 0], pa.timestamp("ns"))) == [1, 0, 3, 2]


def test_strings_with_and_without_zones_may_be_mixed():
    column = pa.array(["2024-01-01T00:00:00Z", "2024-01-02T00:00:00", "2024-01-02T01:00:00+02:00", "2024-01-01", None])
    assert order(NEWEST, column) == [1, 2, 0, 3, 4]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([date(2020, 1, 1), None, date(2024, 5, 1), date(1960, 1, 1)]),
        pa.array([datetime(2020, 1, 1), None, datetime(2024, 5, 1), datetime(1960, 1, 1)], pa.timestamp("s")),
        pa.array(["2020-01-01", None, "2024-05-01T12:00:00", "1960-01-01 00:00:00"]),
        pa.array(["2020-01-01T00:00:00Z", None, "2024-05-01T00:00:00+02:00", "1960-01-01T00:00:00Z"]),
        pa.array([datetime(2020, 1, 1, tzinfo=UTC), None, datetime(2024, 5, 1), datetime(1960, 1, 1)]),
    ],
    ids=["date", "timestamp", "naive strings", "zoned strings", "zoned timestamps"],
)
def test_newest(column):
    assert order(NEWEST, column) == [2, 0, 3, 1]


def test_columns_without_an_order_are_refused():
    with pytest.raises(InputError, match="keep: newest:t"):
        order(NEWEST, pa.array([[1], [2]]))


@pytest.mark.parametrize(
    ("by", "values", "bad"),
    [
        ("newest", ["soon", "2024-01-01", "soon", None, " ", "2024-13-01"], [True, False, True, False, False, True]),
        ("quality", ["1", "two", " 3e2 ", "", None, "2024-01-01"], [False, True, False, False, False, True]),
    ],
)
def test_strings_that_say_nothing_to_rank_by(by, values, bad):
    policy = KeepPolicy(by=by, column="t")
    assert unusable(policy, pa.array(values)).tolist() == bad
    fine = [value for value, is_bad in zip(values, bad, strict=True) if not is_bad]
    assert unusable(policy, pa.array(fine)) is None
    assert unusable(policy, pa.array([1, 2])) is None


def test_quality_in_strings_is_a_number():
    assert order(KeepPolicy(by="quality", column="t"), pa.array(["9", "10", "", None, "-1", "9.5"])) == [
        1,
        5,
        0,
        4,
        2,
        3,
    ]


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=20))
def test_ordered_bits_order_as_floats_do(values):
    array = np.array(values)
    bits = ordered_bits(array)
    for i in range(len(values) - 1):
        assert (bits[i] < bits[i + 1]) == (array[i] < array[i + 1])
        assert (bits[i] == bits[i + 1]) == (array[i] == array[i + 1])
