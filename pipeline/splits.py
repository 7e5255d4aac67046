"""What sets of rows an output has, by a keyed hash of their content: a sample, held-out splits, folds."""

from dataclasses import dataclass

TRAIN = "train"
LEFT_OUT = -1
"""Number of the set of rows that are not sampled."""


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
