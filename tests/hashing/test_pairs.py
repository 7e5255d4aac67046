import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.pairs import distinct_pairs, meet


def frozen(values):
    array = np.array(values, np.int64)
    array.flags.writeable = False
    return array


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=200))
def test_each_pair_once_and_first(pairs):
    expected, seen = [], set()
    for i, (worse, better) in enumerate(pairs):
        if (worse, better) not in seen:
            seen.add((worse, better))
            expected.append(i)
    found = distinct_pairs(frozen([w for w, _ in pairs]), frozen([b for _, b in pairs]))
    assert found.tolist() == expected


def test_large_row_numbers():
    worse, better = frozen([2**62, 2**62, 2**40]), frozen([2**62 - 1, 2**62 - 1, 0])
    assert distinct_pairs(worse, better).tolist() == [0, 2]


def met(keys, rows, most, cuts=()):
    """Return the pairs that ``meet`` makes of sorted rows cut into batches."""
    anchors, last, place, found = np.zeros(most, np.int64), 0, 0, []
    for start, stop in zip([0, *cuts], [*cuts, len(keys)], strict=True):
        worse, better, last, place = meet(frozen(keys[start:stop]), frozen(rows[start:stop]), anchors, last, place)
        found += zip(worse.tolist(), better.tolist(), strict=True)
    return found


@settings(derandomize=True, deadline=None)
@given(st.sets(st.tuples(st.integers(-3, 3), st.integers(0, 12))), st.integers(1, 5), st.data())
def test_rows_meet_the_first_of_their_key(rows, most, data):
    ordered = sorted(rows)
    keys, numbers = [key for key, _ in ordered], [row for _, row in ordered]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(ordered)), max_size=4)))
    expected = []
    for key in set(keys):
        group = [row for k, row in ordered if k == key]
        expected += [(row, anchor) for i, row in enumerate(group) for anchor in group[:most] if anchor < row]
        expected += [(row, row) for row in group] if len(group) > most else []
    assert sorted(met(keys, numbers, most, cuts)) == sorted(expected)


def test_a_key_may_be_zero_and_go_on_from_batch_to_batch():
    assert met([0, 0, 0], [4, 5, 6], 1, [1, 2]) == [(5, 4), (4, 4), (5, 5), (6, 4), (6, 6)]
    assert met([0, 0], [4, 5], 2) == [(5, 4)]
