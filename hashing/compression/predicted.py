"""From the answers to some items to the score on all of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .bends import Bends
from .curves import Curves, logistic

Numbers = NDArray[np.float64]

GRID = np.linspace(-6.0, 6.0, 241)
"""Abilities that are thought of, about the mean of the models that were learned from."""


class Full(NamedTuple):
    """The full score of each ability of ``GRID``.

    Attributes:
        straight: float64, shape (grid,): of a model without bends.
        rises: float64, shape (grid, 2): how fast it rises with each bend.
    """

    straight: Numbers
    rises: Numbers


def full_on_grid(curves: Curves, features: Numbers, centre: float) -> Full:
    """Return the full score of each ability, and its derivatives by the bends.

    Ability is the logit of the full score, so the score of a model without bends is the logistic of its ability. The
    mean of the curves is not: levels that few models leave open are drawn to the middle.

    Args:
        curves: of all items.
        features: float64, shape (items, 2), of ``Bends``.
        centre: the ability that is 0 here, as a logit.
    """
    rises = np.empty((len(GRID), features.shape[1]))
    for at, ability in enumerate(GRID):
        right = logistic(curves.levels + curves.slopes * ability)
        rises[at] = (features * (right * (1.0 - right))[:, None]).mean(axis=0)
    return Full(logistic(GRID + centre), rises)


def predicted_scores(answers: Numbers, curves: Curves, bends: Bends, full: Full, spread: float) -> Numbers:
    """Return the expected full score of models: float64, shape (models,), 0 to 1.

    Each ability of the grid is weighed by how likely it makes the answers, times a normal prior; a missing answer says
    nothing. Sharp items weigh more, and each most where models of such ability are undecided. Bends are small: at each
    ability they are as in a linear model about none (Laplace's method, one step), and so is what they make likely.

    Args:
        answers: float64, shape (models, items), 0 to 1 or NaN.
        curves, bends: of these items.
        full: of all items.
        spread: standard deviation of the prior of abilities.
    """
    logits = curves.levels + curves.slopes * GRID[:, None]
    right, wrong = -np.logaddexp(0.0, -logits), -np.logaddexp(0.0, logits)
    chance = logistic(logits)
    prior = -0.5 * (GRID / spread) ** 2
    precision = np.diag(1.0 / bends.variances)
    found = np.empty(len(answers))
    for model, row in enumerate(answers):
        there = ~np.isnan(row)
        answered, features, p = row[there], bends.features[there], chance[:, there]
        pull = (answered - p) @ features
        curvature = np.einsum("gi,ia,ib->gab", p * (1.0 - p), features, features) + precision
        bent = np.linalg.solve(curvature, pull[:, :, None])[:, :, 0]
        likely = (right[:, there] * answered + wrong[:, there] * (1.0 - answered)).sum(axis=1) + prior
        likely = likely + 0.5 * (pull * bent).sum(axis=1) - 0.5 * np.linalg.slogdet(curvature)[1]
        weights = np.exp(likely - likely.max())
        score = full.straight + (full.rises * bent).sum(axis=1)
        found[model] = np.clip((weights * score).sum() / weights.sum(), 0.0, 1.0)
    return found
