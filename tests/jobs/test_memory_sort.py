import pyarrow as pa
import pytest

from tamis.jobs.memory_sort import Held

SCHEMA = pa.schema([("key", pa.int64()), ("place", pa.int64()), ("name", pa.string_view())])
ROWS = [(3, 1, "a"), (1, 9, None), (3, 0, "long enough to lie outside of its view"), (-5, 2, ""), (1, 8, "é")]


def batches(rows, size=2):
    lines = [dict(zip(SCHEMA.names, row, strict=True)) for row in rows]
    return [pa.RecordBatch.from_pylist(lines[i : i + size], schema=SCHEMA) for i in range(0, len(lines), size)]


def rows_of(found):
    return [tuple(row.values()) for batch in found for row in batch.to_pylist()]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("order", [["key", "place"], ["place"]])
def test_sorted_as_by_python(order, threads):
    held = Held.of(iter(batches(ROWS)), budget=1 << 20)
    assert held.sortable(order)
    places = [SCHEMA.names.index(name) for name in order]
    assert rows_of(held.sorted(order, threads=threads)) == sorted(ROWS, key=lambda row: [row[i] for i in places])


def test_rows_in_order_are_passed_on_untouched():
    given = batches(sorted(ROWS, key=lambda row: row[:2]))
    held = Held.of(iter(given), budget=1 << 20)
    assert [id(batch) for batch in held.sorted(["key", "place"], threads=1)] == [id(batch) for batch in given]


def test_what_does_not_fit_is_all_still_there():
    held = Held.of(iter(batches(ROWS)), budget=1)
    assert not held.sortable(["key"])
    assert rows_of(held.batches) == ROWS[:2]
    assert rows_of(held.every()) == ROWS


def test_rows_with_a_null_key_are_not_sorted_here():
    held = Held.of(iter(batches([(1, 1, "a"), (None, 2, "b")])), budget=1 << 20)
    assert not held.sortable(["place", "key"])
    assert held.sortable(["place"])


def test_no_rows():
    assert list(Held.of(iter([]), budget=1).sorted(["key"], threads=2)) == []
