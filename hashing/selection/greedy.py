"""Greedy choice: the item that adds most, again and again, and how far from the best choice that can be.

``naive`` asks for the gains of all items at each step. ``lazy`` (Minoux 1978) keeps old gains, which are upper bounds,
and asks only while one of them could still win: the same choice. Facility location of vectors has bounds that are made
sooner, ``near_greedy.py``: the same choice too. ``stochastic`` ("lazier than lazy greedy", Mirzasoleiman and others
2015) looks at a keyed sample of (n / k) * ln(1 / epsilon) items a step: at least 1 - 1/e - epsilon of the best value on
average.

With costs, items are compared by gain over cost, those that no longer fit are passed over, and the answer is at last
compared with the best single item: the better of both has at least (1 - 1/e) / 2 of the best value (Khuller, Moss and
Naor 1999).

Ties: the higher score, then the lower item. Scores are compared exactly, as float64.
"""

import heapq
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..bagging import draws
from ..errors import ConfigError
from ..kernel import kernel
from ..mix import derive_seed, fmix64, scale
from .chosen import Selection
from .near_greedy import greedy_nearly
from .optimum import Budget, most_more
from .set_function import SetFunction

Method = Literal["naive", "lazy", "stochastic"]
_Function = TypeVar("_Function", bound=SetFunction)
_FIRST, _LARGEST = 4, 256
"""How many old gains are looked at anew at once: each time twice as many."""


def greedy(
    function: SetFunction,
    budget: Budget,
    *,
    method: Method = "lazy",
    start: NDArray[np.int64] | None = None,
    among: NDArray[np.int64] | None = None,
    until_loss: bool = False,
    epsilon: float = 0.05,
    seed: int = 0,
    keys: NDArray[np.int64] | None = None,
) -> Selection:
    """Choose items.

    Args:
        function: left as it is.
        budget: a number of items, or costs and their limit; ``start`` is not counted.
        method: see above.
        start: items that are in the set from the first: what is chosen adds to them.
        among: the items to choose from; None: all. Those of ``start`` are left out.
        until_loss: end before an item would take away, or add nothing. Otherwise the budget is used up.
        epsilon: of ``stochastic``: between 0 and 1.
        seed, keys: of ``stochastic``: int64, shape (size,): what items are drawn by; None: their numbers.

    Returns:
        The choice. Its bound holds for all choices that add to the same start, of the same items; it takes their gains
        at the start and, where the function is monotone, also at the end.

    Raises:
        ConfigError: a setting is out of range, or an item is none or is there twice.
    """
    items = _candidates(function, budget, start, among)
    if method == "lazy":
        there = np.array([], np.int64) if start is None else start
        nearly = greedy_nearly(function, budget, items, start=there, until_loss=until_loss)
        if nearly is not None:
            return nearly
    state = function.fresh()
    for item in [] if start is None else start.tolist():
        state.add(item)
    base = state.value()
    gains = state.gains(items)
    bound = base + most_more(gains, items, budget)
    single = _best_single(items, gains)
    if method == "stochastic":
        if not 0 < epsilon < 1:
            raise ConfigError("epsilon is between 0 and 1", value=epsilon, remedy="Set epsilon to 0.05.")
        finder: _Finder = _Drawn(state, items, gains, budget, epsilon, seed, keys)
    elif method == "lazy":
        finder = _Lazy(state, items, gains, budget)
    elif method == "naive":
        finder = _Naive(state, items, budget)
    else:
        raise ConfigError("a method is naive, lazy or stochastic", value=method, remedy="Set one of them.")
    chosen, added = _taken(state, finder, budget, until_loss)
    evaluations = len(items) + finder.asked
    rest = items[~np.isin(items, chosen)]
    value = state.value()
    if function.monotone and len(rest):
        bound = min(bound, value + most_more(state.gains(rest), rest, budget))
        evaluations += len(rest)
    elif function.monotone:
        bound = min(bound, value)
    if budget.costs is not None and single is not None and base + single[1] > value:
        chosen, added, value = [single[0]], [single[1]], base + single[1]
    return Selection(np.array(chosen, np.int64), np.array(added, np.float64), value, max(bound, value), evaluations)


def _candidates(
    function: SetFunction, budget: Budget, start: NDArray[np.int64] | None, among: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Return the items to choose from, ascending."""
    for name, some in (("start", start), ("among", among)):
        if some is not None and len(some) and not (some.min() >= 0 and some.max() < function.size):
            raise ConfigError(
                f"items of {name} are from 0 to {function.size - 1}",
                value=f"{some.min()} to {some.max()}",
                remedy="Leave out others.",
            )
        if some is not None and len(np.unique(some)) < len(some):
            raise ConfigError(f"an item of {name} is there once", value=len(some), remedy="Leave out copies.")
    items = np.arange(function.size) if among is None else np.sort(among).astype(np.int64)
    if start is not None:
        items = items[~np.isin(items, start)]
    budget.check(function.size)
    return items if budget.costs is None else items[budget.costs[items] <= budget.limit]


def _best_single(items: NDArray[np.int64], gains: NDArray[np.float64]) -> tuple[int, float] | None:
    """Return the item that adds most alone, and what."""
    if not len(items):
        return None
    place = int(np.argmax(gains))
    return int(items[place]), float(gains[place])


class _Finder(Protocol):
    """Finds the next item."""

    asked: int

    def next(self, room: int) -> tuple[int, float] | None:
        """Return the best item that costs no more than ``room``, and its gain; None if there is none."""
        ...


def _taken(state: SetFunction, finder: _Finder, budget: Budget, until_loss: bool) -> tuple[list[int], list[float]]:
    """Put items into the set until the budget is used up; return them and their gains."""
    chosen: list[int] = []
    added: list[float] = []
    room = budget.limit
    while room > 0:
        found = finder.next(room)
        if found is None or (until_loss and found[1] <= 0):
            break
        chosen.append(found[0])
        added.append(state.add(found[0]))
        room -= budget.cost(found[0])
    return chosen, added


class _Naive:
    """Asks for all gains at each step."""

    def __init__(self, state: SetFunction, items: NDArray[np.int64], budget: Budget) -> None:
        self.asked = 0
        self._state, self._items, self._budget = state, items, budget

    def next(self, room: int) -> tuple[int, float] | None:
        """Return the best item that fits."""
        if self._budget.costs is not None:
            self._items = self._items[self._budget.costs[self._items] <= room]
        if not len(self._items):
            return None
        gains = self._state.gains(self._items)
        self.asked += len(gains)
        place = int(np.argmax(self._budget.scores(gains, self._items)))
        item = int(self._items[place])
        self._items = np.delete(self._items, place)
        return item, float(gains[place])


class _Lazy:
    """Asks while an old score could still win."""

    def __init__(
        self, state: SetFunction, items: NDArray[np.int64], gains: NDArray[np.float64], budget: Budget
    ) -> None:
        self.asked = 0
        self._state, self._budget = state, budget
        self._slack = budget.slack(state.slack)
        self._heap = list(zip((-budget.scores(gains, items)).tolist(), items.tolist(), strict=True))
        heapq.heapify(self._heap)

    def next(self, room: int) -> tuple[int, float] | None:
        """Return the best item that fits; drop from the heap for good what does not."""
        heap, width = self._heap, _FIRST
        best, gain, seen = (np.inf, -1), 0.0, []
        while heap and (heap[0][0] - self._slack, heap[0][1]) < best:
            items = self._popped(min(width, _LARGEST), best, room)
            if not len(items):
                continue
            gains = self._state.gains(items)
            self.asked += len(gains)
            entries = list(zip((-self._budget.scores(gains, items)).tolist(), items.tolist(), strict=True))
            seen += entries
            first = min(entries)
            if first < best:
                best, gain = first, float(gains[entries.index(first)])
            width *= 2
        for entry in seen:
            if entry != best:
                heapq.heappush(heap, entry)
        return (best[1], gain) if seen else None

    def _popped(self, width: int, best: tuple[float, int], room: int) -> NDArray[np.int64]:
        """Return the next items that fit and could win, up to ``width``."""
        heap = self._heap
        items: list[int] = []
        while heap and len(items) < width and (heap[0][0] - self._slack, heap[0][1]) < best:
            item = heapq.heappop(heap)[1]
            if self._budget.cost(item) <= room:
                items.append(item)
        return np.array(items, np.int64)


class _Drawn:
    """Asks in a sample of a step only, and there while an old score could still win."""

    def __init__(
        self,
        state: SetFunction,
        items: NDArray[np.int64],
        gains: NDArray[np.float64],
        budget: Budget,
        epsilon: float,
        seed: int,
        keys: NDArray[np.int64] | None,
    ) -> None:
        self.asked, self._step = 0, 0
        self._state, self._budget, self._seed = state, budget, np.uint64(derive_seed(seed, "stochastic greedy"))
        self._slack = budget.slack(state.slack)
        self._scores = np.full(state.size, -np.inf)
        self._scores[items] = budget.scores(gains, items)
        keyed = items if keys is None else keys[items]
        numbers = draws(keyed, np.zeros(len(keyed), np.int64), seed=seed, purpose="order of draws")
        self._left = items[np.lexsort((items, numbers))]
        self._sample = max(1, int(np.ceil(len(items) / max(1, budget.count(items)) * np.log(1 / epsilon))))

    def next(self, room: int) -> tuple[int, float] | None:
        """Return the best item that fits of a sample."""
        if self._budget.costs is not None:
            self._left = self._left[self._budget.costs[self._left] <= room]
        if not len(self._left):
            return None
        size = min(self._sample, len(self._left))
        _draw(self._left, size, self._seed, self._step)
        self._step += 1
        place, gain = self._best_of(self._left[:size])
        item = int(self._left[place])
        self._left[place] = self._left[-1]
        self._left = self._left[:-1]
        return item, gain

    def _best_of(self, sample: NDArray[np.int64]) -> tuple[int, float]:
        """Return the place of the best item of a sample, and its gain."""
        order = np.lexsort((sample, -self._scores[sample]))
        at, width = 0, _FIRST
        best, place, best_gain = (np.inf, -1), -1, 0.0
        while at < len(order):
            item = int(sample[order[at]])
            if not (-self._scores[item] - self._slack, item) < best:
                break
            places = order[at : at + width]
            items = sample[places]
            gains = self._state.gains(items)
            self.asked += len(gains)
            self._scores[items] = self._budget.scores(gains, items)
            found = min(zip((-self._scores[items]).tolist(), items.tolist(), range(len(items)), strict=True))
            if found[:2] < best:
                best, place, best_gain = found[:2], int(places[found[2]]), float(gains[found[2]])
            at, width = at + width, min(2 * width, _LARGEST)
        return place, best_gain


@kernel
def _draw(left: NDArray[np.int64], size: int, seed: np.uint64, step: int) -> None:
    """Bring a uniform sample of ``left`` to its front (Fisher and Yates)."""
    state = fmix64(seed ^ fmix64(np.uint64(step)))
    for i in range(size):
        state = fmix64(state + np.uint64(0x9E3779B97F4A7C15))
        other = i + np.int64(scale(state, np.uint64(len(left) - i)))
        left[i], left[other] = left[other], left[i]
