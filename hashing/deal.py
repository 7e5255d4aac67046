"""Pairs dealt to tiles of bounded size, so that pairs that share rows share a tile."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel
from .mix import GOLDEN_GAMMA, signed

ITSELF = -1
"""Stands for the partner where a row enters a tile."""

PAIR_WEIGHT = 32
"""What a pair weighs, in the bytes that rows are weighed in."""


class Dealt(NamedTuple):
    """Where dealing stands between two calls.

    Attributes:
        rows: int64, the rows of the open tile: an open-addressing table, at most half full.
        tiles: int64, the tile that each place of it was filled for; other places count as empty.
        held: rows in it.
        tile: the open tile.
        filled: its weight.
    """

    rows: NDArray[np.int64]
    tiles: NDArray[np.int64]
    held: int
    tile: int
    filled: int


def nothing_dealt() -> Dealt:
    """Return where dealing starts."""
    return Dealt(np.zeros(1024, np.int64), np.full(1024, -1, np.int64), 0, 0, 0)


@inner_kernel
def _place(rows: NDArray[np.int64], tiles: NDArray[np.int64], tile: int, row: int) -> int:
    """Return where a row stands in the table, or where it would."""
    mask = np.uint64(len(rows) - 1)
    place = (np.uint64(row) * GOLDEN_GAMMA >> np.uint64(32)) & mask
    while tiles[place] == tile and rows[place] != row:
        place = (place + np.uint64(1)) & mask
    return signed(place)


@kernel
def _wider(rows: NDArray[np.int64], tiles: NDArray[np.int64], tile: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the table of a tile, twice as large."""
    wide, stamps = np.zeros(2 * len(rows), np.int64), np.full(2 * len(rows), -1, np.int64)
    for i in range(len(rows)):
        if tiles[i] == tile:
            place = _place(wide, stamps, tile, rows[i])
            wide[place], stamps[place] = rows[i], tile
    return wide, stamps


@kernel
def deal(
    worse: NDArray[np.int64],
    better: NDArray[np.int64],
    own: NDArray[np.int64],
    weight: NDArray[np.int64],
    capacity: int,
    dealt: Dealt,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Dealt]:
    """Deal pairs, in order; those of one worse row stay together, and a tile that they do not fit is closed before.

    Args:
        worse, better: int64, rows of the pairs; those of one worse row stand together, all in one call.
        own, weight: int64, weights of the worse and of the better rows.
        capacity: weight of a tile: of its pairs, and of its rows, each counted once; a single worse row may exceed it
            with its partners.
        dealt: where the call before stopped.

    Returns:
        (tiles, rows, partners, where dealing stands): a line for each pair, and before it, with partner ``ITSELF``, for
        each row that enters the tile.
    """
    rows, tiles, held, tile, filled = dealt
    out = np.empty((3, 3 * len(worse)), np.int64)
    n = start = 0
    while start < len(worse):
        end = start + 1
        while end < len(worse) and worse[end] == worse[start]:
            end += 1
        added = PAIR_WEIGHT * (end - start)
        added += own[start] if tiles[_place(rows, tiles, tile, worse[start])] != tile else 0
        for i in range(start, end):
            added += weight[i] if tiles[_place(rows, tiles, tile, better[i])] != tile else 0
        if held > 0 and filled + added > capacity:
            tile, filled, held = tile + 1, 0, 0
            added = PAIR_WEIGHT * (end - start) + own[start] + weight[start:end].sum()
        filled += added
        for i in range(start - 1, end):
            row = worse[start] if i < start else better[i]
            place = _place(rows, tiles, tile, row)
            if tiles[place] != tile:
                rows[place], tiles[place] = row, tile
                out[0, n], out[1, n], out[2, n] = tile, row, ITSELF
                n += 1
                held += 1
                if 2 * held > len(rows):
                    rows, tiles = _wider(rows, tiles, tile)
            if i >= start:
                out[0, n], out[1, n], out[2, n] = tile, worse[start], row
                n += 1
        start = end
    return out[0, :n].copy(), out[1, :n].copy(), out[2, :n].copy(), Dealt(rows, tiles, held, tile, filled)
