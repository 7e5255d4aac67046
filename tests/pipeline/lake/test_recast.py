"""Values of a parent in the types of its child, and what the very same values are."""

import datetime
from decimal import Decimal
from itertools import pairwise, product

import pyarrow as pa
import pytest

from tamis.pipeline.lake.canonical import canonical_texts
from tamis.pipeline.lake.recast import CannotRecast, recast, same_values

UTC = datetime.UTC
FAMILIES = {
    "whole": (
        ["0", "7", "-12", None],
        [pa.int8(), pa.int64(), pa.float16(), pa.float32(), pa.float64(), pa.decimal128(12, 2), pa.decimal256(50, 0),
         pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int32(), pa.string())],
    ),
    "fractions": (
        ["0.5", "-3.25", "NaN", None],
        [pa.float16(), pa.float32(), pa.float64(), pa.string(), pa.large_string(), pa.binary()],
    ),
    "great": (["18446744073709551615", "9223372036854775807", None], [pa.uint64(), pa.decimal128(38, 0), pa.string()]),
    "exact": (["0.1", "12345678901234567890.125"], [pa.decimal128(38, 3), pa.decimal256(60, 5), pa.string()]),
    "truth": (["true", "false", None], [pa.bool_(), pa.string(), pa.dictionary(pa.int8(), pa.string())]),
    "instants": (
        ["2026-01-31T12:00:00.5Z", "1969-12-31T23:59:59Z", None],
        [pa.timestamp("ms", "UTC"), pa.timestamp("us", "Asia/Kolkata"), pa.timestamp("ns", "+05:30"), pa.string()],
    ),
    "clocks": (
        ["2026-01-31T12:00:00.5", "0001-01-01T00:00:00", None],
        [pa.timestamp("ms"), pa.timestamp("us"), pa.string()],
    ),
    "days": (["2026-01-31", "1900-02-28", None], [pa.date32(), pa.date64(), pa.string(), pa.binary()]),
    "times": (["12:00:00.5", "00:00:00", None], [pa.time32("ms"), pa.time64("us"), pa.time64("ns"), pa.string()]),
    "spans": (["5000000000ns", "0ns", None], [pa.duration("s"), pa.duration("ns"), pa.string()]),
    "words": (["", "é 漢", None], [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary()]),
    "nothing": ([None, None], [pa.null(), pa.int32(), pa.string(), pa.timestamp("us"), pa.list_(pa.int8())]),
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_values_of_one_text_are_given_each_type_of_it(family):
    texts, kinds = FAMILIES[family]
    columns = [recast("x", pa.array(texts, pa.string() if family != "nothing" else pa.null()), kind) for kind in kinds]
    for column, kind in zip(columns, kinds, strict=True):
        assert column.type == kind
        assert canonical_texts("x", column).cast(pa.binary()).to_pylist() == [
            None if text is None else text.encode() for text in texts
        ]
    for (one, _), (other, kind) in product(zip(columns, kinds, strict=True), repeat=2):
        assert same_values(recast("x", one, kind), other), (one.type, kind)


def test_nested_values_are_given_other_widths():
    kinds = [
        pa.list_(pa.struct([("a", pa.int32()), ("b", pa.string())])),
        pa.large_list(pa.struct([("a", pa.int64()), ("b", pa.large_string())])),
    ]
    values = [[{"a": 1, "b": None}], None, [], [{"a": None, "b": "x"}]]
    one, other = (pa.array(values, kind) for kind in kinds)
    assert same_values(recast("x", one, kinds[1]), other)
    assert same_values(recast("x", other, kinds[0]), one)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array(["1.0"]), pa.int64()),
        (pa.array([300]), pa.int8()),
        (pa.array([Decimal("0.125")]), pa.decimal128(5, 2)),
        (pa.array([b"\xff"]), pa.string()),
        (pa.array([1]), pa.null()),
        (pa.array([[1]]), pa.struct([("a", pa.int8())])),
        (pa.array([b"abc"]), pa.binary(2)),
    ],
)
def test_what_does_not_fit_is_said(column, kind):
    with pytest.raises(CannotRecast, match="values of column 'x' can be written as") as caught:
        recast("x", column, kind)
    assert caught.value.name == "x"


NAN = float("nan")


@pytest.mark.parametrize(
    "different",
    [
        [pa.array([0.0]), pa.array([-0.0]), pa.array([NAN]), pa.array([None], pa.float64()), pa.array([0.0, 0.0])],
        [pa.array([0.0], pa.float32()), pa.array([-0.0], pa.float32()), pa.array([0.0], pa.float16())],
        [pa.array([[0.0]]), pa.array([[-0.0]]), pa.array([[]], pa.list_(pa.float64())), pa.array([[0.0, 0.0]])],
        [pa.array([None], pa.list_(pa.float64())), pa.array([[]], pa.list_(pa.float64()))],
        [pa.array([{"a": 0.0}]), pa.array([{"a": -0.0}]), pa.array([{"a": None}], pa.struct([("a", pa.float64())]))],
        [pa.array([[("k", 0.0)]], pa.map_(pa.string(), pa.float64())),
         pa.array([[("k", -0.0)]], pa.map_(pa.string(), pa.float64()))],
        [pa.array(["a"]).dictionary_encode(), pa.array(["b"]).dictionary_encode(), pa.array(["a"])],
        [pa.array([[[-0.0]]]), pa.array([[[0.0]]]), pa.array([[[NAN]]])],
    ],
)  # fmt: skip
def test_the_very_same_values(different):
    for one, other in pairwise(different):
        assert not same_values(one, other)
        assert not same_values(other, one)
    for one in different:
        copy = pa.concat_arrays([one.slice(0, 0), pa.array(one.to_pylist(), one.type)])
        assert same_values(one, copy)
        twice = pa.concat_arrays([one, one])
        assert same_values(one, twice.slice(len(one)))
