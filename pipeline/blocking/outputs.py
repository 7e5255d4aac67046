"""What a blocking run leaves.

pairs.parquet        the pairs to compare
blockers/NAME.parquet    what each blocker found by itself, where there are several
records.parquet      the ids of all records, and their texts: evaluation needs both
quarantine.parquet   records that could not be read, where there are some
block.json           settings, counts, blocks, and rows and checksums of the files beside it
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...connectors.parquet_output import write_parquet
from ...hashing.errors import ArtefactError
from ..recorded_files import fault_of, line_of
from .options import Options
from .pairs import PAIRS
from .search import Block, Blocks
from .sides import Sides, records_table

FORMAT, FORMAT_VERSION = "tamis-block", 2
REPORT = "block.json"
PAIRS_FILE, RECORDS_FILE, QUARANTINE_FILE, EACH = "pairs.parquet", "records.parquet", "quarantine.parquet", "blockers"

QUARANTINE = pa.schema([("side", pa.string()), ("path", pa.string()), ("record", pa.int64()), ("rule", pa.string())])
"""Records that could not be read, which count from 0."""

_ROWS = 1 << 20


def write_tables(
    out: Path, sides: Sides, pairs: pa.Table, each: dict[str, pa.Table], *, text: bool
) -> list[dict[str, Any]]:
    """Write the tables of a run; return a line for each, with ``name``, ``rows``, ``size_bytes`` and ``sha256``."""
    tables = {PAIRS_FILE: pairs.cast(PAIRS)}
    if len(each) > 1:
        (out / EACH).mkdir(exist_ok=True)
        tables |= {file_of(name): found.cast(PAIRS) for name, found in each.items()}
    tables[RECORDS_FILE] = records_table(sides, text=text)
    if sides.unread:
        columns = [pa.array(column) for column in zip(*sides.unread, strict=True)]
        tables[QUARANTINE_FILE] = pa.Table.from_arrays(columns, schema=QUARANTINE)
    return [_written(out, name, table) for name, table in tables.items()]


def file_of(blocker: str) -> str:
    """Return the name of the file of what one of several blockers found."""
    return f"{EACH}/{blocker}.parquet"


def _written(out: Path, name: str, table: pa.Table) -> dict[str, Any]:
    groups = (table.slice(first, _ROWS) for first in range(0, table.num_rows, _ROWS))
    return line_of(name, write_parquet(out / name, groups, table.schema))


def check_files(folder: Path, report: dict[str, Any], blockers: Sequence[str]) -> None:
    """Make sure that the files of a run are those that its ``block.json`` tells of.

    Args:
        folder: of the run.
        report: what ``block.json`` holds.
        blockers: of the run.

    Raises:
        ArtefactError: one is missing or another, or is not told of.
    """
    lines = {line["name"]: line for line in report["files"]}
    names = [PAIRS_FILE, *(map(file_of, blockers) if len(blockers) > 1 else ()), RECORDS_FILE]
    for name in [*names, *([QUARANTINE_FILE] if report["records"]["unread"] else [])]:
        fault = fault_of(folder / name, lines[name]) if name in lines else f"{folder / REPORT} says nothing of {name}"
        if fault is not None:
            raise ArtefactError(
                "the files of a blocking run are as they were written", value=fault, remedy="Block again."
            )


def report_of(
    inputs: list[str],
    options: Options,
    sides: Sides,
    pairs: pa.Table,
    each: dict[str, tuple[pa.Table, Blocks | None]],
    files: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return what ``block.json`` holds: the same for the same inputs and options, whatever runs it.

    The pairs of a blocker are those that it finds by itself, before the budget is kept.
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
        "files": files,
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
