"""Documents that lie inside others: most of the shingles of one are in the other, however long that is.

Bands cannot find them, since the sets are unlike. Candidates share a sampled shingle instead: those whose hash is below
a bound are sampled in every text alike, so that a shingle that two texts share is sampled in both or in neither.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..connectors.address import ADDRESS
from ..connectors.batches import RULE
from ..hashing.shingles import shingle_sets
from ..hashing.sketch import SketchPlan
from .text_column import text_buffers

STAGE = "contained"
SAMPLES = pa.schema([("address", pa.int64()), ("bands", pa.binary())])


@dataclass(frozen=True)
class Sampling:
    """Takes a sample of the shingles of each text; plain data.

    Attributes:
        text: the column.
        plan: how texts are shingled.
        one_in: of so many shingles one is taken, on average.
    """

    text: str
    plan: SketchPlan
    one_in: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``SAMPLES`` for records that could be read: the sampled shingles where band keys would be."""
        batch = batch.filter(pc.and_(pc.is_null(batch.column(RULE)), pc.is_valid(batch.column(self.text))))
        data, offsets = text_buffers(batch.column(self.text))
        values, bounds = shingle_sets(data, offsets, self.plan.unit, self.plan.shingle, self.plan.table)
        taken = values <= np.uint64(((1 << 64) - 1) // self.one_in)
        places = np.concatenate([[0], np.cumsum(taken)])[bounds].astype(np.int32) * 8
        packed = pa.BinaryArray.from_buffers(
            pa.binary(), batch.num_rows, [None, pa.py_buffer(places), pa.py_buffer(values[taken])]
        )
        return pa.RecordBatch.from_arrays([batch.column(ADDRESS), packed], schema=SAMPLES)
