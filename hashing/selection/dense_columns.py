"""Similarities of vectors, in memory or made anew block by block: the same numbers on any machine.

A matrix product of floats depends on the order in which it is summed, and that on the machine, the number of threads
and the shape of the block. So the components are first rounded to whole numbers, at a length of each vector at which no
partial sum can leave those that a float holds exactly: |x . y| <= |x| |y|, for any part of the sum (Cauchy and
Schwarz). Then every order gives the same product. With 26 bits of length, sums stay below 2^52 in float64; with 12,
below 2^24 in float32, which is faster, and a cosine is off by about 1e-4.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputError
from ..kernel import kernel
from .columns import HIGHEST

_BLOCK_BYTES = 32 << 20
_TILE = 1024
_ENOUGH = 1 << 22
"""So many similarities are worth another thread."""

Numbers = NDArray[np.float32 | np.float64]


@dataclass(frozen=True)
class DenseColumns:
    """Similarities of vectors (``columns.Columns``).

    Attributes:
        items: whole numbers as floats, shape (n_items, d).
        rows: the same, shape (n_rows, d); the very array ``items`` where the rows are the items.
        length: no vector is longer.
        factor: units in a product of 1.
        unit: the similarity that is 1.
        clip: whether a negative similarity is 0.
        memory: bytes that all similarities may take.
        threads: how many work at once; the answer is the same.
    """

    items: Numbers
    rows: Numbers
    length: float
    factor: float
    unit: float
    clip: bool
    memory: int
    threads: int

    @cached_property
    def held(self) -> NDArray[np.int32] | None:
        """All similarities, made when first asked for: int32, shape (n_items, n_rows); None where they do not fit."""
        if 4 * self.n_items * self.n_rows > self.memory:
            return None
        return _held(self.items, self.rows, self.factor, self.clip)

    @property
    def made(self) -> bool:
        """Whether all similarities have been asked for."""
        return "held" in vars(self)

    @property
    def n_items(self) -> int:
        """How many items there are."""
        return len(self.items)

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def square(self) -> bool:
        """Whether the rows are the items."""
        return self.rows is self.items

    def added(self, items: NDArray[np.int64], held: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the sum over rows of max(0, similarity - held) for each item: int64."""
        before = int(held.sum(dtype=np.int64))
        return self._sums(items, lambda block, places, out: _raised(block, places, held, before, out))

    def filling(self, items: NDArray[np.int64], room: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the sum over rows of min(similarity, room) for each item: int64."""
        return self._sums(items, lambda block, places, out: _filled(block, places, room, out))

    def column(self, item: int) -> tuple[slice, NDArray[np.int32]]:
        """Return all rows and their similarities to an item."""
        held = self.held
        return slice(None), self.block(np.array([item]))[0] if held is None else held[item].copy()

    def itself(self) -> NDArray[np.int64]:
        """Return the similarity of each item to itself: int64, shape (n_items,)."""
        out = np.empty(self.n_items, np.int64)
        _squares(self.items, self.factor, out)
        return out

    def totals(self, of: str) -> NDArray[np.int64]:
        """Return the sum of each item's or each row's similarities: int64."""
        by_row = np.zeros(self.n_rows, np.int64)
        by_item = np.empty(self.n_items, np.int64)
        for first, block in self._all():
            by_item[first : first + len(block)] = block.sum(axis=1, dtype=np.int64)
            by_row += block.sum(axis=0, dtype=np.int64)
        return by_item if of == "items" else by_row

    def least(self) -> int:
        """Return the lowest similarity."""
        return min((int(block.min(initial=0)) for _, block in self._all()), default=0)

    def symmetric(self) -> bool:
        """Return whether the rows are the items: products are alike in both directions."""
        return self.square

    def _all(self) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Yield all similarities in blocks, each with its first item."""
        step = self._step()
        for first in range(0, self.n_items, step):
            some = np.arange(first, min(first + step, self.n_items))
            yield first, self.block(some) if self.held is None else self.held[some]

    def _step(self) -> int:
        """Return how many items make a block."""
        return max(1, _BLOCK_BYTES // (8 * max(1, self.n_rows)))

    def block(self, items: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the similarities of some items: int32, shape (len(items), n_rows)."""
        if self.made and self.held is not None:  # for some items not all are made
            return self.held[items]
        return _products(self.items[items], self.rows, self.factor, self.clip)

    def _sums(
        self,
        items: NDArray[np.int64],
        work: Callable[[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]], None],
    ) -> NDArray[np.int64]:
        """Return what ``work`` sums up for each item, block by block or, where all are held, thread by thread."""
        out = np.empty(len(items), np.int64)
        held = self.held
        if held is None:
            step = self._step()
            for first in range(0, len(items), step):
                block = self.block(items[first : first + step])
                work(block, np.arange(len(block)), out[first : first + step])
            return out
        shares = min(self.threads, 1 + len(items) * self.n_rows // _ENOUGH, max(1, len(items)))
        if shares == 1:
            work(held, items, out)
            return out
        cuts = [len(items) * share // shares for share in range(shares + 1)]
        parts = [slice(first, stop) for first, stop in zip(cuts, cuts[1:], strict=False)]
        with ThreadPoolExecutor(shares, thread_name_prefix="tamis-gains") as pool:
            list(pool.map(lambda part: work(held, items[part], out[part]), parts))
        return out


def dense_columns(
    items: NDArray[Any],
    rows: NDArray[Any] | None = None,
    *,
    metric: Literal["cosine", "dot"] = "cosine",
    clip: bool = False,
    bits: int = 26,
    memory: int = 2 << 30,
    threads: int | None = None,
) -> DenseColumns:
    """Return the similarities of items to the rows that they stand for.

    Args:
        items: float, shape (n_items, d).
        rows: float, shape (n_rows, d); None: the items.
        metric: cosine (a vector of zeros is similar to nothing) or inner product.
        clip: a negative similarity is 0.
        bits: the length to which the longest vector is scaled, from 4 to 26; up to 12 are computed in float32.
        memory: bytes that all similarities may take, 4 each; where they would take more they are made when asked for.
        threads: None: as many as there are processors.

    Raises:
        ConfigError: a setting is out of range.
        InputError: the arrays do not fit each other, or hold NaN or infinity.
    """
    if not 4 <= bits <= 26:
        raise ConfigError("vectors have a length of 4 to 26 bits", value=bits, remedy="Set bits between 4 and 26.")
    if metric not in ("cosine", "dot"):
        raise ConfigError("vectors are compared by cosine or dot", value=metric, remedy="Set metric to one of them.")
    given = [_checked(side) for side in ([items] if rows is None else [items, rows])]
    width = given[0].shape[1]
    if given[-1].shape[1] != width:
        raise InputError(
            "items and rows have vectors of one width",
            value=f"{width} and {given[-1].shape[1]}",
            remedy="Give both of one model.",
        )
    dtype: type[np.float32] | type[np.float64] = np.float32 if bits <= 12 else np.float64
    length = 2.0**bits - np.sqrt(width) / 2 - 1  # rounding makes a vector longer by half a unit a component at most
    if length < 1:
        raise ConfigError("a vector is longer than its rounding", value=bits, remedy="Set more bits.")
    top = 1.0 if metric == "cosine" else max(_longest(side) for side in given)
    exponent = int(np.ceil(np.log2(top * top))) if top > 0 else 0
    sides = [_scaled(side, length, 0.0 if metric == "cosine" else top, np.empty(side.shape, dtype)) for side in given]
    factor = (top * top / 2.0**exponent if top > 0 else 1.0) * 2.0**HIGHEST / (length * length)
    workers = threads or len(os.sched_getaffinity(0))
    return DenseColumns(sides[0], sides[-1], 2.0**bits, factor, 2.0 ** (exponent - HIGHEST), clip, memory, workers)


def _checked(vectors: NDArray[Any]) -> Numbers:
    """Return vectors as contiguous floats, or refuse them."""
    if vectors.ndim != 2 or vectors.dtype.kind not in "fiu":
        raise InputError(
            "vectors are numbers of shape (n, d)", value=f"{vectors.dtype} {vectors.shape}", remedy="Give one row each."
        )
    floats: Numbers = np.ascontiguousarray(vectors, np.float32)
    if vectors.dtype.itemsize > 4:
        floats = np.ascontiguousarray(vectors, np.float64)
    bad = np.flatnonzero(~np.isfinite(floats).all(axis=1))
    if len(bad):
        raise InputError("vectors are finite", value=f"row {bad[0]}", remedy="Leave out rows without a vector.")
    return floats


@kernel
def _longest(vectors: Numbers) -> float:
    """Return the greatest length."""
    top = 0.0
    for i in range(len(vectors)):
        square = 0.0
        for j in range(vectors.shape[1]):
            square += np.float64(vectors[i, j]) * np.float64(vectors[i, j])
        top = max(top, square)
    return float(np.sqrt(top))


@kernel
def _scaled(vectors: Numbers, length: float, top: float, out: Numbers) -> Numbers:
    """Write vectors as whole numbers: ``top``, or with 0.0 each vector's own length, becomes ``length``."""
    for i in range(len(vectors)):
        norm = top
        if norm == 0.0:
            square = 0.0
            for j in range(vectors.shape[1]):
                square += np.float64(vectors[i, j]) * np.float64(vectors[i, j])
            norm = np.sqrt(square)
        for j in range(vectors.shape[1]):
            out[i, j] = np.rint(np.float64(vectors[i, j]) * (length / norm)) if norm > 0.0 else 0.0
    return out


def _products(items: Numbers, rows: Numbers, factor: float, clip: bool) -> NDArray[np.int32]:
    """Return similarities: int32, shape (len(items), len(rows))."""
    out = np.empty((len(items), len(rows)), np.int32)
    _in_units(items @ rows.T, factor, clip, out)
    return out


def _held(items: Numbers, rows: Numbers, factor: float, clip: bool) -> NDArray[np.int32]:
    """Return all similarities; of a square half of them are products, and the others their mirror."""
    held = np.empty((len(items), len(rows)), np.int32)
    for i in range(0, len(items), _TILE):
        some = slice(i, i + _TILE)
        if rows is not items:
            held[some] = _products(items[some], rows, factor, clip)
            continue
        for j in range(i, len(items), _TILE):
            others = slice(j, j + _TILE)
            tile = _products(items[some], items[others], factor, clip)
            held[some, others] = tile
            if j > i:
                _mirror(tile, held[others, some])
    return held


@kernel
def _mirror(tile: NDArray[np.int32], out: NDArray[np.int32]) -> None:
    """Write the transpose of a tile, in squares that stay in the cache."""
    n, m = tile.shape
    for first in range(0, n, 16):
        for start in range(0, m, 16):
            for j in range(start, min(start + 16, m)):
                for i in range(first, min(first + 16, n)):
                    out[j, i] = tile[i, j]


@kernel
def _in_units(products: Numbers, factor: float, clip: bool, out: NDArray[np.int32]) -> None:
    """Write products in units."""
    for i in range(len(products)):
        for j in range(products.shape[1]):
            similarity = np.int32(np.rint(np.float64(products[i, j]) * factor))
            out[i, j] = max(similarity, np.int32(0)) if clip else similarity


@kernel
def _squares(vectors: Numbers, factor: float, out: NDArray[np.int64]) -> None:
    """Write the product of each vector with itself, in units."""
    for i in range(len(vectors)):
        square = 0.0
        for j in range(vectors.shape[1]):
            square += np.float64(vectors[i, j]) * np.float64(vectors[i, j])
        out[i] = np.int64(np.rint(square * factor))


@kernel
def _raised(
    columns: NDArray[np.int32],
    places: NDArray[np.int64],
    held: NDArray[np.int32],
    before: int,
    out: NDArray[np.int64],
) -> None:
    """Write by how much each column would raise the sum of what is held."""
    for p in range(len(places)):
        column = columns[places[p]]
        total = 0
        for i in range(len(held)):
            total += max(column[i], held[i])
        out[p] = total - before


@kernel
def _filled(
    columns: NDArray[np.int32], places: NDArray[np.int64], room: NDArray[np.int64], out: NDArray[np.int64]
) -> None:
    """Write how much of the room each column would take."""
    for p in range(len(places)):
        column = columns[places[p]]
        total = 0
        for i in range(len(room)):
            total += min(np.int64(column[i]), room[i])
        out[p] = total
