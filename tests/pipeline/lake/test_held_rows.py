import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.jobs.local import LocalEngine
from tamis.pipeline.lake.containment import Checking, Projections, held, sizes_of
from tamis.pipeline.lake.held_rows import HeldRows
from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.prints import ROWS

row = st.tuples(st.integers(0, 3), st.integers(0, 6))
tables = st.lists(st.dictionaries(row, st.integers(1, 3), max_size=20), min_size=1, max_size=5)


def table_of(bags, *, shuffled=None):
    rows = [(n, *key, 10 * n + i, times) for n, bag in enumerate(bags) for i, (key, times) in enumerate(bag.items())]
    if shuffled is not None:
        shuffled.shuffle(rows)
    return pa.table([[r[i] for r in rows] for i in range(len(ROWS))], schema=ROWS)


@given(tables, st.randoms(use_true_random=False))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_rows_come_in_order_whatever_order_they_had(bags, random):
    found = HeldRows.of(table_of(bags, shuffled=random), len(bags))
    for number, bag in enumerate(bags):
        part = found.table.slice(found.starts[number], found.stops[number] - found.starts[number])
        keys = list(zip(part["high"].to_pylist(), part["low"].to_pylist(), strict=True))
        assert keys == sorted(bag)
        assert part["rows"].to_pylist() == [bag[key] for key in keys]
        assert set(part["projection"].to_pylist()) <= {number}


def test_rows_that_are_in_order_stay_where_they_are():
    bags = [{(1, 1): 1}, {(0, 5): 2, (3, 0): 1}]
    backwards = pa.concat_tables([table_of(bags).slice(1), table_of(bags).slice(0, 1)])
    found = HeldRows.of(backwards, 3)
    assert found.table.to_pylist() == backwards.to_pylist()
    assert (found.starts.tolist(), found.stops.tolist()) == ([2, 0, 0], [3, 2, 0])


@pytest.mark.parametrize("bags", [False, True])
@pytest.mark.parametrize("epsilon", [0.01, 0.9])
def test_in_memory_as_on_the_engine(tmp_path, bags, epsilon):
    rng = np.random.Generator(np.random.PCG64(3))
    some = [{(int(high), int(low)): int(times) for high, low, times in rng.integers(1, 4, (size, 3)) * [1, 50, 1]
             + np.stack([rng.integers(0, 9, size), rng.integers(0, 9, size), np.zeros(size, int)], 1)}
            for size in (0, 3, 40, 90, 200, 400)]  # fmt: skip
    some += [dict(list(some[-1].items())[:50]), {key: 1 for key in some[-1]}]
    count = len(some)
    engine = LocalEngine(tmp_path)
    rows = [engine.table(table_of(some))]
    projections = Projections(np.arange(count), np.zeros(count, np.int64), count)
    sizes = sizes_of(rows, count, {})
    options = Options(bags=bags, epsilon=epsilon, delta=0.3)
    pairs = [(i, j) for i in range(1, count) for j in range(count) if i != j]
    child, parent = np.array(pairs).T.copy()
    few = Checking(engine, rows, projections, sizes, 2, options, memory=held(rows, sizes)).check(child, parent)
    many = Checking(engine, rows, projections, sizes, 2, options)
    many._looking = lambda _: many._look
    other = many.check(child, parent)
    for name in ("looked_for", "missing", "witness", "whole", "estimate"):
        np.testing.assert_array_equal(getattr(few, name), getattr(other, name), name)
    assert (few.missing > 0).sum() > 20
    assert few.verified.sum() >= 2
