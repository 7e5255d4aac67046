"""Rows that filters alone take for known: three ways to ask, of which two also ask the rows of the run one another.

``insert-kept``: a row is flagged if the index as it was has one of its keys.
``insert-always``: or if an earlier row of the run has.
``check-then-insert``: or if an earlier row of the run that was not flagged has (Khan et al., arXiv 2411.04257).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...hashing.bloom import check_then_insert
from ..engine import Table
from .form import OpenIndex
from .recall import asked, filters_of
from .shards import Filters, keys_of

FLAGGED = pa.schema([("row", pa.int64())])


def flagged_rows(index: OpenIndex, documents: Table, left: Table, mode: str) -> Table:
    """Return the rows (row) that filters take for known.

    Args:
        index: without witnesses.
        documents: the first pass.
        left: (row, address) of the rows in question, by rank.
        mode: as in the configuration.
    """
    rows = left.select("row", "address")
    if mode == "check-then-insert":
        keys = documents.select("address", "bands").join(rows, on=["address"]).select("row", "bands")
        return keys.fold(order=["row"], fn=Passing(filters_of(index)), schema=FLAGGED)
    known = rows.join(asked(index, documents).select("address").distinct(), on=["address"], how="semi").select("row")
    if mode == "insert-kept":
        return known
    keys = documents.select("address", "bands").join(rows, on=["address"]).select("row", "bands")
    keys = keys.explode("bands", into="key", repeated=True)
    first = keys.first(by=["key"], order=["row"], at_least=2).select("key", earliest="row")
    later = keys.join(first, on=["key"]).map(_later, FLAGGED)
    return known.union(later).distinct()


def _later(batch: pa.RecordBatch) -> pa.RecordBatch:
    later = batch.filter(pc.greater(batch.column("row"), batch.column("earliest")))
    return pa.RecordBatch.from_arrays([later.column("row")], schema=FLAGGED)


@dataclass(frozen=True)
class Passing:
    """The pass of check-then-insert; its state are all filters of the index.

    Attributes:
        filters: as they are.
    """

    filters: Filters

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the flagged ones of (row, bands), in order."""
        plan, words = self.filters.plan, self.filters.whole()
        starts = np.arange(plan.bands, dtype=np.int64) * (plan.blocks * plan.block_bits // 64)
        salts = np.full(plan.bands, self.filters.salt, np.uint64)
        for batch in batches:
            there, keys = keys_of(batch.column("bands"), plan.bands)
            bits = plan.block_bits.bit_length() - 1
            hit = check_then_insert(words, starts, keys, salts, np.uint64(plan.blocks), plan.hashes, bits)
            rows = batch.column("row").take(pa.array(there[hit]))
            yield pa.RecordBatch.from_arrays([rows], schema=FLAGGED)
