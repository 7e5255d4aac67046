"""Values of columns beside rows: what groups and leaves are made of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ...hashing.errors import InputError
from ..engine import Table
from ..listed import listed
from ..semantic.encoding import ReadTexts

ROW = "tamis_row"
"""The number of a row beside columns of the inputs, whatever these are called."""

VALUES = pa.schema([("row", pa.int64()), ("values", pa.string())])
"""A row, and its values as JSON of a list of strings and nulls."""


@dataclass(frozen=True)
class Packing:
    """Packs the values of columns; plain data.

    Attributes:
        columns: by name.
    """

    columns: tuple[str, ...]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``VALUES`` for records read with ``ROW``."""
        values = zip(*(batch.column(name).cast(pa.string()).to_pylist() for name in self.columns), strict=True)
        packed = pa.array([json.dumps(list(row), ensure_ascii=False) for row in values], pa.string())
        return pa.RecordBatch.from_arrays([batch.column(ROW), packed], schema=VALUES)


def with_values(rows: Table, columns: Sequence[str], read: ReadTexts, name: str) -> Table:
    """Return rows (row, address, ...) with their ``values`` of some columns; without columns, the rows as they are.

    Args:
        rows: saved.
        columns: as ``check_group_columns`` lets them through.
        read: gives these columns of rows.
        name: of the use.
    """
    if not columns:
        return rows
    values = read(rows.select("address", **{ROW: "row"}), name).map(Packing(tuple(columns)), VALUES)
    return rows.join(values, on=["row"])


def check_group_columns(schema: pa.Schema, names: Sequence[str], stage: str) -> None:
    """Make sure that rows can be told apart by some columns.

    Raises:
        InputError: a column is not there, has a name of ours, or holds bytes, lists or structures.
    """
    for name in names:
        if name not in schema.names or name == ROW:
            raise InputError(
                f"the columns in `by` of {stage} are there",
                value=f"{name!r} among {listed(schema.names)}",
                remedy="Correct the name.",
            )
        kind = schema.field(name).type
        if pa.types.is_nested(kind) or any(is_kind(kind) for is_kind in _BYTES):
            raise InputError(
                f"the columns in `by` of {stage} hold plain values", value=f"{name!r}: {kind}", remedy="Name another."
            )


_BYTES = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)
