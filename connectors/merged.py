"""Many small inputs in one go: what every batch costs would weigh more than their records."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from ..hashing.errors import TamisError
from .schema import holds_dictionary
from .split import Split
from .views import size_bytes

MERGED_BYTES = 1 << 20
"""Batches are merged up to this size, and splits up to this size are read one after another in one go."""

_SPLITS_AT_ONCE = 512


def runs(splits: Sequence[Split]) -> Iterator[list[Split]]:
    """Yield stretches of splits that are worth a task: one, or many small ones."""
    held: list[Split] = []
    size = 0
    for split in splits:
        if held and (size + split.size_bytes > MERGED_BYTES or len(held) == _SPLITS_AT_ONCE):
            yield held
            held, size = [], 0
        held.append(split)
        size += split.size_bytes
    if held:
        yield held


def merged(batches: Iterator[pa.RecordBatch], batch_rows: int | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in fewer batches.

    What was read before a reader fails comes before its error, so that errors keep the order of the records.

    Args:
        batches: of one schema.
        batch_rows: at most how many rows a merged batch has.
    """
    held: list[pa.RecordBatch] = []
    size = rows = 0
    try:
        for batch in batches:
            if any(map(holds_dictionary, batch.schema.types)):  # indices are made for the dictionary of their batch
                yield batch
                continue
            more = size_bytes(batch)
            if held and (size + more > MERGED_BYTES or (batch_rows and rows + batch.num_rows > batch_rows)):
                yield _joined(held)
                held, size, rows = [], 0, 0
            held.append(batch)
            size += more
            rows += batch.num_rows
    except TamisError:
        if held:
            yield _joined(held)
        raise
    if held:
        yield _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)
