"""The exact stage: of texts with equal bytes, the best-ranked stays.

Equal means equal MurmurHash3 x64-128 and equal length.
"""

import pyarrow as pa
import pyarrow.compute as pc

from .drops import DROPS
from .engine import Table

_IDENTITY = ("hash_high", "hash_low", "bytes")


def exact(ranked: Table) -> Table:
    """Return the rows that the exact stage drops (``DROPS``)."""
    best = ranked.select("row", *_IDENTITY).first(by=_IDENTITY, order=["row"], n=1, at_least=2)
    copies = ranked.select("row", *_IDENTITY).join(best.select(*_IDENTITY, keeper="row"), on=_IDENTITY)
    return copies.map(_worse_copies, DROPS)


def _worse_copies(batch: pa.RecordBatch) -> pa.RecordBatch:
    worse = batch.filter(pc.not_equal(batch.column("row"), batch.column("keeper")))
    columns = [worse.column("row"), worse.column("keeper"), pa.repeat(1.0, worse.num_rows)]
    return pa.RecordBatch.from_arrays(columns, schema=DROPS)
