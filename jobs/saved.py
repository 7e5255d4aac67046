"""Saved tables: a folder of Parquet parts, and a list of those that count, written last.

Both engines write and read them, so a run may be taken up by the other one. Parts have names of their own for every
attempt to write them: what a task that was killed or run twice left behind is in no list and so is never read.
"""

import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..connectors.batches import conform
from ..connectors.row_groups import batches_of
from ..hashing.errors import ArtefactError
from ..pipeline.state import write_atomically

BATCH_BYTES = 4 << 20
GROUP_ROWS = 262_144
LIST = "_SAVED"
_MANY = 512


@dataclass(frozen=True)
class Part:
    """One file of a saved table.

    Attributes:
        name: of the file.
        rows: their number.
        sizes: bytes of each column, before compression.
    """

    name: str
    rows: int
    sizes: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all columns."""
        return sum(self.sizes)


def begin(folder: Path) -> None:
    """Clear what an unfinished attempt left and make the folder of a table."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def commit(folder: Path, parts: Sequence[Part]) -> None:
    """List the parts that make up the table, in its order; it is saved from here on."""
    write_atomically(folder / LIST, json.dumps({"parts": [asdict(part) for part in parts]}))


def is_saved(folder: Path) -> bool:
    """Whether a table is complete."""
    return (folder / LIST).exists()


def parts_of(folder: Path) -> tuple[Part, ...]:
    """Return the parts of a saved table, in order.

    Raises:
        ArtefactError: if the list cannot be read.
    """
    try:
        parts = json.loads((folder / LIST).read_text())["parts"]
        return tuple(Part(part["name"], part["rows"], tuple(part["sizes"])) for part in parts)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ArtefactError(
            "the list of a saved table is JSON that Tamis wrote",
            value=folder / LIST,
            remedy="Delete the folder of this run's work and run again.",
        ) from error


def write_part(folder: Path, stem: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Part:
    """Write one part under a name that no other attempt has."""
    name = f"{stem}-{uuid.uuid4().hex[:12]}.parquet"
    rows, sizes = 0, np.zeros(len(schema), np.int64)
    options = {"compression": _codecs(schema), "use_dictionary": False, "write_statistics": False}
    with pq.ParquetWriter(folder / name, schema, **options) as writer:
        for group in _regrouped(batches, schema):
            rows, sizes = rows + group.num_rows, sizes + [column.nbytes for column in group.columns]
            writer.write_table(group)
    return Part(name, rows, tuple(sizes.tolist()))


def _codecs(schema: pa.Schema) -> dict[str, str]:
    """Return how columns are compressed: numbers and packed hashes not at all, most of them would not shrink."""
    bare = {field.name: pa.types.is_binary(field.type) or pa.types.is_primitive(field.type) for field in schema}
    return {name: "none" if is_bare else "lz4" for name, is_bare in bare.items()}


def _regrouped(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield tables of enough rows to make a row group."""
    held: list[pa.RecordBatch] = []
    rows = size = small = 0
    for batch in batches:
        held.append(batch)
        small += 1
        if small == _MANY:  # batches of a row each, from files of a record each, weigh far more than their rows
            held[-small:] = pa.Table.from_batches(held[-small:], schema).combine_chunks().to_batches()
            small = 0
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= GROUP_ROWS or size >= 16 * BATCH_BYTES:
            yield pa.Table.from_batches(held, schema)
            held, rows, size, small = [], 0, 0, 0
    yield pa.Table.from_batches(held, schema)


def read_part(path: Path, stored: Sequence[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a part.

    Args:
        path: the file.
        stored: the column of the file behind each column of ``schema``.
        schema: names and types of the rows.
    """
    with pq.ParquetFile(path) as file:
        size = column_bytes(file.metadata, stored)
        rows = max(1024, BATCH_BYTES * file.metadata.num_rows // max(1, size))
        for batch in batches_of(file, rows, columns=list(dict.fromkeys(stored))):
            named = pa.RecordBatch.from_arrays([batch.column(name) for name in stored], names=schema.names)
            yield pa.RecordBatch.from_arrays(conform(named, schema), schema=schema)


def column_bytes(metadata: pq.FileMetaData, stored: Sequence[str]) -> int:
    """Return how many bytes some columns of a file have, uncompressed."""
    paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    places = [i for i, path in enumerate(paths) if any(path == name or path.startswith(f"{name}.") for name in stored)]
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    return int(sum(group.column(i).total_uncompressed_size for group in groups for i in places))
