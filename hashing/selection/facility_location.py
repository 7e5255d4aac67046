"""Facility location: each row counts with the chosen item that is most similar to it.

f(S) = sum over rows i of max(c_i, max over j in S of s_ij). Monotone and submodular. c_i is what row i has without any
item: 0, so that a negative similarity counts as 0 and the empty set has value 0; or, where something is there already,
its similarity to that.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .columns import Columns
from .dense_columns import DenseColumns
from .near_columns import NearColumns, fits_nearly, near_columns


@dataclass
class FacilityLocation:
    """Facility location (``set_function.SetFunction``).

    Attributes:
        columns: the similarities; the rows are the set that is represented.
        covered: int32, shape (n_rows,): what each row has from the first, in units, 0 or more; None: nothing.
        best: int32, shape (n_rows,): the highest similarity of each row to a chosen item in units, or ``covered``.
    """

    columns: Columns
    covered: NDArray[np.int32] | None = None
    best: NDArray[np.int32] = field(init=False)
    monotone = True
    slack = 0.0

    def __post_init__(self) -> None:
        self.best = np.zeros(self.columns.n_rows, np.int32) if self.covered is None else self.covered.copy()

    @property
    def size(self) -> int:
        """How many items there are."""
        return self.columns.n_items

    @cached_property
    def near(self) -> NearColumns | None:
        """Similarities of vectors nearly, made when first asked for; None where exact ones are there, or no room."""
        columns = self.columns
        if not isinstance(columns, DenseColumns) or columns.made or not fits_nearly(columns):
            return None
        return near_columns(columns)

    def fresh(self) -> "FacilityLocation":
        """Return the same function with an empty set."""
        return FacilityLocation(self.columns, self.covered)

    def gains(self, items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what each item would add: float64, shape (len(items),)."""
        return np.asarray(self.columns.added(items, self.best) * self.columns.unit, np.float64)

    def add(self, item: int) -> float:
        """Put an item into the set and return what it added."""
        where, column = self.columns.column(item)
        before = self.best[where]
        after = np.maximum(before, column)
        gain = int(after.sum(dtype=np.int64)) - int(before.sum(dtype=np.int64))
        self.best[where] = after
        return gain * self.columns.unit

    def value(self) -> float:
        """Return the value of the set."""
        return int(self.best.sum(dtype=np.int64)) * self.columns.unit


def coverage(columns: DenseColumns, items: NDArray[np.int64]) -> float:
    """Return the value of some items, all similarities counted: as ``add`` of each, but in blocks.

    It judges a choice that was made on a graph or on a sample.
    """
    function, step = FacilityLocation(columns), 16
    for first in range(0, len(items), step):
        block = columns.block(items[first : first + step])
        np.maximum(function.best, block.max(axis=0, initial=0), out=function.best)
    return function.value()
