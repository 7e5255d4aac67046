"""Facility location over similarities that are known nearly: bounds of gains fast, gains exactly where they matter.

A row is able to gain from an item only if its near similarity to it is above the row's floor. Near similarities above
the floor add up to a bound; exact similarities of these rows alone add up to the gain itself. Floors only rise, so as
soon as few rows are able to gain from an item they are listed, and no other row is looked at again.
"""

import heapq
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..intrinsics import NUMBERS, higher, trailing_zeros
from ..kernel import inner_kernel, kernel
from ..mix import signed
from .near_columns import SHIFT, NearColumns

_OLD, _NEAR, _EXACT = 0, 1, 2
_FEW = 64
"""Of so many rows one is few."""
_SPARE = 32
"""See ``_ALWAYS``."""
_PART = 1 << 15
"""So many numbers of 16 bits add up to one of 32."""
_ALWAYS = 1 << 16
"""So many exact similarities may be made one by one, or one of ``_SPARE``: many more take longer than all at once."""


class _State(NamedTuple):
    """A set and what it is made from; kernels write all but the first five.

    Attributes:
        near, off, items, rows, factor: as in ``NearColumns``.
        best: int32, shape (n_rows,): the highest similarity of each row to an item of the set, exact; at least 0.
        floor: int16, filled up as ``near``: an item whose near similarity is not above it adds nothing to the row.
        counts: int32, shape (n_items,): how many rows are listed for an item; -1: all of them are able.
        able: int32, shape (n_items, few): those listed, ascending.
        above: int16, the same shape: their near similarities.
        made: int64, shape (1,): how many exact similarities were made.
    """

    near: NDArray[np.int16]
    off: int
    items: NDArray[np.int32]
    rows: NDArray[np.int32]
    factor: float
    best: NDArray[np.int32]
    floor: NDArray[np.int16]
    counts: NDArray[np.int32]
    able: NDArray[np.int32]
    above: NDArray[np.int16]
    made: NDArray[np.int64]


class NearLocation:
    """Facility location of one set, in whole units; the set starts empty.

    Args:
        columns: the similarities.
        covered: int32, shape (n_rows,): what each row has from the first, 0 or more; None: nothing.
    """

    def __init__(self, columns: NearColumns, covered: NDArray[np.int32] | None = None) -> None:
        n_items, n_rows = len(columns.items), len(columns.rows)
        best = np.zeros(n_rows, np.int32) if covered is None else covered.copy()
        few = (n_items, n_rows // _FEW)
        floor = np.full(
            columns.near.shape[1], np.iinfo(np.int16).max, np.int16
        )  # where there is no row, nothing is above
        floor[:n_rows] = (best >> SHIFT) - columns.off
        self._state = _State(
            columns.near,
            columns.off,
            columns.items,
            columns.rows,
            columns.factor,
            best=best,
            floor=floor,
            counts=np.full(n_items, -1, np.int32),
            able=np.empty(few, np.int32),
            above=np.empty(few, np.int16),
            made=np.zeros(1, np.int64),
        )
        self._threads = columns.threads
        self._most = max(n_items * n_rows // _SPARE, _ALWAYS)

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


@inner_kernel
def _bound(state: _State, item: int) -> int:
    """Return what an item would add at most; list the rows that are able to gain from it as soon as they are few."""
    if state.counts[item] >= 0:
        return _bound_of_listed(state, item)
    near, floor, total, count = state.near[item], state.floor, 0, 0
    for first in range(0, len(floor), _PART):
        part = slice(first, first + _PART)
        above, able = _above(near[part], floor[part])
        total, count = total + above, count + able
    if count <= state.able.shape[1]:
        _list(state, item)
    return total << SHIFT


@inner_kernel
def _above(near: NDArray[np.int16], floor: NDArray[np.int16]) -> tuple[int, int]:
    """Return how much is above the floor, and in how many rows: in 32 bits, which processors add up twice as fast."""
    total, count = np.int32(0), np.int32(0)
    for i in range(len(floor)):
        one, least = np.int32(near[i]), np.int32(floor[i])
        total = np.int32(total + max(one, least) - least)
        count = np.int32(count + (one > least))
    return int(total), int(count)


@inner_kernel
def _bound_of_listed(state: _State, item: int) -> int:
    """Return what an item would add at most; take rows that are no longer able from its list."""
    able, above, total, count = state.able[item], state.above[item], 0, 0
    for p in range(state.counts[item]):
        i, near = able[p], above[p]
        if near > state.floor[i]:
            total += near - state.floor[i]
            able[count], above[count] = i, near
            count += 1
    state.counts[item] = count
    return total << SHIFT


@inner_kernel
def _list(state: _State, item: int) -> None:
    """List the rows that are able to gain from an item."""
    near, able, above = state.near[item], state.able[item], state.above[item]
    state.counts[item] = _write_able(near, state.floor, able)
    for p in range(state.counts[item]):
        above[p] = near[able[p]]


@kernel
def _able(state: _State, item: int) -> NDArray[np.int32]:
    """Return the rows that are able to gain from an item."""
    if state.counts[item] >= 0:
        return state.able[item, : state.counts[item]]
    rows = np.empty(len(state.floor), np.int32)
    return rows[: _write_able(state.near[item], state.floor, rows)]


@inner_kernel
def _write_able(near: NDArray[np.int16], floor: NDArray[np.int16], out: NDArray[np.int32]) -> int:
    """Write the rows whose near similarity is above the floor; return how many there are."""
    count = 0
    for first in range(0, len(floor), NUMBERS):
        found = higher(near, floor, first)
        while found:
            out[count], count = first + trailing_zeros(found), count + 1
            found &= found - np.uint64(1)
    return count


@kernel
def _bounds(state: _State, items: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    """Write what each item would add at most."""
    for p in range(len(items)):
        out[p] = _bound(state, items[p])


@inner_kernel
def _similarity(item: NDArray[np.int32], row: NDArray[np.int32], factor: float) -> int:
    """Return an exact similarity: the product is below 2^52."""
    product = 0
    for k in range(len(item)):
        product += signed(item[k]) * signed(row[k])
    return int(np.rint(product * factor))


@kernel
def _gain(state: _State, item: int) -> int:
    """Return what an item would add."""
    rows, total = _able(state, item), 0
    for i in rows:
        total += max(0, _similarity(state.items[item], state.rows[i], state.factor) - state.best[i])
    state.made[0] += len(rows)
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
    total = 0
    for i in _able(state, item):
        similarity = _similarity(state.items[item], state.rows[i], state.factor)
        if similarity > state.best[i]:
            total += similarity - state.best[i]
            state.best[i], state.floor[i] = similarity, (similarity >> SHIFT) - state.off
    return total


@kernel
def _choose(
    state: _State, count: int, items: NDArray[np.int64], bounds: NDArray[np.int64], least: int, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Choose items. The heap has bounds with a minus: the highest is on top, and of equal ones the lower item.

    A gain never grows, so an old one is a bound; where there is nothing more to gain it stays the lowest.
    """
    heap = [(-bounds[p], items[p]) for p in range(len(items))]
    heapq.heapify(heap)
    known, asked = np.full(len(state.items), _NEAR, np.int8), 0
    chosen, added = np.empty(count, np.int64), np.empty(count, np.int64)
    for step in range(count):
        item = heap[0][1]
        while known[item] != _EXACT and state.made[0] <= most:
            if known[item] == _OLD:
                bound, known[item], asked = min(-heap[0][0], _bound(state, item)), _NEAR, asked + 1
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
