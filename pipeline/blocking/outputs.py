"""What a blocking run leaves.

pairs.parquet        the pairs to compare
blockers/NAME.parquet    what each blocker found by itself, where there are several
records.parquet      the ids of all records, and their texts: evaluation needs both
quarantine.parquet   records that could not be read, where there are some
block.json           settings, counts and blocks
"""

from pathlib import Path
from typing import Any

import pyarrow as pa

from ...connectors.parquet_output import write_parquet
from .options import Options
from .pairs import PAIRS
from .search import Block, Blocks
from .sides import Sides, records_table

FORMAT, FORMAT_VERSION = "tamis-block", 1
REPORT = "block.json"
PAIRS_FILE, RECORDS_FILE, QUARANTINE_FILE, EACH = "pairs.parquet", "records.parquet", "quarantine.parquet", "blockers"

QUARANTINE = pa.schema([("side", pa.string()), ("path", pa.string()), ("record", pa.int64()), ("rule", pa.string())])
"""Records that could not be read, which count from 0."""

_ROWS = 1 << 20


def write_tables(out: Path, sides: Sides, pairs: pa.Table, each: dict[str, pa.Table], *, text: bool) -> None:
    """Write the tables of a run."""
    _write(out / PAIRS_FILE, pairs.cast(PAIRS))
    if len(each) > 1:
        (out / EACH).mkdir(exist_ok=True)
        for name, found in each.items():
            _write(out / EACH / f"{name}.parquet", found.cast(PAIRS))
    _write(out / RECORDS_FILE, records_table(sides, text=text))
    if sides.unread:
        columns = [pa.array(column) for column in zip(*sides.unread, strict=True)]
        _write(out / QUARANTINE_FILE, pa.Table.from_arrays(columns, schema=QUARANTINE))


def _write(path: Path, table: pa.Table) -> None:
    groups = (table.slice(first, _ROWS) for first in range(0, table.num_rows, _ROWS))
    write_parquet(path, groups, table.schema)


def report_of(
    inputs: list[str], options: Options, sides: Sides, pairs: pa.Table, each: dict[str, tuple[pa.Table, Blocks | None]]
) -> dict[str, Any]:
    """Return what ``block.json`` holds: the same for the same inputs and options, whatever runs it.

    The pairs of a blocker are those that it finds by itself, before others are left out and the budget is kept.
    """
    paired = {"left": len(pairs["left_id"].unique()), "right": len(pairs["right_id"].unique())}
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "inputs": inputs,
        "options": options.as_json(),
        "delimiters": list(sides.delimiters),
        "records": {
            "left": len(sides.left),
            "right": None if sides.right is None else len(sides.right),
            "unread": len(sides.unread),
        },
        "pairs": {
            "found": pairs.num_rows,
            "possible": sides.possible,
            "cssr": pairs.num_rows / sides.possible if sides.possible else 0.0,
            "records_with_a_pair": paired,
        },
        "blockers": {
            name: {"pairs": found.num_rows, "blocks": None if blocks is None else _of_blocks(blocks)}
            for name, (found, blocks) in each.items()
        },
    }


def _of_blocks(blocks: Blocks) -> dict[str, Any]:
    return {
        "count": blocks.count,
        "purged": blocks.purged,
        "purged_pairs": blocks.purged_pairs,
        "largest": [
            {"key": block.key, "left": block.left, "right": block.right, "purged": block.purged}
            for block in blocks.largest
        ],
    }


def blocks_of(said: dict[str, Any] | None) -> Blocks | None:
    """Return the blocks that ``block.json`` tells of."""
    if said is None:
        return None
    return Blocks(**said | {"largest": tuple(Block(**block) for block in said["largest"])})
