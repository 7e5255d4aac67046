"""Small outputs as the manifest of version 3 describes them, written without a run."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [("id", pa.int64()), ("text", pa.large_string()), ("source", pa.dictionary(pa.int32(), pa.string()))]
)


def rows(numbers: Iterable[int], texts: Sequence[str] = ()) -> pa.Table:
    """Return rows with ids; without texts, they say their number."""
    ids = np.fromiter(numbers, np.int64)
    found = texts or [f"text of row {i}" for i in ids]
    sources = pa.array([f"s{i * 7 % 3}" for i in ids], pa.string()).dictionary_encode().cast(SCHEMA.field(2).type)
    return pa.table([pa.array(ids), pa.array(found, pa.large_string()), sources], schema=SCHEMA)


def write_sets(out: Path, tables: dict[str, tuple[pa.Table, int, int, int]]) -> Path:
    """Write an output folder of some sets.

    Args:
        out: the folder, new.
        tables: by name of the set: its rows, K, G and R.
    """
    lines: list[dict[str, Any]] = []
    sets: list[dict[str, Any]] = []
    first_row = 0
    for name, (table, files, groups, group_rows) in tables.items():
        folder = name if len(tables) > 1 else ""
        split, _, phase = name.partition("-")
        tail = table.num_rows - files * groups * group_rows
        layout = {"rows": table.num_rows, "files": files, "groups": groups, "group_rows": group_rows, "tail_rows": tail}
        sets.append({"name": name, "split": split, "phase": phase.partition("-")[2] or None, "folder": folder})
        sets[-1] |= {"first_row": first_row, "first_file": len(lines), "layout": layout}
        for file in range(files + 1):
            plain = "tail.parquet" if file == files else f"part-{file:05d}-of-{files:05d}.parquet"
            start = file * groups * group_rows
            part = table.slice(start, tail if file == files else groups * group_rows)
            line = {"file": len(lines), "set": name, "name": f"{folder}/{plain}" if folder else plain}
            lines.append(line | _write(out / "data" / line["name"], part, group_rows, first_row + start))
        first_row += table.num_rows
    schema = table.schema
    manifest = {
        "format": "tamis-shards",
        "format_version": 3,
        "schema": [{"name": field.name, "type": str(field.type)} for field in schema],
        "schema_fingerprint": hashlib.sha256(schema.remove_metadata().serialize()).hexdigest(),
        "seed": 0,
        "tokenizers": [],
        "sets": sets,
        "files": {"data": lines},
    }
    (out / "manifest.json").write_text(json.dumps(manifest))
    return out


def write_set(out: Path, *, files: int, groups: int, group_rows: int, tail_rows: int = 0, first: int = 0) -> Path:
    """Write an output of one set, "train", of rows that are numbered from ``first``."""
    count = files * groups * group_rows + tail_rows
    return write_sets(out, {"train": (rows(range(first, first + count)), files, groups, group_rows)})


def _write(path: Path, table: pa.Table, group_rows: int, first_row: int) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=["source"]) as writer:
        for start in range(0, table.num_rows, group_rows):
            writer.write_table(table.slice(start, group_rows), row_group_size=group_rows)
    metadata = pq.read_metadata(path)
    groups = []
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        columns = [group.column(j) for j in range(group.num_columns)]
        offset = min(c.dictionary_page_offset or c.data_page_offset for c in columns)
        size = sum(c.total_compressed_size for c in columns)
        groups.append({"rows": group.num_rows, "offset": offset, "size_bytes": size})
    text = sum(len(text.encode()) for text in table["text"].to_pylist())
    return {
        "rows": table.num_rows,
        "first_row": first_row,
        "size_bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "groups": groups,
        "sources": {"all": {"rows": table.num_rows, "bytes": text, "tokens": 0}},
    }
