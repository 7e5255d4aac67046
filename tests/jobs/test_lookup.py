import numpy as np
import pyarrow as pa

from tamis.jobs.lookup import lookup_of

RIGHT = pa.schema([("key", pa.int64()), ("row", pa.int64())])
JOINED = pa.schema([("key", pa.int64()), ("packed", pa.binary()), ("row", pa.int64())])


def right(pairs):
    return iter(pa.Table.from_pylist([{"key": k, "row": r} for k, r in pairs], schema=RIGHT).to_batches())


def test_rows_find_the_columns_of_their_key():
    lookup = lookup_of(right([(7, 1), (-3, 0), (9, 2)]), RIGHT, "key", budget=1 << 20)
    assert lookup.keys.tolist() == [-3, 7, 9]
    batch = pa.RecordBatch.from_pydict({"key": [9, 8, -3, 9, 10, -4], "packed": [b"a", b"b", b"c", b"d", b"e", b"f"]})
    found = lookup(batch, "key", JOINED).to_pylist()
    assert [tuple(row.values()) for row in found] == [(9, b"a", 2), (-3, b"c", 0), (9, b"d", 2)]


def test_nothing_is_found_in_nothing():
    lookup = lookup_of(right([]), RIGHT, "key", budget=1)
    batch = pa.RecordBatch.from_arrays([pa.array(np.arange(3)), pa.array([b"", b"x", None])], names=["key", "packed"])
    assert lookup(batch, "key", JOINED).num_rows == 0


def test_other_sides_that_cannot_be_looked_up():
    assert lookup_of(right([(1, 0), (1, 1)]), RIGHT, "key", budget=1 << 20) is None
    assert lookup_of(right([(i, i) for i in range(100)]), RIGHT, "key", budget=100) is None
