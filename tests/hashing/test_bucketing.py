import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.bucketing import bucket_of, into_buckets, sort_hashed

I64 = st.integers(-(2**63), 2**63 - 1)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.lists(I64, max_size=4), max_size=20), st.integers(1, 10))
def test_buckets_are_those_of_a_stable_sort_by_the_highest_bits(rows, bits):
    names = [7 * row - 3 for row in range(len(rows))]
    pairs = [(key, name) for name, keys in zip(names, rows, strict=True) for key in keys]
    keys, found, of = np.array([key for key, _ in pairs], np.int64), *np.empty((2, len(pairs)), np.int64)
    starts = into_buckets(keys, np.array(list(map(len, rows)), np.int64), np.array(names, np.int64), bits, found, of)
    expected = sorted(pairs, key=lambda pair: pair[0] >> (64 - bits))
    assert list(zip(found.tolist(), of.tolist(), strict=True)) == expected
    lowest = -(1 << (bits - 1))
    places = [key >> (64 - bits) for key, _ in expected]
    assert starts.tolist() == [sum(p < lowest + bucket for p in places) for bucket in range((1 << bits) + 1)]


def test_a_bucket_of_several_batches():
    batches = [([5, -(2**63), 6], 1), ([-1, 5], 2), ([], 3)]
    keys, rows = np.empty((2, 5), np.int64)
    begins, starts, begin = [], [], 0
    for values, row in batches:
        end = begin + len(values)
        given = np.array(values, np.int64), np.array([len(values)]), np.array([row])
        starts.append(into_buckets(*given, 1, keys[begin:end], rows[begin:end]))
        begins.append(begin)
        begin = end
    found = [bucket_of(keys, rows, np.array(begins), np.array(starts), bucket) for bucket in range(2)]
    assert [(keys.tolist(), rows.tolist()) for keys, rows in found] == [
        ([-(2**63), -1], [1, 2]),
        ([5, 6, 5], [1, 1, 2]),
    ]


@pytest.mark.parametrize(
    ("key", "starts"),
    [(-(2**63), [0, 1, 1, 1, 1]), (-1, [0, 0, 1, 1, 1]), (0, [0, 0, 0, 1, 1]), (2**63 - 1, [0, 0, 0, 0, 1])],
)
def test_golden_buckets_of_four(key, starts):
    one, to = np.array([key], np.int64), np.empty((2, 1), np.int64)
    assert into_buckets(one, np.array([1]), np.array([5]), 2, to[0], to[1]).tolist() == starts


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.one_of(I64, st.integers(-3, 3)), st.integers(-2, 2)), max_size=120))
def test_pairs_are_sorted_however_keys_are_spread(pairs):
    keys, rows = np.array(pairs, np.int64).reshape(-1, 2).T.copy()
    found = sort_hashed(keys, rows)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == sorted(pairs)


def test_a_hot_key_among_hashes():
    generator = np.random.Generator(np.random.PCG64(7))
    keys = np.where(generator.random(5_000) < 0.7, 12345, generator.integers(-(2**63), 2**63 - 1, 5_000))
    rows = generator.permutation(5_000)
    found, of = sort_hashed(keys, rows)
    order = np.lexsort((rows, keys))
    np.testing.assert_array_equal(found, keys[order])
    np.testing.assert_array_equal(of, rows[order])
