"""What a subset of items costs: the error with which it would tell the full scores of models it has not seen.

Models are left out fold by fold, and curves are fitted on the rest. At a left-out model's own ability, an item's
surprise is what it scored less what its curve says. One step of Newton from there, with the surprises of a subset,
moves the predicted full score by ``rise * sum(slope * surprise) / information``: that is the subset's error for this
model, as sums over its items, so that thousands of subsets are judged a second. A subset is chosen for its low cost,
and could be lucky, so the variance that its information leaves is added.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .curves import Prior, fitted_curves, right_on

Numbers = NDArray[np.float64]

PRIOR_INFORMATION = 0.3
_UNIT = 2.0**24


class Judged(NamedTuple):
    """What items say of left-out models.

    Attributes:
        surprise: float64, shape (items, models): slope times (score - expected score).
        information: float64, shape (items, models): slope squared times expected score times its complement.
        rise: float64, shape (models,): how fast the full score rises with ability.
    """

    surprise: Numbers
    information: Numbers
    rise: Numbers


def fold_numbers(models: int, folds: int, *, seed: int) -> NDArray[np.int64]:
    """Return the fold of each model, int64: of every ``folds`` neighbours, each is in another one."""
    draw = np.random.Generator(np.random.PCG64(seed))
    rounds = [draw.permutation(folds) for _ in range(-(-models // folds))]
    return np.concatenate(rounds)[:models].astype(np.int64)


def judge(scores: Numbers, abilities: Numbers, folds: NDArray[np.int64], prior: Prior) -> Judged:
    """Return what items say of each model, by the curves of the models in other folds.

    Args:
        scores: float64, shape (models, items), none missing.
        abilities: float64, shape (models,), about 0.
        folds: int64, shape (models,).
        prior: of the slopes.
    """
    surprise, information = np.empty(scores.shape[::-1]), np.empty(scores.shape[::-1])
    rise = np.empty(len(scores))
    for fold in np.unique(folds):
        out = np.flatnonzero(folds == fold)
        curves = fitted_curves(scores[folds != fold], abilities[folds != fold], prior)
        right = right_on(curves, abilities[out])
        spread = right * (1.0 - right)
        surprise[:, out] = in_units(curves.slopes * (scores[out] - right)).T
        information[:, out] = in_units(curves.slopes * curves.slopes * spread).T
        rise[out] = (curves.slopes * spread).mean(axis=1)
    return Judged(surprise, information, rise)


def in_units(values: Numbers) -> Numbers:
    """Return values as multiples of 2^-24.

    Their sums are exact, and processors whose last bits differ agree on nearly all of them.
    """
    return np.asarray(np.rint(values * _UNIT) / _UNIT, np.float64)


def cost_of(judged: Judged, weight: float = 1.0) -> Callable[[NDArray[np.int64]], Numbers]:
    """Return the function that judges subsets: int64, shape (subsets, k), to float64, shape (subsets,).

    It is the mean over models of ``weight`` times the squared error, plus the variance that is left; in squared shares
    of the full score.
    """

    def cost(subsets: NDArray[np.int64]) -> Numbers:
        information = judged.information[subsets].sum(axis=1) + PRIOR_INFORMATION
        error = judged.rise * judged.surprise[subsets].sum(axis=1) / information
        left = judged.rise * judged.rise / information
        return np.asarray((weight * error * error + left).mean(axis=1), np.float64)

    return cost
