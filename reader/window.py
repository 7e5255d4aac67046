"""Parts of a sequence in memory: rows read, permuted once, and handed out as slices."""

from collections.abc import Hashable

import pyarrow as pa

from ..hashing.errors import ConfigError
from .files import Files
from .order import Order, Piece

ROW = "__row"
"""Column of the position of a row in the output."""

COLUMN_BYTES = 2**31 - 1
"""What a column with offsets of 32 bits holds, at most."""


class Windows:
    """The parts that a process holds: one in each slot, replaced when another is asked of it.

    Args:
        row_numbers: whether to add ``__row``.
    """

    def __init__(self, *, row_numbers: bool) -> None:
        self.row_numbers = row_numbers
        self._held: dict[Hashable, tuple[Files, Order, int, pa.RecordBatch]] = {}

    @property
    def groups_held(self) -> int:
        """Row groups whose rows are in memory now."""
        return sum(len(order.runs(part)) for _, order, part, _ in self._held.values())

    def add_rows(self, slot: Hashable, files: Files, order: Order, piece: Piece, found: list[pa.RecordBatch]) -> None:
        """Add rows of a chunk to those found before, without copying them.

        Before a part goes, ``found`` is copied: slices of it would keep it in memory.
        """
        part, start = order.place(piece.chunk)
        held = self._held.get(slot)
        if held is None or held[0] is not files or held[1] is not order or held[2] != part:
            held = None
            found[:] = [pa.concat_batches(found)] if found else []
            self._held.pop(slot, None)  # before the next is read: a window at a time
            held = self._held[slot] = (files, order, part, self._read(files, order, part))
        found.append(held[3].slice(start + piece.start, piece.rows))

    def close(self) -> None:
        """Let go of all."""
        self._held.clear()

    def _read(self, files: Files, order: Order, part: int) -> pa.RecordBatch:
        places, numbers = order.permutation(part)
        table = pa.concat_tables([files.read(first, rows) for first, rows in order.runs(part)])
        _check_size(table)
        fields = [field.remove_metadata() for field in table.schema]
        columns, taken = [], pa.array(places)
        while table.num_columns:  # each is let go of before the next is copied
            column = table.column(0).combine_chunks()
            table = table.remove_column(0)
            columns.append(column.take(taken))
            del column
        if self.row_numbers:
            columns.append(pa.array(numbers + files.shards.first_row))
            fields.append(pa.field(ROW, pa.int64()))
        return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))


def _check_size(table: pa.Table) -> None:
    """Have a window fit in one array of each column."""
    for field, column in zip(table.schema, table.columns, strict=True):
        short = pa.types.is_string(field.type) or pa.types.is_binary(field.type)
        if short and column.nbytes > COLUMN_BYTES:
            raise ConfigError(
                f"a column of type {field.type} has less than 2 GiB in a window",
                value=f"{field.name} with {column.nbytes} bytes",
                remedy="Take a smaller window.",
            )
