"""Candidates from who holds a child's smallest row, against pairs that are all looked at."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.jobs.local import LocalEngine
from tamis.pipeline.lake.containment import Candidates, Projections, held, sizes_of
from tamis.pipeline.lake.holders import Holders
from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.prints import ROWS


def by_brute_force(rows, row_of, table, schema, measure, children, standing, n, share):
    """Return (child, parent, total) as lists."""
    found = []
    for child in children:
        parents = [
            parent
            for row, parent in rows
            if row == row_of[child] and schema[parent] == schema[child] and table[parent] != table[child]
            and standing[table[parent]] and measure[parent] >= measure[child] * share
        ]  # fmt: skip
        parents.sort(key=lambda parent: (measure[parent], parent))
        found += [(child, parent, len(parents)) for parent in parents[:n]]
    return found


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 4), st.sampled_from([1.0, 0.5, 0.9]), st.booleans())
def test_the_smallest_candidates_are_those_of_brute_force(seed, own, n, share, every):
    rng = np.random.Generator(np.random.PCG64(seed))
    more = int(rng.integers(0, 8))  # projections of tables into the columns of others
    schema = np.concatenate([rng.integers(0, 3, own), rng.integers(0, 3, more)])
    table = np.concatenate([np.arange(own), rng.integers(0, own, more)])
    # a table is seen through a class of columns once
    first = np.unique(np.stack([table, schema]), axis=1, return_index=True)[1]
    kept = np.union1d(np.arange(own), first)
    table, schema = table[kept], schema[kept]
    measure = rng.integers(1, 5, len(table))
    row_of = np.concatenate([rng.integers(0, 4, own), np.full(len(table) - own, -1)])
    holds = rng.random((4, len(table))) < 0.6
    holds[row_of[:own], np.arange(own)] = True  # a child holds its own smallest row
    row, parent = np.nonzero(holds)
    order = rng.permutation(len(row))
    standing = np.ones(own, np.bool_) if every else rng.random(own) < 0.7
    children = np.flatnonzero(rng.random(own) < 0.8)
    projections = Projections(table, schema, own)
    found = Holders(row[order], parent[order], row_of, projections, measure).smallest(children, standing, n, share)
    expected = by_brute_force(
        list(zip(row, parent, strict=True)), row_of, table, schema, measure, children, standing, n, share
    )
    assert list(zip(*(part.tolist() for part in found), strict=True)) == expected


def rows_of(tables):
    """Return ``ROWS`` of tables, given as sets of (high, low)."""
    rows = [(number, high, low, i, 1) for number, of in enumerate(tables) for i, (high, low) in enumerate(sorted(of))]
    return pa.table([pa.array(column, pa.int64()) for column in zip(*rows, strict=True)], schema=ROWS)


def candidates(engine, tables, *, in_memory=True, **more):
    rows = [engine.table(rows_of(tables))]
    count = len(tables)
    projections = Projections(np.arange(count), np.zeros(count, np.int64), count)
    sizes = sizes_of(rows, count, {})
    memory = held(rows, sizes) if in_memory else None
    found = Candidates(rows, projections, sizes, 1, Options(), memory=memory, **more)
    return [part.tolist() for part in found.smallest(np.arange(count), np.ones(count, np.bool_), 64)]


TABLES = [{(1, 5), (2, 0)}, {(1, 5), (2, 0), (3, 1)}, {(1, 4), (1, 5), (2, 0), (9, 9)}, {(1, 4), (7, 7)}, {(8, 8)}]
"""The upper half of the first rows of the first four is the same."""


def test_halves_of_fingerprints_that_are_shared_do_not_make_candidates(tmp_path):
    assert candidates(LocalEngine(tmp_path), TABLES) == [[0, 0, 1, 3], [1, 2, 2, 2], [2, 2, 1, 1]]


def test_too_many_holders_for_the_driver_give_the_same_candidates(tmp_path):
    few = candidates(LocalEngine(tmp_path / "few"), TABLES)
    assert candidates(LocalEngine(tmp_path / "many"), TABLES, most_held=0) == few
