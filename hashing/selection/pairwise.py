"""Pairwise functions: what each item is worth, less what chosen items share with each other. Graph cut is one.

f(S) = sum over S of u_j - beta * sum over pairs {i, j} in S of s_ij. Submodular where no similarity is negative.

Graph cut, f(S) = sum over all i and over j in S of s_ij - lambda * sum over i, j in S of s_ij (Iyer and Bilmes 2013),
is the one with u_j = sum over i of s_ij - lambda * s_jj and beta = 2 * lambda; monotone for lambda <= 0.5.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputError
from .columns import Columns, refuse_lopsided, refuse_negative
from .set_function import gain


@dataclass
class Pairwise:
    """A pairwise function (``set_function.SetFunction``); make one with ``pairwise`` or ``graph_cut``.

    Attributes:
        columns: symmetric similarities, none of them negative.
        worth: float64, shape (n_items,): u.
        beta: at least 0.
        monotone: whether no item ever takes away.
        shared: int64, shape (n_items,): the similarity of each item to the chosen ones, in units, itself left out.
    """

    columns: Columns
    worth: NDArray[np.float64]
    beta: float
    monotone: bool
    shared: NDArray[np.int64] = field(init=False)
    slack = 0.0

    def __post_init__(self) -> None:
        self.shared = np.zeros(self.columns.n_items, np.int64)
        self._total = 0.0

    @property
    def size(self) -> int:
        """How many items there are."""
        return self.columns.n_items

    def fresh(self) -> "Pairwise":
        """Return the same function with an empty set."""
        return Pairwise(self.columns, self.worth, self.beta, self.monotone)

    def gains(self, items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what each item would add: float64, shape (len(items),)."""
        return np.asarray(self.worth[items] - (self.beta * self.columns.unit) * self.shared[items], np.float64)

    def add(self, item: int) -> float:
        """Put an item into the set and return what it added."""
        added = gain(self, item)
        where, column = self.columns.column(item)
        own = self.shared[item]
        self.shared[where] += column
        self.shared[item] = own
        self._total += added
        return added

    def value(self) -> float:
        """Return the value of the set: the sum of what was added."""
        return self._total


def pairwise(columns: Columns, worth: NDArray[np.float64], beta: float) -> Pairwise:
    """Return a pairwise function; to check it, and for the totals of graph cut, all similarities are read twice.

    Args:
        columns: symmetric similarities, none of them negative.
        worth: float, shape (n_items,): what each item is worth alone.
        beta: what a similarity between two chosen items costs, at least 0.

    Raises:
        ConfigError: beta is negative.
        InputError: similarities are negative or lopsided, or a worth is NaN or infinite.
    """
    worth = np.asarray(worth, np.float64)
    if not (0 <= beta < np.inf):
        raise ConfigError("a shared similarity costs at least 0", value=beta, remedy="Set beta >= 0.")
    if worth.shape != (columns.n_items,) or not np.isfinite(worth).all():
        raise InputError("each item has a finite worth", value=str(worth.shape), remedy="Give one number an item.")
    refuse_lopsided(columns, "pairwise functions")
    refuse_negative(columns, "pairwise functions")
    all_shared = (columns.totals("items") - columns.itself()) * columns.unit
    return Pairwise(columns, worth, float(beta), bool((worth >= beta * all_shared).all()))


def graph_cut(columns: Columns, cost: float = 0.4) -> Pairwise:
    """Return graph cut with lambda = ``cost``, at least 0; monotone up to 0.5. Errors as ``pairwise``."""
    if not (0 <= cost < np.inf):
        raise ConfigError(
            "lambda is at least 0", value=cost, remedy="Set a cost from 0 to 0.5 for a monotone function."
        )
    worth = (columns.totals("items") - cost * columns.itself()) * columns.unit
    made = pairwise(columns, worth, 2.0 * cost)
    made.monotone = made.monotone or cost <= 0.5
    return made
