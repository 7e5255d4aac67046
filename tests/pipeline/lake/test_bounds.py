"""The order of bounds fits canonical texts."""

import datetime as dt
import itertools
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from tamis.pipeline.lake.bounds import kind_of, ordered, scale_of
from tamis.pipeline.lake.canonical import canonical_texts

INF = float("inf")
FLOATS = [
    *(0.1, 0.2, 0.30000000000000004, 0.3, -0.0, 0.0, 1.0, 1.5, 1e-7, 5e-324, 1e22, 1e23, 1e300, INF, -INF),
    *(2.0**52 - 0.5, 2.0**53, 2.0**53 + 2, 2.0**63, 2.0**64, float(np.float32(0.1))),
]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.int8(), "number"),
        (pa.uint64(), "number"),
        (pa.float16(), "number"),
        (pa.decimal256(60, 3), "number"),
        (pa.string_view(), "text"),
        (pa.binary(7), "bytes"),
        (pa.bool_(), "boolean"),
        (pa.date32(), "date"),
        (pa.time64("ns"), "time"),
        (pa.timestamp("ns"), "timestamp"),
        (pa.timestamp("s", "Asia/Tokyo"), "instant"),
        (pa.duration("ms"), "duration"),
        (pa.null(), None),
        (pa.list_(pa.int8()), None),
        (pa.month_day_nano_interval(), None),
        (None, None),
    ],
)
def test_kinds(column, kind):
    assert kind_of(column) == kind
    assert kind_of(column, trim=True) == (None if kind == "text" else kind)


def numbers():
    """Yield (canonical text, ordered) of numbers in all types that hold them."""
    for kind in (pa.int64(), pa.uint64(), pa.decimal128(25, 3), pa.float64()):
        pool = FLOATS if kind == pa.float64() else [0, 1, 2**53, 2**53 + 1, 2**62]
        pool = [Decimal(one) for one in ("0.1", "0.2", "0.3", "1.5", "1")] if pa.types.is_decimal(kind) else pool
        pool = [*pool, 2**64 - 1] if kind == pa.uint64() else pool
        for value in pool:
            array = pa.array([value], kind)
            yield canonical_texts("x", array)[0].as_py(), ordered(array[0].as_py())


def test_equal_texts_of_numbers_are_equal_values():
    for (text, value), (other_text, other) in itertools.combinations(numbers(), 2):
        if text == other_text:
            assert value == other
            assert hash(value) == hash(other)


def test_values_are_those_that_texts_say():
    for text, value in numbers():
        assert value == (Decimal(text) if "inf" not in text else Decimal(text.replace("inf", "Infinity")))


def test_the_order_of_floats_is_kept():
    rng = np.random.default_rng(3)
    found = np.concatenate([rng.standard_normal(2000) * 10.0 ** rng.integers(-300, 300, 2000), FLOATS])
    near = np.sort(np.concatenate([found, np.nextafter(found, INF)]))
    values = [ordered(value) for value in near.tolist()]
    ascending = [a < b for a, b in itertools.pairwise(values)]
    assert ascending == [bool(a < b) for a, b in itertools.pairwise(near)]


def test_no_digit_of_a_long_integer_is_lost():
    assert ordered(2**53 + 1) > ordered(2.0**53)
    assert ordered(Decimal(2**100 + 1)) > ordered(2.0**100)
    assert ordered(2**63 - 1) < ordered(2.0**63)


def test_units_of_time():
    values = {
        unit: pa.array([dt.datetime(1969, 12, 31, 23, 59, 58)], pa.timestamp(unit)).cast(pa.int64())[0].as_py()
        for unit in ("s", "ms", "us", "ns")
    }
    assert {ordered(value, scale_of(pa.timestamp(unit))) for unit, value in values.items()} == {-2 * 10**9}
    assert [scale_of(one) for one in (pa.date32(), pa.int8(), pa.time32("ms"), pa.duration("us"))] == [
        1,
        1,
        10**6,
        1000,
    ]
