"""Candidate pairs: rows that share a band bucket with one of its anchors.

The anchors of a bucket are its C best-ranked rows. A candidate pair is (worse, better) where the better row is an
anchor of a bucket that holds both. A bucket of a million copies of one template thus costs a million times C, not its
square.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..hashing.pairs import distinct_pairs, meet
from .engine import Table
from .ranked import new_only

PAIRS = pa.schema([("worse", pa.int64()), ("better", pa.int64())])


@dataclass(frozen=True)
class Candidates:
    """Candidate pairs and what the cap on anchors cost.

    Attributes:
        pairs: (worse, better), each once.
        capped_rows: rows that were in a bucket of more than C rows.
    """

    pairs: Table
    capped_rows: int


def candidates(bands: Table, left: Table, *, max_anchors: int, references: int = 0, prefix: str = "") -> Candidates:
    """Find the candidate pairs.

    Nearly all keys occur once; they go before anything is sorted or shuffled. Rows that do not compete go earlier, with
    all their keys.

    Args:
        bands: (address, bands), band keys as in ``documents.SCHEMA``.
        left: (row, address) of the rows that compete.
        max_anchors: C.
        references: so many best-ranked rows are there already: they are anchors, and no worse row of a pair.
        prefix: of the names of saved tables.
    """
    competing = bands.join(left.select("row", "address"), on=["address"]).select("row", "bands")
    keys = competing.explode("bands", into="key", repeated=True)
    met = keys.group(by="key", sort=["row"], fn=Meeting(max_anchors), schema=PAIRS, lead=max_anchors)
    met = new_only(met.distinct(), "worse", references).save(f"{prefix}met")
    capped = met.map(_with_themselves, PAIRS).aggregate(by=[], rows=("count", "worse"))
    pairs = met.map(_with_others, PAIRS).save(f"{prefix}candidates")
    return Candidates(pairs, capped.collect()["rows"][0].as_py())


@dataclass(frozen=True)
class Meeting:
    """Pairs the rows of each bucket with its anchors; the state is the anchors of one bucket.

    Attributes:
        max_anchors: C.
    """

    max_anchors: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield (worse, better) for rows (key, row) in order; a row of a bucket larger than C meets itself, too."""
        anchors, last, place = np.zeros(self.max_anchors, np.int64), 0, 0
        for batch in batches:
            keys, rows = batch.column("key").to_numpy(), batch.column("row").to_numpy()
            worse, better, last, place = meet(keys, rows, anchors, last, place)
            once = distinct_pairs(worse, better)  # the buckets of a row mostly share their anchors
            yield pa.RecordBatch.from_arrays([pa.array(worse[once]), pa.array(better[once])], schema=PAIRS)


def _with_others(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.not_equal(batch.column("worse"), batch.column("better")))


def _with_themselves(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.equal(batch.column("worse"), batch.column("better")))
