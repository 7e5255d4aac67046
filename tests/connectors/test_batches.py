import numpy as np
import pyarrow as pa
import pytest

from tamis.connectors.batches import conform, good_batch, pick, reading_schema, rebatch, sifted_batch

COLUMNS = pa.schema([("a", pa.int64()), ("b", pa.string())], metadata={"k": "v"})


def numbered(*values):
    keys = np.array(values, np.int64)
    return good_batch(keys, [pa.array(keys), pa.array([str(v) for v in values], pa.string())], reading_schema(COLUMNS))


def test_the_reading_schema_puts_three_columns_before_the_others():
    schema = reading_schema(COLUMNS)
    assert schema.names == ["__address", "__rule", "__raw", "a", "b"]
    assert schema.types == [pa.int64(), pa.string(), pa.binary(), pa.int64(), pa.string()]
    assert schema.metadata == {b"k": b"v"}


def test_good_records():
    assert numbered(4, 5).to_pylist() == [
        {"__address": 4, "__rule": None, "__raw": None, "a": 4, "b": "4"},
        {"__address": 5, "__rule": None, "__raw": None, "a": 5, "b": "5"},
    ]


def test_sifted_records():
    columns = [pa.array([1, None]), pa.array(["x", None])]
    batch = sifted_batch(np.array([4, 5]), columns, [None, "rule"], [None, b"\xff"], reading_schema(COLUMNS))
    assert batch.to_pylist() == [
        {"__address": 4, "__rule": None, "__raw": None, "a": 1, "b": "x"},
        {"__address": 5, "__rule": "rule", "__raw": b"\xff", "a": None, "b": None},
    ]


def test_conform_finds_by_name_casts_and_fills():
    batch = pa.RecordBatch.from_pydict({"z": [0], "b": [7], "a": pa.array([1], pa.int8())})
    columns = pa.schema([("a", pa.int64()), ("c", pa.list_(pa.string())), ("b", pa.int64())])
    found = conform(batch, columns)
    assert [a.type for a in found] == columns.types
    assert [a.to_pylist() for a in found] == [[1], [None], [7]]
    assert found[2].buffers()[1].address == batch.column("b").buffers()[1].address


def test_conform_refuses_to_lose():
    with pytest.raises(pa.ArrowInvalid):
        conform(pa.RecordBatch.from_pydict({"a": [300]}), pa.schema([("a", pa.int8())]))
    with pytest.raises(pa.ArrowInvalid):
        conform(pa.RecordBatch.from_pydict({"a": [1.5]}), pa.schema([("a", pa.int64())]))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([], []),
        ([1], [(["1"], 0, 1)]),
        ([0, 2], [(["2"], 1, 2)]),
        ([1, 2, 5, 6, 7], [(["1", "2"], 0, 2), (["5", "6", "7"], 2, 5)]),
        ([1, 1, 2, 6, 7, 7], [(["1", "1"], 0, 2), (["2"], 2, 3), (["6", "7", "7"], 3, 6)]),
        ([2, 2, 2, 2, 2], [(["2", "2"], 0, 2), (["2", "2"], 2, 4), (["2"], 4, 5)]),
        ([9], []),
    ],
)
def test_pick_yields_wanted_records_in_batches_no_larger_than_those_read(wanted, expected):
    stream = iter([numbered(1, 2), numbered(), numbered(5, 6, 7)])
    found = pick(stream, np.array(wanted, np.int64))
    assert [(batch.column("b").to_pylist(), first, last) for batch, first, last in found] == expected


def test_a_batch_that_is_wanted_as_it_is_comes_as_it_is():
    batch = numbered(1, 2, 3)
    ((found, first, last),) = pick(iter([batch]), np.array([0, 1, 2, 3, 4]))
    assert found is batch
    assert (first, last) == (1, 4)


def test_rebatch_slices_without_copying():
    batch = numbered(1, 2, 3, 4, 5)
    found = list(rebatch(batch, 2))
    assert [b.column("a").to_pylist() for b in found] == [[1, 2], [3, 4], [5]]
    assert {b.column("a").buffers()[1].address for b in found} == {batch.column("a").buffers()[1].address}
    assert list(rebatch(numbered(), 2)) == []
