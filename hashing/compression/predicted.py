"""From the answers to some items to the score on all of them."""

import numpy as np
from numpy.typing import NDArray

from .curves import Curves, logistic

Numbers = NDArray[np.float64]

GRID = np.linspace(-6.0, 6.0, 241)
"""Abilities that are thought of, about the mean of the models that were learned from."""


def scores_on_grid(curves: Curves) -> Numbers:
    """Return the mean over all items of the curves: the full score of each ability of ``GRID``, float64."""
    return np.array([logistic(curves.levels + curves.slopes * ability).mean() for ability in GRID])


def predicted_scores(answers: Numbers, curves: Curves, on_grid: Numbers, spread: float) -> Numbers:
    """Return the expected full score of models: float64, shape (models,).

    Each ability of the grid is weighed by how likely it makes the answers, times a normal prior; a missing answer says
    nothing. Sharp items weigh more, and each most where models of such ability are undecided.

    Args:
        answers: float64, shape (models, items), 0 to 1 or NaN.
        curves: of these items.
        on_grid: as of ``scores_on_grid``, of all items.
        spread: standard deviation of the prior.
    """
    logits = curves.levels + curves.slopes * GRID[:, None]
    right, wrong = -np.logaddexp(0.0, -logits), -np.logaddexp(0.0, logits)
    prior = -0.5 * (GRID / spread) ** 2
    found = np.empty(len(answers))
    for model, row in enumerate(answers):
        there = ~np.isnan(row)
        answered = row[there]
        likely = (right[:, there] * answered + wrong[:, there] * (1.0 - answered)).sum(axis=1) + prior
        weights = np.exp(likely - likely.max())
        found[model] = (weights * on_grid).sum() / weights.sum()
    return found
