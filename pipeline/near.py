"""The near stage: a row is dropped if and only if it has a verified pair with a kept row.

Candidates come from band buckets, pairs are verified against the text, and rows are decided in rank order; the keeper
is the best-ranked kept row of a verified pair. No chains: every removal has a witness that stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..hashing.greedy import decide
from ..hashing.lsh import Banding, solve_balanced, solve_for_recall
from .config import Near
from .drops import DROPS
from .engine import Table
from .similarity import PAIRS


def banding_of(near: Near) -> Banding:
    """Return the bands and rows of a near stage: as given, or computed.

    Raises:
        ConfigError: if the recall cannot be reached with so few values.
    """
    if near.bands and near.rows:
        return Banding(near.bands, near.rows)
    if near.verify == "none":
        return solve_balanced(near.threshold, near.values)
    return solve_for_recall(near.threshold, near.values, recall=near.recall)


def unverified(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Take candidate pairs as they are: similarity null."""
    return pa.RecordBatch.from_arrays([*batch.columns, pa.nulls(batch.num_rows, pa.float64())], schema=PAIRS)


@dataclass(frozen=True)
class Greedy:
    """Decides verified pairs in rank order; its state is one byte a row.

    Attributes:
        rows: number of ranked rows.
    """

    rows: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the dropped rows for pairs (worse, better, similarity) sorted by (worse, better)."""
        dropped = np.zeros(self.rows, np.uint8)
        for batch in batches:
            deciding = decide(batch.column("worse").to_numpy(), batch.column("better").to_numpy(), dropped)
            chosen = batch.filter(pa.array(deciding))
            yield pa.RecordBatch.from_arrays(chosen.columns, schema=DROPS)


def decide_near(pairs: Table, *, rows: int) -> Table:
    """Return the rows that the near stage drops (``DROPS``).

    Args:
        pairs: verified pairs (worse, better, similarity).
        rows: number of ranked rows.
    """
    return pairs.select(*PAIRS.names).fold(order=["worse", "better"], fn=Greedy(rows), schema=DROPS)
