"""Budgets of groups: the largest remainders where rows are counted, and whole rows where words are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.mixing.rounding import largest_remainder
from tamis.pipeline.selection.shared_budget import by_rows


@pytest.mark.parametrize(
    ("held", "rows", "amount", "limits"),
    [
        ([60, 20, 20], [60, 20, 20], 11, [7, 2, 2]),
        ([1, 1, 1], [1, 1, 1], 2, [1, 1, 0]),  # of equal remainders the first ones
        ([5, 3], [5, 3], 8, [5, 3]),
        ([5, 3], [5, 3], 0, [0, 0]),
        ([100, 100, 100], [4, 4, 4], 70, [25, 25, 20]),  # what is less than a row goes to the next
        ([100, 100, 100], [4, 4, 4], 60, [25, 25, 10]),
        ([100, 0, 30], [4, 2, 1], 30, [25, 0, 5]),  # nine tenths of a row, and a quarter of one
        ([2**52, 2**52], [2**32, 2**32], 2**53, [2**52, 2**52]),
    ],
)
def test_golden(held, rows, amount, limits):
    assert by_rows(np.array(held), np.array(rows), amount).tolist() == limits


def test_many_small_groups_get_whole_rows():
    limits = by_rows(np.full(50, 1000), np.full(50, 40), 1000)  # 20 words each, where a row has 25
    assert limits.tolist() == [25] * 40 + [0] * 10


GROUPS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 40)), min_size=1, max_size=12)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(GROUPS, st.floats(0, 1))
def test_all_is_dealt_and_none_gets_more_than_it_has(groups, share):
    rows = np.array([count for count, _ in groups])
    held = np.array([count * words for count, words in groups])
    if held.sum():
        amount = int(share * held.sum())
        limits = by_rows(held, rows, amount)
        assert limits.sum() == amount
        assert ((limits >= 0) & (limits <= held)).all()


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.floats(0, 1))
def test_rows_are_those_of_largest_remainders(rows, share):
    held = np.array(rows)
    amount = int(share * held.sum())
    found = by_rows(held, held, amount)
    quotas = held * amount / held.sum()
    assert (np.abs(found - quotas) < 1).all()
    other = largest_remainder(held, amount, held)
    assert np.sort(found - quotas)[::-1] == pytest.approx(np.sort(other - quotas)[::-1], abs=1e-9)
