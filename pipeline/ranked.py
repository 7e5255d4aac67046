"""Rows in rank order: the dense numbers that stages speak of."""

import pyarrow as pa

from .engine import Table
from .keep import KeepPolicy

COLUMNS = ("address", "id", "source", "bytes", "tokens", "hash_high", "hash_low")
_POLICY = ("policy_missing", "policy_high", "policy_low")
_ID = ("id_missing", "id_order")


def rank(documents: Table, keep: KeepPolicy) -> Table:
    """Return the rows of the first pass that broke no rule, with ``row``, their number in rank order: 0 is the best.

    Args:
        documents: the first pass.
        keep: which copy survives. ``first`` is the address alone.
    """
    keys = () if keep.is_first else (*_POLICY, *_ID)
    order = ["address"] if keep.is_first else [*_POLICY, "hash_high", "hash_low", *_ID, "address"]
    chosen = documents.select(*COLUMNS, *keys, "rule")
    return chosen.map(_good, chosen.schema).number(order=order, name="row").select(*COLUMNS, "row")


def _good(batch: pa.RecordBatch) -> pa.RecordBatch:
    rule = batch.column("rule")
    return batch if rule.null_count == len(rule) else batch.filter(rule.is_null())
