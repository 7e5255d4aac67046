import pyarrow as pa
import pytest

from tamis.connectors.batches import reading_schema
from tamis.connectors.split import Split
from tamis.jobs.read_cache import ReadCache

FULL = pa.schema([("text", pa.string()), ("n", pa.int64())])
TEXT = pa.schema([("text", pa.string())])


def split(size):
    return Split(0, "x", "jsonl", size_bytes=size)


class Reader:
    """Counts how often it reads, and which columns."""

    def __init__(self):
        self.calls = []

    def __call__(self, columns):
        self.calls.append(columns.names)
        rows = {"__address": [0, 1], "__rule": [None, None], "__raw": [None, None], "text": ["a", "b"], "n": [1, 2]}
        schema = reading_schema(columns)
        yield pa.RecordBatch.from_arrays([pa.array(rows[f.name], f.type) for f in schema], schema=schema)


@pytest.mark.parametrize(
    ("budget", "calls"), [(1 << 20, [["text", "n"]]), (0, [["text"], ["text", "n"]]), (50, [["text"], ["text", "n"]])]
)
def test_what_fits_is_read_once(budget, calls):
    cache, reader = ReadCache(budget, [split(100)]), Reader()
    first = [batch.to_pydict() for batch in cache.read(split(100), TEXT, FULL, reader)]
    second = [batch.to_pydict() for batch in cache.read(split(100), FULL, FULL, reader)]
    assert [list(batch) for batch in first] == [["__address", "__rule", "__raw", "text"]]
    assert [batch["text"] + batch["n"] for batch in second] == [["a", "b", 1, 2]]
    assert reader.calls == calls


def test_a_wrong_estimate_holds_nothing():
    cache, reader = ReadCache(20, [split(10)]), Reader()
    for _ in range(2):
        assert [batch.num_rows for batch in cache.read(split(10), FULL, FULL, reader)] == [2]
    assert len(reader.calls) == 2


def test_an_abandoned_read_holds_nothing():
    cache, reader = ReadCache(1 << 20, [split(10)]), Reader()
    next(cache.read(split(10), FULL, FULL, reader))
    assert [batch.num_rows for batch in cache.read(split(10), FULL, FULL, reader)] == [2]
    assert len(reader.calls) == 2
