"""Bounding: items that the best choice surely has, and items that it surely has not.

For pairwise functions on a graph and sets of exactly k items. What an item would add is between two numbers: ``most``
counts what it shares with items that are chosen already, ``least`` what it shares with all that are not discarded yet.
An item is chosen if its least is above the k-th highest most, and discarded if its most is below the k-th highest least
(among the undecided, k being how many are still to be chosen): else exchanging two items would make the best choice
better. Both repeat until nothing changes. The idea is that of distributed bounding (arXiv 2402.16442).

What is left undecided goes to ``greedy``, with ``start=chosen`` and ``among=undecided``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..kernel import kernel
from .pairwise import Pairwise
from .sparse_columns import SparseColumns

_UNDECIDED, _CHOSEN, _DISCARDED = 0, 1, 2


@dataclass(frozen=True)
class Bounded:
    """What is known of the best choice.

    Attributes:
        chosen: int64, ascending: every best choice has these.
        undecided: int64, ascending.
        discarded: int64, ascending: no best choice has these.
        rounds: how often the bounds were made anew.
    """

    chosen: NDArray[np.int64]
    undecided: NDArray[np.int64]
    discarded: NDArray[np.int64]
    rounds: int


def bounded(function: Pairwise, k: int) -> Bounded:
    """Return what is known of the best sets of exactly ``k`` items.

    Args:
        function: pairwise, on a graph. Numbers are compared as float64; items whose numbers are equal stay undecided.
        k: from 0 to the number of items.

    Raises:
        ConfigError: the function's similarities are not those of a graph, or k is out of range.
    """
    columns = function.columns
    if not isinstance(columns, SparseColumns):
        raise ConfigError("bounding works on a graph", value=type(columns).__name__, remedy="Make sparse columns.")
    if not 0 <= k <= function.size:
        raise ConfigError(f"a choice has 0 to {function.size} items", value=k, remedy="Set k in between.")
    states = np.zeros(function.size, np.int8)
    rounds = 0
    while _round(function, columns, states, k):
        rounds += 1
    chosen, undecided, discarded = (np.flatnonzero(states == state) for state in (_CHOSEN, _UNDECIDED, _DISCARDED))
    return Bounded(chosen, undecided, discarded, rounds + 1)


def _round(function: Pairwise, columns: SparseColumns, states: NDArray[np.int8], k: int) -> bool:
    """Decide items by bounds made anew; return whether there were any."""
    changed = False
    for grow in (True, False):
        undecided = np.flatnonzero(states == _UNDECIDED)
        more = k - int((states == _CHOSEN).sum())
        if not len(undecided):
            return changed
        if more in (0, len(undecided)):
            states[undecided] = _CHOSEN if more else _DISCARDED
            return True
        most, least = _bounds(function, columns, states, undecided)
        place = len(undecided) - more
        decided = least > np.partition(most, place)[place] if grow else most < np.partition(least, place)[place]
        states[undecided[decided]] = _CHOSEN if grow else _DISCARDED
        changed |= bool(decided.any())
    return changed


def _bounds(
    function: Pairwise, columns: SparseColumns, states: NDArray[np.int8], items: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the most and the least that items would add: float64, shape (len(items),)."""
    with_chosen, with_possible = _shared(columns.starts, columns.rows, columns.values, states, items)
    price = function.beta * columns.unit
    return function.worth[items] - price * with_chosen, function.worth[items] - price * with_possible


@kernel
def _shared(
    starts: NDArray[np.int64],
    rows: NDArray[np.int32],
    values: NDArray[np.int32],
    states: NDArray[np.int8],
    items: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what items share with those chosen, and with those not discarded."""
    with_chosen, with_possible = np.zeros(len(items), np.int64), np.zeros(len(items), np.int64)
    for p in range(len(items)):
        for e in range(starts[items[p]], starts[items[p] + 1]):
            state = states[rows[e]]
            if rows[e] == items[p] or state == 2:
                continue
            with_possible[p] += values[e]
            if state == 1:
                with_chosen[p] += values[e]
    return with_chosen, with_possible
