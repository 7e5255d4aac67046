"""How a model differs from its ability by difficulty: steadier on easy items and worse on hard ones, or the reverse.

Items' curves say what a model of some ability does; models of one ability still differ by what they do with easy,
middling and hard items. A model's bends are two such numbers, normal about 0, in logits: a line and a parabola over
difficulty.
Items that were chosen are of other difficulties than all, so a prediction that knows of bends trusts them less where
they would be mistaken for ability.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .curves import Curves, logistic

Numbers = NDArray[np.float64]

_ROUNDS, _STEPS = 3, 2
_FIRST_VARIANCE, _LEAST_VARIANCE = 0.05, 1e-4


class Bends(NamedTuple):
    """What difficulty may do beside ability.

    Attributes:
        features: float64, shape (items, 2): what a bend of 1 adds to the logit of each item.
        variances: float64, shape (2,): of the bends of models.
    """

    features: Numbers
    variances: Numbers


def features_of(scores: Numbers) -> Numbers:
    """Return a line and a parabola over the difficulty of items, of mean 0 and variance 1: float64, shape (items, 2).

    Args:
        scores: float64, shape (models, items), none missing.
    """
    shares = (scores.sum(axis=0) + 1.0) / (len(scores) + 2.0)
    line = _standard(np.log(shares / (1.0 - shares)))
    return np.stack([line, _standard(line * line)], axis=1)


def _standard(values: Numbers) -> Numbers:
    spread = float(values.std())
    return np.asarray((values - values.mean()) / spread if spread > 1e-9 else np.zeros(len(values)), np.float64)


def fitted_bends(scores: Numbers, abilities: Numbers, curves: Curves, spread: float) -> Bends:
    """Return bends with the variances that scores make likely: expectation and maximisation, as for slopes.

    Args:
        scores: float64, shape (models, items), none missing.
        abilities: float64, shape (models,); each is found again beside the bends.
        curves: of the items, of these models.
        spread: standard deviation of the prior of abilities.
    """
    features = features_of(scores)
    traits = np.concatenate([curves.slopes[:, None], features], axis=1)
    found = np.concatenate([abilities[:, None], np.zeros((len(abilities), 2))], axis=1)
    variances = np.full(2, _FIRST_VARIANCE)
    for _ in range(_ROUNDS):
        precision = 1.0 / np.concatenate([[spread * spread], variances])
        squares = np.zeros(2)
        for model, row in enumerate(scores):
            found[model], doubt = _newton(row, curves.levels, traits, precision, found[model])
            squares += found[model][1:] ** 2 + doubt[1:]
        variances = np.maximum(squares / len(scores), _LEAST_VARIANCE)
    return Bends(features, variances)


def _newton(
    row: Numbers, levels: Numbers, traits: Numbers, precision: Numbers, start: Numbers
) -> tuple[Numbers, Numbers]:
    """Return (traits of a model after some steps, their variances)."""
    found = start
    for _ in range(_STEPS):
        right = logistic(levels + traits @ found)
        curvature = (traits * (right * (1.0 - right))[:, None]).T @ traits + np.diag(precision)
        doubt = np.linalg.inv(curvature)
        found = found + doubt @ (traits.T @ (row - right) - precision * found)
    return found, np.diagonal(doubt)
