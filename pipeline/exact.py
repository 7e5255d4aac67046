"""The exact stage: of texts with equal bytes, the best-ranked stays.

Equal means equal MurmurHash3 x64-128 and equal length.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .drops import DROPS
from .engine import Table

_IDENTITY = ("hash_high", "hash_low", "bytes")


def exact(ranked: Table) -> Table:
    """Return the rows that the exact stage drops (``DROPS``)."""
    by, *rest = _IDENTITY
    return ranked.select("row", *_IDENTITY).group(by=by, sort=[*rest, "row"], fn=worse_copies, schema=DROPS)


def worse_copies(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield (row, keeper, 1.0) for rows that come after another one of their identity; rows come sorted by it."""
    last: tuple[NDArray[np.int64], int] | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        identity = np.stack([batch.column(name).to_numpy() for name in _IDENTITY])
        rows = batch.column("row").to_numpy()
        new = np.ones(len(rows), np.bool_)
        new[1:] = (identity[:, 1:] != identity[:, :-1]).any(axis=0)
        starts = np.flatnonzero(new)
        firsts = rows[starts]
        if last is not None and np.array_equal(identity[:, 0], last[0]):
            firsts[0] = last[1]
        last = identity[:, -1].copy(), int(firsts[-1])
        keepers = np.repeat(firsts, np.diff(starts, append=len(rows)))
        worse = np.flatnonzero(rows != keepers)
        columns = [pa.array(rows[worse]), pa.array(keepers[worse]), pa.repeat(1.0, len(worse))]
        yield pa.RecordBatch.from_arrays(columns, schema=DROPS)
