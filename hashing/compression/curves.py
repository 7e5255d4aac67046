"""How likely a model of some ability is right on an item: a logistic curve for each (two-parameter item response).

Ability is the logit of the full score, which is known for models that are learned from; so each item's curve is a small
logistic regression by itself. With few models a curve needs a prior, which keeps an item that separates twenty models
by luck from looking sharp: slopes are normal, with the mean and the variance that all items together make likeliest.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

LEVEL_VARIANCE = 9.0

_MOST_STEPS, _STEPS_OF_A_ROUND, _ROUNDS = 25, 2, 15
_SHORTEST_STEP = 1e-7  # the one after it is as the square of this
_ITEMS_FOR_PRIOR = 2048
_LONGEST_STEP = 2.0
_LEAST_VARIANCE = 0.05


class Prior(NamedTuple):
    """How slopes of items are spread.

    The mean is above 1 as a rule: the full score is a mean over items of all levels, and rises more slowly than each.
    """

    mean: float = 1.5
    variance: float = 1.0


class Curves(NamedTuple):
    """Curves of items: right with probability ``logistic(level + slope * ability)``.

    Attributes:
        slopes: float64, shape (items,): how sharply an item tells models apart.
        levels: float64, shape (items,): how easy it is for a model of ability 0.
    """

    slopes: Numbers
    levels: Numbers


def logistic(x: Numbers) -> Numbers:
    """Return 1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, small) / (1.0 + small), np.float64)


def ability_of(full: Numbers, items: int) -> Numbers:
    """Return the logit of full scores, of which none is taken as 0 or 1: float64, shape (models,)."""
    inner = (full * items + 0.5) / (items + 1.0)
    return np.asarray(np.log(inner / (1.0 - inner)), np.float64)


def fitted_prior(scores: Numbers, abilities: Numbers) -> Prior:
    """Return the prior of slopes that scores make likely: expectation and maximisation, posteriors taken as normal.

    Of many items about 2,048 are looked at, evenly from first to last.

    Args:
        scores, abilities: as of ``fitted_curves``.
    """
    scores = scores[:, :: max(1, scores.shape[1] // _ITEMS_FOR_PRIOR)]
    prior = Prior()
    curves = _flat(scores.shape[1], prior)
    for _ in range(_ROUNDS):
        curves, doubt = _improved(curves, scores, abilities, prior, _STEPS_OF_A_ROUND)
        mean = float(curves.slopes.mean())
        variance = float((doubt + (curves.slopes - mean) ** 2).mean())
        prior = Prior(mean, max(variance, _LEAST_VARIANCE))
    return prior


def fitted_curves(scores: Numbers, abilities: Numbers, prior: Prior) -> Curves:
    """Return the likeliest curves under a prior, by Newton's steps.

    Args:
        scores: float64, shape (models, items), 0 to 1, none missing.
        abilities: float64, shape (models,), about 0.
        prior: of the slopes.
    """
    return _improved(_flat(scores.shape[1], prior), scores, abilities, prior, _MOST_STEPS)[0]


def _flat(items: int, prior: Prior) -> Curves:
    return Curves(np.full(items, prior.mean), np.zeros(items))


def _improved(curves: Curves, scores: Numbers, abilities: Numbers, prior: Prior, steps: int) -> tuple[Curves, Numbers]:
    """Return (curves after some steps, the variance of each slope at the last of them)."""
    slopes, levels = curves
    column = abilities[:, None]
    for _ in range(steps):
        right = logistic(levels + slopes * column)
        weight, miss = right * (1.0 - right), scores - right
        down_level = miss.sum(axis=0) - levels / LEVEL_VARIANCE
        down_slope = (column * miss).sum(axis=0) - (slopes - prior.mean) / prior.variance
        both = (column * weight).sum(axis=0)
        level_level = weight.sum(axis=0) + 1.0 / LEVEL_VARIANCE
        slope_slope = (column * column * weight).sum(axis=0) + 1.0 / prior.variance
        determinant = level_level * slope_slope - both * both
        level_step = (slope_slope * down_level - both * down_slope) / determinant
        slope_step = (level_level * down_slope - both * down_level) / determinant
        longest = np.maximum(np.maximum(np.abs(level_step), np.abs(slope_step)), 1e-12)
        scale = np.minimum(1.0, _LONGEST_STEP / longest)
        levels, slopes = levels + scale * level_step, slopes + scale * slope_step
        if longest.max() < _SHORTEST_STEP:
            break
    return Curves(slopes, levels), level_level / determinant


def right_on(curves: Curves, abilities: Numbers) -> Numbers:
    """Return the probability that models are right on items: float64, shape (models, items)."""
    return logistic(curves.levels + curves.slopes * abilities[:, None])
