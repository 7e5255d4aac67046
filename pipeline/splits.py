"""Sets of rows by a keyed hash of their content: a sample, held-out splits, folds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..hashing.bagging import below, draws, fold, part

TRAIN = "train"
LEFT_OUT = -1


@dataclass(frozen=True)
class Splitting:
    """Which set each content belongs to; plain data.

    Attributes:
        seed: of the run.
        sample: share of contents that are used at all; a larger sample holds a smaller one.
        names, shares: of the splits that are held out of training.
        folds: equal parts to make instead of splits, or 0.
        round: of folds; other rounds cut others.
    """

    seed: int
    sample: float = 1.0
    names: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    folds: int = 0
    round: int = 0

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the sets, in the order of their numbers; what is left for training comes first."""
        return tuple(f"fold-{i}" for i in range(self.folds)) if self.folds else (TRAIN, *self.names)

    def __call__(self, high: NDArray[np.int64], low: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of each content's set, or ``LEFT_OUT``: int64, shape (n,).

        Args:
            high, low: int64, shape (n,): the 128-bit hash of each content.
        """
        if self.folds:
            found = fold(draws(high, low, seed=self.seed, purpose=f"fold {self.round}"), self.folds)
        elif self.names:
            place = part(draws(high, low, seed=self.seed, purpose="split"), list(self.shares))
            found = np.where(place == len(self.names), 0, place + 1)
        else:
            found = np.zeros(len(high), np.int64)
        if self.sample < 1:
            found[~below(draws(high, low, seed=self.seed, purpose="sample"), self.sample)] = LEFT_OUT
        return found
