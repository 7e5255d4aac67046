"""Greedy choice in parts: each part chooses by itself, and then a choice is made from all that were chosen.

GreeDi (Mirzasoleiman and others 2013): with parts drawn at random, the better of the last choice and the best of the
parts has on average at least (1 - 1/e) / 2 of the best value (Barbosa and others 2015). Parts go by a keyed hash, so an
item's part does not depend on the other items. The number of parts is a setting of the run and changes the answer; the
number of workers does not.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..bagging import draws, fold
from ..errors import ConfigError
from .chosen import Selection
from .greedy import Method, greedy
from .optimum import Budget, most_more
from .set_function import SetFunction


def part_numbers(keys: NDArray[np.int64], parts: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Return the part of each item: int64, from 0 to ``parts - 1``.

    Args:
        keys: int64, shape (n,): a hash of each item's content, or its number.
        parts: how many.
        seed: of the run.
    """
    if not 1 <= parts < 1 << 32:
        raise ConfigError("there are parts", value=parts, remedy="Set parts to 1 or more.")
    return fold(draws(keys, np.zeros(len(keys), np.int64), seed=seed, purpose="parts of a choice"), parts)


def greedy_in_parts(
    function: SetFunction,
    budget: Budget,
    parts: int,
    *,
    method: Method = "lazy",
    start: NDArray[np.int64] | None = None,
    epsilon: float = 0.05,
    seed: int = 0,
    keys: NDArray[np.int64] | None = None,
) -> Selection:
    """Choose items in two rounds.

    Args:
        function, budget, method, start, epsilon, seed, keys: as for ``greedy``; keys also say an item's part.
        parts: how many; 1 is ``greedy``.

    Returns:
        The choice; ties go to that from all chosen, then to the lower part. The bound is over all items.
    """
    every = np.arange(function.size)
    numbers = part_numbers(every if keys is None else keys, parts, seed=seed)

    def chosen(among: NDArray[np.int64], how: Method) -> Selection:
        return greedy(
            function, budget, method=how, start=start, among=among, epsilon=epsilon, seed=seed, keys=keys
        )  # fmt: skip

    if parts == 1:
        return chosen(every, method)
    found = [chosen(np.flatnonzero(numbers == part), method) for part in range(parts)]
    merged = chosen(np.concatenate([one.items for one in found]), "lazy" if method == "stochastic" else method)
    best = max([merged, *found], key=lambda one: one.value)
    bound, asked = _bound(function, budget, start, best)
    asked += sum(one.evaluations for one in [merged, *found])
    return replace(best, bound=max(bound, best.value), evaluations=asked)


def _bound(
    function: SetFunction, budget: Budget, start: NDArray[np.int64] | None, best: Selection
) -> tuple[float, int]:
    """Return the bound over all items, at the start and at the choice, and how many gains it took."""
    state, bound, asked = function.fresh(), np.inf, 0
    out = np.ones(function.size, np.bool_)
    if budget.costs is not None:
        out &= budget.costs <= budget.limit
    there = np.array([], np.int64) if start is None else start
    for added in [there, best.items] if function.monotone else [there]:
        for item in added.tolist():
            state.add(item)
        out[added] = False
        rest = np.flatnonzero(out)
        bound = min(bound, state.value() + most_more(state.gains(rest), rest, budget))
        asked += len(rest)
    return bound, asked
