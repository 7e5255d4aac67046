"""Similarities of a graph of near neighbours: those that it does not have are 0.

A value of a function on the graph is therefore at most that on all similarities. ``facility_location.coverage`` gives
the latter for a chosen set.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..kernel import kernel
from ..mix import signed
from .columns import whole


@dataclass(frozen=True)
class SparseColumns:
    """Similarities of a graph (``columns.Columns``), by item (CSC).

    Attributes:
        n_items, n_rows: how many there are.
        starts: int64, shape (n_items + 1,): item j has the entries ``starts[j]:starts[j + 1]``.
        rows: int32: the row of each entry, ascending in an item.
        values: int32: its similarity, in units.
        unit: the similarity that is 1.
    """

    n_items: int
    n_rows: int
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    values: NDArray[np.int32]
    unit: float

    @property
    def square(self) -> bool:
        """Whether the rows are the items: as many of them are taken to be so."""
        return self.n_items == self.n_rows

    def added(self, items: NDArray[np.int64], held: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the sum over rows of max(0, similarity - held) for each item: int64."""
        return _raised(self.starts, self.rows, self.values, items, held)

    def filling(self, items: NDArray[np.int64], room: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the sum over rows of min(similarity, room) for each item: int64."""
        return _filled(self.starts, self.rows, self.values, items, room)

    def column(self, item: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the rows that an item is similar to, ascending, and the similarities."""
        entries = slice(int(self.starts[item]), int(self.starts[item + 1]))
        return self.rows[entries], self.values[entries]

    def itself(self) -> NDArray[np.int64]:
        """Return the similarity of each item to itself, 0 where the graph has none: int64, shape (n_items,)."""
        items = self._items()
        own = np.zeros(self.n_items, np.int64)
        here = items == self.rows
        own[items[here]] = self.values[here]
        return own

    def totals(self, of: str) -> NDArray[np.int64]:
        """Return the sum of each item's or each row's similarities: int64."""
        if of == "items":
            return _summed(self._items(), self.values, self.n_items)
        return _summed(self.rows.astype(np.int64), self.values, self.n_rows)

    def least(self) -> int:
        """Return the lowest similarity, 0 if there are none."""
        return int(self.values.min(initial=0))

    def _items(self) -> NDArray[np.int64]:
        """Return the item of each entry."""
        return np.repeat(np.arange(self.n_items), np.diff(self.starts))

    def symmetric(self) -> bool:
        """Return whether each entry (row, item) has its mirror with the same similarity."""
        if not self.square:
            return False
        starts, rows, values = _turned(self.starts, self.rows, self.values, self.n_rows)
        pairs = ((starts, self.starts), (rows, self.rows), (values, self.values))
        return all(np.array_equal(ours, theirs) for ours, theirs in pairs)


def sparse_columns(
    bounds: NDArray[np.int64],
    items: NDArray[Any],
    similarities: NDArray[Any],
    n_items: int,
    *,
    itself: float | None = None,
    both_ways: bool = False,
) -> SparseColumns:
    """Return the similarities of a graph that is given by rows (CSR).

    Args:
        bounds: int64, shape (n_rows + 1,): row i has the entries ``bounds[i]:bounds[i + 1]``.
        items: integer: the item of each entry, in any order, once in a row.
        similarities: float: its similarity.
        n_items: how many items there are.
        itself: the similarity of an item to itself, for neighbours that leave it out; the rows are then the items.
        both_ways: an entry holds in both directions, with the higher similarity of two; the rows are then the items.

    Raises:
        InputError: a similarity is NaN or infinite, an item is out of range or twice in a row, or the bounds are wrong.
    """
    n_rows = len(bounds) - 1
    _check(bounds, items, similarities, n_items)
    rows = np.repeat(np.arange(n_rows), np.diff(bounds))
    items, values = np.asarray(items, np.int64), np.asarray(similarities, np.float64)
    _check_once(rows, items, n_items)
    if (itself is not None or both_ways) and n_rows != n_items:
        raise InputError(
            "only where rows are the items is there a similarity to itself, or a way back",
            value=f"{n_rows} rows, {n_items} items",
            remedy="Leave out itself and both_ways.",
        )
    if itself is not None:
        others = rows != items
        every = np.arange(n_items)
        rows, items = np.concatenate([rows[others], every]), np.concatenate([items[others], every])
        values = np.concatenate([values[others], np.full(n_items, itself)])
    if both_ways:
        rows, items = np.concatenate([rows, items]), np.concatenate([items, rows])
        values = np.concatenate([values, values])
        order = np.lexsort((-values, rows, items))
        rows, items, values = rows[order], items[order], values[order]
        first = np.ones(len(rows), np.bool_)
        first[1:] = (rows[1:] != rows[:-1]) | (items[1:] != items[:-1])
        rows, items, values = rows[first], items[first], values[first]
    order = np.lexsort((rows, items))
    units, unit = whole(values[order], float(np.abs(values).max(initial=0.0)))
    starts = np.searchsorted(items[order], np.arange(n_items + 1)).astype(np.int64)
    return SparseColumns(n_items, n_rows, starts, rows[order].astype(np.int32), units, unit)


def _check(bounds: NDArray[np.int64], items: NDArray[Any], similarities: NDArray[Any], n_items: int) -> None:
    """Refuse arrays that are no graph."""
    if len(bounds) == 0 or bounds[0] != 0 or bounds[-1] != len(items) or (np.diff(bounds) < 0).any():
        raise InputError(
            "bounds rise from 0 to the number of entries", value=bounds[[0, -1]].tolist() if len(bounds) else "none",
            remedy="Give the bounds of rows as in CSR.",
        )  # fmt: skip
    if len(items) != len(similarities):
        raise InputError(
            "each entry has an item and a similarity",
            value=f"{len(items)} and {len(similarities)}",
            remedy="Give arrays of one length.",
        )
    if len(items) and not (items.min() >= 0 and items.max() < n_items):
        raise InputError(
            f"items are from 0 to {n_items - 1}",
            value=f"{items.min()} to {items.max()}",
            remedy="Leave out entries without a neighbour.",
        )
    bad = np.flatnonzero(~np.isfinite(similarities))
    if len(bad):
        raise InputError("similarities are finite", value=f"entry {bad[0]}", remedy="Leave out such entries.")


def _check_once(rows: NDArray[np.int64], items: NDArray[np.int64], n_items: int) -> None:
    """Refuse an item that a row has twice."""
    pairs = np.sort(rows * n_items + items)
    twice = np.flatnonzero(pairs[1:] == pairs[:-1])
    if len(twice):
        row, item = divmod(int(pairs[twice[0]]), n_items)
        raise InputError("a row has an item once", value=f"row {row}, item {item}", remedy="Leave out the copy.")


@kernel
def _raised(
    starts: NDArray[np.int64],
    rows: NDArray[np.int32],
    values: NDArray[np.int32],
    items: NDArray[np.int64],
    held: NDArray[np.int32],
) -> NDArray[np.int64]:
    out = np.zeros(len(items), np.int64)
    for p in range(len(items)):
        for e in range(starts[items[p]], starts[items[p] + 1]):
            out[p] += max(0, signed(values[e]) - held[rows[e]])
    return out


@kernel
def _filled(
    starts: NDArray[np.int64],
    rows: NDArray[np.int32],
    values: NDArray[np.int32],
    items: NDArray[np.int64],
    room: NDArray[np.int64],
) -> NDArray[np.int64]:
    out = np.zeros(len(items), np.int64)
    for p in range(len(items)):
        for e in range(starts[items[p]], starts[items[p] + 1]):
            out[p] += min(signed(values[e]), room[rows[e]])
    return out


@kernel
def _summed(places: NDArray[np.int64], values: NDArray[np.int32], n: int) -> NDArray[np.int64]:
    out = np.zeros(n, np.int64)
    for e in range(len(places)):
        out[places[e]] += values[e]
    return out


@kernel
def _turned(
    starts: NDArray[np.int64], rows: NDArray[np.int32], values: NDArray[np.int32], n_rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return the entries by row, ascending by item."""
    ends = np.zeros(n_rows + 1, np.int64)
    for e in range(len(rows)):
        ends[rows[e] + 1] += 1
    for i in range(n_rows):
        ends[i + 1] += ends[i]
    items, turned, at = np.empty(len(rows), np.int32), np.empty(len(rows), np.int32), ends[:-1].copy()
    for j in range(len(starts) - 1):
        for e in range(starts[j], starts[j + 1]):
            place = at[rows[e]]
            items[place], turned[place] = j, values[e]
            at[rows[e]] += 1
    return ends, items, turned
