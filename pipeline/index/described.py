"""What there is to say of an index: its size, its fill, what it does by mistake."""

from dataclasses import asdict
from typing import Any

import numpy as np

from .form import OpenIndex
from .recall import filters_of

Fact = dict[str, Any]


def describe(index: OpenIndex) -> Fact:
    """Return facts about an index as plain data.

    ``fill`` is the share of bits that are set; ``rate_now`` the chance that a row like no other is flagged now;
    ``flags_expected`` how many of the rows that came in were, if none was like another.
    """
    sizes = {kind: sum(line["size_bytes"] for line in index.lines(kind)) for kind in ("bloom", "rows", "keys")}
    rows = index.rows
    facts: Fact = {
        "path": str(index.store.path),
        "kind": index.header["kind"],
        "witness": index.witness,
        "rows": rows,
        "files": len(index.files),
        "batches": [
            {key: batch[key] for key in ("run", "rows", "rows_after", "files_after")} for batch in index.batches
        ],
        "shape": asdict(index.shape),
        "near": index.header["near"],
        "columns": index.header["columns"],
        "bytes": sizes,
        "bytes_per_row": {kind: round(size / rows, 2) if rows else None for kind, size in sizes.items()},
    }
    if index.plan is not None:
        plan = index.plan
        facts["bloom"] = {
            **asdict(plan),
            "filter_bytes": plan.filter_bytes,
            "parts": index.shards,
            "fill": round(fill(index), 6),
            "rate_now": plan.index_rate(rows),
            "flags_expected": plan.expected_flags(rows),
            "room": plan.capacity - rows,
        }
    return facts


def fill(index: OpenIndex) -> float:
    """Return the share of the bits of all filters that are set."""
    plan = index.plan
    if plan is None:
        return 0.0
    ones = 0
    filters_of(index)  # their form and bytes are checked
    for line in index.lines("bloom"):
        words = np.memmap(index.store.path / line["name"], np.uint64, "r")
        ones += sum(int(np.bitwise_count(words[i : i + (1 << 20)]).sum()) for i in range(0, len(words), 1 << 20))
    return ones / (plan.bands * plan.blocks * plan.block_bits)
