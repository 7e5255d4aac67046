"""Numbering rows as they come."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa


def with_numbers(batches: Iterator[pa.RecordBatch], first: int, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield rows with their number as a last column.

    Args:
        batches: rows.
        first: the number of the first row.
        schema: of the result; its last column is int64.
    """
    for batch in batches:
        numbers = pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64))
        first += batch.num_rows
        yield pa.RecordBatch.from_arrays([*batch.columns, numbers], schema=schema)
