"""Overlaps of histograms with a mixture of them, over the buckets that are filled.

A source fills thousands of 65,536 buckets. An empty one adds nothing to a mixture, nor to an overlap, whatever the
other side has there. Sums run over sources, and over the buckets of a source, in their order.
"""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..kernel import kernel


class FilledBuckets(NamedTuple):
    """Histograms without their empty buckets, by rows (CSR).

    Attributes:
        size: how many buckets there are.
        bounds: int64, shape (sources + 1,): source i has the entries ``bounds[i]:bounds[i + 1]``.
        buckets: int32: the bucket of each entry, ascending in a source.
        shares: float64: what it holds, above 0.
        roots: float64: the square roots of these.
    """

    size: int
    bounds: NDArray[np.int64]
    buckets: NDArray[np.int32]
    shares: NDArray[np.float64]
    roots: NDArray[np.float64]

    @classmethod
    def of(cls, shares: NDArray[np.float64]) -> Self:
        """Return the filled buckets of histograms: float64, shape (sources, buckets), none negative."""
        sources, buckets = np.nonzero(shares)
        bounds = np.searchsorted(sources, np.arange(len(shares) + 1)).astype(np.int64)
        filled = shares[sources, buckets]
        return cls(shares.shape[1], bounds, buckets.astype(np.int32), filled, np.sqrt(filled))

    def mixed(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of all histograms times their weights: float64, shape (size,)."""
        out = np.zeros(self.size)
        _mix(self.bounds, self.buckets, self.shares, weights, out)
        return out

    def overlaps(self, other: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return sum sqrt(p q) of each histogram p with another one q, shape (size,): float64, shape (sources,)."""
        out = np.empty(len(self.bounds) - 1)
        _overlap(self.bounds, self.buckets, self.roots, np.sqrt(other), out)
        return out


@kernel
def _mix(
    bounds: NDArray[np.int64],
    buckets: NDArray[np.int32],
    shares: NDArray[np.float64],
    weights: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Add the share of each bucket times the weight of its source to the mixture."""
    for source in range(len(bounds) - 1):
        for entry in range(bounds[source], bounds[source + 1]):
            out[buckets[entry]] += shares[entry] * weights[source]


@kernel
def _overlap(
    bounds: NDArray[np.int64],
    buckets: NDArray[np.int32],
    roots: NDArray[np.float64],
    other: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write the products of roots of each source, added up."""
    for source in range(len(bounds) - 1):
        total = 0.0
        for entry in range(bounds[source], bounds[source + 1]):
            total += roots[entry] * other[buckets[entry]]
        out[source] = total
