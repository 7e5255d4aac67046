"""Candidate pairs: rows that share a band bucket with one of its anchors.

The anchors of a bucket are its C best-ranked rows. A candidate pair is (worse, better) where the better row is an
anchor of a bucket that holds both. A bucket of a million copies of one template thus costs a million times C, not its square.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .engine import Table

KEYS = pa.schema([("key", pa.int64()), ("row", pa.int64())])
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


def candidates(bands: Table, *, max_anchors: int) -> Candidates:
    """Find the candidate pairs.

    Args:
        bands: (row, bands) of the rows that compete, band keys as in ``documents.SCHEMA``.
        max_anchors: C.
    """
    keys = bands.map(explode, KEYS)
    anchors = keys.first(by=["key"], order=["row"], n=max_anchors, at_least=2, size="size")
    anchors = anchors.select("key", "size", better="row").save("anchors")
    pairs = keys.join(anchors, on=["key"]).map(_ordered_pairs, PAIRS).distinct().save("candidates")
    over = pa.compute.field("size") > max_anchors
    hot = anchors.map(lambda batch: batch.filter(over), anchors.schema).select("key").distinct()
    capped = keys.join(hot, on=["key"], how="semi").select("row").distinct().aggregate(by=[], rows=("count", "row"))
    return Candidates(pairs, capped.collect()["rows"][0].as_py())


def explode(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return one row a band: (key, row)."""
    column = batch.column("bands")
    rows = batch.column("row").to_numpy()
    if not len(rows):
        return pa.RecordBatch.from_arrays([pa.array([], pa.int64()), pa.array([], pa.int64())], schema=KEYS)
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    keys = np.frombuffer(column.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].view(np.int64)
    return pa.RecordBatch.from_arrays([pa.array(keys), pa.array(np.repeat(rows, len(keys) // len(rows)))], schema=KEYS)


def _ordered_pairs(batch: pa.RecordBatch) -> pa.RecordBatch:
    below = pc.greater(batch.column("row"), batch.column("better"))
    worse, better = batch.column("row").filter(below), batch.column("better").filter(below)
    return pa.RecordBatch.from_arrays([worse, better], schema=PAIRS)
