import numpy as np
import pyarrow as pa
import pytest

from tamis.hashing.errors import InputError
from tamis.pipeline.blocking.pairs import pairs_table
from tamis.pipeline.blocking.ranked_records import names_of, ranked_records

ABC, AD = pa.array(["a", "b", "c"]), pa.array(["a", "d"])


def order(*tables, **options):
    return ranked_records(tables[0], tables[1] if len(tables) > 1 else None, **options).names.to_pylist()


def pairs(*some):
    left, right = (pa.array([pair[side] for pair in some], pa.string()) for side in (0, 1))
    return pairs_table(left, right, np.ones(len(some)), "x", np.ones(len(some), np.int64))


def test_the_order_of_tables_ranks():
    assert order(ABC) == ["a", "b", "c"]
    assert order(ABC, AD) == ["left:a", "left:b", "left:c", "right:a", "right:d"]
    assert order(pa.array([], pa.string())) == []


def test_records_of_an_earlier_run_come_first():
    assert order(ABC, known=pa.array(["c", "z", "a"])) == ["c", "a", "b"]
    assert order(ABC, AD, known=pa.array(["right:d", "left:b"]))[:2] == ["right:d", "left:b"]
    assert order(ABC, known=pa.array([], pa.string())) == ["a", "b", "c"]


def test_a_column_ranks():
    values = pa.array([1.0, None, 5.0])
    assert order(ABC, by=[values]) == ["c", "a", "b"]
    assert order(ABC, by=[values], descending=False) == ["a", "c", "b"]
    assert order(ABC, by=[pa.array([float("nan"), 2.0, 2.0])]) == ["b", "c", "a"]
    assert order(ABC, by=[pa.array([2, 2, 2])], known=pa.array(["b"])) == ["b", "a", "c"]
    assert order(ABC, AD, by=[pa.array(["x", "z", "y"]), pa.array(["z", None])])[:3] == ["left:b", "right:a", "left:c"]
    with pytest.raises(InputError, match="each record has one value to rank by"):
        order(ABC, AD, by=[values])


def test_rows_of_pairs_are_ranks():
    both = ranked_records(ABC, AD, known=pa.array(["right:a"]))
    left, right = both.rows_of(pairs(("b", "a"), ("c", "d")))
    assert (left.tolist(), right.tolist()) == ([2, 3], [0, 4])
    one = ranked_records(ABC, None, by=[pa.array([1, 2, 3])])
    assert [rows.tolist() for rows in one.rows_of(pairs(("a", "b")))] == [[2], [1]]


@pytest.mark.parametrize(
    ("tables", "pair", "said"),
    [((ABC,), ("a", "x"), "'x' [(]only"), ((ABC, AD), ("d", "a"), "'d' [(]left"), ((ABC,), ("a", "a"), "with itself")],
)
def test_pairs_of_others_are_refused(tables, pair, said):
    some = ranked_records(tables[0], tables[1] if len(tables) > 1 else None)
    with pytest.raises(InputError, match=said):
        some.rows_of(pairs(pair))


def test_names():
    names = names_of(pa.array(["7", "7", "7"]), pa.array(["left", "right", "only"]))
    assert names.to_pylist() == ["left:7", "right:7", "7"]
