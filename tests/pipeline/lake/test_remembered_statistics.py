"""Statistics that were written and read again are what they were."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.connectors.parquet_statistics import ColumnStatistics, TableStatistics, table_statistics
from tamis.pipeline.lake.remembered_statistics import statistics_json, statistics_of


def test_statistics_of_a_file(tmp_path):
    table = pa.table(
        {
            "int": [1, 2**62, None],
            "float": [0.1, -0.0, 3.5],
            "text": ["a", "é", None],
            "bytes": [b"\xff", b"", b"x"],
            "decimal": [Decimal("1.50"), None, Decimal("-2.25")],
            "flag": [True, False, None],
            "day": [date(2026, 1, 2), None, date(1969, 1, 1)],
            "time": pa.array([1, 2, None], pa.timestamp("us", tz="UTC")),
            "nested": [[1], [], None],
            "null": pa.nulls(3),
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    known = table_statistics([str(tmp_path / "x.parquet")], table.column_names)
    assert known.columns["int"].high == 2**62
    again = statistics_of(statistics_json(known))
    assert again == known
    kinds = {name: type(column.low) for name, column in known.columns.items()}
    assert {name: type(column.low) for name, column in again.columns.items()} == kinds


def test_what_is_not_known():
    known = TableStatistics(None, {"a": ColumnStatistics(None)})
    assert statistics_of(statistics_json(known)) == known
    assert statistics_of(statistics_json(None)) is None


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="a bound of type date"):
        statistics_json(TableStatistics(1, {"a": ColumnStatistics(pa.date32(), date(2026, 1, 1))}))
