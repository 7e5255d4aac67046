"""Similarities of vectors in 16 bits, each surely within some units of the exact one: fast to make and to read.

A product in float32 takes a third of the time of the exact one in float64, and 16 bits a half of the memory that the
exact numbers take. With them a sum over all rows can be bounded from above, and the few rows that count can be told
from all others; similarities of those are then made exactly. So whoever asks gets the exact answer, on any machine,
whatever the order in which its library adds up.

How far a number may be off: the product of float32 vectors x and y of d components, added up in any order, differs from
that of the exact ones by at most (d + 2) u |x| |y|, u = 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms,
3.1: d - 1 sums, a product, two roundings of components; terms in u^2 are far less than the one more u that is added
here). Scaling takes two more u, rounding half a unit.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..kernel import kernel
from .columns import HIGHEST
from .dense_columns import DenseColumns, Numbers

SHIFT = 16
"""A unit of 16 bits is 2^SHIFT units of exact similarities."""
_BYTES = 2
_STRIP, _ROOM = 1024, 1 << 24
"""So many items are multiplied by all rows at once, and so many products are made at most."""
_SQUARE = 32


@dataclass(frozen=True)
class NearColumns:
    """Similarities nearly, and vectors to make them exactly.

    Attributes:
        near: int16, shape (n_items, n_rows), in units of 2^SHIFT.
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
    off = int(np.ceil(0.5 + (items.shape[1] + 6) * 2.0 ** (HIGHEST - SHIFT - 24) * _reach(columns)))
    near = np.empty((len(items), len(rows)), np.int16)
    _fill(near, items, rows, columns.factor * 2.0**-SHIFT, columns.threads)
    whole = items.astype(np.int32)
    others = whole if columns.square else rows.astype(np.int32)
    return NearColumns(near, off, whole, others, columns.factor, columns.threads)


def _reach(columns: DenseColumns) -> float:
    """Return how high a similarity can be, as a share of 2^HIGHEST: above 1 by what rounding makes vectors longer."""
    return columns.length * columns.length * columns.factor * 2.0**-HIGHEST


def _fill(near: NDArray[np.int16], items: Numbers, rows: Numbers, scale: float, threads: int) -> None:
    """Write products, strip by strip; of a square half of them are made, and the others are their mirror."""
    square = rows is items
    some = items.astype(np.float32, copy=False)
    others = some if square else rows.astype(np.float32, copy=False)
    step = max(1, min(_STRIP, len(items), _ROOM // max(1, len(rows))))
    room = np.empty(step * len(rows), np.float32)
    with ThreadPoolExecutor(threads, thread_name_prefix="tamis-near") as pool:
        for first in range(0, len(items), step):
            strip = slice(first, min(first + step, len(items)))
            rest = slice(first if square else 0, len(rows))
            shape = (strip.stop - strip.start, rest.stop - rest.start)
            products = np.matmul(some[strip], others[rest].T, out=room[: shape[0] * shape[1]].reshape(shape))
            here, mirror = near[strip, rest], near[rest, strip] if square else near[:0, :0]
            cuts = [shape[1] * share // threads for share in range(threads + 1)]
            parts = [slice(*ends) for ends in zip(cuts, cuts[1:], strict=False)]
            work = [(products[:, part], np.float32(scale), here[:, part], mirror[part]) for part in parts]
            list(pool.map(_rounded, *zip(*work, strict=True)))


@kernel
def _rounded(
    products: NDArray[np.float32], scale: np.float32, out: NDArray[np.int16], mirror: NDArray[np.int16]
) -> None:
    """Write products in units, and their transpose in squares that stay in the cache."""
    n, m = products.shape
    for first in range(0, n, _SQUARE):
        stop = min(first + _SQUARE, n)
        for i in range(first, stop):
            for j in range(m):
                out[i, j] = np.int16(np.rint(products[i, j] * scale))
        if len(mirror):
            for j in range(m):
                for i in range(first, stop):
                    mirror[j, i] = out[i, j]
