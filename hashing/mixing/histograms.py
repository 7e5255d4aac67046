"""Counts of buckets, source by source; those of parts add up to those of the whole."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


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
