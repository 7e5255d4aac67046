import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.ordering import ascending_order, grouping_order


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[st.integers(-2, 2)] * n), max_size=30)))
def test_the_order_is_that_of_a_stable_sort(rows):
    columns = [np.array(column, np.int64) for column in zip(*rows, strict=True)] or [np.empty(0, np.int64)]
    expected = sorted(range(len(rows)), key=lambda i: rows[i])
    found = ascending_order(columns)
    assert (list(range(len(rows))) if found is None else found.tolist()) == expected
    assert (found is None) == (expected == list(range(len(rows))))


@pytest.mark.parametrize("columns", [[[1, 2, 2, 5]], [[1, 1, 2], [3, 4, 0]], [[]], [[-(2**63), 2**63 - 1]]])
def test_rows_in_order_have_none(columns):
    assert ascending_order([np.array(column, np.int64) for column in columns]) is None


def test_many_rows_with_few_ties():
    generator = np.random.Generator(np.random.PCG64(3))
    first, second = generator.integers(0, 50_000, 20_000), generator.integers(-5, 5, 20_000)
    found = ascending_order([first, second])
    assert found is not None
    np.testing.assert_array_equal(found, np.lexsort((second, first)))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.one_of(st.integers(-2, 2), st.integers(0, 70_000), st.integers(-(2**63), 2**63 - 1)), max_size=30))
def test_grouping_order_is_a_stable_sort(keys):
    found = grouping_order(np.array(keys, np.int64))
    assert found.tolist() == sorted(range(len(keys)), key=lambda i: keys[i])


@pytest.mark.parametrize("lowest", [-(2**63), -5, 2**63 - 65536])
def test_grouping_order_of_a_narrow_range(lowest):
    keys = [lowest + step for step in (65535, 0, 3, 65535, 3)]
    assert grouping_order(np.array(keys, np.int64)).tolist() == [1, 2, 4, 0, 3]
