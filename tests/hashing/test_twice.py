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
    for part in range(3):
        mark(frozen(keys[:cut]), counts, 16, part, 3)
    for part in (2, 0, 1):
        mark(frozen(keys[cut:]), counts, 16, part, 3)
    found = seen_twice(frozen(keys), counts, 16).tolist()
    occurrences = Counter(keys)
    assert {i for i, key in enumerate(keys) if occurrences[key] > 1} <= set(found)
    assert found == sorted(set(found))


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 64])
def test_parts_count_what_one_thread_would(parts):
    keys = frozen(np.random.default_rng(2).integers(-(2**63), 2**63, 30_000))
    whole, shared = no_counts(16), no_counts(16)
    mark(keys, whole, 16, 0, 1)
    for part in range(parts):
        mark(keys, shared, 16, part, parts)
    assert shared.tolist() == whole.tolist()
    slots = (keys.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(48)
    assert (
        np.flatnonzero(np.bincount(slots.astype(np.int64), minlength=1 << 16) > 1).tolist()
        == np.flatnonzero(np.unpackbits(whole[1].view(np.uint8), bitorder="little")).tolist()
    )


def test_keys_that_occur_once_are_found_as_rarely_as_slots_allow():
    keys = frozen(np.random.default_rng(1).integers(-(2**63), 2**63, 40_000))
    counts = no_counts(20)
    mark(keys, counts, 20, 0, 1)
    load = len(keys) / 2**20
    expected = 1 - np.exp(-load)
    assert len(seen_twice(keys, counts, 20)) / len(keys) == pytest.approx(
        expected, abs=4 * np.sqrt(expected / len(keys))
    )


@pytest.mark.parametrize(("size", "bits"), [(0, 16), (1 << 14, 16), (1 << 15, 17), (100 << 20, 28), (128 << 20, 29)])
def test_bits_of_a_size(size, bits):
    assert bits_for(size) == bits
    assert no_counts(16).nbytes == 1 << 14
