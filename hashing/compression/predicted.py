"""From the answers to some items to the score on all of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .bends import Bends
from .curves import Curves, logistic

Numbers = NDArray[np.float64]

GRID = np.linspace(-6.0, 6.0, 241)
"""Abilities that are thought of, about the mean of the models that were learned from."""

_MOST_STEPS, _LONGEST_STEP, _SHORTEST_STEP = 25, 0.5, 1e-5


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
    nothing. Sharp items weigh more, and each most where models of such ability are undecided. At each ability bends are
    where they are likeliest, and what they make likely is as of a normal about there (Laplace's method).

    Args:
        answers: float64, shape (models, items), 0 to 1 or NaN.
        curves, bends: of these items.
        full: of all items.
        spread: standard deviation of the prior of abilities.
    """
    logits = curves.levels + curves.slopes * GRID[:, None]
    prior = -0.5 * (GRID / spread) ** 2
    found = np.empty(len(answers))
    for model, row in enumerate(answers):
        there = ~np.isnan(row)
        bent, likely = likeliest_bends(row[there], logits[:, there], Bends(bends.features[there], bends.variances))
        weights = np.exp(likely + prior - (likely + prior).max())
        score = full.straight + (full.rises * bent).sum(axis=1)
        found[model] = np.clip((weights * score).sum() / weights.sum(), 0.0, 1.0)
    return found


def likeliest_bends(row: Numbers, logits: Numbers, bends: Bends) -> tuple[Numbers, Numbers]:
    """Return the likeliest bends of a model at each ability, shape (grid, 2), and the log-likelihood of its answers.

    The likelihood, shape (grid,), is the integral over bends, up to a constant. Newton's steps go on until they are
    short: one step is no mode where answers are many and sharp, and would make absurd abilities likely.

    Args:
        row: float64, shape (items,), 0 to 1: the answers of the model.
        logits: float64, shape (grid, items): of a model without bends.
        bends: of these items.
    """
    line, parabola = bends.features.T
    squares = np.stack([line * line, line * parabola, parabola * parabola], axis=1)
    precision = 1.0 / bends.variances
    found = np.zeros((len(logits), 2))
    for _ in range(_MOST_STEPS):
        right = logistic(logits + found @ bends.features.T)
        one, both, other = ((right * (1.0 - right)) @ squares + [precision[0], 0.0, precision[1]]).T
        pull = (row - right) @ bends.features - precision * found
        determinant = one * other - both * both
        step = np.stack([other * pull[:, 0] - both * pull[:, 1], one * pull[:, 1] - both * pull[:, 0]], axis=1)
        step = np.clip(step / determinant[:, None], -_LONGEST_STEP, _LONGEST_STEP)
        found = found + step
        if np.abs(step).max() < _SHORTEST_STEP:
            break
    bent = logits + found @ bends.features.T
    likely = (row * bent - np.logaddexp(0.0, bent)).sum(axis=1)
    return found, likely - 0.5 * (precision * found * found).sum(axis=1) - 0.5 * np.log(determinant)
