import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.sorted_rows import lacking_rows

row = st.tuples(st.integers(-2, 2), st.integers(-3, 3))
sets = st.lists(st.dictionaries(row, st.integers(1, 3), max_size=12), min_size=1, max_size=5)


def laid_out(tables):
    rows = [(high, low, times) for table in tables for (high, low), times in sorted(table.items())]
    columns = [np.array(column, np.int64) for column in (zip(*rows, strict=True) if rows else ([], [], []))]
    stops = np.cumsum([len(table) for table in tables]).astype(np.int64)
    return columns, stops - [len(table) for table in tables], stops


@given(sets, st.integers(0, 14), st.booleans())
@settings(max_examples=150, derandomize=True, deadline=None)
def test_lacking_rows_are_those_of_a_dictionary(tables, most, bags):
    columns, starts, stops = laid_out(tables)
    pairs = [(child, parent) for child in range(len(tables)) for parent in range(len(tables))]
    child, parent = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    found = lacking_rows(*columns, starts, stops, child, parent, most, bags)
    for i, (one, other) in enumerate(pairs):
        looked_for = sorted(tables[one].items())[:most]
        short = [(n, times - (tables[other].get(key, 0) if bags else times * (key in tables[other])))
                 for n, (key, times) in enumerate(looked_for)]  # fmt: skip
        short = [(n, times if bags else 1) for n, times in short if times > 0]
        expected = (len(short), sum(times for _, times in short), starts[one] + short[0][0] if short else -1)
        assert tuple(part[i] for part in found) == expected


def test_a_few_rows_among_many():
    many = np.arange(0, 2000, 2)
    few = np.array([0, 7, 1000, 1998, 1999])
    high, zeros = np.concatenate([many, few]), np.zeros(1005, np.int64)
    found = lacking_rows(
        high, zeros, zeros + 1, np.array([0, 1000]), np.array([1000, 1005]), np.array([1]), np.array([0]), 10**9, False
    )
    assert [part.tolist() for part in found] == [[2], [2], [1001]]
