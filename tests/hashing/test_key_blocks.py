"""Blocks against dictionaries of sets."""

import doctest

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from tamis.hashing import key_blocks
from tamis.hashing.key_blocks import Keys, blocked, kept

RECORDS = st.lists(st.tuples(*[st.lists(st.integers(0, 5), max_size=4)] * 2), max_size=10)
"""Keys of two families for each record."""


def families_of(records):
    families = []
    for f in range(2):
        bounds = np.cumsum([0, *(len(record[f]) for record in records)])
        values = np.array([2**64 - 1 - key for record in records for key in record[f]], np.uint64)
        families.append(Keys(bounds, values))
    return families


def expected_blocks(records, n_left, dirty):
    """Return {(family, key): records} of the blocks that have a pair."""
    holders = {}
    for row, record in enumerate(records):
        for f in range(2):
            for key in record[f]:
                holders.setdefault((f, 2**64 - 1 - key), set()).add(row)
    enough = (lambda rows: len(rows) > 1) if dirty else (lambda rows: min(rows) < n_left <= max(rows))
    return {name: rows for name, rows in holders.items() if enough(rows)}


def test_examples():
    assert doctest.testmod(key_blocks) == (0, 3)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(RECORDS, st.booleans(), st.data())
def test_blocks_are_those_of_dictionaries(records, dirty, data):
    n_left = len(records) if dirty else data.draw(st.integers(0, len(records)))
    found = blocked(families_of(records), n_left, dirty=dirty)
    expected = expected_blocks(records, n_left, dirty)
    names = [*zip(found.families.tolist(), found.keys.tolist(), strict=True)]
    assert names == sorted(expected)
    for b, name in enumerate(names):
        left = sum(row < n_left for row in expected[name])
        right = left if dirty else len(expected[name]) - left
        pairs = left * (left - 1) // 2 if dirty else left * right
        assert (found.left[b], found.right[b], found.pairs[b]) == (left, right, pairs)
        assert found.firsts[b] == min(expected[name])
    of_rows = [found.blocks[a:b].tolist() for a, b in zip(found.bounds, found.bounds[1:], strict=False)]
    assert of_rows == [[b for b, name in enumerate(names) if row in expected[name]] for row in range(len(records))]
    used = np.array([data.draw(st.booleans()) for _ in names], np.bool_)
    bounds, blocks = kept(found, used)
    assert [blocks[a:b].tolist() for a, b in zip(bounds, bounds[1:], strict=False)] == [
        [b for b in row if used[b]] for row in of_rows
    ]


def test_no_families():
    found = blocked([], 0, dirty=True)
    assert found.bounds.tolist() == [0]
    assert len(found.keys) == len(found.blocks) == 0
