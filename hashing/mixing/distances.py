"""How unlike two histograms are.

``l2`` is that of published dynamic mixing. Between two uniform histograms on halves of B buckets it is 2 / sqrt(B):
with many buckets all are near. ``l2-corrected`` takes off what sampling alone adds, and is cut at 0. ``hellinger``,
sqrt(1 - sum sqrt(p q)), and ``root-js``, the square root of the divergence of Jensen and Shannon in bits, are metrics
from 0 to 1 whatever B is.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from .checks import as_amounts, one_of, same_length
from .sparse_overlap import FilledBuckets

L2, CORRECTED, HELLINGER, ROOT_JS = "l2", "l2-corrected", "hellinger", "root-js"
DISTANCES = (HELLINGER, ROOT_JS, L2, CORRECTED)


def noise(shares: NDArray[np.float64], samples: ArrayLike) -> NDArray[np.float64]:
    """Return what sampling adds to the squared L2 distance to a fixed histogram, without bias: shape (sources,).

    It is (1 - |p|^2) / (n - 1) of a histogram of n independent draws; words of one text are not, and have more.

    Args:
        shares: float64, shape (sources, buckets).
        samples: shape (sources,): draws in each.

    Raises:
        InputError: one has fewer than two draws.
    """
    draws = as_amounts(samples, "numbers of draws")
    same_length("numbers of draws", draws, len(shares))
    if (draws < 2).any():
        raise InputError(
            "a corrected distance needs two draws",
            value=float(draws.min()),
            remedy=f"Leave it out, or take {HELLINGER}.",
        )
    return np.asarray((1.0 - (shares * shares).sum(axis=1)) / (draws - 1.0), np.float64)


def to_one(shares: NDArray[np.float64], other: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Return the distance of each histogram to one: float64, shape (sources,).

    Args:
        shares: float64, shape (sources, buckets).
        other: float64, shape (buckets,).
        kind: of ``DISTANCES``; a corrected one is not corrected here.

    Raises:
        ConfigError: there is no such distance.
    """
    if one_of("distance", kind, DISTANCES) == HELLINGER:
        overlap = (np.sqrt(shares) * np.sqrt(other)).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(1.0 - overlap, 0.0)), np.float64)
    if kind == ROOT_JS:
        middle = (shares + other) / 2.0
        spread = (_bits(shares, middle) + _bits(np.broadcast_to(other, shares.shape), middle)) / 2.0
        return np.sqrt(np.clip(spread, 0.0, 1.0))
    apart = shares - other
    return np.asarray(np.sqrt((apart * apart).sum(axis=1)), np.float64)


def _bits(shares: NDArray[np.float64], middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the divergence of each row from its middle, in bits; 0 log 0 is 0."""
    there = shares > 0
    ratio = np.divide(shares, middle, out=np.ones_like(middle), where=there)
    return np.asarray((shares * np.log2(ratio)).sum(axis=1), np.float64)


def pairwise(shares: NDArray[np.float64], kind: str, samples: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return all distances: float64, shape (sources, sources), symmetric, zeros in the diagonal.

    Args:
        shares: float64, shape (sources, buckets).
        kind: of ``DISTANCES``.
        samples: shape (sources,): draws in each histogram, which the corrected distance needs.

    Raises:
        ConfigError: there is no such distance.
        InputError: draws are lacking or too few.
    """
    found = np.zeros((len(shares), len(shares)))
    for i in range(len(shares) - 1):
        found[i, i + 1 :] = to_one(shares[i + 1 :], shares[i], kind)
    found += found.T
    if kind == CORRECTED:
        own = noise(shares, _given(samples))
        found = np.sqrt(np.maximum(found * found - own[:, None] - own, 0.0))
        np.fill_diagonal(found, 0.0)
    return found


def to_mix(
    shares: NDArray[np.float64], weights: NDArray[np.float64], kind: str, samples: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the distance of each histogram to the weighted mean of all: float64, shape (sources,).

    Args:
        shares: float64, shape (sources, buckets).
        weights: float64, shape (sources,), that add up to 1.
        kind: of ``DISTANCES``.
        samples: shape (sources,): draws in each histogram, which the corrected distance needs.

    Raises:
        ConfigError: there is no such distance.
        InputError: draws are lacking or too few.
    """
    return ToMix(shares, kind, samples)(weights)


class ToMix:
    """The distance of each histogram to the weighted mean of all, for one set of weights after another.

    Feedback asks thousands of times. Most buckets of most sources are empty, so for ``hellinger`` only the others are
    looked at (``sparse_overlap.py``); elsewhere products have a place of their own, as allocating takes most time.

    Args:
        shares, kind, samples: as in ``to_mix``.

    Raises:
        ConfigError: there is no such distance.
        InputError: draws are lacking or too few.
    """

    def __init__(self, shares: NDArray[np.float64], kind: str, samples: ArrayLike | None = None) -> None:
        self._shares, self._kind = shares, one_of("distance", kind, DISTANCES)
        self._filled = FilledBuckets.of(shares) if kind == HELLINGER else None
        self._noise = noise(shares, _given(samples)) if kind == CORRECTED else None
        self._products = None if kind == HELLINGER else np.empty_like(shares)

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distances: float64, shape (sources,).

        Args:
            weights: float64, shape (sources,), that add up to 1.
        """
        if self._filled is not None:
            overlap = self._filled.overlaps(self._filled.mixed(weights))
            return np.asarray(np.sqrt(np.maximum(1.0 - overlap, 0.0)), np.float64)
        mix = np.multiply(self._shares, weights[:, None], out=self._products).sum(axis=0)
        found = to_one(self._shares, mix, self._kind)
        if self._noise is not None:
            own = self._noise
            added = (1.0 - 2.0 * weights) * own + float(
                (weights * weights * own).sum()
            )  # the mean holds the row itself
            found = np.sqrt(np.maximum(found * found - added, 0.0))
        return found


def _given(samples: ArrayLike | None) -> ArrayLike:
    if samples is None:
        raise InputError(
            "a corrected distance knows how many draws histograms are of", value="none", remedy="Give `samples`."
        )
    return samples
