"""Counts of buckets, source by source; those of parts add up to those of the whole."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..mix import derive_seed
from .checks import in_range


def equal_draws(counts: NDArray[np.int64], draws: int, seed: int) -> NDArray[np.int64]:
    """Return histograms of equally many draws each: int64, shape (sources, buckets); smaller ones stay as they are.

    A small sample of a histogram looks unlike all others, whatever it is of; of equally many draws all look as unlike.
    Equal rows stay equal.

    Args:
        counts: int64, shape (sources, buckets).
        draws: how many to keep of each, 1 or more; without replacement, unless there are 100 million or more.
        seed: of the draws.

    Raises:
        ConfigError: there is no draw.
    """
    in_range("draws", draws, 1, 10**8)
    kept = counts.copy()
    for row in kept:
        total = int(row.sum())
        generator = np.random.Generator(np.random.PCG64(derive_seed(seed, "equal draws")))
        if total >= 10**8:
            row[:] = generator.multinomial(draws, row / total)
        elif total > draws:
            row[:] = generator.multivariate_hypergeometric(row, draws, method="marginals")
    return kept


@dataclass(frozen=True)
class Histograms:
    """How much of each source falls in each bucket.

    Attributes:
        names: of the sources, ascending.
        counts: int64, shape (sources, buckets).
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, counts: Mapping[str, NDArray[np.int64]]) -> "Histograms":
        """Return the histograms of named rows.

        Raises:
            InputError: there is none, or they are of unequal length.
        """
        names = tuple(sorted(counts))
        lengths = sorted({len(row) for row in counts.values()})
        if len(lengths) != 1:
            raise InputError(
                "histograms are of the same buckets", value=f"lengths {lengths}", remedy="Count all in one way."
            )
        return cls(names, np.array([counts[name] for name in names], np.int64))

    @property
    def totals(self) -> NDArray[np.int64]:
        """What was counted of each source: int64, shape (sources,)."""
        return np.asarray(self.counts.sum(axis=1), np.int64)

    def merge(self, *others: "Histograms") -> "Histograms":
        """Return the histograms of all parts together; a part may lack a source.

        Raises:
            InputError: they are of other buckets.
        """
        parts = (self, *others)
        widths = sorted({part.counts.shape[1] for part in parts})
        if len(widths) != 1:
            raise InputError("histograms are of the same buckets", value=f"{widths}", remedy="Count all in one way.")
        sums: dict[str, NDArray[np.int64]] = {}
        for part in parts:
            for name, row in zip(part.names, part.counts, strict=True):
                sums[name] = sums[name] + row if name in sums else row
        return Histograms.of(sums)
