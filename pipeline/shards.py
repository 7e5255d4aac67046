"""Rows that have a place in the output, into the files of its sets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ..connectors.address import ADDRESS
from ..connectors.batches import RAW, RULE
from ..connectors.parquet_output import WRITTEN, write_parquet, written_line
from ..connectors.split import Split
from .edits import CUTS, CutOut
from .engine import Engine, Group, Measure, Table, drop_columns
from .layout import Sets
from .mixture import TOKENS

POSITION = "__position"
FILE = "__file"


@dataclass(frozen=True)
class Placer:
    """Adds the file of each position; plain data.

    Attributes:
        sets: the shapes of the output.
        rows: schema of (address, position) and more.
    """

    sets: Sets
    rows: pa.Schema

    @property
    def result(self) -> pa.Schema:
        """Address, file, position and the other columns."""
        return pa.schema([(ADDRESS, pa.int64()), (FILE, pa.int64()), (POSITION, pa.int64()), *list(self.rows)[2:]])

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of ``result``."""
        file = self.sets.files_of(batch.column("position").to_numpy())
        columns = [batch.column("address"), pa.array(file), batch.column("position"), *batch.columns[2:]]
        return pa.RecordBatch.from_arrays(columns, schema=self.result)


@dataclass(frozen=True)
class ShardWriter:
    """Writes the rows of one file, which come sorted by position.

    Attributes:
        folder: where files go.
        sets: the shapes of the output.
        columns: the columns of the files.
        compression: codec.
        chunked: whether pages end where the content says.
        text: name of the text column.
    """

    folder: str
    sets: Sets
    columns: pa.Schema
    compression: str
    chunked: bool
    text: str

    def __call__(self, rows: Group) -> pa.RecordBatch:
        """Write the file and return its line of the manifest (``WRITTEN``)."""
        number = rows.rows[FILE][0].as_py()
        size = self.sets.of_file(number)[0].layout.group_rows
        groups = (rows.sorted(i, i + size).select(self.columns.names) for i in range(0, len(rows), size))
        return self.write(number, (group.cast(self.columns) for group in groups))

    def write(self, number: int, groups: Iterator[pa.Table]) -> pa.RecordBatch:
        """Write one file of some groups."""
        of, place = self.sets.of_file(number)
        name = of.path(place)
        written = write_parquet(
            Path(self.folder) / name,
            groups,
            self.columns,
            compression=self.compression,
            long=[self.text],
            chunked=self.chunked,
        )
        return written_line(number, name, written)


def emit(
    engine: Engine, rows: Table, *, splits: Sequence[Split], full: pa.Schema, writer: ShardWriter, hold: int
) -> Table:
    """Read rows with all their columns and write every shard; return the files written.

    Args:
        engine: what runs the verbs.
        rows: (address, position) of the rows to write, repeated ones once each time, and columns to write beside their
            own.
        splits, full: the inputs.
        writer: writes a file.
        hold: bytes of a file.
    """
    placed = Placer(writer.sets, rows.schema)
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


@dataclass(frozen=True)
class Filed:
    """Says which file each row is in; plain data.

    Attributes:
        sets: the shapes of the output.
        schema: of positioned rows with ``file``.
    """

    sets: Sets
    schema: pa.Schema

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Append ``file``."""
        file = pa.array(self.sets.files_of(batch.column("position").to_numpy()))
        return pa.RecordBatch.from_arrays([*batch.columns, file], schema=self.schema)


def contents(positioned: Table, sets: Sets, counts: Sequence[str]) -> dict[int, dict[str, dict[str, int]]]:
    """Return what each file holds of each source: rows, bytes, and every count.

    Args:
        positioned: rows with their place.
        sets: the shapes of the output.
        counts: columns that count tokens.
    """
    schema = pa.schema([*positioned.schema, ("file", pa.int64())])
    measures: dict[str, tuple[Measure, str]] = {name: ("sum", name) for name in ("bytes", *counts)}
    filed = positioned.map(Filed(sets, schema), schema)
    found = filed.aggregate(by=["file", "source"], rows=("count", "position"), **measures).collect()
    held: dict[int, dict[str, dict[str, int]]] = {number: {} for number in range(sets.files)}
    for line in sorted(found.to_pylist(), key=lambda line: (line["file"], line["source"])):
        file, source = line.pop("file"), line.pop("source")
        held[file][source] = {name.removeprefix(TOKENS): amount for name, amount in line.items()}
    return held
