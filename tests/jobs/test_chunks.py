import pyarrow as pa
import pytest

from tamis.jobs.chunks import CHUNKS, CutByKey, Decoded, InOrder, chunk_batch, cut, decode, encode

CODES = pa.dictionary(pa.int8(), pa.string())
TABLES = {
    "numbers": pa.table({"a": pa.array([1, None, 3], pa.int64()), "b": pa.array([1, 2, 255], pa.uint8())}),
    "texts": pa.table({"t": pa.array(["é" * 40, "", None], pa.string_view()), "u": pa.array(["x", "yy", None])}),
    "nested": pa.table({"n": pa.array([{"a": [1, 2]}, None, {"a": []}], pa.struct([("a", pa.list_(pa.int16()))]))}),
    "dictionary": pa.table({"d": pa.array(["x", None, "x"]).dictionary_encode()}),
    "dictionary inside": pa.table({"d": pa.array([["x"], None, ["y", "x"]], pa.list_(CODES))}),
    "wide": pa.table({"w": pa.array([None, 10, 2], pa.decimal256(60, 0))}),
    "no rows": pa.table({"a": pa.array([], pa.int64()), "t": pa.array([], pa.string())}),
}


def one(table):
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


@pytest.mark.parametrize("name", TABLES)
def test_a_chunk_gives_back_rows_of_any_type(name):
    batch = one(TABLES[name])
    [back] = decode(as_column([encode(batch)]), batch.schema)
    assert back.schema == batch.schema
    assert back.to_pylist() == batch.to_pylist()


def as_column(chunks):
    return chunk_batch([(0, 0, chunk) for chunk in chunks]).column("chunk")


@pytest.mark.parametrize("shift", [0, 1, 7])
def test_chunks_are_whole_words_and_may_lie_anywhere(shift):
    """A chunk that was moved off its alignment is copied, not misread."""
    batch = one(TABLES["numbers"])
    chunk = encode(batch)
    assert chunk.size % 8 == 0
    column = pa.array([b"x" * shift, chunk.to_pybytes()], pa.binary()).slice(1)
    assert [rows.to_pylist() for rows in decode(column, batch.schema)] == [batch.to_pylist()]


def test_slices_take_only_their_rows_along():
    batch = one(pa.table({"t": ["x" * 10_000] * 100}))
    assert encode(batch.slice(7, 1)).size < 20_000


def test_cut_and_dealt_by_key():
    batch = pa.RecordBatch.from_pydict({"key": [5, -1, 5, 2], "value": ["a", "b", "c", "d"]})
    assert [(key, rows.to_pydict()["value"]) for key, rows in cut(batch, "key")] == [
        (-1, ["b"]),
        (2, ["d"]),
        (5, ["a", "c"]),
    ]
    dealt = pa.Table.from_batches(CutByKey("key", 3)(iter([batch.slice(0, 2), batch.slice(2)])), CHUNKS)
    assert dealt.select(["part", "key"]).to_pylist() == [
        {"part": 2, "key": -1},
        {"part": 2, "key": 2},
        {"part": 2, "key": 5},
    ]
    rows = pa.Table.from_batches(Decoded(batch.schema)(iter(dealt.to_batches())), batch.schema)
    assert rows.to_pydict() == {"key": [-1, 2, 5, 5], "value": ["b", "d", "a", "c"]}


def test_rows_in_order():
    batches = [pa.RecordBatch.from_pydict({"n": list(range(i, i + 10))}) for i in range(0, 100, 10)]
    chunks = list(InOrder()(iter(batches)))
    rows = pa.Table.from_batches(Decoded(batches[0].schema)(iter(chunks)))
    assert rows["n"].to_pylist() == list(range(100))
