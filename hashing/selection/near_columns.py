"""Similarities of vectors in 16 bits, each surely within some units of the exact one: fast to make and to read.

Vectors are cut to 15 bits of length. Whole products of these take a fifth of the time of the exact ones in float64, and
16 bits a half of the memory that the exact numbers take. With them a sum over all rows can be bounded from above, and
the few rows that count can be told from all others; similarities of those are then made exactly. So whoever asks gets
the exact answer.

How far a number may be off: with x = x' + e and y = y' + f, x' and y' being cut, x y - x' y' = e y + x' f, at most
|e| |y| + |x'| |f| (Cauchy and Schwarz); the longest e and f are measured. Rounding takes half a unit more, and numbers
of 32 bits in between a hundredth.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..kernel import kernel
from ..tile_products import PANEL, ROWS, tile_products
from .columns import HIGHEST
from .dense_columns import DenseColumns, Numbers

SHIFT = 16
"""A unit of 16 bits is 2^SHIFT units of exact similarities."""
_BYTES = 2
_CUT = (1 << 15) - 1
"""No cut vector is longer, but for its rounding: 16 bits hold its components, and 32 bits its products."""
_BLOCK = 8
"""So many panels are multiplied by as many before the products leave the cache."""
_LINE = 64
"""Bytes of a cache line."""


@dataclass(frozen=True)
class NearColumns:
    """Similarities nearly, and vectors to make them exactly.

    Attributes:
        near: int16, shape (n_items, n_rows), both filled up to whole panels with 0, in units of 2^SHIFT.
        off: how many of these units an exact similarity may be away.
        items: int32, shape (n_items, d): whole numbers.
        rows: the same, shape (n_rows, d).
        factor: exact units in a product of 1.
        threads: how many work at once; the answer is the same.
    """

    near: NDArray[np.int16]
    off: int
    items: NDArray[np.int32]
    rows: NDArray[np.int32]
    factor: float
    threads: int


def fits_nearly(columns: DenseColumns) -> bool:
    """Return whether near similarities fit into memory, and 16 bits are enough for them."""
    return _BYTES * columns.n_items * columns.n_rows <= columns.memory and _reach(columns) < 1.5


def near_columns(columns: DenseColumns) -> NearColumns:
    """Return the similarities of vectors nearly; they fit (``fits_nearly``)."""
    items, rows = columns.items, columns.rows
    scale = min(1.0, _CUT / columns.length)
    some, lost = _cut(items, scale)
    others, lost_too = (some, lost) if columns.square else _cut(rows, scale)
    unit = columns.factor / scale**2 * 2.0**-SHIFT
    length = columns.length * scale
    off = int(np.ceil(0.51 + (lost * length + (length + lost) * lost_too) * unit))
    near = _room(PANEL * len(some), PANEL * len(others))
    starts = range(0, len(some), _BLOCK)
    with ThreadPoolExecutor(columns.threads, thread_name_prefix="tamis-near") as pool:
        list(pool.map(lambda start: _multiply(some, others, start, np.float32(unit), near, columns.square), starts))
    whole = items.astype(np.int32)
    return NearColumns(
        near, off, whole, whole if columns.square else rows.astype(np.int32), columns.factor, columns.threads
    )


def _reach(columns: DenseColumns) -> float:
    """Return how high a similarity can be, as a share of 2^HIGHEST: above 1 by what rounding makes vectors longer."""
    return columns.length * columns.length * columns.factor * 2.0**-HIGHEST


def _room(*shape: int) -> NDArray[np.int16]:
    """Return zeros that begin with a cache line, as each panel and each row of whole panels then does."""
    size = int(np.prod(shape))
    room = np.zeros(size + _LINE // _BYTES, np.int16)
    first = -room.ctypes.data % _LINE // _BYTES
    return room[first : first + size].reshape(shape)


def _cut(vectors: Numbers, scale: float) -> tuple[NDArray[np.int16], float]:
    """Return vectors in panels (``tile_products``), and the length of the longest part that one of them lost."""
    n, d = vectors.shape
    panels = _room(-(-n // PANEL), -(-d // 2), PANEL, 2)
    return panels, float(np.sqrt(_into_panels(vectors, scale, panels)))


@kernel
def _into_panels(vectors: Numbers, scale: float, panels: NDArray[np.int16]) -> float:
    """Write scaled vectors; return the greatest square of what rounding took from one."""
    most = 0.0
    for i in range(len(vectors)):
        panel, place, square = panels[i // PANEL], i % PANEL, 0.0
        for k in range(vectors.shape[1]):
            number = vectors[i, k] * scale
            cut = np.rint(number)
            panel[k >> 1, place, k & 1] = np.int16(cut)
            square += (number - cut) * (number - cut)
        most = max(most, square)
    return most


@kernel
def _multiply(
    some: NDArray[np.int16],
    others: NDArray[np.int16],
    start: int,
    unit: np.float32,
    near: NDArray[np.int16],
    square: bool,
) -> None:
    """Write the products of a block of panels, and of a square their mirror; earlier blocks wrote the others."""
    stop = min(start + _BLOCK, len(some))
    block = np.empty((_BLOCK * PANEL, _BLOCK * PANEL), np.int16)
    tile = np.empty((PANEL, PANEL), np.int32)
    for first in range(start if square else 0, len(others), _BLOCK):
        last = min(first + _BLOCK, len(others))
        for p in range(start, stop):
            for q in range(first, last):
                for row in range(0, PANEL, ROWS):
                    tile_products(some[p], row, others[q], some.shape[1], tile)
                _round(tile, unit, block[(p - start) * PANEL :], (q - first) * PANEL)
        rows, columns = (stop - start) * PANEL, (last - first) * PANEL
        for i in range(rows):
            near[start * PANEL + i, first * PANEL : last * PANEL] = block[i, :columns]
        if square and first > start:
            _mirror(block, rows, columns, near[first * PANEL :], start * PANEL)


@kernel
def _round(tile: NDArray[np.int32], unit: np.float32, out: NDArray[np.int16], place: int) -> None:
    """Write products in units."""
    for i in range(PANEL):
        for j in range(PANEL):
            out[i, place + j] = np.int16(np.rint(np.float32(tile[i, j]) * unit))


@kernel
def _mirror(block: NDArray[np.int16], rows: int, columns: int, out: NDArray[np.int16], place: int) -> None:
    """Write the transpose of a block, line by line."""
    for first in range(0, rows, PANEL):
        for j in range(columns):
            for i in range(first, first + PANEL):
                out[j, place + i] = block[i, j]
