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
    if (itself is not None or both_ways) and n_rows != n_items:
        raise InputError(
            "only where rows are the items is there a similarity to itself, or a way back",
            value=f"{n_rows} rows, {n_items} items",
            remedy="Leave out itself and both_ways.",
        )
    top = max(float(np.abs(similarities).max(initial=0.0)), abs(itself or 0.0))
    units, unit = whole(similarities, top)
    by_item = _turned(bounds.astype(np.int64), items.astype(np.int32), units, n_items)
    _check_once(*by_item[:2])
    if itself is not None:
        by_item = _with_itself(*by_item, whole(np.array([itself]), top)[0][0])
    if both_ways:
        by_item = _both_ways(*by_item, *_turned(*by_item, n_rows))
    return SparseColumns(n_items, n_rows, *by_item, unit)


def nearest_columns(
    items: NDArray[Any],
    similarities: NDArray[Any],
    n_items: int,
    *,
    itself: float | None = None,
    both_ways: bool = False,
) -> SparseColumns:
    """Return the similarities of a search for the nearest, as ``sparse_topk.Nearest`` and FAISS give it.

    Args:
        items: integer, shape (n_rows, k): the nearest items of each row; -1 where there are fewer.
        similarities: float, shape (n_rows, k).
        n_items, itself, both_ways: as for ``sparse_columns``, with its errors.
    """
    if items.ndim != 2 or items.shape != similarities.shape:
        raise InputError(
            "items and similarities have one shape (n_rows, k)",
            value=f"{items.shape} and {similarities.shape}",
            remedy="Give both of one search.",
        )
    there = items != -1
    bounds = np.zeros(len(items) + 1, np.int64)
    np.cumsum(there.sum(axis=1), out=bounds[1:])
    return sparse_columns(
        bounds, items[there], similarities[there], n_items, itself=itself, both_ways=both_ways
    )  # fmt: skip


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


def _check_once(starts: NDArray[np.int64], rows: NDArray[np.int32]) -> None:
    """Refuse an item that a row has twice."""
    first = np.zeros(len(rows) + 1, np.bool_)
    first[starts] = True
    twice = np.flatnonzero((rows[1:] == rows[:-1]) & ~first[1:-1])
    if len(twice):
        item = int(np.searchsorted(starts, twice[0], side="right")) - 1
        raise InputError(
            "a row has an item once", value=f"row {rows[twice[0]]}, item {item}", remedy="Leave out the copy."
        )


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
    """Return entries by row instead of by item, ascending by item; or the other way round."""
    bounds = np.zeros(n_rows + 1, np.int64)
    for e in range(len(rows)):
        bounds[rows[e] + 1] += 1
    for i in range(n_rows):
        bounds[i + 1] += bounds[i]
    items, turned, at = np.empty(len(rows), np.int32), np.empty(len(rows), np.int32), bounds[:-1].copy()
    for j in range(len(starts) - 1):
        for e in range(starts[j], starts[j + 1]):
            place = at[rows[e]]
            items[place], turned[place] = j, values[e]
            at[rows[e]] += 1
    return bounds, items, turned


@kernel
def _with_itself(
    starts: NDArray[np.int64], rows: NDArray[np.int32], values: NDArray[np.int32], own: np.int32
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return entries with one of each item for itself, in place of any that was there."""
    n, place = len(starts) - 1, 0
    bounds = np.zeros(n + 1, np.int64)
    others, kept = np.empty(len(rows) + n, np.int32), np.empty(len(rows) + n, np.int32)
    for j in range(n):
        e = starts[j]
        while e < starts[j + 1] and rows[e] < j:
            others[place], kept[place] = rows[e], values[e]
            e, place = e + 1, place + 1
        others[place], kept[place] = j, own
        place += 1
        if e < starts[j + 1] and rows[e] == j:
            e += 1
        while e < starts[j + 1]:
            others[place], kept[place] = rows[e], values[e]
            e, place = e + 1, place + 1
        bounds[j + 1] = place
    return bounds, others[:place].copy(), kept[:place].copy()


@kernel
def _both_ways(
    starts: NDArray[np.int64],
    rows: NDArray[np.int32],
    values: NDArray[np.int32],
    back_starts: NDArray[np.int64],
    back_rows: NDArray[np.int32],
    back_values: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return the entries of both, of two for one pair the higher."""
    n, place = len(starts) - 1, 0
    bounds = np.zeros(n + 1, np.int64)
    merged, kept = np.empty(2 * len(rows), np.int32), np.empty(2 * len(rows), np.int32)
    for j in range(n):
        a, b = starts[j], back_starts[j]
        while a < starts[j + 1] or b < back_starts[j + 1]:
            one = signed(rows[a]) if a < starts[j + 1] else n
            other = signed(back_rows[b]) if b < back_starts[j + 1] else n
            if one < other:
                merged[place], kept[place] = one, values[a]
            elif other < one:
                merged[place], kept[place] = other, back_values[b]
            else:
                merged[place], kept[place] = one, max(values[a], back_values[b])
            a, b = a + (one <= other), b + (other <= one)
            place += 1
        bounds[j + 1] = place
    return bounds, merged[:place].copy(), kept[:place].copy()
