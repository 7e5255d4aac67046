"""Tables of pairs against Python sets and sums of fractions."""

from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError, InputError
from tamis.pipeline.blocking.pairs import (
    PAIRS,
    best_pairs,
    check_pairs,
    exclusion,
    fused,
    in_order,
    intersection,
    pairs_of_one_table,
    pairs_of_rows,
    pairs_table,
    union,
)

PAIR = st.tuples(st.sampled_from("abcé"), st.sampled_from("xyz"))
FOUND = st.dictionaries(PAIR, st.tuples(st.integers(1, 4), st.sampled_from([0.25, 0.5, 1.0])), max_size=12)
RESULTS = st.lists(FOUND, min_size=1, max_size=4)


def table(found, blocker="one"):
    """Return a table of pairs of ``{pair: (rank, score)}``."""
    left, right = ([pair[i] for pair in found] for i in (0, 1))
    ranks, scores = (np.array([value[i] for value in found.values()], kind) for i, kind in ((0, np.int64), (1, float)))
    return pairs_table(pa.array(left, pa.string()), pa.array(right, pa.string()), scores, blocker, ranks)


def tables(results):
    return [table(found, f"b{i}") for i, found in enumerate(results)]


def rows(pairs):
    check_pairs(pairs)
    assert pairs.schema == PAIRS
    return [tuple(row.values()) for row in pairs.to_pylist()]


def sorted_rows(some):
    return sorted(some, key=lambda row: (row[0].encode(), row[4], row[1].encode()))


def merged(results, least):
    expected = []
    for pair in {pair for found in results for pair in found}:
        holders = [(found[pair][0], -found[pair][1], i) for i, found in enumerate(results) if pair in found]
        if len(holders) >= least:
            rank, score, _ = min(holders)
            expected.append((*pair, -score, "+".join(sorted(f"b{i}" for *_, i in holders)), rank))
    return sorted_rows(expected)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(RESULTS)
def test_combinations_are_those_of_python_sets(results):
    assert rows(union(tables(results))) == rows(union(tables(results)[::-1])) == merged(results, 1)
    assert rows(intersection(tables(results))) == merged(results, len(results))
    first, others = tables(results)[0], tables(results)[1:]
    gone = {pair for found in results[1:] for pair in found}
    assert rows(exclusion(first, others)) == [row for row in rows(first) if row[:2] not in gone]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(RESULTS, st.sampled_from([0, 1, 60]))
def test_fusion_adds_reciprocal_ranks(results, constant):
    found = rows(fused(tables(results), constant))
    assert found == rows(fused(tables(results)[::-1], constant))
    exact = {}
    for one in results:
        for pair, (rank, _) in one.items():
            exact[pair] = exact.get(pair, 0) + Fraction(1, constant + rank)
    assert {row[:2]: pytest.approx(row[2], rel=1e-12) for row in found} == {p: float(s) for p, s in exact.items()}
    for left in {row[0] for row in found}:
        some = [row for row in found if row[0] == left]
        assert [row[4] for row in some] == list(range(1, len(some) + 1))
        assert [row[1] for row in some] == [row[1] for row in sorted(some, key=lambda row: (-row[2], row[1]))]


def test_fusion_by_hand():
    one, other = {("a", "x"): (1, 0.9), ("a", "y"): (2, 0.8)}, {("a", "y"): (1, 7.0), ("b", "x"): (1, 6.0)}
    assert rows(fused(tables([one, other]), 0)) == [
        ("a", "y", 1.5, "b0+b1", 1),
        ("a", "x", 1.0, "b0", 2),
        ("b", "x", 1.0, "b1", 1),
    ]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(FOUND, st.integers(0, 14))
def test_budget(found, n):
    every = rows(table(found))
    by_rank = sorted(every, key=lambda row: (row[4], -row[2], row[0].encode(), row[1]))
    by_score = sorted(every, key=lambda row: (-row[2], row[4], row[0].encode(), row[1]))
    assert rows(best_pairs(table(found), n)) == sorted_rows(by_rank[:n])
    assert rows(best_pairs(table(found), n, "score")) == sorted_rows(by_score[:n])


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from("abé"), st.sampled_from("abé")), st.integers(1, 3)), st.randoms())
def test_within_one_table_each_pair_is_there_once(found, random):
    given_pairs = [(a, b, rank) for (a, b), rank in found.items() if a != b]
    random.shuffle(given_pairs)
    expected = {}
    for a, b, rank in given_pairs:
        pair = tuple(sorted((a, b), key=str.encode))
        expected[pair] = min(rank, expected.get(pair, rank))
    one, other = (pa.array([row[i] for row in given_pairs], pa.string()) for i in (0, 1))
    ranks = np.array([row[2] for row in given_pairs], np.int64)
    pairs = pairs_of_one_table(one, other, np.ones(len(ranks)), "b", ranks)
    assert rows(pairs) == sorted_rows((*pair, 1.0, "b", rank) for pair, rank in expected.items())


def test_what_is_no_table_of_pairs():
    good = table({("a", "x"): (1, 0.5)})
    with pytest.raises(InputError, match="columns left_id"):
        check_pairs(good.drop_columns(["rank"]))
    with pytest.raises(InputError, match="'a' with 'x' again"):
        union([pa.concat_tables([good, good])])
    holes = pa.table([pa.array(["a", None]), ["x", "y"], [1.0, 1.0], ["b", "b"], [1, 1]], PAIRS)
    with pytest.raises(InputError, match="nulls in left_id"):
        check_pairs(holes)
    for wrong in (lambda: union([]), lambda: fused([good], -1), lambda: best_pairs(good, -1)):
        with pytest.raises(ConfigError):
            wrong()


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 3), st.sampled_from([0.5, 1.0]))))
def test_pairs_by_places_are_those_by_ids(some):
    some = list({(q, r): (q, r, rank, score) for q, r, rank, score in some}.values())
    ids = pa.array(["b", "10", "9", "é", "a", "ab", "z"])
    others = pa.array(["7", "70", "x", "", "Z", "ü", "u"])
    queries, places, ranks = (np.array([row[i] for row in some], np.int64) for i in range(3))
    scores = np.array([row[3] for row in some], np.float64)
    made = pairs_of_rows(ids, others, queries, places, scores, ranks, "x")
    assert made == pairs_table(ids.take(pa.array(queries)), others.take(pa.array(places)), scores, "x", ranks)
    apart = queries != places
    queries, places, scores, ranks = queries[apart], places[apart], scores[apart], ranks[apart]
    dirty = pairs_of_rows(ids, None, queries, places, scores, ranks, "x")
    one, other = ids.take(pa.array(queries)), ids.take(pa.array(places))
    assert dirty == pairs_of_one_table(one, other, scores, "x", ranks)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(RESULTS)
def test_what_others_found_comes_after_what_the_first_did(results):
    expected, seen, offset = [], set(), 0
    for found in results:
        for pair in found.keys() - seen:
            rank = offset + found[pair][0]
            names = "+".join(f"b{i}" for i, other in enumerate(results) if pair in other)
            expected.append((*pair, 1 / rank, names, rank))
        seen |= found.keys()
        offset += max((rank for rank, _ in found.values()), default=0)
    assert rows(in_order(tables(results))) == sorted_rows(expected)
