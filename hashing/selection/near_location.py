"""Facility location over similarities that are known nearly: bounds of gains fast, gains exactly where they matter.

A row can gain from an item only if its near similarity to it is above the row's floor. Near similarities above the
floor add up to a bound; exact similarities of these rows alone add up to the gain itself.
"""

import heapq
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernel import kernel
from ..mix import signed
from .near_columns import SHIFT, NearColumns

_OLD, _NEAR, _EXACT = 0, 1, 2
_FEW, _ALWAYS = 64, 1 << 16
"""Of so many similarities one may be made exactly, one by one, and always so many: more take longer than all at once."""


class _State(NamedTuple):
    """A set and what it is made from; kernels write ``best``, ``floor`` and ``made``.

    Attributes:
        near, off, items, rows, factor: as in ``NearColumns``.
        best: int32, shape (n_rows,): the highest similarity of each row to an item of the set, exact; at least 0.
        floor: int16, shape (n_rows,): an item whose near similarity is not above it adds nothing to the row.
        made: int64, shape (1,): how many exact similarities were made.
    """

    near: NDArray[np.int16]
    off: int
    items: NDArray[np.int32]
    rows: NDArray[np.int32]
    factor: float
    best: NDArray[np.int32]
    floor: NDArray[np.int16]
    made: NDArray[np.int64]


class NearLocation:
    """Facility location of one set, in whole units; the set starts empty."""

    def __init__(self, columns: NearColumns) -> None:
        n_rows = len(columns.rows)
        best, floor = np.zeros(n_rows, np.int32), np.full(n_rows, -columns.off, np.int16)
        made = np.zeros(1, np.int64)
        self._state = _State(
            columns.near, columns.off, columns.items, columns.rows, columns.factor, best, floor, made
        )  # fmt: skip
        self._threads = columns.threads
        self._most = max(columns.near.size // _FEW, _ALWAYS)

    @property
    def value(self) -> int:
        """The value of the set."""
        return int(self._state.best.sum(dtype=np.int64))

    @property
    def width(self) -> int:
        """How far a bound can be above the gain."""
        return len(self._state.best) * (2 * self._state.off + 1) << SHIFT

    def add(self, item: int) -> int:
        """Put an item into the set and return what it added."""
        return _put(self._state, item)

    def bounds(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what each item would add at most: int64, shape (len(items),)."""
        out = np.empty(len(items), np.int64)
        cuts = [len(items) * share // self._threads for share in range(self._threads + 1)]
        parts = [slice(*ends) for ends in zip(cuts, cuts[1:], strict=False)]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="tamis-bounds") as pool:
            list(pool.map(lambda part: _bounds(self._state, items[part], out[part]), parts))
        return out

    def highest(self, count: int, items: NDArray[np.int64], bounds: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return the ``count`` highest gains of items, ascending, given bounds of all; None if that takes too long.

        Other gains are made only where a bound is above the lowest of those with the ``count`` highest bounds.
        """
        count = min(count, len(items))
        order = np.argsort(-bounds, kind="stable")
        gains = _gains(self._state, items[order[:count]], self._most)
        if 0 < count == len(gains):
            others = order[count:][bounds[order[count:]] > gains.min()]
            gains = np.concatenate([gains, _gains(self._state, items[others], self._most)])
            if len(gains) < count + len(others):
                return None
        return np.sort(gains)[len(gains) - count :] if len(gains) >= count else None

    def choose(
        self, count: int, items: NDArray[np.int64], bounds: NDArray[np.int64], *, least: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], int] | None:
        """Put items into the set, each the one that adds most, of equal ones the lower.

        Args:
            count: how many, as far as there are so many.
            items: int64: those to choose from.
            bounds: int64, shape (len(items),): what each adds at most.
            least: end before an item that adds less.

        Returns:
            The items in the order of choice, what each added, and how many bounds were made; None if so many items add
            nearly the same that it takes too long, the set being then of no use.
        """
        chosen, added, asked = _choose(self._state, min(count, len(items)), items, bounds, least, self._most)
        return None if self._state.made[0] > self._most else (chosen, added, asked)


@kernel
def _bound(near: NDArray[np.int16], floor: NDArray[np.int16]) -> int:
    """Return the sum of what is above the floor."""
    total = 0
    for i in range(len(floor)):
        total += (near[i] if near[i] > floor[i] else floor[i]) - floor[i]
    return total << SHIFT


@kernel
def _bounds(state: _State, items: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    """Write what each item would add at most."""
    for p in range(len(items)):
        out[p] = _bound(state.near[items[p]], state.floor)


@kernel
def _similarity(item: NDArray[np.int32], row: NDArray[np.int32], factor: float) -> int:
    """Return an exact similarity: the product is below 2^52."""
    product = 0
    for k in range(len(item)):
        product += signed(item[k]) * signed(row[k])
    return int(np.rint(product * factor))


@kernel
def _gain(state: _State, item: int) -> int:
    """Return what an item would add."""
    near, total = state.near[item], 0
    for i in range(len(near)):
        if near[i] > state.floor[i]:
            total += max(0, _similarity(state.items[item], state.rows[i], state.factor) - state.best[i])
            state.made[0] += 1
    return total


@kernel
def _gains(state: _State, items: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return what each item would add; fewer if more than ``most`` similarities have been made."""
    out = np.empty(len(items), np.int64)
    for p in range(len(items)):
        if state.made[0] > most:
            return out[:p]
        out[p] = _gain(state, items[p])
    return out


@kernel
def _put(state: _State, item: int) -> int:
    """Put an item into the set; return what it added."""
    near, total = state.near[item], 0
    for i in range(len(near)):
        if near[i] > state.floor[i]:
            similarity = _similarity(state.items[item], state.rows[i], state.factor)
            if similarity > state.best[i]:
                total += similarity - state.best[i]
                state.best[i] = similarity
                state.floor[i] = (similarity >> SHIFT) - state.off
    return total


@kernel
def _choose(
    state: _State, count: int, items: NDArray[np.int64], bounds: NDArray[np.int64], least: int, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Choose items. The heap has bounds with a minus: the highest is on top, and of equal ones the lower item."""
    heap = [(-bounds[p], items[p]) for p in range(len(items))]
    heapq.heapify(heap)
    known, asked = np.full(len(state.near), _NEAR, np.int8), 0
    chosen, added = np.empty(count, np.int64), np.empty(count, np.int64)
    for step in range(count):
        item = heap[0][1]
        while known[item] != _EXACT and state.made[0] <= most:
            if known[item] == _OLD:
                bound, known[item], asked = _bound(state.near[item], state.floor), _NEAR, asked + 1
            else:
                bound, known[item] = _gain(state, item), _EXACT
            heapq.heapreplace(heap, (-bound, item))
            item = heap[0][1]
        if known[item] != _EXACT or -heap[0][0] < least:
            return chosen[:step], added[:step], asked
        heapq.heappop(heap)
        chosen[step], added[step] = item, _put(state, item)
        known[:] = _OLD
    return chosen, added, asked
