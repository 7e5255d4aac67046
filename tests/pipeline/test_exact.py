from collections import defaultdict

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.pipeline.drops import DROPS
from tamis.pipeline.exact import worse_copies

NAMES = ("hash_high", "hash_low", "bytes", "row")
ROWS = st.lists(st.tuples(st.integers(-1, 1), st.integers(0, 1), st.integers(0, 1)), max_size=30)


def dropped(rows, cuts=()):
    """Return (row, keeper) for (hash_high, hash_low, bytes) of rows 0, 1, 2 ..., handed over in several batches."""
    ordered = sorted((*identity, row) for row, identity in enumerate(rows))
    edges = [0, *sorted(cut % (len(ordered) + 1) for cut in cuts), len(ordered)]
    parts = [ordered[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    schema = pa.schema([(name, pa.int64()) for name in NAMES])
    batches = [pa.RecordBatch.from_pylist([dict(zip(NAMES, r, strict=True)) for r in part], schema) for part in parts]
    found = pa.Table.from_batches(list(worse_copies(iter(batches))), DROPS).to_pylist()
    assert {row["similarity"] for row in found} <= {1.0}
    return [(row["row"], row["keeper"]) for row in found]


def test_all_copies_name_the_best_row():
    rows = [(7, 1, 3), (7, 1, 4), (7, 1, 3), (-2, 0, 9), (7, 2, 3), (7, 1, 3)]
    assert dropped(rows) == dropped(rows, [2, 3]) == [(2, 0), (5, 0)]
    assert dropped([]) == []


@settings(max_examples=200, derandomize=True, deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(0, 40), max_size=4))
def test_as_by_a_dictionary(rows, cuts):
    best = defaultdict(list)
    for row, identity in enumerate(rows):
        best[identity].append(row)
    assert sorted(dropped(rows, cuts)) == sorted((row, same[0]) for same in best.values() for row in same[1:])
