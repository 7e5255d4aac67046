"""Similarities of items to the rows that they stand for: a column for each item, a row for each row.

Similarities are whole numbers (int32) of a unit that is a power of two: the highest is near 2^30. Sums of them in int64
are exact below 2^33 rows, whatever the order.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

HIGHEST = 30
"""The highest similarity is about 2^HIGHEST units."""

Where = slice | NDArray[np.int32]


class Columns(Protocol):
    """Similarities by item; what ``dense_columns`` and ``sparse_columns`` make."""

    @property
    def n_items(self) -> int:
        """How many items there are."""
        ...

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        ...

    @property
    def unit(self) -> float:
        """The similarity that is 1."""
        ...

    @property
    def square(self) -> bool:
        """Whether the rows are the items."""
        ...

    def added(self, items: NDArray[np.int64], held: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the sum over rows of max(0, similarity - held) for each item: int64, shape (len(items),)."""
        ...

    def filling(self, items: NDArray[np.int64], room: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the sum over rows of min(similarity, room) for each item: int64, shape (len(items),)."""
        ...

    def column(self, item: int) -> tuple[Where, NDArray[np.int32]]:
        """Return the rows that an item is similar to, ascending, and the similarities; all others are 0."""
        ...

    def itself(self) -> NDArray[np.int64]:
        """Return the similarity of each item to itself where the rows are the items: int64, shape (n_items,)."""
        ...

    def totals(self, of: str) -> NDArray[np.int64]:
        """Return the sum of each item's (``of="items"``) or each row's (``of="rows"``) similarities: int64."""
        ...

    def least(self) -> int:
        """Return the lowest similarity, 0 if there are none."""
        ...

    def symmetric(self) -> bool:
        """Return whether the rows are the items, and similarities are alike in both directions."""
        ...


def whole(values: NDArray[Any], top: float) -> tuple[NDArray[np.int32], float]:
    """Return similarities as whole numbers, and their unit, given the highest absolute one.

    >>> whole(np.array([0.5, -0.25]), 0.5)[0].tolist()
    [1073741824, -536870912]
    """
    exponent = int(np.frexp(top)[1]) if top > 0 else 0
    exponent -= top == 2.0 ** (exponent - 1)  # a power of two is itself
    return np.rint(np.ldexp(np.asarray(values, np.float64), HIGHEST - exponent)).astype(np.int32), 2.0 ** (
        exponent - HIGHEST
    )


def refuse_negative(columns: Columns, name: str) -> None:
    """Refuse negative similarities, under which a function is not monotone or not submodular."""
    least = columns.least()
    if least < 0:
        raise InputError(
            f"similarities for {name} are not negative",
            value=least * columns.unit,
            remedy="Make columns with clip=True, or shift the similarities.",
        )


def refuse_lopsided(columns: Columns, name: str) -> None:
    """Refuse similarities that are not those of items to each other, alike in both directions."""
    if not columns.symmetric():
        raise InputError(
            f"similarities for {name} are of items to each other, alike in both directions",
            value=f"{columns.n_rows} rows, {columns.n_items} items",
            remedy="Make columns of the items alone; those of a graph with both_ways=True.",
        )
