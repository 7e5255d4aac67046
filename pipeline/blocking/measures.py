"""How good a table of pairs is: what it finds of the true matches, and what it costs to compare.

    PC  pair completeness, the recall: found matches / matches
    PQ  pairs quality, the precision: found matches / pairs
    CSSR  candidate set size ratio: pairs / all pairs there are
    reduction ratio: 1 - CSSR

The interval of PC is that of Clopper and Pearson (1934): exact, from quantiles of the beta distribution, and so never
narrower than it says. It is that of a sample: the matches given are taken as drawn from all that there are.
They are taken as drawn one by one, too: where records have many matches, which are found or missed together, the
interval is too narrow.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .pair_keys import RecordIds, among
from .pairs import best_order, check_pairs

By = Literal["rank", "score"]

CONFIDENCE = 0.95
BUDGETS = (1, 3, 10)
"""Pairs for each row of the left table at which recall is measured."""


@dataclass(frozen=True)
class Measures:
    """How good a table of pairs is.

    Attributes:
        pairs: how many.
        possible: how many there could be.
        matches: how many are true.
        found: how many of the true ones are among the pairs.
        pc_low, pc_high: the interval of PC, 95 %.
        recall_at: for each of ``BUDGETS`` the recall of the best pairs, so many times the rows of the left table.
    """

    pairs: int
    possible: int
    matches: int
    found: int
    pc_low: float
    pc_high: float
    recall_at: dict[int, float]

    @property
    def pc(self) -> float:
        """Return the share of matches that are found."""
        return self.found / self.matches

    @property
    def pq(self) -> float:
        """Return the share of pairs that are matches; 0.0 where there is no pair."""
        return self.found / self.pairs if self.pairs else 0.0

    @property
    def f1(self) -> float:
        """Return the harmonic mean of PC and PQ."""
        return 2 * self.found / (self.pairs + self.matches)

    @property
    def cssr(self) -> float:
        """Return the share of all pairs that are to be compared."""
        return self.pairs / self.possible

    @property
    def reduction_ratio(self) -> float:
        """Return the share of all pairs that need not be compared."""
        return 1.0 - self.cssr


def measure_pairs(
    pairs: pa.Table,
    gold: pa.Table,
    left_ids: pa.Array,
    right_ids: pa.Array | None,
    by: By = "rank",
) -> Measures:
    """Measure pairs by the matches that are known.

    Args:
        pairs: a table of pairs.
        gold: the true matches, as strings ``left_id`` and ``right_id``; repeated ones count once.
        left_ids, right_ids: the ids of all records; None: there is one table, and which id of a match is left does not
            matter.
        by: which pairs are the best ones, as in ``best_pairs``.

    Raises:
        InputError: an id is that of no record, a record of one table is matched with itself, there is no match, or
            there are no two records.
    """
    check_pairs(pairs)
    ids = RecordIds(left_ids, right_ids)
    true = ids.matches(gold)
    return measures_of_flags(pairs, among(ids.pairs(pairs), true), len(true), ids, by)


def measures_of_flags(pairs: pa.Table, is_match: NDArray[np.bool_], matches: int, ids: RecordIds, by: By) -> Measures:
    """Measure pairs of which it is known which are matches.

    Args:
        pairs: a table of pairs.
        is_match: bool, shape (pairs,).
        matches: all there are, found or not; at least 1.
        ids: of all records.
        by: as in ``measure_pairs``.
    """
    found = int(is_match.sum())
    low, high = clopper_pearson(found, matches)
    up_to = np.concatenate([[0], np.cumsum(is_match[best_order(pairs, by)])])
    recall_at = {times: int(up_to[min(len(pairs), times * len(ids.left))]) / matches for times in BUDGETS}
    return Measures(len(pairs), ids.possible, matches, found, low, high, recall_at)


def clopper_pearson(found: int, total: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact interval of a share of which ``found`` of ``total`` (at least 1) were seen.

    >>> [round(end, 4) for end in clopper_pearson(8, 10)]
    [0.4439, 0.9748]
    """
    from scipy.special import betaincinv

    outside = (1.0 - confidence) / 2
    low = float(betaincinv(found, total - found + 1, outside)) if found else 0.0
    high = float(betaincinv(found + 1, total - found, 1.0 - outside)) if found < total else 1.0
    return low, high
