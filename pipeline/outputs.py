"""What a run leaves behind: shards, decisions, pairs, clusters, quarantine, index, ledger."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from .clusters import EDGES, components
from .decisions import DECISIONS, QUARANTINE, name_clusters, name_decisions, name_pairs
from .engine import Table
from .ledger import Ledger, build_ledger
from .written import write_sorted

INDEX = ("position", "address", "source", "bytes", "tokens", "hash_high", "hash_low")
_COUNTED = ("address", "source", "bytes", "tokens")
_AMOUNTS: dict[str, Any] = {"rows": ("count", "address"), "bytes": ("sum", "bytes"), "tokens": ("sum", "tokens")}


@dataclass(frozen=True)
class Outcome:
    """The tables that a run comes to, saved.

    Attributes:
        documents: the first pass.
        ranked: good rows in rank order.
        rows: their number.
        drops: dropped rows of all stages (``STAGED``).
        pairs: verified pairs of rows.
        positioned: kept rows with their place in the output.
        capped_rows: rows that were in a bucket of more rows than anchors.
    """

    documents: Table
    ranked: Table
    rows: int
    drops: Table
    pairs: Table
    positioned: Table
    capped_rows: int


def write_tables(outcome: Outcome, out: Path) -> dict[str, list[dict[str, Any]]]:
    """Write everything but the shards; return the files by folder."""
    decisions = name_decisions(outcome.drops, outcome.ranked).save("decisions")
    edges = outcome.drops.select(first="row", second="keeper").union(
        outcome.pairs.select(first="worse", second="better")
    )
    members = components(edges.select(*EDGES.names), rows=outcome.rows).save("components")
    clusters = name_clusters(members, outcome.ranked, outcome.drops.select("row", "stage"))
    pairs = name_pairs(outcome.pairs, outcome.ranked)
    quarantine = bad(outcome.documents.select(*QUARANTINE.names))
    return {
        "decisions": write_sorted(decisions.select(*DECISIONS.names), ["address"], out / "decisions"),
        "pairs": write_sorted(pairs, ["address", "better_address"], out / "pairs"),
        "clusters": write_sorted(clusters, ["cluster", "address"], out / "clusters"),
        "quarantine": write_sorted(quarantine, ["address"], out / "quarantine"),
        "index": write_sorted(outcome.positioned.select(*INDEX), ["position"], out, single="index.parquet"),
    }


def count(outcome: Outcome) -> Ledger:
    """Count every row from the table that it ended in; what the shards emit is not known yet."""
    staged = outcome.drops.select("row", "stage")
    dropped = outcome.ranked.select("row", *_COUNTED).join(staged, on=["row"])
    quarantined = bad(outcome.documents.select(*_COUNTED, "rule"))
    return build_ledger(
        read=outcome.documents.select(*_COUNTED).aggregate(by=["source"], **_AMOUNTS).collect(),
        kept=outcome.positioned.select(*_COUNTED).aggregate(by=["source"], **_AMOUNTS).collect(),
        dropped=dropped.aggregate(by=["source", "stage"], **_AMOUNTS).collect(),
        quarantined=quarantined.aggregate(by=["source", "rule"], **_AMOUNTS).collect(),
        emitted_rows=0,
        capped_rows=outcome.capped_rows,
    )


def bad(table: Table) -> Table:
    """Keep the rows that broke a rule."""
    return table.map(_rule_is_set, table.schema)


def _rule_is_set(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(batch.column("rule").is_valid())
