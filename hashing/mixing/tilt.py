"""Weights that follow a distance: sources unlike the others get more, or less.

The update is that of dynamic data mixing (Zhu et al., 2024, arXiv 2406.11256), which is that of DoReMi (Xie et al.,
NeurIPS 2023) with a distance in place of the excess loss.
"""

from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError
from .checks import as_amounts, in_range, normalised, one_of, same_length
from .distances import CORRECTED, L2

DISTINCT, COMMON = "distinct", "common"
SIGNS = (DISTINCT, COMMON)

MOST_ETA = 20.0
"""What the scale rule goes up to, for distances that lie between 0 and 1: a span below 0.05 is not blown up further."""


@dataclass(frozen=True)
class Tilt:
    """How far weights follow distances.

    Attributes:
        eta: the exponent of a distance; None: by the scale rule, so that the most and the least distant source are
            ``strength`` apart in the exponent.
        strength: of the scale rule.
        smoothing: c, how much of the prior is mixed in, 0 to 1: no weight falls below c times its prior.
        sign: ``distinct``: sources unlike the others get more; ``common``: those like the others.

    Raises:
        ConfigError: a number is out of range.
    """

    eta: float | None = None
    strength: float = 1.0
    smoothing: float = 0.05
    sign: str = DISTINCT

    def __post_init__(self) -> None:
        in_range("smoothing", self.smoothing, 0.0, 1.0)
        in_range("strength", self.strength, 0.0, 100.0)
        one_of("sign", self.sign, SIGNS)
        if self.eta is not None:
            in_range("eta", self.eta, 0.0, 1e6)


def scaled_eta(tilt: Tilt, distances: ArrayLike, *, kind: str, buckets: int) -> float:
    """Return eta: as given, or strength / (largest - least distance), no more than ``MOST_ETA`` times the unit.

    The unit is 1, and for L2 distances sqrt(buckets) / 2, as two uniform histograms on halves of all buckets are
    2 / sqrt(buckets) apart. Equal distances have eta 0.

    Args:
        tilt: the settings.
        distances: shape (sources,).
        kind: of ``distances.DISTANCES``.
        buckets: of the histograms.
    """
    if tilt.eta is not None:
        return float(tilt.eta)
    apart = as_amounts(distances, "distances")
    span = float(apart.max() - apart.min())
    most = MOST_ETA * (np.sqrt(buckets) / 2.0 if kind in (L2, CORRECTED) else 1.0)
    return min(tilt.strength / span, float(most)) if span > 1e-12 else 0.0


def mean_distances(pairwise: ArrayLike, weights: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the mean of each row of distances, that to itself among them: float64, shape (sources,).

    Args:
        pairwise: shape (sources, sources).
        weights: shape (sources,): of the mean; None: all alike, as published.
    """
    rows = np.array(pairwise, np.float64, ndmin=2)
    if weights is None:
        return np.array([fsum(row) / len(row) for row in rows])
    shares = normalised(weights)
    same_length("weights", shares, len(rows))
    return np.array([fsum(row * shares) for row in rows])


def tilted(
    weights: ArrayLike,
    distances: ArrayLike,
    *,
    eta: float,
    smoothing: float,
    prior: ArrayLike | None = None,
    sign: str = DISTINCT,
) -> NDArray[np.float64]:
    """Return weights after one update: (1 - c) softmax(log w + eta distance) + c prior.

    A weight of 0 is 0 in the softmax, and gets no more than its part of the prior.

    Args:
        weights, distances: shape (sources,).
        eta: exponent of a distance.
        smoothing: c, 0 to 1.
        prior: shape (sources,): what is mixed in; None: all alike.
        sign: of ``SIGNS``.

    Returns:
        float64, shape (sources,), that add up to 1.

    Raises:
        InputError: numbers are negative or none, or not as many.
        ConfigError: eta is negative or none, or c out of range.
    """
    now, apart = normalised(weights), as_amounts(distances, "distances")
    towards = np.full(len(now), 1.0 / len(now)) if prior is None else normalised(prior, "the prior")
    same_length("distances", apart, len(now))
    same_length("the prior", towards, len(now))
    c = in_range("smoothing", smoothing, 0.0, 1.0)
    if not 0 <= eta < np.inf:
        raise ConfigError("`eta` is 0 or more", value=eta, remedy=f"For the inverse, set `sign` to {COMMON}.")
    towards_distance = eta if one_of("sign", sign, SIGNS) == DISTINCT else -eta
    there = now > 0
    exponent = np.log(now, out=np.full(len(now), -np.inf), where=there) + towards_distance * apart
    alpha = np.exp(exponent - exponent.max())
    return normalised((1.0 - c) * (alpha / fsum(alpha)) + c * towards)
