"""Kept rows that a sample or a mixture does not write."""

from .engine import Table

UNSAMPLED = ("address", "id", "source", "bytes", "tokens")


def unsampled(kept: Table, positioned: Table, ranked: Table) -> Table:
    """Return the kept rows that are not written, saved.

    Args:
        kept, positioned: the rows to write, and those that are written.
        ranked: has the ids.
    """
    left = kept.select("address", "source", "bytes", "tokens")
    left = left.join(positioned.select("address"), on=["address"], how="anti")
    named = left.join(ranked.select("address", "id"), on=["address"])
    return named.select(*UNSAMPLED).save("unsampled")
