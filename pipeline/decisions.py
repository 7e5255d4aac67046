"""What leaves a run besides shards: decisions, pairs, clusters and quarantine, with names instead of row numbers."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..connectors.address import RECORD_BITS, file_of
from .engine import Table

DECISIONS = pa.schema(
    [
        ("address", pa.int64()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("keeper_address", pa.int64()),
        ("keeper_id", pa.string()),
        ("keeper_corpus", pa.string()),
        ("similarity", pa.float64()),
        ("bytes", pa.int64()),
        ("tokens", pa.int64()),
    ]
)
"""Removed records; ``bytes`` and ``tokens`` are those of the text that went."""

PAIRS = pa.schema(
    [
        ("address", pa.int64()),
        ("id", pa.string()),
        ("better_address", pa.int64()),
        ("better_id", pa.string()),
        ("similarity", pa.float64()),
        ("rank", pa.int64()),
        ("better_rank", pa.int64()),
    ]
)
"""Verified pairs; ranks are dense over the run's good rows, so that decisions can be made again from pairs alone."""

CLUSTERS = pa.schema(
    [
        ("cluster", pa.int64()),
        ("size", pa.int64()),
        ("address", pa.int64()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("kept", pa.bool_()),
    ]
)
QUARANTINE = pa.schema(
    [
        ("address", pa.int64()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("rule", pa.string()),
        ("detail", pa.string()),
        ("raw", pa.binary()),
        ("bytes", pa.int64()),
        ("tokens", pa.int64()),
    ]
)

REASONS = {
    "exact": "exact-duplicate",
    "near": "near-duplicate",
    "contained": "contained",
    "semantic": "same-meaning",
    "balance": "full-leaf",
    "select": "represented",
    "paragraphs": "emptied",
    "bloom": "bloom",
}


def name_decisions(drops: Table, ranked: Table, references: tuple[str, ...]) -> Table:
    """Return the decisions of exact and near stages from their (row, keeper, similarity, stage).

    Args:
        drops: what the stages dropped.
        ranked: all ranked rows.
        references: names of the files that were there already, which are the first.
    """
    names = ranked.select("row", "address", "id", "source", "bytes", "tokens")
    keepers = ranked.select(keeper="row", keeper_address="address", keeper_id="id")
    return (
        drops.join(names, on=["row"]).join(keepers, on=["keeper"], how="left").map(CopyDecision(references), DECISIONS)
    )


@dataclass(frozen=True)
class CopyDecision:
    """Says why a copy went; plain data.

    Attributes:
        references: names of the files that were there already.
    """

    references: tuple[str, ...]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of ``DECISIONS``."""
        reasons = pa.array([REASONS[stage] for stage in batch.column("stage").to_pylist()], pa.string())
        nowhere = len(self.references)
        places = batch.column("keeper_address").fill_null(nowhere << RECORD_BITS).to_numpy()
        files = np.minimum(file_of(places), nowhere)
        corpora = pa.array([*self.references, None], pa.string()).take(pa.array(files))
        derived = {"reason": reasons, "keeper_corpus": corpora}
        columns = [derived[name] if name in derived else batch.column(name) for name in DECISIONS.names]
        return pa.RecordBatch.from_arrays(columns, schema=DECISIONS)


def filter_decisions(documents: Table, conditions: tuple[str, ...]) -> Table:
    """Return the decisions of the filters: the condition is the reason, and nothing stays in the row's place."""
    rows = documents.select("address", "id", "source", "bytes", "tokens", "filtered")
    return rows.map(FilterDecision(conditions), DECISIONS)


@dataclass(frozen=True)
class FilterDecision:
    """Says which filter a row failed; plain data.

    Attributes:
        conditions: of the filters, in order.
    """

    conditions: tuple[str, ...]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of ``DECISIONS`` for those that failed one."""
        failed = batch.filter(pc.greater_equal(batch.column("filtered"), 0))
        n = failed.num_rows
        derived = {
            "stage": pa.repeat("filter", n),
            "reason": pa.array(self.conditions, pa.string()).take(failed.column("filtered")),
        }
        names = failed.schema.names
        columns = [
            derived.get(field.name, failed.column(field.name) if field.name in names else pa.nulls(n, field.type))
            for field in DECISIONS
        ]
        return pa.RecordBatch.from_arrays(columns, schema=DECISIONS)


def name_pairs(pairs: Table, ranked: Table) -> Table:
    """Return the verified pairs with addresses and ids."""
    worse = ranked.select("address", "id", worse="row")
    better = ranked.select(better="row", better_address="address", better_id="id")
    named = pairs.join(worse, on=["worse"]).join(better, on=["better"])
    return named.select(*PAIRS.names[:5], rank="worse", better_rank="better")


def name_clusters(members: Table, ranked: Table, dropped: Table) -> Table:
    """Return the members of clusters.

    Args:
        members: (row, best).
        ranked: all ranked rows.
        dropped: (row, stage) of all dropped rows.
    """
    sizes = members.aggregate(by=["best"], size=("count", "row"))
    best = ranked.select(best="row", cluster="address")
    names = ranked.select("row", "address", "id", "source")
    named = members.join(sizes, on=["best"]).join(best, on=["best"]).join(names, on=["row"])
    return named.join(dropped, on=["row"], how="left").map(_cluster, CLUSTERS)


def _cluster(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [batch.column(name) for name in CLUSTERS.names[:-1]]
    return pa.RecordBatch.from_arrays([*columns, batch.column("stage").is_null()], schema=CLUSTERS)
