"""Saturated coverage: each row counts with its similarity to all chosen items, up to a share of that to all items.

f(S) = sum over rows i of min(sum over j in S of s_ij, share * sum over all j of s_ij) (Lin and Bilmes 2011). Monotone
and submodular where no similarity is negative.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .columns import Columns, refuse_negative


@dataclass
class SaturatedCoverage:
    """Saturated coverage (``set_function.SetFunction``).

    Attributes:
        columns: the similarities, none of them negative.
        share: above 0, up to 1.
        room: int64, shape (n_rows,): how much more of each row can be covered, in units.
    """

    columns: Columns
    share: float
    room: NDArray[np.int64] = field(init=False)
    most: NDArray[np.int64] | None = None
    monotone = True
    slack = 0.0

    def __post_init__(self) -> None:
        if self.most is None:
            if not 0 < self.share <= 1:
                raise ConfigError(
                    "a row is covered by a share of its total", value=self.share, remedy="Set 0 < share <= 1."
                )
            refuse_negative(self.columns, "saturated coverage")
            self.most = np.floor(self.columns.totals("rows") * self.share).astype(np.int64)
        self.room = self.most.copy()

    @property
    def size(self) -> int:
        """How many items there are."""
        return self.columns.n_items

    def fresh(self) -> "SaturatedCoverage":
        """Return the same function with an empty set."""
        return SaturatedCoverage(self.columns, self.share, self.most)

    def gains(self, items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what each item would add: float64, shape (len(items),)."""
        return np.asarray(self.columns.filling(items, self.room) * self.columns.unit, np.float64)

    def add(self, item: int) -> float:
        """Put an item into the set and return what it added."""
        where, column = self.columns.column(item)
        taken = np.minimum(self.room[where], column)
        self.room[where] -= taken
        return int(taken.sum()) * self.columns.unit

    def value(self) -> float:
        """Return the value of the set."""
        most = self.room if self.most is None else self.most
        return int((most - self.room).sum()) * self.columns.unit
