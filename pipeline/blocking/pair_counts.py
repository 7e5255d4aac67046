"""How the pairs are spread over the records: a few that have most of them, and some that have none."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .pair_keys import RecordIds
from .pairs import check_pairs

_FIRST = (0, 1, 2, 6, 11)


@dataclass(frozen=True)
class PairCounts:
    """Pairs of each record, as a distribution.

    Attributes:
        records: how many there are.
        most: the most pairs that one has.
        median: of the pairs of a record.
        bins: (fewest pairs, most pairs, records) without gaps: 0, 1, 2 to 5, 6 to 10, 11 to 100, 101 to 1,000, and so
            on up to the record that has most.
    """

    records: int
    most: int
    median: float
    bins: tuple[tuple[int, int, int], ...]

    @property
    def without(self) -> int:
        """How many records are in no pair: whatever matches they have are lost."""
        return self.bins[0][2]

    def as_json(self) -> dict[str, Any]:
        """Return the numbers by name."""
        bins = [{"from": low, "to": high, "records": records} for low, high, records in self.bins]
        return {"records": self.records, "without": self.without, "most": self.most, "median": self.median} | {
            "bins": bins
        }


def pair_counts(
    pairs: pa.Table, left_ids: pa.Array, right_ids: pa.Array | None
) -> tuple[PairCounts, PairCounts | None]:
    """Return how many pairs each record is in.

    Args:
        pairs: a table of pairs.
        left_ids, right_ids: of all records; None: there is one table, whose records are counted on both sides.

    Returns:
        the distribution over the left records, and over the right ones where these are others.

    Raises:
        InputError: an id is that of no record, or there are no two records.
    """
    check_pairs(pairs)
    ids = RecordIds(left_ids, right_ids)
    return counts_of_keys(ids.keys(pairs, "pairs"), ids)


def counts_of_keys(keys: NDArray[np.int64], ids: RecordIds) -> tuple[PairCounts, PairCounts | None]:
    """Return the same by the numbers of pairs: int64, shape (pairs,)."""
    left, right = np.divmod(keys, len(ids.searched))
    asked, searched = np.bincount(left, minlength=len(ids.left)), np.bincount(right, minlength=len(ids.searched))
    if ids.dirty:
        return _spread(asked + searched), None
    return _spread(asked), _spread(searched)


def _spread(counts: NDArray[np.int64]) -> PairCounts:
    most = int(counts.max(initial=0))
    starts = list(_FIRST)
    while starts[-1] <= most:
        starts.append(10 ** (len(starts) - 3) + 1)
    records = np.bincount(np.searchsorted(starts, counts, "right") - 1, minlength=len(starts))
    ends = [start - 1 for start in starts[1:]]
    shown = [(low, high, int(n)) for low, high, n in zip(starts, ends, records, strict=False) if low <= most]
    return PairCounts(len(counts), most, float(np.median(counts)) if len(counts) else 0.0, tuple(shown))
