from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.twice import bits_for, mark, no_counts, seen_twice


def frozen(values):
    array = np.array(values, np.int64)
    array.flags.writeable = False
    return array


@settings(derandomize=True, deadline=None)
@given(st.lists(st.integers(-20, 20).map(lambda n: n * 10**17), max_size=60), st.integers(0, 60))
def test_a_key_that_occurs_twice_is_always_found(keys, cut):
    counts = no_counts(16)
    mark(frozen(keys[:cut]), counts, 16)
    mark(frozen(keys[cut:]), counts, 16)
    found = seen_twice(frozen(keys), counts, 16)
    occurrences = Counter(keys)
    assert all(found[i] for i, key in enumerate(keys) if occurrences[key] > 1)


def test_keys_that_occur_once_are_found_as_rarely_as_slots_allow():
    keys = frozen(np.random.default_rng(1).integers(-(2**63), 2**63, 40_000))
    counts = no_counts(20)
    mark(keys, counts, 20)
    load = len(keys) / 2**20
    expected = 1 - np.exp(-load)
    assert seen_twice(keys, counts, 20).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / len(keys)))


@pytest.mark.parametrize(("size", "bits"), [(0, 16), (1 << 14, 16), (1 << 15, 17), (100 << 20, 28), (128 << 20, 29)])
def test_bits_of_a_size(size, bits):
    assert bits_for(size) == bits
    assert no_counts(16).nbytes == 1 << 14
