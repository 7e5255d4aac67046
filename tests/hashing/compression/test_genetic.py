"""The genetic search, against all subsets."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.compression.genetic import Breeding, fittest
from tamis.hashing.errors import ConfigError

FEW = Breeding(population=40, elite=4, generations=60)


def unlike_a_target(values, target):
    """The cost of a subset: how far its mean is from a target, and a little for its spread."""

    def cost(subsets):
        chosen = values[subsets]
        return np.abs(chosen.mean(axis=1) - target) + 0.01 * chosen.std(axis=1)

    return cost


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 16), st.integers(1, 4))
def test_the_best_of_all_subsets_is_found(seed, items, k):
    values = np.random.Generator(np.random.PCG64(seed)).random(items)
    cost = unlike_a_target(values, 0.5)
    found = fittest([np.arange(items)], [k], cost, seed=seed, breeding=FEW)
    every = np.array(list(combinations(range(items), k)))
    assert len(set(found.items.tolist())) == k
    assert found.costs[-1] == pytest.approx(cost(every).min(), abs=1e-12)
    assert cost(found.items[None])[0] == pytest.approx(found.costs[-1], abs=1e-12)


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_best_cost_never_rises_and_quotas_are_kept(seed):
    draw = np.random.Generator(np.random.PCG64(seed))
    values = draw.random(90)
    pools = [np.arange(0, 20), np.arange(20, 23), np.arange(40, 90)]
    found = fittest(
        pools, [2, 3, 4], unlike_a_target(values, 0.1), seed=seed, breeding=Breeding(population=12, generations=20)
    )
    assert (np.diff(found.costs) <= 0).all()
    assert [int(np.isin(found.items, pool).sum()) for pool in pools] == [2, 3, 4]
    assert (np.diff(found.items) > 0).all()


def test_golden():
    values = np.random.Generator(np.random.PCG64(1)).random(200)
    found = fittest([np.arange(100), np.arange(100, 200)], [3, 2], unlike_a_target(values, 0.3), seed=5, breeding=FEW)
    assert found.items.tolist() == [16, 18, 30, 105, 185]
    assert found.costs[[0, 5, -1]].round(9).tolist() == [0.013682105, 0.001532362, 0.001532362]
    again = fittest([np.arange(100), np.arange(100, 200)], [3, 2], unlike_a_target(values, 0.3), seed=5, breeding=FEW)
    assert again.costs.tolist() == found.costs.tolist()


def test_what_cannot_be():
    with pytest.raises(ConfigError, match="every pool has the items"):
        fittest([np.arange(3)], [4], lambda subsets: subsets.sum(axis=1), seed=0)
    with pytest.raises(ConfigError, match="elite < population"):
        Breeding(population=5, elite=5)


def test_a_search_of_more_than_can_be_looked_at_ends_near_the_best():
    values = np.arange(400) / 400
    cost = unlike_a_target(values, 0.25)
    found = fittest([np.arange(400)], [4], cost, seed=1, breeding=FEW)
    assert len(found.costs) == 61
    assert found.costs[-1] < found.costs[0] / 5
