"""What rows that are there already stand for: a choice of new rows begins with it.

Each new row is compared with all old ones, whatever their groups. How similar the nearest is counts as covered, so
facility location chooses the rows that add most to what is there; and a new row that goes names an old one, if that is
nearer than all that were chosen.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...hashing.dense_topk import nearest_dense
from ..engine import Table
from ..semantic.matrix import Matrix
from .choose import UNITS
from .nearest import REPRESENTED, vectors_of

COVERED = pa.schema([("row", pa.int64()), ("old", pa.int64()), ("cosine", pa.float64()), ("covered", pa.int64())])
"""A new row, the old one that is nearest to it, their cosine, and that in units of 2^-30; null and 0 where none is."""


@dataclass(frozen=True)
class Cover:
    """Finds the old row that is nearest to each new one; plain data.

    Attributes:
        matrix: vectors of new rows.
        old: vectors of old rows.
    """

    matrix: Matrix
    old: Matrix

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``COVERED`` of (row)."""
        rows = batch.column("row").to_numpy()
        found = nearest_dense(vectors_of(self.matrix, rows), self.old.opened.vectors, 1)
        place, cosine = found.rows[:, 0], found.scores[:, 0]
        none = (place < 0) | ~(cosine > 0.0)
        old = np.zeros(len(rows), np.int64)
        old[~none] = self.old.opened.rows[place[~none]]
        cosine = np.where(none, 0.0, cosine)
        covered = np.rint(cosine * UNITS).astype(np.int64)
        columns = [pa.array(rows), pa.array(old, mask=none), pa.array(cosine, mask=none), pa.array(covered)]
        return pa.RecordBatch.from_arrays(columns, schema=COVERED)


def nearer(represented: Table, covered: Table) -> Table:
    """Return ``REPRESENTED`` with an old row as the keeper, where that is as near as the chosen one."""
    old = covered.select("row", "old", "cosine", before="covered")
    return represented.join(old, on=["row"]).map(_nearer, REPRESENTED)


def _nearer(batch: pa.RecordBatch) -> pa.RecordBatch:
    names = ("keeper", "similarity", "covered", "old", "cosine", "before")
    keeper, similarity, covered, old, cosine, before = (batch.column(name) for name in names)
    here = similarity.fill_null(-np.inf).to_numpy(zero_copy_only=False)
    there = cosine.fill_null(-np.inf).to_numpy(zero_copy_only=False)
    wins = pa.array((there > -np.inf) & (there >= here))
    columns = [
        batch.column("row"),
        *(pc.if_else(wins, *pair) for pair in ((old, keeper), (cosine, similarity), (before, covered))),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=REPRESENTED)
