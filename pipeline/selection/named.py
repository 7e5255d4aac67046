"""The rows that were chosen, as they are written: with names instead of numbers."""

from dataclasses import dataclass

import pyarrow as pa

from ..engine import Table

SELECTION = pa.schema(
    [
        ("group", pa.string()),
        ("place", pa.int64()),
        ("address", pa.int64()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("tokens", pa.int64()),
        ("gain", pa.float64()),
    ]
)
"""A chosen row: its group, its place in the order of choice there, from 0, and what it added to the function."""


@dataclass(frozen=True)
class _Names:
    """Names the group of each row; plain data."""

    names: tuple[str, ...]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        names = pa.array(self.names, pa.string()).take(batch.column("number"))
        columns = [names, *(batch.column(name) for name in SELECTION.names[1:])]
        return pa.RecordBatch.from_arrays(columns, schema=SELECTION)


def name_chosen(chosen: Table, ranked: Table, names: tuple[str, ...]) -> Table:
    """Return ``SELECTION`` of chosen rows.

    Args:
        chosen: (row, group, place, gain).
        ranked: all ranked rows.
        names: of the groups, by number.
    """
    rows = chosen.select("row", "place", "gain", number="group")
    return rows.join(ranked.select("row", "address", "id", "source", "tokens"), on=["row"]).map(
        _Names(names), SELECTION
    )
