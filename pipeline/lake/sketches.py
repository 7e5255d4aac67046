"""Sketches of the values of columns, whatever the columns are called, and which columns they allow to match.

A sketch is the smallest hashes of a column's distinct values, nulls left out (a bottom-k or KMV sketch). Below the
largest of its hashes a sketch has all of the column's values; so where one column's values are among another's, the
hashes of its sketch that lie below that are in the other's sketch. What breaks this rule cannot match.
"""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...connectors.lake_reading import read_table_split
from ...hashing.errors import InputError
from ..engine import Engine, Table
from .canonical import cell_hashes
from .columns import unpacked
from .prints import Work, in_batches

SKETCH = pa.schema([("column", pa.int64()), ("hash", pa.int64())])
"""One hash of a column's sketch; columns are numbered by (table, place)."""

HASHES = 256
COLUMN_BITS = 20
"""Columns of a table are numbered from ``table << COLUMN_BITS``."""

Sketch = NDArray[np.int64]
"""Hashes, ascending; fewer than ``HASHES`` if they are those of all values."""


def take_sketches(engine: Engine, work: Sequence[Work], *, trim: bool, typed_csv: bool) -> Table:
    """Return ``SKETCH`` of all columns that the tasks' first projections name.

    Args:
        engine: what runs the verbs.
        work: the tasks.
        trim: whether white space around texts counts for nothing.
        typed_csv: whether numbers and empty fields of delimited files are numbers and nulls.
    """
    parts = in_batches(engine, work).map(_Sketching(trim, typed_csv), SKETCH)
    return parts.distinct().first(by=["column"], order=["hash"], n=HASHES)


@dataclass(frozen=True)
class _Sketching:
    """Reads tables and sketches their columns; plain data. What cannot be read has no sketch."""

    trim: bool
    typed_csv: bool

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found: dict[int, Sketch] = {}
        for packed in batch.column("work").to_pylist():
            work: Work = pickle.loads(packed)
            names = work.projections[0].columns
            full = unpacked(work.packed)
            wanted = pa.schema([full.field(name) for name in names])
            typed = self.typed_csv and work.split.format == "csv"
            try:
                for rows in read_table_split(work.split, wanted, full):
                    for place, name in enumerate(names):
                        number = (work.table << COLUMN_BITS) + place
                        values = rows.column(name).drop_null()
                        hashes = cell_hashes("", values, trim=self.trim, typed=typed)[:, 0] >> np.uint64(1)
                        known = found.get(number, np.zeros(0, np.int64))
                        found[number] = np.unique(np.concatenate([known, hashes.view(np.int64)]))[:HASHES]
            except InputError:  # the pass over the rows has said so
                continue
        columns = [np.repeat(list(found), [len(hashes) for hashes in found.values()]).astype(np.int64)]
        columns.append(np.concatenate([np.zeros(0, np.int64), *found.values()]))
        return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=SKETCH)


def may_hold(child: Sketch, parent: Sketch) -> bool:
    """Return whether the values of one column may all be in another, by their sketches."""
    if not len(child):
        return True
    if not len(parent):
        return False
    seen = child if len(parent) < HASHES else child[child <= parent[-1]]
    return bool(np.isin(seen, parent).all())


def matching(child: Mapping[str, Sketch], parent: Mapping[str, Sketch]) -> tuple[tuple[str, str], ...] | None:
    """Return the likeliest column of the parent for each of the child's, or None if some has none.

    Of the matchings that the sketches allow, the one with most hashes in common; a name that is the same counts as much
    as all hashes of a sketch. Ties go to columns that come first.

    Args:
        child, parent: the sketches of their columns, by name, in order.
    """
    from scipy.optimize import linear_sum_assignment  # a third of a second: only where it is asked for

    if len(child) > len(parent):
        return None
    score = np.full((len(child), len(parent)), -np.inf)
    for i, (name, sketch) in enumerate(child.items()):
        for j, (other, held) in enumerate(parent.items()):
            if may_hold(sketch, held):
                score[i, j] = len(np.intersect1d(sketch, held)) + HASHES * (name == other) - 1e-6 * abs(i - j)
    if np.isinf(score).all(axis=1).any():
        return None
    penalty = -1e9
    rows, columns = linear_sum_assignment(np.where(np.isinf(score), penalty, score), maximize=True)
    if np.isinf(score[rows, columns]).any():
        return None
    names, others = list(child), list(parent)
    return tuple((names[i], others[j]) for i, j in zip(rows.tolist(), columns.tolist(), strict=True))
