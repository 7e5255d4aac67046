"""An upper bound of recall without a list of all matches: two blockers as two catches of the same animals."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ...hashing.errors import InputError
from .pair_keys import RecordIds, among
from .pairs import check_pairs

_QUANTILE = 1.6448536269514722
"""That of a standard normal below which 95 % lie: the bound is one-sided."""


@dataclass(frozen=True)
class Recapture:
    """What two blockers say of the matches that both missed.

    Attributes:
        one, other, both: matches that the first found, the second, and both of them.
        missed_at_least: estimated matches that neither found.
        recall_at_most: matches that any of the two found, of all there are by that estimate.
        recall_at_most_95: the same with the fewest missed matches of a one-sided 95 % interval: the bound to quote.
    """

    one: int
    other: int
    both: int
    missed_at_least: float
    recall_at_most: float
    recall_at_most_95: float

    @property
    def found(self) -> int:
        """How many matches any of the two found."""
        return self.one + self.other - self.both

    def as_json(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return {"one": self.one, "other": self.other, "both": self.both, "found": self.found} | {
            "missed_at_least": self.missed_at_least,
            "recall_at_most": self.recall_at_most,
            "recall_at_most_95": self.recall_at_most_95,
        }


def recall_at_most(one: pa.Table, other: pa.Table, left_ids: pa.Array, right_ids: pa.Array | None) -> Recapture:
    """Return an upper bound of the recall of two blockers together, by the matches that each of them found.

    The estimator is that of Chapman (1951): of n1 and n2 matches found, m of them by both, there are about
    (n1 + 1)(n2 + 1) / (m + 1) - 1; its interval is the log-normal one of Chao (1987). It would be right if whether one
    blocker finds a match said nothing of whether the other does. Blockers are not so: a match that is hard for one is
    mostly hard for the other too, then too many are found twice, and the number of missed ones comes out too low. So
    the recall is at most what is returned, and may be far lower; two blockers of a kind give a bound of nearly 1 that
    says nothing. Never read it as the recall.

    Args:
        one, other: tables of pairs that a person or a matcher has confirmed to be matches, those of each blocker. Pairs
            that are no matches make the bound meaningless.
        left_ids, right_ids: of all records; None: there is one table.

    Raises:
        InputError: the pairs are not of these records, or there are none.
    """
    ids = RecordIds(left_ids, right_ids)
    for pairs in (one, other):
        check_pairs(pairs)
    first, second = ids.pairs(one), ids.pairs(other)
    both = int(among(first, np.sort(second)).sum())
    if not len(first) + len(second):
        raise InputError("there are confirmed matches", value="none", remedy="Confirm some pairs of each blocker.")
    return recaptured(len(first), len(second), both)


def recaptured(one: int, other: int, both: int) -> Recapture:
    """Return the bound by numbers of matches; see ``recall_at_most``.

    >>> round(recaptured(90, 80, 75).recall_at_most, 4)
    0.9897
    """
    only_one, only_other = one - both, other - both
    found = both + only_one + only_other
    missed = only_one * only_other / (both + 1)
    fewest = 0.0
    if missed:
        variance = (one + 1) * (other + 1) * only_one * only_other / ((both + 1) ** 2 * (both + 2))
        fewest = missed / math.exp(_QUANTILE * math.sqrt(math.log1p(variance / missed**2)))
    return Recapture(one, other, both, missed, found / (found + missed), found / (found + fewest))
