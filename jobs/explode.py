"""Packed values to rows, and which of them can be left out because they occur once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.packed import rows_of
from ..hashing.twice import bits_for, mark, no_counts, seen_twice

if TYPE_CHECKING:
    from .local import LocalEngine

REPEATED_SHARE = 0.25
"""Share of the engine's memory for counts: that of grouping, which never happens at the same time."""

SLOTS = 32
"""Slots a value, where there is memory for them: about one in so many that occur once is taken for repeated."""

UNKNOWN_BYTES = 512 << 20
"""Most bytes of counts where nobody knows how many values there are: few values would touch a page of them each."""

Among = Callable[[NDArray[np.int64]], NDArray[np.int64]]
"""Values in, the places of some of them out."""


def packed_values(array: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (the int64 packed in a binary array, how many of them each row has)."""
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    if not len(array):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    data = array.buffers()[2]
    values = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]] if data else np.empty(0, np.uint8)
    return values.view(np.int64), np.diff(offsets).astype(np.int64) // 8


def repeated_values(
    batches: Iterator[pa.RecordBatch], column: str, value_bytes: int | None, engine: "LocalEngine"
) -> Among:
    """Return a function that finds the values that may occur twice in a column.

    Each thread counts in a part of the slots of its own, so that no count is lost whatever the threads do.
    """
    room = int(engine.memory_bytes * REPEATED_SHARE)
    wanted = UNKNOWN_BYTES if value_bytes is None else value_bytes // 8 * SLOTS // 4
    bits = bits_for(min(room, wanted))
    counts = no_counts(bits)
    with ThreadPoolExecutor(engine.threads, thread_name_prefix="tamis-count") as pool:
        for batch in batches:
            values, _ = packed_values(batch.column(column))
            parts = [pool.submit(mark, values, counts, bits, part, engine.threads) for part in range(engine.threads)]
            for part in parts:
                part.result()
    return lambda values: seen_twice(values, counts, bits)


def exploded(batch: pa.RecordBatch, *, column: str, schema: pa.Schema, among: Among | None) -> pa.RecordBatch:
    """Return a row for each value packed in a column, or for those that ``among`` lets through."""
    values, lengths = packed_values(batch.column(column))
    if among is None:
        rows = np.repeat(np.arange(len(lengths)), lengths)
    else:
        kept = among(values)
        values, rows = values[kept], rows_of(kept, lengths)
    others = batch.drop_columns([column]).take(pa.array(rows))
    return pa.RecordBatch.from_arrays([*others.columns, pa.array(values)], schema=schema)
