"""Recall against the number of candidates: how much a blocker finds, and how soon.

A curve is of cuts: the pairs of the ranks up to K, or of the scores down to s. Equal ranks, or equal scores, are on one
side of a cut, so a curve rests on no order of ties. Between two cuts nothing is gained: curves are steps.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.errors import ConfigError
from .measures import CONFIDENCE, By
from .pair_keys import RecordIds, among
from .pairs import check_pairs

MOST_POINTS = 400
"""Points that are kept of a curve."""


@dataclass(frozen=True)
class Curve:
    """Recall by number of candidates.

    Attributes:
        by: what is cut.
        cuts: float64, shape (n,): the highest rank or the lowest score of each; best first.
        pairs: int64, shape (n,), ascending: pairs up to each cut.
        found: int64, shape (n,), not descending: matches among them.
        matches: all there are, at least 1.
    """

    by: By
    cuts: NDArray[np.float64]
    pairs: NDArray[np.int64]
    found: NDArray[np.int64]
    matches: int

    def __len__(self) -> int:
        return len(self.cuts)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Return the recall at each cut: float64, shape (n,)."""
        shares: NDArray[np.float64] = self.found / self.matches
        return shares

    def recall_of(self, budget: int) -> float:
        """Return the recall of the last cut that has no more pairs than a budget; 0.0 before the first one."""
        place = int(np.searchsorted(self.pairs, budget, "right"))
        return int(self.found[place - 1]) / self.matches if place else 0.0

    def area(self, budget: int) -> float:
        """Return the mean of the recall over all budgets of 1 to ``budget`` pairs, which is at least 1.

        It is the area below the steps, as a share of all there could be. After the last cut the recall stays.

        Raises:
            ConfigError: the budget is below 1.
        """
        if budget < 1:
            raise ConfigError("an area is of a budget of at least one pair", value=budget, remedy="Mend the number.")
        starts = np.minimum(self.pairs, budget + 1)
        widths = np.diff(np.append(starts, budget + 1))
        return int(widths @ self.found) / (budget * self.matches)

    def first_with(self, target: float) -> int | None:
        """Return the place of the first cut of at least some recall; None: no cut has it."""
        enough = np.flatnonzero(self.recall >= target)
        return int(enough[0]) if len(enough) else None

    def thinned(self, most: int = MOST_POINTS) -> "Curve":
        """Return at most so many (at least 2) of the cuts, the first and the last among them.

        They are evenly spread over the logarithm of the number of pairs. What is kept is exact.
        """
        if len(self) <= most:
            return self
        wanted = np.geomspace(self.pairs[0], self.pairs[-1], most)
        kept = np.unique(np.searchsorted(self.pairs, wanted))
        return Curve(self.by, self.cuts[kept], self.pairs[kept], self.found[kept], self.matches)

    def as_json(self) -> dict[str, Any]:
        """Return the points as lists, with 95 % of each cut by itself."""
        low, high = bands(self.found, self.matches)
        return {
            "by": self.by,
            "cuts": self.cuts.tolist(),
            "pairs": self.pairs.tolist(),
            "found": self.found.tolist(),
            "recall": self.recall.tolist(),
            "low": low.tolist(),
            "high": high.tolist(),
        }


def curve_of(pairs: pa.Table, gold: pa.Table, left_ids: pa.Array, right_ids: pa.Array | None, by: By) -> Curve:
    """Return the curve of a table of pairs, with all its cuts.

    Args:
        pairs: a table of pairs.
        gold, left_ids, right_ids: as in ``measure_pairs``.
        by: ``rank``: what is found with the K best of each record, for every K. ``score``: what is found above each
            score, which says something only where the scores of different records can be compared.

    Raises:
        InputError: as ``measure_pairs``.
    """
    check_pairs(pairs)
    ids = RecordIds(left_ids, right_ids)
    true = ids.matches(gold)
    return curve_of_flags(pairs, among(ids.pairs(pairs), true), len(true), by)


def curve_of_flags(pairs: pa.Table, is_match: NDArray[np.bool_], matches: int, by: By) -> Curve:
    """Return the curve of a table of pairs of which it is known which are matches.

    Args:
        pairs: a table of pairs.
        is_match: bool, shape (pairs,).
        matches: all there are, found or not; at least 1.
        by: as in ``curve_of``.
    """
    values = pairs[by].to_numpy().astype(np.float64)
    order = np.argsort(values if by == "rank" else -values, kind="stable")
    values = values[order]
    last = np.flatnonzero(np.append(values[1:] != values[:-1], np.ones(min(1, len(values)), np.bool_)))
    found = np.cumsum(is_match[order], dtype=np.int64)
    return Curve(by, values[last], last + 1, found[last], matches)


def bands(found: NDArray[np.int64], total: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the exact intervals of shares, as ``measures.clopper_pearson`` gives them one by one.

    Each holds by itself; that a whole curve stays within its band is less sure.

    Args:
        found: int64, shape (n,), 0 to ``total``.
        total: at least 1.

    Returns:
        lower and upper ends: float64, shape (n,).
    """
    from scipy.special import betaincinv

    outside = (1.0 - CONFIDENCE) / 2
    some, missed = found > 0, found < total
    low, high = np.zeros(len(found)), np.ones(len(found))
    low[some] = betaincinv(found[some], total - found[some] + 1, outside)
    high[missed] = betaincinv(found[missed] + 1, total - found[missed], 1.0 - outside)
    return low, high
