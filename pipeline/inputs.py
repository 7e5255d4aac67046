"""The inputs of a run, read as often as a stage asks."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ..connectors.address import ADDRESS
from ..connectors.split import Split
from .engine import Engine, Table
from .filters import Filters
from .semantic.encoding import ReadTexts


@dataclass(frozen=True)
class Inputs:
    """What a run reads.

    Attributes:
        engine: what reads it.
        splits: of all files but those of an index, in address order.
        schema: all columns.
        text: name of the column of texts.
        first_columns: what the first pass reads.
        written_columns: those of shards.
        filters: conditions on records.
    """

    engine: Engine
    splits: tuple[Split, ...]
    schema: pa.Schema
    text: str
    first_columns: pa.Schema
    written_columns: pa.Schema
    filters: Filters

    @property
    def size_bytes(self) -> int:
        """What one reading of all inputs reads."""
        return sum(split.size_bytes for split in self.splits)

    @property
    def records(self) -> int | None:
        """Physical records of all inputs, where the plan knows them."""
        known = all(split.records is not None for split in self.splits)
        return sum(split.records or 0 for split in self.splits) if known else None

    def read(self, columns: Sequence[str], *, only: Table | None = None) -> Table:
        """Read some columns of all records, or of those at the addresses of a table, as ``Engine.read`` does."""
        fields = pa.schema([self.schema.field(column) for column in columns])
        return self.engine.read(self.splits, fields, full=self.schema, only=only)

    def all_texts(self) -> Table:
        """Read the texts of all records."""
        return self.read((self.text,))

    def texts(self, rows: Table, name: str) -> Table:
        """Read the texts of rows again, from (address, ...), with these columns beside them; ``name`` is of the use."""
        return self.columns((self.text,))(rows, name)

    def columns(self, columns: Sequence[str]) -> ReadTexts:
        """Return what reads some columns of rows again."""

        def read(rows: Table, name: str) -> Table:
            others = [other for other in rows.schema.names if other != "address"]
            wanted = rows.select(*others, **{ADDRESS: "address"}).save(f"wanted_{name}")
            return self.read(columns, only=wanted)

        return read
