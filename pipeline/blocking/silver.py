"""Silver pairs: what the lexical blocker is sure of, and so nobody need label."""

import numpy as np
from numpy.typing import NDArray

from .lexical import lexical_search
from .records import Records
from .search import Search
from .training_pairs import Places
from .training_tables import all_found


def mutual_pairs(left: Records, right: Records | None, quantile: float) -> Places:
    """Return pairs of records that are each other's nearest, and of which nothing else is near.

    Args:
        left, right: the records; right is None within one table.
        quantile: those are kept whose score, and whose distance from the second best of either side, are no less than
            this quantile of theirs.

    Returns:
        int64, shape (n, 2), ascending: (place in the left table, place in the right one).
    """
    best, score, ahead = _nearest(lexical_search(left, right, 2))
    if right is None:
        back, other = best, ahead
    else:
        back, _, other = _nearest(lexical_search(right, left, 2))
    asking = np.flatnonzero(best >= 0)
    asking = asking[back[best[asking]] == asking]
    if right is None:
        asking = asking[asking < best[asking]]
    if not len(asking):
        return np.empty((0, 2), np.int64)
    scores, margins = score[asking], np.minimum(ahead[asking], other[best[asking]])
    sure = (scores >= np.quantile(scores, quantile)) & (margins >= np.quantile(margins, quantile))
    pairs: Places = np.column_stack([asking, best[asking]])[sure]
    return pairs


def _nearest(search: Search) -> tuple[Places, NDArray[np.float64], NDArray[np.float64]]:
    """Return for each query (its nearest or -1, the score, how far the second is behind)."""
    found, n = all_found(search), len(search)
    best, score, second = np.full(n, -1, np.int64), np.zeros(n), np.zeros(n)
    top, then = found.ranks == 1, found.ranks == 2
    best[found.queries[top]] = found.rows[top]
    score[found.queries[top]] = found.scores[top]
    second[found.queries[then]] = found.scores[then]
    return best, score, score - second
