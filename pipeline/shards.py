"""Emission: kept rows, in the order of a keyed hash, into shards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..connectors.address import ADDRESS
from ..connectors.batches import RAW, RULE
from ..connectors.parquet_output import WRITTEN, write_parquet, written_line
from ..connectors.split import Split
from ..hashing.mix import derive_seed
from ..hashing.murmur3 import murmur3_all
from .edits import CUTS, CutOut
from .engine import Engine, Group, Table, drop_columns
from .layout import Layout
from .text_column import text_buffers

POSITION = "__position"
FILE = "__file"
_KEYED = pa.schema(
    [
        ("address", pa.int64()),
        ("source", pa.string()),
        ("bytes", pa.int64()),
        ("tokens", pa.int64()),
        ("hash_high", pa.int64()),
        ("hash_low", pa.int64()),
        ("order_high", pa.int64()),
        ("order_low", pa.int64()),
    ]
)


@dataclass(frozen=True)
class OrderKey:
    """The keyed hash that orders the output: MurmurHash3 of the id, or of the text's hash, under a seed.

    Attributes:
        seed: the seed of the run.
        epoch: enters the key.
        by_id: whether rows have ids.
    """

    seed: int
    epoch: int
    by_id: bool

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Add ``order_high`` and ``order_low`` to rows of the ranked table."""
        text = np.stack([batch.column("hash_high").to_numpy(), batch.column("hash_low").to_numpy()], axis=1)
        data, offsets = (
            np.ascontiguousarray(text).view(np.uint8).reshape(-1),
            np.arange(len(text) + 1, dtype=np.int64) * 16,
        )
        if self.by_id:
            data, offsets = text_buffers(batch.column("id"))
        keys = murmur3_all(data, offsets, np.uint64(derive_seed(self.seed, f"order {self.epoch}"))).view(np.int64)
        columns = [batch.column(name) for name in _KEYED.names[:-2]]
        columns += [pa.array(np.ascontiguousarray(keys[:, i])) for i in (0, 1)]
        return pa.RecordBatch.from_arrays(columns, schema=_KEYED)


def position_rows(kept: Table, key: OrderKey) -> Table:
    """Return the kept rows with ``position``, their place in the output."""
    keyed = kept.map(key, _KEYED)
    return keyed.number(order=["order_high", "order_low", "hash_high", "hash_low", "address"], name="position")


@dataclass(frozen=True)
class Placer:
    """Adds the file of each position; plain data.

    Attributes:
        layout: the shape of the output.
        rows: schema of (address, position) and more.
    """

    layout: Layout
    rows: pa.Schema

    @property
    def result(self) -> pa.Schema:
        """Address, file, position and the other columns."""
        return pa.schema([(ADDRESS, pa.int64()), (FILE, pa.int64()), (POSITION, pa.int64()), *list(self.rows)[2:]])

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of ``result``."""
        position = batch.column("position").to_numpy()
        file = np.minimum(position // max(1, self.layout.file_rows), self.layout.files)
        columns = [batch.column("address"), pa.array(file), batch.column("position"), *batch.columns[2:]]
        return pa.RecordBatch.from_arrays(columns, schema=self.result)


@dataclass(frozen=True)
class ShardWriter:
    """Writes the rows of one file, which come sorted by position.

    Attributes:
        folder: where files go.
        layout: the shape of the output.
        columns: the columns of the files.
        compression: codec.
        text: name of the text column.
    """

    folder: str
    layout: Layout
    columns: pa.Schema
    compression: str
    text: str

    def __call__(self, rows: Group) -> pa.RecordBatch:
        """Write the file and return its line of the manifest (``WRITTEN``)."""
        number = rows.rows[FILE][0].as_py()
        size = self.layout.group_rows
        groups = (rows.sorted(i, i + size).select(self.columns.names) for i in range(0, len(rows), size))
        return self.write(number, (group.cast(self.columns) for group in groups))

    def write(self, number: int, groups: Iterator[pa.Table]) -> pa.RecordBatch:
        """Write one file of some groups."""
        path = Path(self.folder) / self.layout.name(number)
        written = write_parquet(path, groups, self.columns, compression=self.compression, long=[self.text])
        return written_line(number, path.name, *written)


def emit(
    engine: Engine, rows: Table, *, splits: Sequence[Split], full: pa.Schema, writer: ShardWriter, hold: int
) -> Table:
    """Read rows with all their columns and write every shard; return the files written.

    Args:
        engine: what runs the verbs.
        rows: (address, position) of the rows to write, and columns to write beside their own.
        splits, full: the inputs.
        writer: writes a file.
        hold: bytes of a file.
    """
    placed = Placer(writer.layout, rows.schema)
    places = rows.map(placed, placed.result)
    read = engine.read(splits, full, full=full, only=places)
    body = read.map(_Body(), drop_columns(read.schema, (ADDRESS, RULE, RAW)))
    if CUTS in rows.schema.names:
        left = drop_columns(body.schema, (CUTS,))
        place = left.get_field_index(writer.text)
        left = left.set(place, pa.field(writer.text, pa.large_string()))
        body = body.map(CutOut(writer.text, left), left)
    return body.group(by=FILE, sort=[POSITION], fn=writer, schema=WRITTEN, hold=hold)


class _Body:
    """Drops the reader's own columns."""

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.drop_columns([ADDRESS, RULE, RAW])
