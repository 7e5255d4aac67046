"""How likely a model of some ability is right on an item: a logistic curve for each (two-parameter item response).

Ability is the logit of the full score, which is known for models that are learned from; so each item's curve is a small
logistic regression by itself. With few models a curve needs a prior: slopes are normal about ``MEAN_SLOPE``, which
keeps an item that separates twenty models by luck from looking sharp.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

MEAN_SLOPE, SLOPE_VARIANCE, LEVEL_VARIANCE = 1.7, 0.8, 9.0
"""The prior. An item of average sharpness has a slope above 1, as the full score is a mean over items of all levels."""

_STEPS = 12
_LONGEST_STEP = 2.0


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


def fitted_curves(scores: Numbers, abilities: Numbers) -> Curves:
    """Return the likeliest curves under the prior, by Newton's steps.

    Args:
        scores: float64, shape (models, items), 0 to 1, none missing.
        abilities: float64, shape (models,), about 0.
    """
    slopes = np.full(scores.shape[1], MEAN_SLOPE)
    levels = np.zeros(scores.shape[1])
    column = abilities[:, None]
    for _ in range(_STEPS):
        right = logistic(levels + slopes * column)
        weight, miss = right * (1.0 - right), scores - right
        down_level = miss.sum(axis=0) - levels / LEVEL_VARIANCE
        down_slope = (column * miss).sum(axis=0) - (slopes - MEAN_SLOPE) / SLOPE_VARIANCE
        both = (column * weight).sum(axis=0)
        level_level = weight.sum(axis=0) + 1.0 / LEVEL_VARIANCE
        slope_slope = (column * column * weight).sum(axis=0) + 1.0 / SLOPE_VARIANCE
        determinant = level_level * slope_slope - both * both
        level_step = (slope_slope * down_level - both * down_slope) / determinant
        slope_step = (level_level * down_slope - both * down_level) / determinant
        longest = np.maximum(np.maximum(np.abs(level_step), np.abs(slope_step)), 1e-12)
        scale = np.minimum(1.0, _LONGEST_STEP / longest)
        levels, slopes = levels + scale * level_step, slopes + scale * slope_step
    return Curves(slopes, levels)


def right_on(curves: Curves, abilities: Numbers) -> Numbers:
    """Return the probability that models are right on items: float64, shape (models, items)."""
    return logistic(curves.levels + curves.slopes * abilities[:, None])
