"""Rows in rank order: the dense numbers that stages speak of."""

from .engine import Table
from .keep import KeepPolicy

COLUMNS = ("address", "id", "source", "bytes", "tokens", "hash_high", "hash_low")


def rank(good: Table, keep: KeepPolicy) -> Table:
    """Return the good rows with ``row``, their number in rank order: 0 is the best.

    Args:
        good: rows of the first pass that broke no rule.
        keep: which copy survives. ``first`` is the address alone.
    """
    if keep.is_first:
        return good.select(*COLUMNS).number(order=["address"], name="row")
    order = ["policy", "hash_high", "hash_low", "id_missing", "id_order", "address"]
    return (
        good.select(*COLUMNS, "policy", "id_missing", "id_order")
        .number(order=order, name="row")
        .select(*COLUMNS, "row")
    )
