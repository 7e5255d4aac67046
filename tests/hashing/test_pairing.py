import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from tamis.hashing.pairing import take_free

from .oracle import read_only

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] != pair[1]), max_size=30)


def taken(pairs, nodes):
    first, second = (read_only([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    return take_free(first, second, nodes).tolist()


@settings(max_examples=200, derandomize=True, deadline=None)
@given(PAIRS)
def test_each_node_is_taken_once_and_by_its_first_free_pair(pairs):
    busy, expected = set(), []
    for pair in pairs:
        expected.append(not busy & set(pair))
        if expected[-1]:
            busy |= set(pair)
    assert taken(pairs, 10) == expected


def test_by_hand():
    assert taken([(0, 3), (0, 4), (1, 3), (1, 4), (2, 4)], 5) == [True, False, False, True, False]
    assert taken([], 2) == []
