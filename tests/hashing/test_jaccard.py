import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.jaccard import agreement, compare_pairs, jaccard

SETS = st.sets(st.integers(0, 12) | st.integers(2**64 - 4, 2**64 - 1), max_size=12)


def array(values):
    return np.array(sorted(values), np.uint64)


def rows(sequences):
    """Return (values, bounds) of rows laid one after another."""
    bounds = np.cumsum([0, *map(len, sequences)])
    return np.array([value for row in sequences for value in row], np.uint64), bounds


@settings(max_examples=300, derandomize=True, deadline=None)
@given(SETS, SETS)
def test_jaccard_is_that_of_python_sets(a, b):
    expected = len(a & b) / len(a | b) if a | b else 0.0
    assert jaccard(array(a), array(b)) == jaccard(array(b), array(a)) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([], [], 0.0),
        ([], [1], 0.0),
        ([1], [1], 1.0),
        ([1, 2, 3, 4], [1, 2, 3, 4, 5], 0.8),
        ([1, 2, 3], [4, 5, 6], 0.0),
        ([2**63, 2**64 - 1], [2**63 - 1, 2**64 - 1], 1 / 3),
        (range(0, 3000, 3), range(0, 3000, 2), 500 / 2000),
    ],
)
def test_values(a, b, expected):
    assert jaccard(array(a), array(b)) == expected


def test_a_ratio_equal_to_a_threshold_reaches_it():
    # 4/5 is the float 0.8, so that a pair exactly at the threshold is a duplicate.
    for denominator in range(1, 200):
        for numerator in range(denominator + 1):
            a, b = np.arange(numerator, dtype=np.uint64), np.arange(denominator, dtype=np.uint64)
            assert jaccard(a, b) == numerator / denominator


@settings(max_examples=300, derandomize=True, deadline=None)
@given(SETS, SETS, st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 0.6, 2 / 3, 0.75, 0.8, 0.9, 1.0]))
def test_pairs_that_are_less_alike_than_of_interest_count_as_nothing(a, b, least):
    expected = len(a & b) / len(a | b) if a | b else 0.0
    assert jaccard(array(a), array(b), least) == (expected if expected >= least else 0.0)


def test_no_ratio_is_lost_at_its_own_threshold():
    # The bound on what is still needed must never be too high by a rounding error.
    for denominator in range(1, 120):
        for numerator in range(1, denominator + 1):
            a, b = np.arange(denominator, dtype=np.uint64), np.arange(denominator - numerator, 2 * denominator)
            union = len(np.union1d(a, b))
            ratio = numerator / union
            assert jaccard(a, b.astype(np.uint64), ratio) == ratio
            assert jaccard(a, b.astype(np.uint64), np.nextafter(ratio, 1)) == 0.0


def test_agreement_is_the_share_of_equal_places():
    assert agreement(np.array([1, 2, 3, 4], np.uint64), np.array([1, 3, 2, 4], np.uint64)) == 0.5
    assert agreement(np.array([7], np.uint64), np.array([7], np.uint64)) == 1.0
    assert agreement(np.array([2**64 - 1], np.uint64), np.array([0], np.uint64)) == 0.0


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(SETS, min_size=1, max_size=6), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_compare_pairs_of_sets(sets, pairs):
    pairs = [(a % len(sets), b % len(sets)) for a, b in pairs]
    first, second = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    found = compare_pairs(*rows([sorted(values) for values in sets]), first, second, False)
    assert found.dtype == np.float64
    assert found.tolist() == [
        len(sets[a] & sets[b]) / len(sets[a] | sets[b]) if sets[a] | sets[b] else 0.0 for a, b in pairs
    ]


def test_compare_pairs_of_signatures():
    signatures = [[5, 1, 9, 9], [5, 2, 9, 1], [1, 5, 9, 9]]
    first, second = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 2])
    assert compare_pairs(*rows(signatures), first, second, True).tolist() == [0.5, 0.5, 0.25, 1.0]
