"""What leaves a run besides shards: decisions, pairs, clusters and quarantine, with names instead of row numbers."""

import pyarrow as pa

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
    ]
)
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
    ]
)

REASONS = {"exact": "exact-duplicate", "near": "near-duplicate"}


def name_decisions(drops: Table, ranked: Table) -> Table:
    """Return the decisions of all stages from their (row, keeper, similarity, stage)."""
    names = ranked.select("row", "address", "id", "source")
    keepers = ranked.select(keeper="row", keeper_address="address", keeper_id="id")
    return drops.join(names, on=["row"]).join(keepers, on=["keeper"]).map(_decision, DECISIONS)


def _decision(batch: pa.RecordBatch) -> pa.RecordBatch:
    stages = batch.column("stage")
    reasons = pa.array([REASONS[stage] for stage in stages.to_pylist()], pa.string())
    derived = {"reason": reasons, "keeper_corpus": pa.nulls(batch.num_rows, pa.string())}
    columns = [derived[name] if name in derived else batch.column(name) for name in DECISIONS.names]
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
    names = ranked.select("row", "address", "id", "source")
    named = members.join(sizes, on=["best"]).join(best, on=["best"]).join(names, on=["row"])
    return named.join(dropped, on=["row"], how="left").map(_cluster, CLUSTERS)


def _cluster(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [batch.column(name) for name in CLUSTERS.names[:-1]]
    return pa.RecordBatch.from_arrays([*columns, batch.column("stage").is_null()], schema=CLUSTERS)
