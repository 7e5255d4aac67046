"""A genetic search for the items of a subset.

A subset is a choice of so many items from each of some pools. Parents are winners of tournaments; a child takes each
item from either (uniform crossover), some items are exchanged for others of their pool (mutation), and what came
in twice is replaced (repair). The best go on unchanged (elitism), so the best fitness never falls. Where there are no
more subsets than a search would look at, all are looked at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product
from math import comb, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError

Items = NDArray[np.int64]


@dataclass(frozen=True)
class Breeding:
    """How to search.

    Attributes:
        population: subsets of a generation.
        elite: of these, the best that go on as they are.
        generations: how many follow the first.
        tournament: how many contend to be a parent.
        mutations: items that a child exchanges, on average.
    """

    population: int = 60
    elite: int = 6
    generations: int = 150
    tournament: int = 3
    mutations: float = 1.5

    @property
    def looked_at(self) -> int:
        """How many subsets a search looks at, counting those it looks at again."""
        return self.population * (self.generations + 1)

    def __post_init__(self) -> None:
        if not 1 <= self.elite < self.population or self.generations < 0 or self.tournament < 1 or self.mutations < 0:
            raise ConfigError(
                "a search has 1 <= elite < population, and nothing below 0", value=self, remedy="Change the settings."
            )


class Fittest(NamedTuple):
    """What a search found.

    Attributes:
        items: int64, shape (k,), ascending.
        costs: float64, shape (generations + 1,): the lowest cost so far; it never rises. One alone if all subsets were
            looked at.
    """

    items: Items
    costs: NDArray[np.float64]


def fittest(
    pools: Sequence[Items],
    quotas: Sequence[int],
    cost: Callable[[Items], NDArray[np.float64]],
    *,
    seed: int,
    breeding: Breeding | None = None,
) -> Fittest:
    """Return the subset of lowest cost that a search finds, and the lowest of all where these are few.

    Of equal ones it is the first found.

    Args:
        pools: items to choose from, int64 each; no item is in two pools.
        quotas: how many are taken of each pool.
        cost: of subsets, int64 shape (subsets, k), each in the order of pools; must not depend on other subsets.
        seed: of all that is drawn.
        breeding: how to search.

    Raises:
        ConfigError: a pool has fewer items than are asked of it.
    """
    how = breeding or Breeding()
    if any(not 0 < quota <= len(pool) for pool, quota in zip(pools, quotas, strict=True)):
        raise ConfigError("every pool has the items that are asked of it", value=list(quotas), remedy="Ask for fewer.")
    draw = np.random.Generator(np.random.PCG64(seed))
    if prod(comb(len(pool), quota) for pool, quota in zip(pools, quotas, strict=True)) <= how.looked_at:
        return _best_of_all(pools, quotas, cost)
    places = _Places(pools, quotas)
    subsets = places.first(how.population, draw)
    costs = cost(places.flat[subsets])
    history = [float(costs.min())]
    for _ in range(how.generations):
        order = np.argsort(costs, kind="stable")
        subsets, costs = subsets[order], costs[order]
        children = _children(subsets, places, how, draw)
        subsets = np.concatenate([subsets[: how.elite], children])
        costs = np.concatenate([costs[: how.elite], cost(places.flat[children])])
        history.append(float(costs.min()))
    return Fittest(np.sort(places.flat[subsets[costs.argmin()]]), np.array(history))


def _best_of_all(
    pools: Sequence[Items], quotas: Sequence[int], cost: Callable[[Items], NDArray[np.float64]]
) -> Fittest:
    each = product(*(combinations(pool.tolist(), quota) for pool, quota in zip(pools, quotas, strict=True)))
    subsets = np.array([list(chain(*parts)) for parts in each], np.int64)
    costs = cost(subsets)
    return Fittest(np.sort(subsets[costs.argmin()]), costs[costs.argmin()][None])


class _Places:
    """Pools laid end to end; a subset is k places in them."""

    def __init__(self, pools: Sequence[Items], quotas: Sequence[int]) -> None:
        self.flat = np.concatenate(pools)
        sizes = np.array([len(pool) for pool in pools])
        self.quotas = np.array(quotas)
        self.starts = np.repeat(np.cumsum(sizes) - sizes, self.quotas)
        self.sizes = np.repeat(sizes, self.quotas)
        self.can_repeat = bool((self.quotas > 1).any())

    def first(self, count: int, draw: np.random.Generator) -> Items:
        """Return subsets at random, shape (count, k)."""
        ends = np.cumsum(self.quotas)
        parts = []
        for end, quota in zip(ends, self.quotas, strict=True):
            keys = draw.random((count, self.sizes[end - 1]))
            parts.append(np.argsort(keys, axis=1, kind="stable")[:, :quota] + self.starts[end - 1])
        return np.concatenate(parts, axis=1)

    def repair(self, subset: Items, draw: np.random.Generator) -> None:
        """Replace places that are there twice by others of their pool."""
        taken = set(subset.tolist())
        _, kept = np.unique(subset, return_index=True)
        for gene in sorted(set(range(len(subset))) - set(kept.tolist())):
            start, size = int(self.starts[gene]), int(self.sizes[gene])
            free = [place for place in range(start, start + size) if place not in taken]
            subset[gene] = free[int(draw.integers(len(free)))]
            taken.add(int(subset[gene]))


def _children(subsets: Items, places: _Places, how: Breeding, draw: np.random.Generator) -> Items:
    """Return a generation's children; ``subsets`` stand best first, so a tournament's winner is its lowest number."""
    count, k = how.population - how.elite, subsets.shape[1]
    parents = draw.integers(0, how.population, (2, count, how.tournament)).min(axis=2)
    children = np.where(draw.random((count, k)) < 0.5, subsets[parents[0]], subsets[parents[1]])
    exchanged = draw.random((count, k)) < how.mutations / k
    others = places.starts + (draw.random((count, k)) * places.sizes).astype(np.int64)
    children = np.where(exchanged, others, children)
    if places.can_repeat:
        in_order = np.sort(children, axis=1)
        for child in np.flatnonzero((in_order[:, 1:] == in_order[:, :-1]).any(axis=1)):
            places.repair(children[child], draw)
    return np.asarray(children, np.int64)
