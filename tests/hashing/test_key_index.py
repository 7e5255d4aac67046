"""Candidates by shared blocks against all pairs, summed in the order that is promised."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from tamis.hashing.key_index import best_of_each, candidates, key_index, share_a_key

ROWS = st.lists(st.sets(st.integers(0, 6), max_size=4), max_size=10)
WEIGHTS = np.array([0.1, 0.2, 0.3, 1e-9, 7.0, 1.0, 1.0 / 3])


def csr(rows, dtype=np.int32):
    bounds = np.cumsum([0, *map(len, rows)])
    return bounds, np.array([block for row in rows for block in sorted(row)], dtype)


def expected_candidates(queries, rows, order, first, last, dirty):
    found = []
    for q in range(first, last):
        for place, row in enumerate(order):
            total = 0.0
            for block in sorted(queries[q] & rows[row]):
                total += float(WEIGHTS[block])
            if total and not (dirty and row == q):
                found.append((q, place, total))
    return found


def found_candidates(queries, rows, order, first, last, dirty):
    itself = np.argsort(order).astype(np.int32) if dirty else np.empty(0, np.int32)
    index = key_index(*csr(rows), np.array(order, np.int64), WEIGHTS)
    found = candidates(*csr(queries), itself, index, first, last)
    return sorted(zip(*(part.tolist() for part in found), strict=True))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(ROWS, ROWS, st.booleans(), st.data())
def test_candidates_are_all_pairs_with_a_block_in_common(queries, rows, dirty, data):
    rows = queries if dirty else rows
    order = data.draw(st.permutations(range(len(rows))))
    first = data.draw(st.integers(0, len(queries)))
    last = data.draw(st.integers(first, len(queries)))
    expected = expected_candidates(queries, rows, order, first, last, dirty)
    assert found_candidates(queries, rows, order, first, last, dirty) == expected


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 9), st.sampled_from([0.5, 1.0, 2.0])), max_size=5), st.integers(1, 5))
def test_best_of_each_is_the_sorted_list(of_queries, k):
    some = [(q, holder, score) for q, mine in enumerate(of_queries) for holder, score in mine.items()]
    queries, holders, scores = (np.array([one[i] for one in some]) for i in range(3))
    chosen = best_of_each(queries.astype(np.int64), holders.astype(np.int32), scores.astype(np.float64), k)
    expected = []
    for q, mine in enumerate(of_queries):
        expected += [(q, holder, mine[holder]) for holder in sorted(mine, key=lambda h: (-mine[h], h))[:k]]
    assert [some[c] for c in chosen] == expected


@settings(max_examples=100, derandomize=True, deadline=None)
@given(ROWS)
def test_whether_pairs_share_a_key(rows):
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    first, second = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    found = share_a_key(*csr(rows, np.uint64), first, second)
    assert found.tolist() == [bool(rows[i] & rows[j]) for i, j in pairs]
