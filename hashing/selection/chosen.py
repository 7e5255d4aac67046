"""What a choice answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Selection:
    """What was chosen.

    Attributes:
        items: int64, in the order of choice, without the items that were there before.
        gains: float64: what each added.
        value: of all, those included that were there before.
        bound: no choice under the same budget has a higher value.
        evaluations: how many gains were asked for, or bounds of them; by near similarities the number may differ a
            little from one machine to another, and is no part of the answer.
    """

    items: NDArray[np.int64]
    gains: NDArray[np.float64]
    value: float
    bound: float
    evaluations: int

    @property
    def ratio(self) -> float:
        """The value as a share of the bound: at least so much of the best value was reached; 1.0 where both are 0."""
        return self.value / self.bound if self.bound > 0 else 1.0
