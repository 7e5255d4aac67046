import pyarrow as pa
import pytest

from tamis.connectors.views import as_views, cast_batch, plain_schema, size_bytes, take_batch, take_table, view_schema

LONG = "a string that is longer than a view can hold"
ROWS = pa.RecordBatch.from_pydict(
    {
        "text": pa.array(["short", LONG, None, "", LONG + "!"], pa.string()),
        "large": pa.array([LONG, "x", "y", None, "z"], pa.large_string()),
        "bytes": pa.array([b"\x00\xff", None, LONG.encode(), b"", b"q"], pa.binary()),
        "n": pa.array([1, 2, 3, 4, None], pa.int8()),
        "list": pa.array([["a"], [], None, ["b", "c"], ["d"]], pa.list_(pa.string())),
    }
)


def test_views_stand_for_the_same_values():
    viewed = as_views(ROWS)
    assert viewed.schema.types == [
        pa.string_view(),
        pa.string_view(),
        pa.binary_view(),
        pa.int8(),
        pa.list_(pa.string()),
    ]
    assert viewed.to_pylist() == ROWS.to_pylist()
    assert cast_batch(viewed, ROWS.schema).equals(ROWS)


@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4], [4, 2, 2, 0], [3], []], ids=str)
@pytest.mark.parametrize("start", [0, 2])
def test_taking_views_is_taking_rows(rows, start):
    rows = [row for row in rows if row < ROWS.num_rows - start]
    batch = ROWS.slice(start)
    places = pa.array(rows, pa.int64())
    assert take_batch(as_views(batch), places).to_pylist() == batch.take(places).to_pylist()
    assert take_batch(batch, places).equals(batch.take(places))


def test_tables_of_one_chunk_and_of_none():
    table = pa.Table.from_batches([as_views(ROWS), as_views(ROWS)]).combine_chunks()
    assert take_table(table, pa.array([9, 0])).to_pylist() == [ROWS.to_pylist()[4], ROWS.to_pylist()[0]]
    empty = view_schema(ROWS.schema).empty_table()
    assert take_table(empty, pa.array([], pa.int64())).num_rows == 0


def test_sizes_count_the_bytes_that_views_stand_for():
    one = pa.RecordBatch.from_pydict({"text": pa.array(["short", LONG, None, "", LONG + "!"])})
    assert size_bytes(as_views(one)) == 5 * 16 + 5 + len(LONG) + len(LONG) + 1
    assert size_bytes(as_views(one).slice(1, 1)) == 16 + len(LONG)


def test_what_is_stored_has_no_views():
    assert plain_schema(view_schema(ROWS.schema)).types == [
        pa.large_string(), pa.large_string(), pa.large_binary(), pa.int8(), pa.list_(pa.string()),
    ]  # fmt: skip
