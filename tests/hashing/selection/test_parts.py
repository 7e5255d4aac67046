"""Choice in parts beside choice from all."""

import numpy as np
import pytest

from tamis.hashing.errors import ConfigError
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.facility_location import FacilityLocation
from tamis.hashing.selection.greedy import greedy
from tamis.hashing.selection.optimum import Budget
from tamis.hashing.selection.parts import greedy_in_parts, part_numbers

from . import set_cases


def test_golden_parts():
    keys = np.arange(-3, 9)
    assert part_numbers(keys, 4, seed=1).tolist() == GOLDEN_PARTS
    assert part_numbers(keys[::-1], 4, seed=1).tolist() == GOLDEN_PARTS[::-1]
    assert part_numbers(keys, 1).tolist() == [0] * 12
    with pytest.raises(ConfigError, match="found 0"):
        part_numbers(keys, 0)


GOLDEN_PARTS = [3, 2, 1, 3, 1, 3, 0, 1, 1, 3, 0, 2]


@pytest.mark.parametrize("parts", [4, 16])
def test_parts_are_near_the_whole(parts):
    for seed in range(8):
        function = FacilityLocation(dense_columns(set_cases.vectors(seed, 300, 8)))
        whole = greedy(function, Budget(12))
        found = greedy_in_parts(function, Budget(12), parts, seed=seed)
        assert found.value >= 0.95 * whole.value
        assert found.bound >= whole.value - 1e-9
        state = function.fresh()
        assert [state.add(item) for item in found.items.tolist()] == found.gains.tolist()
        assert state.value() == found.value


def test_one_part_is_greedy_and_order_does_not_matter():
    made, keys = set_cases.vectors(3, 60), np.arange(60) * 11
    function = FacilityLocation(dense_columns(made))
    one = greedy_in_parts(function, Budget(7), 1)
    assert one.items.tolist() == greedy(function, Budget(7)).items.tolist()
    order = np.random.Generator(np.random.PCG64(3)).permutation(60)
    first = greedy_in_parts(function, Budget(7), 4, keys=keys, seed=2)
    again = greedy_in_parts(FacilityLocation(dense_columns(made[order])), Budget(7), 4, keys=keys[order], seed=2)
    assert order[again.items].tolist() == first.items.tolist()


def test_more_parts_than_items_and_costs():
    function = FacilityLocation(dense_columns(set_cases.vectors(3, 6)))
    found = greedy_in_parts(function, Budget(2), 50, start=np.array([1]))
    assert found.items.tolist() == greedy(function, Budget(2), start=np.array([1])).items.tolist()
    costs = np.array([5, 1, 9, 2, 3, 4])
    found = greedy_in_parts(function, Budget(6, costs), 2)
    assert costs[found.items].sum() <= 6
    assert found.value <= greedy(function, Budget(6, costs)).bound
    drawn = greedy_in_parts(function, Budget(3), 2, method="stochastic")
    assert len(set(drawn.items.tolist())) == 3
