"""Paragraphs that many rows hold: they stay in the best-ranked row, and are cut out of all others."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..hashing.fingerprint import fingerprint
from ..hashing.murmur3 import murmur3_all
from ..hashing.paragraphs import paragraphs
from .edits import EDITS, ReadTexts, word_plan
from .engine import Table
from .text_column import text_buffers

_FOUND = pa.schema([(name, pa.int64()) for name in ("row", "start", "stop", "hash_high", "hash_low", "size", "tokens")])


@dataclass(frozen=True)
class Finding:
    """Finds the paragraphs of texts; plain data.

    Attributes:
        text: the column.
        least: bytes of a paragraph.
    """

    text: str
    least: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return a row for each paragraph of records read with ``row``."""
        data, offsets = text_buffers(batch.column(self.text))
        found = paragraphs(data, offsets, self.least)
        hashes = murmur3_all(found.data, found.offsets, np.uint64(0)).view(np.int64)
        tokens = fingerprint(found.data, found.offsets, word_plan(), banding=None, seed=0).tokens
        rows = batch.column("row").to_numpy()[found.text]
        high, low = (np.ascontiguousarray(hashes[:, i]) for i in (0, 1))
        columns = [rows, found.start, found.stop, high, low, np.diff(found.offsets), tokens]
        return pa.RecordBatch.from_arrays([pa.array(c) for c in columns], schema=_FOUND)


def repeated(read: ReadTexts, kept: Table, *, text: str, least: int, rows: int) -> Table:
    """Return ``EDITS`` that cut repeated paragraphs, saved.

    Args:
        read: gives the texts of rows.
        kept: (row, address) of the rows that are kept.
        text: the column of texts.
        least: bytes of a paragraph.
        rows: a paragraph of more rows than this is cut.
    """
    found = read(kept.select("row", "address"), "kept").map(Finding(text, least), _FOUND).save("paragraphs")
    key = ("hash_high", "hash_low", "size")
    once = found.select("row", *key).distinct()
    many = once.first(by=key, order=["row"], n=1, at_least=rows + 1).select(*key, keeper="row")
    return found.join(many, on=list(key)).map(_of_others, EDITS).save("cuts")


def _of_others(batch: pa.RecordBatch) -> pa.RecordBatch:
    others = batch.filter(pc.not_equal(batch.column("row"), batch.column("keeper")))
    columns = [others.column(name) for name in EDITS.names[:-1]]
    return pa.RecordBatch.from_arrays([*columns, pa.nulls(others.num_rows, pa.int64())], schema=EDITS)
