"""What every function asks of a matrix of scores, and the rule for cells that are missing."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

Scores = NDArray[np.float64]

FEWEST_MODELS = 5
"""So many models are the least to learn from: one a fold."""


def as_scores(values: ArrayLike, what: str = "scores") -> Scores:
    """Return a matrix of scores: float64, shape (models, items), each 0 to 1 or NaN.

    Raises:
        InputError: it is no matrix, is empty, has a number outside 0 to 1, or a row or column without any number.
    """
    scores = np.array(values, np.float64)
    if scores.ndim != 2 or not scores.size:
        raise InputError(
            f"{what} are a matrix of models and items", value=f"shape {scores.shape}", remedy="Give one row a model."
        )
    there = ~np.isnan(scores)
    wrong = np.argwhere(there & ~((scores >= 0) & (scores <= 1)))
    if len(wrong):
        model, item = wrong[0]
        raise InputError(
            f"{what} are 0 to 1",
            value=f"{scores[model, item]} of model {model}, item {item}",
            remedy="Divide by the marks an item gives.",
        )
    for axis, name in ((1, "model"), (0, "item")):
        empty = np.flatnonzero(~there.any(axis=axis))
        if len(empty):
            raise InputError(f"every {name} has a score", value=f"{name} {empty[0]} has none", remedy="Leave it out.")
    return scores


def as_training(values: ArrayLike) -> Scores:
    """Return scores that can be learned from.

    Raises:
        InputError: as ``as_scores``; models are fewer than ``FEWEST_MODELS``; a model has nothing but one score in all
            its cells and so says nothing of the items.
    """
    scores = as_scores(values)
    if len(scores) < FEWEST_MODELS:
        raise InputError(
            f"there are at least {FEWEST_MODELS} models to learn from",
            value=len(scores),
            remedy="Score more models, or hold fewer out.",
        )
    flat = np.flatnonzero(np.nanmin(scores, axis=1) == np.nanmax(scores, axis=1))
    if len(flat):
        raise InputError(
            "a model has items it does better and items it does worse",
            value=f"model {flat[0]} has {np.nanmax(scores[flat[0]]):g} in all",
            remedy="Leave it out.",
        )
    return scores


def item_means(scores: Scores) -> Scores:
    """Return the mean score of each item over the models that have it: float64, shape (items,)."""
    return np.asarray(np.nanmean(scores, axis=0), np.float64)


def completed(scores: Scores, means: Scores) -> Scores:
    """Return scores without missing cells: float64, shape (models, items).

    A missing cell is the mean of its item, moved by how much the model is above these means on the items it has, and
    cut to 0 to 1. So a model that lacks the hard items is not the better for it.

    Args:
        scores: shape (models, items), with NaN.
        means: shape (items,), of ``item_means`` of the models that are learned from.
    """
    above = np.array([np.nanmean(row - means) for row in scores])
    return np.where(np.isnan(scores), np.clip(means + above[:, None], 0.0, 1.0), scores)


def in_canonical_order(scores: Scores) -> NDArray[np.int64]:
    """Return an order of the rows that depends on what they hold alone, by their sum first: int64, shape (models,).

    Sums of floats depend on the order of their terms; in this one the answer is the same whatever the models' order.
    """
    sums = np.nansum(scores, axis=1)
    rows = [row.tobytes() for row in scores]
    return np.array(sorted(range(len(scores)), key=lambda i: (sums[i], rows[i])), np.int64)
