import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pytest

from tamis.hashing.errors import InputError
from tamis.pipeline.blocking.records import read_records

NUMBERS = {
    "int": pa.array([5, -3, 0], pa.int64()),
    "float": pa.array([5.0, -0.0, float("nan")], pa.float64()),
    "single": pa.array([0.1, 1e-7, 1e10], pa.float32()),
    "decimal": pa.array([decimal.Decimal("12.50"), decimal.Decimal("100.00"), None], pa.decimal128(10, 2)),
    "large": pa.array([1e22, 1.5e-9, 123456.789]),
    "bool": pa.array([True, False, None]),
}
WRITTEN = {
    "int": ["5", "-3", "0"],
    "float": ["5", "0", ""],
    "single": ["0.1", "0.0000001", "10000000000"],
    "decimal": ["12.5", "100", ""],
    "large": ["10000000000000000000000", "0.0000000015", "123456.789"],
    "bool": ["true", "false", ""],
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name):
    table = pa.table({"id": ["a", "b", "c"], name: NUMBERS[name]})
    assert read_records(table, "id").texts.to_pylist() == WRITTEN[name]


def test_text_and_missing_values():
    table = pa.table(
        {
            "b": ["Sony  TV", "\u2003é\t\x0b x\xa0", " \x85\u3000", None],
            "id": [4, 3, 2, 1],
            "a": pa.array(["x", "", None, "y"]).dictionary_encode(),
            "none": pa.nulls(4),
        }
    )
    found = read_records(table, "id")
    assert found.ids.to_pylist() == ["4", "3", "2", "1"]
    assert found.texts.to_pylist() == ["Sony TV x", "é x", "", "y"]
    assert found.marked.to_pylist() == ["COL b VAL Sony TV COL a VAL x", "COL b VAL é x", "", "COL a VAL y"]
    assert found.columns == ("b", "a", "none")
    assert read_records(table, "id", ["a", "b"]).texts.to_pylist() == ["x Sony TV", "é x", "", "y"]
    assert read_records(table, "id", []).texts.to_pylist() == ["", "", "", ""]
    assert len(found) == 4


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_do_not_depend_on_their_unit(unit):
    times = pa.array([dt.datetime(2020, 1, 2, 3, 4, 10), None], pa.timestamp(unit))
    table = pa.table({"id": [1, 2], "t": times, "d": [dt.date(2020, 1, 2), None]})
    assert read_records(table, "id").texts.to_pylist() == ["2020-01-02 03:04:10 2020-01-02", ""]


def test_parts_of_seconds():
    times = pa.array([dt.datetime(2020, 1, 1, 0, 0, 0, 500_000)], pa.timestamp("ns", "UTC"))
    assert read_records(pa.table({"id": [1], "t": times}), "id").texts.to_pylist() == ["2020-01-01 00:00:00.5Z"]


def test_chunks_and_slices_are_one_table():
    table = pa.table({"id": np.arange(6), "x": list("abcdef")})
    cut = pa.concat_tables([table.slice(1, 2), table.slice(4, 2)])
    assert read_records(cut, "id").ids.to_pylist() == ["1", "2", "4", "5"]
    assert read_records(cut, "id").texts.to_pylist() == ["b", "c", "e", "f"]
    assert read_records(cut.slice(0, 0), "id").texts.to_pylist() == []


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"id": ["a", None, "b", None]}, "2 of 4 records have none, the first in row 1, 3"),
        ({"id": [1.0, float("nan")]}, "1 of 2 records has none, the first in row 1"),
        ({"id": ["a", "b", "a", "c", "c"]}, "2 ids of several records: 'a' in rows 0, 2; 'c' in rows 3, 4"),
        ({"id": [1], "x": [[1]]}, "column 'x' of type list<item: int64>"),
        ({"x": [1]}, "'id', 0 times among ['x']"),
    ],
)
def test_what_cannot_be_a_record(columns, said):
    with pytest.raises(InputError) as raised:
        read_records(pa.table(columns), "id")
    assert said in str(raised.value)


def test_columns_that_cannot_be():
    table = pa.table({"id": [1], "x": [1]})
    with pytest.raises(InputError, match="'y', 0 times"):
        read_records(table, "id", ["y"])
    with pytest.raises(InputError, match="has each column once"):
        read_records(table, "id", ["x", "x"])


def test_values_are_the_columns_as_they_are_written():
    table = pa.table({"id": [7, 8, 9], "name": ["Sony  TV", None, " "], "price": [5.0, 12.5, float("nan")]})
    found = read_records(table, "id", ["price", "name"])
    assert {name: column.to_pylist() for name, column in found.values.items()} == {
        "price": ["5", "12.5", None],
        "name": ["Sony TV", None, None],
    }
