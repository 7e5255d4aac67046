"""What a scan remembers for the next one: the columns and the row fingerprints of tables that have not changed.

Below the output, ``memory/`` holds ``tables.parquet`` (columns of each table), ``projections.parquet`` (which rows are
whose), ``notes.parquet`` (what was noted of a table) and ``rows/`` (``ROWS``). A table is known again by its
stamp: paths, sizes and times of its files; its number in the scan may be another one.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..engine import Engine, Table
from ..state import write_atomically
from .options import Options
from .prints import ROWS

FORMAT_VERSION = 2
FOLDER = "memory"
_FACTS, _ROWS = "memory.json", "rows"
_TABLES, _PROJECTIONS, _NOTES = "tables.parquet", "projections.parquet", "notes.parquet"
_GROUP = pa.schema([("path", pa.string()), ("group", pa.int64())])

_TABLE = pa.schema([("fingerprint", pa.string()), ("columns", pa.binary()), ("statistics", pa.string())])
SIZES = ("distinct", "rows", "check", "high", "low")
_PROJECTION = pa.schema(
    [("number", pa.int64()), ("fingerprint", pa.string()), ("names", pa.list_(pa.string()))]
    + [(name, pa.int64()) for name in SIZES]
)
_NOTE = pa.schema([("fingerprint", pa.string()), ("notes", pa.string())])

Note = dict[str, Any]
"""A row of ``PRINTS`` with a note."""


@dataclass(frozen=True)
class Memory:
    """What is known of tables, by their stamp.

    Attributes:
        folder: where the rows are; None where nothing is remembered.
        columns: serialised schemas.
        statistics: as ``statistics_json`` writes them.
        projections: (fingerprint, names of columns) to the number of its rows.
        sizes: of each number, as in ``Sizes``.
        notes: what the pass over a table noted.
    """

    folder: Path | None = None
    columns: Mapping[str, bytes] = field(default_factory=dict)
    statistics: Mapping[str, str] = field(default_factory=dict)
    projections: Mapping[tuple[str, tuple[str, ...]], int] = field(default_factory=dict)
    sizes: Mapping[int, tuple[int, int, int, int, int]] = field(default_factory=dict)
    notes: Mapping[str, Sequence[Note]] = field(default_factory=dict)

    def knows(self, fingerprint: str, projections: Iterable[tuple[str, ...]]) -> bool:
        """Whether all rows of some projections of a table are remembered."""
        return fingerprint in self.notes and all((fingerprint, names) in self.projections for names in projections)

    def rows(self, engine: Engine, numbers: NDArray[np.int64]) -> Table:
        """Return ``ROWS`` of remembered projections under the numbers that they have now, -1 for those to leave out."""
        paths = sorted((self.folder / _ROWS).glob("*/*.parquet")) if self.folder else []
        groups = [(str(path), i) for path in paths for i in range(pq.read_metadata(path).num_row_groups)]
        batches = [pa.RecordBatch.from_pylist([{"path": path, "group": i}], schema=_GROUP) for path, i in groups]
        return engine.table(pa.Table.from_batches(batches, _GROUP)).map(_Recalling(numbers), ROWS)


@dataclass(frozen=True)
class _Recalling:
    """Reads row groups of remembered rows; plain data."""

    numbers: NDArray[np.int64]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        tables = []
        for place in batch.to_pylist():
            table = pq.ParquetFile(place["path"]).read_row_group(place["group"], ROWS.names, use_threads=False)
            table = table.filter(pc.greater_equal(table["projection"], 0))  # others are notes
            now = self.numbers[table["projection"].to_numpy()]
            table = table.set_column(0, "projection", pa.array(now))
            tables.append(table.filter(pa.array(now >= 0)))
        found = pa.concat_tables(tables).combine_chunks() if tables else ROWS.empty_table()
        return found.to_batches()[0] if found.num_rows else pa.RecordBatch.from_pylist([], schema=ROWS)


def recall(out: Path, options: Options) -> Memory:
    """Return what an earlier scan into an output remembers; nothing if it compared rows otherwise, or is damaged."""
    folder = out / FOLDER
    try:
        facts = json.loads((folder / _FACTS).read_text())
        if facts != _facts(options):
            return Memory()
        tables, projections, notes = (
            pq.ParquetFile(folder / name).read(use_threads=False).to_pylist()
            for name in (_TABLES, _PROJECTIONS, _NOTES)
        )
    except (OSError, ValueError, pa.ArrowException):
        return Memory()
    return Memory(
        folder,
        {row["fingerprint"]: row["columns"] for row in tables},
        {row["fingerprint"]: row["statistics"] for row in tables},
        {(row["fingerprint"], tuple(row["names"])): row["number"] for row in projections},
        {row["number"]: tuple(row[name] for name in SIZES) for row in projections},
        {row["fingerprint"]: json.loads(row["notes"]) for row in notes},
    )


def remember(
    out: Path,
    options: Options,
    *,
    columns: Mapping[str, bytes],
    statistics: Mapping[str, str],
    projections: Mapping[tuple[str, tuple[str, ...]], int],
    sizes: Mapping[int, tuple[int, int, int, int, int]],
    notes: Mapping[str, Sequence[Note]],
    rows: Sequence[Path],
) -> None:
    """Put a scan's knowledge in the place of the last one's.

    Args:
        out: folder of the output.
        options: what counted as the same.
        columns, statistics, projections, sizes, notes: as in ``Memory``.
        rows: folders of saved rows, which are moved.
    """
    folder = out / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    known = [{"fingerprint": one, "columns": schema, "statistics": statistics[one]} for one, schema in columns.items()]
    pq.write_table(pa.Table.from_pylist(known, _TABLE), folder / _TABLES)
    numbered = [
        {"number": n, "fingerprint": one, "names": names} | dict(zip(SIZES, sizes[n], strict=True))
        for (one, names), n in projections.items()
    ]
    pq.write_table(pa.Table.from_pylist(numbered, _PROJECTION), folder / _PROJECTIONS)
    noted = [{"fingerprint": one, "notes": json.dumps(rows)} for one, rows in notes.items()]
    pq.write_table(pa.Table.from_pylist(noted, _NOTE), folder / _NOTES)
    (folder / _ROWS).mkdir()
    for path in rows:
        os.rename(path, folder / _ROWS / path.name)
    write_atomically(folder / _FACTS, json.dumps(_facts(options)))


def _facts(options: Options) -> dict[str, Any]:
    return {"format_version": FORMAT_VERSION, "sameness": list(options.sameness)}
