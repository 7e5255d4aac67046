"""Log-determinant: the volume that the chosen items span. f(S) = log det(s_S + ridge * I).

Submodular where the similarities are positive semi-definite, as cosines and inner products are; monotone for a ridge of
1 or more. A graph of near neighbours is not semi-definite in general: a determinant that is not positive is refused
when it is met.

The Cholesky factor grows by a row for each chosen item, and with it the gains of all items (Chen, Zhang and Zhou 2018):
the k-th item costs k * n_items products, and k * n_items numbers of 8 bytes are kept.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputError
from ..kernel import kernel
from .columns import Columns, refuse_lopsided
from .set_function import gain


@dataclass
class LogDeterminant:
    """Log-determinant (``set_function.SetFunction``).

    Attributes:
        columns: symmetric similarities.
        ridge: above 0.
        left: float64, shape (n_items,): the squared length of each item across what the chosen ones span.
        factor: float64, shape (room, n_items): a row of the Cholesky factor for each chosen item.
    """

    columns: Columns
    ridge: float = 1.0
    left: NDArray[np.float64] = field(init=False)
    factor: NDArray[np.float64] = field(init=False)
    start: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.start is None:
            if not (0 < self.ridge < np.inf):
                raise ConfigError("a ridge is above 0", value=self.ridge, remedy="Set ridge to 1.")
            refuse_lopsided(self.columns, "the log-determinant")
            self.start = np.asarray(self.columns.itself() * self.columns.unit + self.ridge, np.float64)
        self.left = self.start.copy()
        self.factor = np.empty((8, self.columns.n_items), np.float64)
        self._count, self._total = 0, 0.0

    @property
    def size(self) -> int:
        """How many items there are."""
        return self.columns.n_items

    @property
    def monotone(self) -> bool:
        """Whether no item ever takes away."""
        return self.ridge >= 1

    @property
    def slack(self) -> float:
        """A gain is a logarithm of what is left, which only shrinks; the logarithm is off by some last bits."""
        return 1e-12

    def fresh(self) -> "LogDeterminant":
        """Return the same function with an empty set."""
        return LogDeterminant(self.columns, self.ridge, self.start)

    def gains(self, items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what each item would add: float64, shape (len(items),)."""
        left = self.left[items]
        bad = np.flatnonzero(left <= 0)
        if len(bad):
            raise InputError(
                "similarities for the log-determinant are positive semi-definite",
                value=f"item {items[bad[0]]} with {self._count} others",
                remedy="Use similarities of vectors, or a higher ridge.",
            )
        return np.asarray(np.log(left), np.float64)

    def add(self, item: int) -> float:
        """Put an item into the set and return what it added."""
        added = gain(self, item)
        if self._count == len(self.factor):
            self.factor = np.concatenate([self.factor, np.empty_like(self.factor)])
        row = np.zeros(self.size, np.float64)
        where, column = self.columns.column(item)
        row[where] = column * self.columns.unit
        row[item] += self.ridge
        _grow(self.factor, self._count, item, row, self.left)
        self._count += 1
        self._total += added
        return added

    def value(self) -> float:
        """Return the value of the set: the sum of what was added."""
        return self._total


@kernel
def _grow(
    factor: NDArray[np.float64], count: int, item: int, row: NDArray[np.float64], left: NDArray[np.float64]
) -> None:
    """Write the next row of the factor, given the item's similarities, and take it off what is left."""
    for t in range(count):
        share, before = factor[t, item], factor[t]
        for i in range(len(row)):
            row[i] -= share * before[i]
    length = np.sqrt(left[item])
    new = factor[count]
    for i in range(len(row)):
        new[i] = row[i] / length
        left[i] -= new[i] * new[i]
