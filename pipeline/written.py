"""Tables written to the output folder by the driver, in a total order, with equal bytes for equal rows."""

import itertools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from ..connectors.parquet_output import WRITTEN, write_parquet, written_line
from .engine import Table

GROUP_ROWS = 131_072
_LISTED = ("file", "name", "rows", "size_bytes", "sha256")
PART_ROWS = 32 * GROUP_ROWS


def exact_slices(batches: Iterator[pa.RecordBatch], rows: int, schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield tables of exactly ``rows`` rows, the last one shorter; nothing for no rows."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        while count + batch.num_rows >= rows:
            head = batch.slice(0, rows - count)
            yield pa.Table.from_batches([*held, head], schema)
            held, batch, count = [], batch.slice(rows - count), 0
        if batch.num_rows:
            held.append(batch)
            count += batch.num_rows
    if count:
        yield pa.Table.from_batches(held, schema)


class PartWriter:
    """Writes a sorted stream as ``part-00000.parquet``, ``part-00001.parquet`` ... and yields a line for each.

    Args:
        folder: where files go; what is there is replaced.
        schema: of the rows.
        single: name of the one file to write instead.
    """

    def __init__(self, folder: Path, schema: pa.Schema, *, single: str | None = None) -> None:
        self._folder, self._schema, self._single = folder, schema, single

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write all rows; yields rows of ``WRITTEN``."""
        if self._single is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
        groups = exact_slices(batches, GROUP_ROWS, self._schema)
        group: pa.Table | None = next(groups, self._schema.empty_table())
        for number in itertools.count():
            if group is None:
                return
            more = groups if self._single else itertools.islice(groups, PART_ROWS // GROUP_ROWS - 1)
            name = self._single or f"part-{number:05d}.parquet"
            written = write_parquet(self._folder / name, itertools.chain([group], more), self._schema)
            yield written_line(number, name, written)
            group = next(groups, None)


def write_sorted(
    table: Table, order: Sequence[str], folder: Path, *, single: str | None = None
) -> list[dict[str, object]]:
    """Write a table in order and return its files, each with name, rows, size_bytes and sha256."""
    writer = PartWriter(folder, table.schema, single=single)
    lines = table.fold(order=order, fn=writer, schema=WRITTEN).collect()
    return [{name: line[name] for name in _LISTED} for line in lines.to_pylist()]
