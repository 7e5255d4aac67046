import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.ordering import ascending_order


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
