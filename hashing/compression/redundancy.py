"""Items that say what a better one says: alike in text, and in which models get them right."""

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError

Numbers = NDArray[np.float64]

_BLOCK = 1024
_MARGIN = 1e-4  # no product of float32 vectors of length 1 is further off


def alike_in_text(vectors: NDArray[np.floating], threshold: float) -> NDArray[np.int64]:
    """Return the pairs of items whose vectors have a cosine of at least a threshold: int64, shape (pairs, 2), i < j.

    Products of blocks find candidates; each is then computed by itself in float64, so that no machine decides.

    Args:
        vectors: float, shape (items, dimensions), of any length; one of zeros is like none.
        threshold: above 0, up to 1.

    Raises:
        ConfigError: the threshold is not in its range.
    """
    if not 0 < threshold <= 1:
        raise ConfigError("texts are alike from a cosine above 0 on", value=threshold, remedy="Take 0.9.")
    wide = np.asarray(vectors, np.float64)
    lengths = np.sqrt((wide * wide).sum(axis=1))
    wide = wide / np.where(lengths > 0, lengths, 1.0)[:, None]
    narrow = wide.astype(np.float32)
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, len(wide), _BLOCK):
        products = narrow[start : start + _BLOCK] @ narrow[start:].T
        rows, columns = np.nonzero(products >= threshold - _MARGIN)
        rows, columns = rows[columns > rows] + start, columns[columns > rows] + start
        exact = (wide[rows] * wide[columns]).sum(axis=1)
        pairs = np.stack([rows, columns], axis=1)
        found.append(pairs[exact >= threshold - 1e-12])
    return np.concatenate(found)


def correlations(scores: Numbers, pairs: NDArray[np.int64]) -> Numbers:
    """Return Pearson's correlation of the scores of two items over models: float64, shape (pairs,).

    That of an item which all models score alike is 0 with any other, and 1 with one of the very same scores.

    Args:
        scores: float64, shape (models, items), none missing.
        pairs: int64, shape (pairs, 2).
    """
    centred = scores - scores.mean(axis=0)
    lengths = np.sqrt((centred * centred).sum(axis=0))
    one, other = pairs[:, 0], pairs[:, 1]
    products = (centred[:, one] * centred[:, other]).sum(axis=0)
    both = lengths[one] * lengths[other]
    flat = both <= 1e-12
    found = np.where(flat, 0.0, products / np.where(flat, 1.0, both))
    return np.where((scores[:, one] == scores[:, other]).all(axis=0), 1.0, np.clip(found, -1.0, 1.0))


def keepers(
    items: int, pairs: NDArray[np.int64], correlation: Numbers, priority: NDArray[np.int64], threshold: float
) -> NDArray[np.int64]:
    """Return which item stands for each: int64, shape (items,); one that is kept stands for itself.

    Items are taken by priority. One goes if it is alike in text to a *kept* item and correlates with it by at least the
    threshold; the first such item in the order of priority is its keeper. Items that went remove none.

    Args:
        items: how many there are.
        pairs: int64, shape (pairs, 2): those alike in text.
        correlation: float64, shape (pairs,).
        priority: int64, shape (items,): a permutation, the best first.
        threshold: of the correlation.
    """
    rank = np.empty(items, np.int64)
    rank[priority] = np.arange(items)
    like = pairs[correlation >= threshold - 1e-12]
    first = np.where(rank[like[:, 0]] < rank[like[:, 1]], like[:, 0], like[:, 1])
    second = like.sum(axis=1) - first
    found = np.arange(items)
    for at in np.lexsort((rank[first], rank[second])):  # an item's better ones are decided before it
        better, item = int(first[at]), int(second[at])
        if found[item] == item and found[better] == better:
            found[item] = better
    return found
