"""Columns that say what became of each row, for runs that keep all rows (``annotate``)."""

import pyarrow as pa
import pyarrow.compute as pc

from ..hashing.errors import InputError
from .engine import Table

ANNOTATIONS = pa.schema(
    [
        ("tamis_kept", pa.bool_()),
        ("tamis_stage", pa.string()),
        ("tamis_reason", pa.string()),
        ("tamis_keeper", pa.string()),
        ("tamis_keeper_address", pa.int64()),
        ("tamis_similarity", pa.float64()),
        ("tamis_cluster", pa.int64()),
    ]
)
"""Whether the row would have stayed; if not, which stage removed it, why, the id and address of what stays in its
place, their similarity; and the cluster of copies that it is in, null for a row without any."""

_DECIDED = {
    "tamis_stage": "stage",
    "tamis_reason": "reason",
    "tamis_keeper": "keeper_id",
    "tamis_keeper_address": "keeper_address",
    "tamis_similarity": "similarity",
}


def annotated(positioned: Table, decisions: Table, clusters: Table) -> Table:
    """Return (address, position) of rows with ``ANNOTATIONS``."""
    rows = positioned.select("address", "position")
    rows = rows.join(decisions.select("address", **_DECIDED), on=["address"], how="left")
    rows = rows.join(clusters.select("address", tamis_cluster="cluster"), on=["address"], how="left")
    return rows.map(_kept, pa.schema([("address", pa.int64()), ("position", pa.int64()), *ANNOTATIONS]))


def _kept(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = {name: batch.column(name) for name in batch.schema.names}
    columns["tamis_kept"] = pc.is_null(columns["tamis_stage"])
    names = ["address", "position", *ANNOTATIONS.names]
    return pa.RecordBatch.from_arrays([columns[name] for name in names], names=names)


def annotated_schema(schema: pa.Schema) -> pa.Schema:
    """Return the columns of annotated shards.

    Raises:
        InputError: if an input has a column of such a name.
    """
    taken = [name for name in ANNOTATIONS.names if name in schema.names]
    if taken:
        raise InputError(
            "inputs have no columns that annotations are written to",
            value=", ".join(taken),
            remedy="Rename them, or leave out --annotate.",
        )
    return pa.schema([*schema, *ANNOTATIONS], metadata=schema.metadata)
