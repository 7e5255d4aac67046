import pyarrow as pa
import pytest
from engine_contract import NUMBERS, numbers, rows_of

from tamis.jobs import local_table
from tamis.jobs.local import LocalEngine
from tamis.jobs.memory_aggregate import Aggregate, can_group

SCHEMA = pa.schema([("name", pa.string()), ("rows", pa.int64()), ("most", pa.int64())])
MOST = Aggregate(["name"], {"rows": ("count", "value"), "most": ("max", "value")}, SCHEMA)


def test_parts_merge_into_what_the_whole_comes_to():
    rows = numbers([(0, 3, "a"), (0, 9, "b"), (0, 5, "a"), (0, 4, "b"), (0, 1, "c")], chunk=2).to_batches()
    parts = [MOST(batch) for batch in rows]
    assert [part.to_pylist() for part in parts][0] == [
        {"name": "a", "rows": 1, "most": 3},
        {"name": "b", "rows": 1, "most": 9},
    ]
    whole = MOST.merging(pa.Table.from_batches(parts).combine_chunks().to_batches()[0])
    assert [tuple(row.values()) for row in whole.to_pylist()] == [("a", 2, 5), ("b", 2, 9), ("c", 1, 1)]


def test_nothing_has_no_most_and_counts_as_zero():
    all_rows = Aggregate([], {"rows": ("count", "value"), "most": ("max", "value")}, pa.schema(list(SCHEMA)[1:]))
    nothing = all_rows(pa.RecordBatch.from_pylist([], schema=NUMBERS))
    assert nothing.to_pylist() == [{"rows": 0, "most": None}]
    assert all_rows.final(nothing).to_pylist() == [{"rows": 0, "most": 0}]
    assert all_rows.final(all_rows.merging(nothing)).to_pylist() == [{"rows": 0, "most": 0}]


def test_only_keys_that_arrow_groups():
    assert can_group(pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.bool_())]))
    assert not can_group(pa.schema([("a", pa.list_(pa.int64()))]))


@pytest.mark.parametrize(("keys", "share", "asks_duckdb"), [(3, 0.05, False), (900, 0.05, True), (3, 1e-9, True)])
def test_in_parts_in_memory_or_in_duckdb(tmp_path, monkeypatch, keys, share, asks_duckdb):
    monkeypatch.setattr(local_table, "FIRST_BYTES", 5000)
    monkeypatch.setattr(local_table, "SORT_SHARE", share)
    engine = LocalEngine(tmp_path, threads=2)
    table = engine.table(numbers([(i % keys, i, "x") for i in range(1000)], chunk=50))
    found = rows_of(
        table.aggregate(by=["key"], rows=("count", "value"), total=("sum", "value"), least=("min", "value"))
    )
    of = {key: range(key, 1000, keys) for key in range(keys)}
    assert found == [(key, len(values), sum(values), min(values)) for key, values in of.items()]
    assert ("_database" in engine.__dict__) == asks_duckdb
    engine.close()
