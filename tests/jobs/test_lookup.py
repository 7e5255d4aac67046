import numpy as np
import pyarrow as pa
import pytest

from tamis.jobs.lookup import lookup_of, places_of

RIGHT = pa.schema([("key", pa.int64()), ("row", pa.int64())])
LEFT = pa.schema([("key", pa.int64()), ("packed", pa.binary())])
JOINED = pa.schema([*LEFT, RIGHT.field("row")])
BATCH = pa.RecordBatch.from_pydict({"key": [9, 8, -3, 9, 10, -4], "packed": [b"a", b"b", b"c", b"d", b"e", b"f"]})


def right(pairs):
    return iter(pa.Table.from_pylist([{"key": k, "row": r} for k, r in pairs], schema=RIGHT).to_batches())


def joined(pairs, how, *, budget=1 << 20):
    lookup = lookup_of(right(pairs), RIGHT, "key", how, budget=budget)
    found = lookup(BATCH, "key", LEFT if how in ("semi", "anti") else JOINED)
    return [tuple(row.values()) for row in found.to_pylist()]


def test_rows_find_the_columns_of_their_key():
    assert lookup_of(right([(7, 1), (-3, 0), (9, 2)]), RIGHT, "key", "inner", budget=1 << 20).keys.tolist() == [
        -3,
        7,
        9,
    ]
    assert joined([(7, 1), (-3, 0), (9, 2)], "inner") == [(9, b"a", 2), (-3, b"c", 0), (9, b"d", 2)]


def test_rows_without_a_match_have_none():
    assert joined([(8, 5), (9, 6)], "left") == [
        (9, b"a", 6),
        (8, b"b", 5),
        (-3, b"c", None),
        (9, b"d", 6),
        (10, b"e", None),
        (-4, b"f", None),
    ]


def test_null_is_no_key():
    batch = pa.RecordBatch.from_pydict({"key": [None, 1, 0], "packed": [b"a", b"b", b"c"]}, schema=LEFT)
    found = {}
    for how in ("inner", "left", "semi", "anti"):
        lookup = lookup_of(right([(0, 5), (None, 7), (2, 6)]), RIGHT, "key", how, budget=1 << 20)
        rows = lookup(batch, "key", LEFT if how in ("semi", "anti") else JOINED).to_pylist()
        found[how] = [tuple(row.values()) for row in rows]
    assert found == {
        "inner": [(0, b"c", 5)],
        "left": [(None, b"a", None), (1, b"b", None), (0, b"c", 5)],
        "semi": [(0, b"c")],
        "anti": [(None, b"a"), (1, b"b")],
    }


@pytest.mark.parametrize("pairs", [[(9, 0), (8, 0), (9, 1)], [(8, 0), (9, 1)]])
def test_rows_whose_key_is_there_or_is_not(pairs):
    assert joined(pairs, "semi") == [(9, b"a"), (8, b"b"), (9, b"d")]
    assert joined(pairs, "anti") == [(-3, b"c"), (10, b"e"), (-4, b"f")]


@pytest.mark.parametrize(("how", "found"), [("inner", 0), ("semi", 0), ("left", 6), ("anti", 6)])
def test_nothing_is_found_in_nothing(how, found):
    assert len(joined([], how, budget=1)) == found


def test_keys_without_gaps_are_places_already():
    wanted = np.array([5, -(2**63), 7, 2**63 - 1, 6])
    for keys in (np.arange(5, 8), np.array([5, 6, 7, 9])):
        places, found = places_of(wanted, keys)
        assert found.tolist() == [True, False, True, False, True]
        assert places[found].tolist() == [0, 2, 1]
    places, found = places_of(wanted, np.array([-(2**63), 2**63 - 1]))
    assert found.tolist() == [False, True, False, True, False]
    assert places[found].tolist() == [0, 1]


def test_other_sides_that_cannot_be_looked_up():
    twice = [(1, 0), (1, 1)]
    assert lookup_of(right(twice), RIGHT, "key", "inner", budget=1 << 20) is None
    assert lookup_of(right(twice), RIGHT, "key", "left", budget=1 << 20) is None
    assert lookup_of(right([(i, i) for i in range(100)]), RIGHT, "key", "inner", budget=1000) is None
    assert lookup_of(right([(i, i) for i in range(100)]), RIGHT, "key", "semi", budget=1000) is not None  # keys alone
