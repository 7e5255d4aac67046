"""How good a table of pairs is: what it finds of the true matches, and what it costs to compare.

    PC  pair completeness, the recall: found matches / matches
    PQ  pairs quality, the precision: found matches / pairs
    CSSR  candidate set size ratio: pairs / all pairs there are
    reduction ratio: 1 - CSSR

The interval of PC is that of Clopper and Pearson (1934): exact, from quantiles of the beta distribution, and so never
narrower than it says. It is that of a sample: the matches given are taken as drawn from all that there are.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import InputError
from .pairs import best_pairs, check_pairs

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
    by: Literal["rank", "score"] = "rank",
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
    dirty = right_ids is None
    right = left_ids if right_ids is None else right_ids
    possible = len(left_ids) * (len(left_ids) - 1) // 2 if dirty else len(left_ids) * len(right)
    if not possible:
        raise InputError(
            "there are records to pair",
            value=f"{len(left_ids):,} left and {len(right):,} right ids",
            remedy="Give the ids of all records, of those in no pair too.",
        )
    true = np.unique(_keys(gold, left_ids, right, dirty, "matches"))
    if not len(true):
        raise InputError("there are matches to measure by", value="none", remedy="Give one or more.")
    said = _keys(pairs, left_ids, right, dirty, "pairs")
    if dirty and len(np.unique(said)) < len(said):
        raise InputError(
            "a pair within one table stands once, the lower id left",
            value=f"{len(said) - len(np.unique(said)):,} pairs both ways round",
            remedy="Make the table with `pairs_of_one_table`.",
        )
    found = int(np.isin(said, true).sum())
    low, high = clopper_pearson(found, len(true))
    recall_at = {}
    for budget in BUDGETS:
        best = best_pairs(pairs, budget * len(left_ids), by)
        recall_at[budget] = int(np.isin(_keys(best, left_ids, right, dirty, "pairs"), true).sum()) / len(true)
    return Measures(len(said), possible, len(true), found, low, high, recall_at)


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


def _keys(table: pa.Table, left_ids: pa.Array, right_ids: pa.Array, dirty: bool, what: str) -> NDArray[np.int64]:
    """Return one number for each pair of ids."""
    left = _places(table, "left_id", left_ids, what)
    right = _places(table, "right_id", right_ids, what)
    if dirty:
        itself = np.flatnonzero(left == right)
        if len(itself):
            raise InputError(
                f"{what} are of two records each",
                value=f"{table['left_id'][int(itself[0])].as_py()!r} with itself",
                remedy="Leave such pairs out.",
            )
        left, right = np.minimum(left, right), np.maximum(left, right)
    keys: NDArray[np.int64] = left * len(right_ids) + right
    return keys


def _places(table: pa.Table, name: str, ids: pa.Array, what: str) -> NDArray[np.int64]:
    found = pc.index_in(table[name].combine_chunks().cast(pa.string()), value_set=ids.cast(pa.string()))
    if found.null_count:
        unknown = table[name].filter(pc.is_null(found)).unique().to_pylist()
        raise InputError(
            f"the {name} of all {what} is that of a record",
            value=f"{len(unknown):,} others, the first {unknown[0]!r}",
            remedy="Check that the ids are those of these tables, and which of them is left.",
        )
    places: NDArray[np.int64] = found.to_numpy().astype(np.int64)
    return places
