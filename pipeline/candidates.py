"""Candidate pairs: rows that share a band bucket with one of its anchors.

The anchors of a bucket are its C best-ranked rows. A candidate pair is (worse, better) where the better row is an
anchor of a bucket that holds both. A bucket of a million copies of one template thus costs a million times C, not its
square.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..hashing.pairs import first_occurrences
from .engine import Table

KEYS = pa.schema([("key", pa.int64()), ("address", pa.int64())])
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


def candidates(bands: Table, left: Table, *, max_anchors: int) -> Candidates:
    """Find the candidate pairs.

    Nearly all keys occur once; they go before anything is sorted, joined or shuffled.

    Args:
        bands: (address, bands), band keys as in ``documents.SCHEMA``.
        left: (row, address) of the rows that compete.
        max_anchors: C.
    """
    shared = bands.map(explode, KEYS).repeated("key")
    keys = shared.join(left.select("row", "address"), on=["address"]).select("key", "row").save("keys")
    anchors = keys.first(by=["key"], order=["row"], n=max_anchors, at_least=2, size="size")
    anchors = anchors.select("key", "size", better="row").save("anchors")
    pairs = keys.join(anchors, on=["key"]).map(_ordered_pairs, PAIRS).distinct().save("candidates")
    hot = anchors.map(_Larger(max_anchors), anchors.schema).select("key").distinct()
    capped = keys.join(hot, on=["key"], how="semi").select("row").distinct().aggregate(by=[], rows=("count", "row"))
    return Candidates(pairs, capped.collect()["rows"][0].as_py())


def explode(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return one row a band, (key, address), of the rows that have band keys: texts with tokens."""
    present = batch.filter(batch.column("bands").is_valid())
    column, addresses = present.column("bands"), present.column("address").to_numpy()
    if not len(addresses):
        return pa.RecordBatch.from_pylist([], schema=KEYS)
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    keys = np.frombuffer(column.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].view(np.int64)
    repeated = np.repeat(addresses, len(keys) // len(addresses))
    return pa.RecordBatch.from_arrays([pa.array(keys), pa.array(repeated)], schema=KEYS)


@dataclass(frozen=True)
class _Larger:
    """Keeps the anchors of buckets of more than so many rows."""

    rows: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.filter(pc.greater(batch.column("size"), self.rows))


def _ordered_pairs(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keep (row, anchor) with the anchor better, once a batch: the buckets of a row mostly share their anchors."""
    chosen = first_occurrences(batch.column("row").to_numpy(), batch.column("better").to_numpy())
    kept = batch.select(["row", "better"]).take(pa.array(chosen))
    return pa.RecordBatch.from_arrays(kept.columns, schema=PAIRS)
