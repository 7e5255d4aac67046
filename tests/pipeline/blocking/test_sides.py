"""The values that records are ranked by."""

import pyarrow as pa
import pytest

from tamis.hashing.errors import InputError
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.sides import Sides, values_of


def values(*columns):
    tables = tuple(pa.table({"id": range(len(column)), "v": column}) for column in columns)
    records = [read_records(table, "id", ()) for table in tables]
    return values_of(Sides(records[0], records[1] if len(records) > 1 else None, tables, (), ("",)), "v")


def said(*columns):
    return [(str(found.type), found.to_pylist()) for found in values(*map(pa.array, columns))]


def test_texts_that_are_numbers():
    assert said(["10", " 9", ""]) == [("int64", [10, 9, None])]
    assert said(["10"], ["9.5"]) == [("double", [10.0]), ("double", [9.5])]
    assert said(["10"], ["n/a"]) == [("string", ["10"]), ("string", ["n/a"])]
    assert said(["0x10"]) == [("string", ["0x10"])]


def test_large_integers_stay_apart():
    assert said([str(2**60), str(2**60 + 1)]) == [("int64", [2**60, 2**60 + 1])]
    assert said([str(2**70)]) == [("double", [float(2**70)])]


def test_columns_of_other_kinds():
    assert said([None, None]) == [("int64", [None, None])]
    assert values(pa.array(["b", "a"]).dictionary_encode())[0].to_pylist() == ["b", "a"]


@pytest.mark.parametrize("column", [pa.array([[1], [2]]), pa.array([{"x": 1}]), pa.array([b"\xff"])])
def test_values_without_an_order(column):
    with pytest.raises(InputError, match="the column that ranks records has text"):
        values(column)
