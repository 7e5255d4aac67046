"""Lazy greedy of facility location over similarities that are known nearly: the same choice, sooner.

What an item adds has an upper bound: an old one, then one from near similarities and what the rows hold by now, and
last the gain itself, from exact similarities of the few rows that could gain. The item on top of all bounds goes from
each to the next; where it has its own gain and is on top still, no other item adds more, and it is chosen.
"""

import numpy as np
from numpy.typing import NDArray

from .chosen import Selection
from .facility_location import FacilityLocation
from .near_columns import NearColumns
from .near_location import NearLocation
from .optimum import Budget, most_more
from .set_function import SetFunction


def greedy_nearly(
    function: SetFunction,
    budget: Budget,
    items: NDArray[np.int64],
    *,
    start: NDArray[np.int64],
    until_loss: bool,
) -> Selection | None:
    """Choose from ``items`` as ``greedy.greedy`` would, or return None where that is not sooner this way.

    It is sooner for facility location of vectors and a number of items, unless exact similarities are there already, or
    so many items add nearly the same that too many of them would have to be made one by one.
    """
    if not isinstance(function, FacilityLocation) or budget.costs is not None or function.near is None:
        return None
    near, unit = function.near, function.columns.unit
    state = _holding(near, function.covered, start)
    before, bounds = state.value, state.bounds(items)
    found = state.choose(budget.limit, items, bounds, least=int(until_loss))
    if found is None:
        return None
    chosen, added, asked = found
    rest = items[~np.isin(items, chosen)]
    after = state.highest(budget.limit, rest, state.bounds(rest))
    if after is None:
        return None
    value = state.value * unit
    bound = value + most_more(_floats(after, unit), rest[: len(after)], budget)
    most = np.sort(bounds)[max(0, len(bounds) - budget.limit) :]
    if value < bound and (before + int(most.sum()) - len(most) * state.width) * unit < bound:  # the start may tell more
        gains = _holding(near, function.covered, start).highest(budget.limit, items, bounds)
        if gains is None:
            return None
        bound = min(bound, before * unit + most_more(_floats(gains, unit), items[: len(gains)], budget))
    return Selection(chosen, _floats(added, unit), value, max(bound, value), len(items) + asked + len(rest))


def _holding(near: NearColumns, covered: NDArray[np.int32] | None, start: NDArray[np.int64]) -> NearLocation:
    """Return facility location of the items of a start."""
    state = NearLocation(near, covered)
    for item in start.tolist():
        state.add(item)
    return state


def _floats(whole: NDArray[np.int64], unit: float) -> NDArray[np.float64]:
    """Return whole numbers of a unit as floats."""
    return np.asarray(whole * unit, np.float64)
