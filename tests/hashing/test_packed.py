import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.packed import rows_of


@settings(derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=30), st.randoms(use_true_random=False))
def test_rows_of_values(lengths, random):
    owners = [row for row, length in enumerate(lengths) for _ in range(length)]
    places = sorted(random.sample(range(len(owners)), len(owners) // 2))
    found = rows_of(np.array(places, np.int64), np.array(lengths, np.int64))
    assert found.tolist() == [owners[place] for place in places]
