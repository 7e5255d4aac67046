"""Pairs of records that a learned hash is trained with, and pairs that are held back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...hashing.errors import ConfigError
from ...hashing.murmur3 import murmur3_bytes
from ...hashing.neural.data import Examples, HeldOut
from .augmentation import Augmentation, attributes_of, augmented, written

Text = Literal["marked", "texts"]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """How much is held back, and how it is searched.

    Attributes:
        share: of the things, at least one; above 0 and below 1.
        distractors: other records among those that are searched, at most.
        seed: of the choice, and of all that is drawn here.
    """

    share: float = 0.15
    distractors: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 0.0 < self.share < 1.0 or self.distractors < 0 or self.seed < 0:
            raise ConfigError(
                "a share above 0 and below 1 is held back, with at least 0 distractors and a seed of at least 0",
                value=f"share {self.share}, distractors {self.distractors}, seed {self.seed}",
                remedy="Mend these numbers.",
            )


@dataclass(frozen=True)
class TrainingPairs:
    """Pairs to train with; a ``TrainData`` of ``hashing.neural.train``.

    Records are numbered through: those of the left table in the order of their ids, then those of the right one.

    Attributes:
        records: the marked text of each record.
        columns: of each record.
        ids: of each record.
        text: which text encoders read.
        first, second: int64, shape (n,): records that are one thing; with views both are the same.
        negatives: int64, shape (n, h): what is not the first one's thing; -1: none.
        groups: int64, one a record: the thing that it is, as far as is known.
        held_out: what is held back.
        augmentation: changes of texts, anew in each epoch; None: none.
        views: whether the texts of a pair are two views of one record.
        seed: of the views.
        told: what the card says.
    """

    records: Sequence[str]
    columns: Sequence[tuple[str, ...]]
    ids: Sequence[str]
    text: Text
    first: Places
    second: Places
    negatives: Places
    groups: Places
    held_out: HeldOut
    augmentation: Augmentation | None
    views: bool
    seed: int
    told: dict[str, Any]

    def examples(self, epoch: int) -> Examples:
        """Return what an epoch trains with; see ``TrainData``."""
        if self.views:
            n = len(self.records)
            texts = [*self._texts(epoch, 0), *self._texts(epoch, 1)]
            negatives = np.where(self.negatives >= 0, self.negatives + n, -1)
            return Examples(texts, self.first, self.second + n, negatives, np.tile(self.groups, 2))
        return Examples(self._texts(epoch, 0), self.first, self.second, self.negatives, self.groups)

    def summary(self) -> dict[str, Any]:
        """Return what the card says of these pairs."""
        how = None if self.augmentation is None else asdict(self.augmentation)
        return self.told | {"pairs": len(self.first), "held_out_pairs": len(self.held_out.pairs), "augmentation": how}

    def _texts(self, epoch: int, view: int) -> list[str]:
        used = np.zeros(len(self.records), np.bool_)
        for some in (self.first, self.second, self.negatives[self.negatives >= 0]):
            used[some] = True
        return [self.text_of(i, epoch, view) if used[i] else "" for i in range(len(self.records))]

    def text_of(self, record: int, epoch: int, view: int) -> str:
        """Return a text of a record: a view of it where there is an augmentation."""
        attributes = attributes_of(self.records[record], self.columns[record])
        if self.augmentation is not None:
            key = murmur3_bytes(self.ids[record].encode())[0]
            rng = np.random.Generator(np.random.PCG64([self.seed, key, epoch, view]))
            attributes = augmented(attributes, self.augmentation, rng)
        return written(attributes, self.text == "marked")
