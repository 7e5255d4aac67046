"""What a hasher is trained from: texts, pairs of them that are one thing, and pairs that are held back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Examples:
    """What one epoch trains with.

    Attributes:
        texts: all of them.
        first, second: int64, shape (n,): texts of one thing, by place.
        negatives: int64, shape (n, h): texts that are not the first one's thing though they look it; -1: none.
        groups: int64, one a text: two texts of one group are never taken to be different things.
    """

    texts: Sequence[str]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    negatives: NDArray[np.int64]
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class HeldOut:
    """Pairs that nothing is learned from; training stops when it no longer finds more of them.

    Attributes:
        queries, searched: texts.
        pairs: int64, shape (m, 2): (query, searched text) of one thing, by place.
        dirty: whether both are the same records; then a query does not find itself.
    """

    queries: Sequence[str]
    searched: Sequence[str]
    pairs: NDArray[np.int64]
    dirty: bool = False


class TrainData(Protocol):
    """A source of examples."""

    @property
    def text(self) -> str:
        """Which text of records they are: ``marked`` or ``texts``."""

    @property
    def held_out(self) -> HeldOut:
        """What is held back, one pair or more."""

    def examples(self, epoch: int) -> Examples:
        """Return what an epoch trains with, from 0; the same for the same epoch."""

    def summary(self) -> dict[str, Any]:
        """Return what a card says of the data; plain values."""
