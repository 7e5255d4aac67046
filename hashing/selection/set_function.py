"""What a set function is: a value for each set of items, known by what one more item adds.

A function holds the state of one set, which starts empty and has value 0. ``gains`` asks what each of some items would
add; ``add`` puts one into the set. An item is put in once.

| function | file | monotone | submodular | refuses |
|---|---|---|---|---|
| facility location | ``facility_location.py`` | always | always; a negative similarity counts as 0 | |
| saturated coverage | ``saturated_coverage.py`` | always | always | negative similarities |
| pairwise, graph cut | ``pairwise.py`` | graph cut: lambda <= 0.5 | similarities >= 0 | negative similarities |
| log-determinant | ``log_determinant.py`` | ridge >= 1 | similarities positive semi-definite | others, when met |
| feature-based | ``feature_based.py`` | always | always | negative features |

Monotone: no item ever takes away. Submodular: what an item adds never grows when others are added. Greedy choice has
its guarantee where both hold (Nemhauser, Wolsey and Fisher 1978): at least 1 - 1/e of the best value.

How gains are compared: exactly, as float64, the higher first and of equal ones the lower item. Where values are sums of
similarities they are sums of whole numbers, so a gain does not depend on the order of rows, on threads or on blocks.
"""

from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray


class SetFunction(Protocol):
    """A set function and one set."""

    @property
    def size(self) -> int:
        """How many items there are: 0 to ``size - 1``."""
        ...

    @property
    def monotone(self) -> bool:
        """Whether no item ever takes away."""
        ...

    @property
    def slack(self) -> float:
        """How much a gain may grow by rounding when others are added; 0.0 where gains are exact."""
        ...

    def fresh(self) -> Self:
        """Return the same function with an empty set."""
        ...

    def gains(self, items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what each item, none of them in the set, would add: float64, shape (len(items),)."""
        ...

    def add(self, item: int) -> float:
        """Put an item into the set and return what it added."""
        ...

    def value(self) -> float:
        """Return the value of the set."""
        ...


def gain(function: SetFunction, item: int) -> float:
    """Return what one item would add."""
    return float(function.gains(np.array([item], np.int64))[0])
