"""Simpler ways to choose items and to predict the full score, to compare with."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .strata import strata_of

Numbers = NDArray[np.float64]
Items = NDArray[np.int64]

_ROUNDS = 10


class Clusters(NamedTuple):
    """Groups of items that the same models get right.

    Attributes:
        items: int64: of each group the item nearest to its mean.
        weights: float64: the share of all items that are in the group.
    """

    items: Items
    weights: Numbers


def random_items(items: int, k: int, draw: np.random.Generator) -> Items:
    """Return k items at random: int64, ascending."""
    return np.sort(draw.choice(items, k, replace=False)).astype(np.int64)


def stratified_items(means: Numbers, k: int, draw: np.random.Generator) -> Items:
    """Return an item at random of each of k equally large groups of like difficulty: int64, ascending."""
    groups = strata_of(means, k, by_spread=False)
    return np.sort(np.array([group[draw.integers(len(group))] for group in groups], np.int64))


def clustered_items(scores: Numbers, k: int, draw: np.random.Generator) -> Clusters:
    """Return up to k items that stand for groups, by k-means of the columns of a matrix of scores.

    Args:
        scores: float64, shape (models, items), none missing.
        k: groups; of those without items there is none.
        draw: chooses the first means.
    """
    columns = scores.T
    means = columns[random_items(len(columns), k, draw)]
    for _ in range(_ROUNDS):
        groups = _nearest(columns, means)
        sums = np.stack([np.bincount(groups, column, minlength=k) for column in columns.T], axis=1)
        counts = np.bincount(groups, minlength=k)
        means = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], means)
    distances = ((columns - means[groups]) ** 2).sum(axis=1)
    order = np.lexsort((np.arange(len(columns)), distances, groups))
    there, first = np.unique(groups[order], return_index=True)
    return Clusters(order[first].astype(np.int64), counts[there] / len(columns))


def _nearest(columns: Numbers, means: Numbers) -> NDArray[np.intp]:
    return np.asarray((np.square(means).sum(axis=1) - 2.0 * columns @ means.T).argmin(axis=1), np.intp)


def line(part: Numbers, full: Numbers, ridge: float = 0.001) -> tuple[float, float]:
    """Return (level, slope) of the ridge line that tells full scores from scores on a part."""
    centred = part - part.mean()
    slope = float((centred * (full - full.mean())).sum() / ((centred * centred).sum() + ridge))
    return float(full.mean() - slope * part.mean()), slope
