"""Reading Parquet in the memory of one row group."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq


def batches_of(
    file: pq.ParquetFile,
    rows: int,
    *,
    columns: Sequence[str] | None = None,
    groups: Iterable[int] | None = None,
    threads: bool = True,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file, one row group after another: asked for several, pyarrow fetches all before the first.

    Args:
        file: an open file.
        rows: at most how many a batch has.
        columns: their names; default: all.
        groups: row groups; default: all.
        threads: whether columns are decoded in parallel.
    """
    names = None if columns is None else list(columns)
    for group in range(file.num_row_groups) if groups is None else groups:
        yield from file.iter_batches(rows, row_groups=[group], columns=names, use_threads=threads)
