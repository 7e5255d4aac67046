"""The n first rows of each key of a sorted stream."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def first_of_each(
    batches: Iterator[pa.RecordBatch], by: Sequence[str], *, n: int, at_least: int, sized: bool, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Yield the n first rows of each key that has ``at_least`` rows.

    Args:
        batches: rows sorted by (key, order).
        by: columns of the key, without nulls.
        n: rows to keep.
        at_least: fewest rows of a key.
        sized: whether to append the number of rows of the key.
        schema: of the result.
    """
    held: pa.RecordBatch | None = None  # the first rows of the key that the last batch ended in
    total = 0  # and its rows so far
    for batch in batches:
        if not batch.num_rows:
            continue
        starts = _starts(batch, by)
        same = held is not None and _equal(held, batch, by)
        if held is not None:
            lead = (int(starts[1]) if len(starts) > 1 else batch.num_rows) if same else 0
            if same and held.num_rows < n:
                held = _concat(held, batch.slice(0, min(lead, n - held.num_rows)))
            total += lead
            if same and len(starts) == 1:
                continue
            if total >= at_least:
                yield _sized(held, np.full(held.num_rows, total, np.int64), sized, schema)
            starts = starts[1:] if same else starts
        # All keys that start here, but the last, are complete.
        sizes = np.diff(starts)
        big = sizes >= at_least
        yield from _complete(batch, starts[:-1][big], sizes[big], n, sized, schema)
        last = int(starts[-1])
        total = batch.num_rows - last
        held = batch.slice(last, min(n, total))
    if held is not None and total >= at_least:
        yield _sized(held, np.full(held.num_rows, total, np.int64), sized, schema)


def _starts(batch: pa.RecordBatch, by: Sequence[str]) -> NDArray[np.int64]:
    """Return where a new key starts."""
    new = np.zeros(batch.num_rows, np.bool_)
    new[0] = True
    for name in by:
        values = batch.column(batch.schema.get_field_index(name)).to_numpy(zero_copy_only=False)
        new[1:] |= values[1:] != values[:-1]
    return np.flatnonzero(new)


def _equal(held: pa.RecordBatch, batch: pa.RecordBatch, by: Sequence[str]) -> bool:
    columns = [held.schema.get_field_index(name) for name in by]
    return all(held.column(i)[0] == batch.column(i)[0] for i in columns)


def _concat(a: pa.RecordBatch, b: pa.RecordBatch) -> pa.RecordBatch:
    return pa.Table.from_batches([a, b]).combine_chunks().to_batches()[0]


def _complete(
    batch: pa.RecordBatch,
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    n: int,
    sized: bool,
    schema: pa.Schema,
) -> Iterator[pa.RecordBatch]:
    if not len(starts):
        return
    keep = np.minimum(sizes, n)
    within = np.arange(int(keep.sum())) - np.repeat(np.cumsum(keep) - keep, keep)
    rows = np.repeat(starts, keep) + within
    yield _sized(batch.take(pa.array(rows)), np.repeat(sizes, keep), sized, schema)


def _sized(rows: pa.RecordBatch, sizes: NDArray[np.int64], sized: bool, schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([*rows.columns, *([pa.array(sizes)] if sized else [])], schema=schema)
