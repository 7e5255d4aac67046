"""Mixtures by redundancy: from histograms of sources to weights.

Three ways from one distance. ``trajectory`` is the published update, step by step, from loads that a model's router
gives; with loads that never change it ends with all weight on one source. ``one_shot`` is a single step of it.
``coverage`` measures distances to the mixture itself: a source of which there is much is near to it, and loses weight.
It ends near the centre of the smallest ball around all histograms: sources at the edge share the weight, and one that
is a blend of others has little more than its part of the prior.

With the last two, copies of a source weigh together as one does, if their prior is together that of one: so the prior
is best the effective unique tokens of each source (``overlap.effective_unique``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checks import as_histograms, in_range, normalised
from .distances import HELLINGER, L2, ToMix, pairwise
from .tilt import DISTINCT, Tilt, mean_distances, scaled_eta, tilted

TOLERANCE = 1e-10
MOST_STEPS = 20_000

_EACH = 32


def router_update(
    weights: ArrayLike,
    loads: Sequence[ArrayLike] | NDArray[Any],
    *,
    eta: float = 10.0,
    smoothing: float = 0.05,
    sign: str = DISTINCT,
) -> NDArray[np.float64]:
    """Return weights after one update of dynamic data mixing (Zhu et al., 2024, arXiv 2406.11256, algorithm 1).

    Args:
        weights: shape (sources,).
        loads: shape (sources, experts): tokens routed to each expert of the last layer, without padding.
        eta: exponent of a distance; published: 10.
        smoothing: c; published: 0.05, and 0.8 for another model.
        sign: ``distinct`` as published, or ``common``.

    Returns:
        float64, shape (sources,), each from c / sources to (1 - c) + c / sources.

    Raises:
        InputError: loads are of unequal length, all 0, negative or none.

    >>> router_update([1, 1, 1], [[4, 3, 2, 1], [4, 3, 2, 1], [1, 2, 3, 4]]).round(6).tolist()
    [0.164176, 0.164176, 0.671647]
    """
    apart = mean_distances(pairwise(as_histograms(loads), L2))
    return tilted(weights, apart, eta=eta, smoothing=smoothing, sign=sign)


def trajectory(
    start: ArrayLike,
    loads: Sequence[ArrayLike] | NDArray[Any],
    updates: int,
    *,
    eta: float = 10.0,
    smoothing: float = 0.05,
    sign: str = DISTINCT,
) -> NDArray[np.float64]:
    """Return the weights before and after each update with loads that stay: float64, shape (updates + 1, sources)."""
    rows = [normalised(start)]
    for _ in range(updates):
        rows.append(router_update(rows[-1], loads, eta=eta, smoothing=smoothing, sign=sign))
    return np.array(rows)


def one_shot(
    histograms: Sequence[ArrayLike] | NDArray[Any],
    *,
    prior: ArrayLike | None = None,
    tilt: Tilt | None = None,
    distance: str = HELLINGER,
    samples: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return a prior tilted once by the mean distance of each source to all, a mean with the prior's weights.

    With an even prior this is one update as published. Copies that share the prior of one weigh as one.

    Args:
        histograms: shape (sources, buckets).
        prior: shape (sources,): where weights start, and what smoothing mixes in; None: all alike.
        tilt: how far; None: the defaults.
        distance: of ``distances.DISTANCES``.
        samples: shape (sources,): draws in each histogram, for ``l2-corrected``.

    Returns:
        float64, shape (sources,).

    Raises:
        InputError: histograms or prior are no such things.
        ConfigError: there is no such distance.
    """
    shares, tilt = as_histograms(histograms, "histograms"), tilt or Tilt()
    start = np.ones(len(shares)) if prior is None else prior
    apart = mean_distances(pairwise(shares, distance, samples), start)
    eta = scaled_eta(tilt, apart, kind=distance, buckets=shares.shape[1])
    return tilted(start, apart, eta=eta, smoothing=tilt.smoothing, prior=start, sign=tilt.sign)


@dataclass(frozen=True)
class Coverage:
    """Where coverage feedback ended.

    Attributes:
        weights: float64, shape (sources,).
        distances: float64, shape (sources,): of each source to the mixture.
        eta: the exponent that was used.
        steps: updates that were made.
        moved: how much weight the last update would move in all, of 1.
        settled: whether that was within the tolerance.
        path: (updates made, weights) from the start to the end: of the first 32 updates each, then those that are a
            tenth further than the last one.
    """

    weights: NDArray[np.float64]
    distances: NDArray[np.float64]
    eta: float
    steps: int
    moved: float
    settled: bool
    path: tuple[tuple[int, NDArray[np.float64]], ...] = ()


def coverage(
    histograms: Sequence[ArrayLike] | NDArray[Any],
    *,
    prior: ArrayLike | None = None,
    start: ArrayLike | None = None,
    tilt: Tilt | None = None,
    distance: str = HELLINGER,
    samples: ArrayLike | None = None,
    steps: int = MOST_STEPS,
    tolerance: float = TOLERANCE,
) -> Coverage:
    """Return the weights at which feedback by the distance to the mixture settles.

    Each update measures the distance of every source to the mixture of all at the weights of now, and tilts by it.
    Where weights that an update leaves as they are swing around, only a part of each update is made, which has the same
    end.

    Args:
        histograms: shape (sources, buckets).
        prior: shape (sources,): what smoothing mixes in; None: all alike.
        start: shape (sources,): where weights start; None: at the prior.
        tilt: how far a step goes; None: the defaults. The scale rule looks at the first step.
        distance: of ``distances.DISTANCES``.
        samples: shape (sources,): draws in each histogram, for ``l2-corrected``.
        steps: most of them.
        tolerance: the weight moved at which it has settled.

    Raises:
        InputError: histograms, prior or start are no such things.
        ConfigError: there is no such distance, or no step.
    """
    shares, tilt = as_histograms(histograms, "histograms"), tilt or Tilt()
    in_range("steps", steps, 1, 10**9)
    towards = normalised(np.ones(len(shares)) if prior is None else prior, "the prior")
    weights = towards if start is None else normalised(start)
    measured = ToMix(shares, distance, samples)
    apart = measured(weights)
    eta = scaled_eta(tilt, apart, kind=distance, buckets=shares.shape[1])
    moved, taken, part, last = np.inf, 0, 1.0, np.zeros(len(weights))
    path = [(0, weights)]
    while moved > tolerance and taken < steps:
        step = tilted(weights, apart, eta=eta, smoothing=tilt.smoothing, prior=towards, sign=tilt.sign) - weights
        before, moved = moved, fsum(np.abs(step)) / 2.0
        if fsum(step * last) < 0.0 and moved > before / 2.0:  # it swings: the same end, by shorter steps
            part /= 2.0
        weights, last = normalised(weights + part * step), step
        apart, taken = measured(weights), taken + 1
        if taken <= _EACH or 10 * taken >= 11 * path[-1][0]:
            path.append((taken, weights))
    if path[-1][0] < taken:
        path.append((taken, weights))
    return Coverage(weights, apart, eta, taken, moved, moved <= tolerance, tuple(path))
