import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.pairs import first_occurrences


def frozen(values):
    array = np.array(values, np.int64)
    array.flags.writeable = False
    return array


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=200))
def test_each_pair_with_a_better_row_once_and_first(pairs):
    expected, seen = [], set()
    for i, (worse, better) in enumerate(pairs):
        if better < worse and (worse, better) not in seen:
            seen.add((worse, better))
            expected.append(i)
    found = first_occurrences(frozen([w for w, _ in pairs]), frozen([b for _, b in pairs]))
    assert found.tolist() == expected


def test_large_row_numbers():
    worse, better = frozen([2**62, 2**62, 2**40]), frozen([2**62 - 1, 2**62 - 1, 0])
    assert first_occurrences(worse, better).tolist() == [0, 2]
