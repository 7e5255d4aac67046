"""Budgets, and how much more a choice could be worth.

For a monotone submodular function and any set S, the best value under a budget is at most f(S) plus the most that fits
into the budget of the gains at S, each counted as if the others were not there (Nemhauser, Wolsey and Fisher 1978; with
costs the best fractional filling, as Leskovec and others 2007). At the empty set that needs no monotonicity.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputError


@dataclass(frozen=True)
class Budget:
    """How much may be chosen.

    Attributes:
        limit: how many items; with costs, how much they may cost together.
        costs: int64, shape (size,), above 0: of each item, as tokens or bytes; None: items are counted.
    """

    limit: int
    costs: NDArray[np.int64] | None = None

    def check(self, size: int) -> None:
        """Refuse a budget that does not fit so many items."""
        if self.limit < 0:
            raise ConfigError("a budget is not negative", value=self.limit, remedy="Set it to 0 or more.")
        if self.costs is None:
            return
        if self.costs.shape != (size,) or self.costs.dtype.kind not in "iu":
            raise InputError(
                "each item has a whole cost",
                value=f"{self.costs.dtype} {self.costs.shape}",
                remedy=f"Give {size} integers.",
            )
        bad = np.flatnonzero(self.costs <= 0)
        if len(bad):
            raise InputError("costs are above 0", value=f"item {bad[0]}", remedy="Leave out items without a cost.")

    def cost(self, item: int) -> int:
        """Return what an item takes of the budget."""
        return 1 if self.costs is None else int(self.costs[item])

    def scores(self, gains: NDArray[np.float64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what items are compared by: float64."""
        return gains if self.costs is None else np.asarray(gains / self.costs[items], np.float64)

    def slack(self, slack: float) -> float:
        """Return by how much a score may grow by rounding, given that for gains."""
        return slack if self.costs is None or not len(self.costs) else slack / float(self.costs.min())

    def count(self, items: NDArray[np.int64]) -> int:
        """Return about how many of these items fit."""
        if self.costs is None or not len(items):
            return min(self.limit, len(items))
        return min(len(items), int(self.limit / float(self.costs[items].mean())))


def most_more(gains: NDArray[np.float64], items: NDArray[np.int64], budget: Budget) -> float:
    """Return the most that items could add under a budget, none of them sharing anything with another.

    >>> most_more(np.array([1.0, 5.0, 3.0]), np.arange(3), Budget(2))
    8.0
    >>> most_more(np.array([1.0, 5.0, 3.0]), np.arange(3), Budget(5, np.array([1, 4, 2])))
    6.75
    """
    helpful = gains > 0
    gains, items = gains[helpful], items[helpful]
    if budget.costs is None:
        count = min(budget.limit, len(gains))
        return float(np.sort(gains)[len(gains) - count :].sum())
    costs = budget.costs[items]
    order = np.argsort(-gains / costs, kind="stable")
    before = np.cumsum(costs[order]) - costs[order]
    shares = np.clip((budget.limit - before) / costs[order], 0.0, 1.0)
    return float((gains[order] * shares).sum())
