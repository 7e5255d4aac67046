"""The inputs of a run: cut into splits, their columns found and checked, and read as often as a stage asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ..connectors.address import ADDRESS
from ..connectors.batches import RESERVED
from ..connectors.corpus import plan_splits
from ..connectors.formats import InputFile
from ..connectors.split import SPLIT_BYTES, Split
from ..hashing.errors import InputError
from .annotations import annotated_schema
from .documents import check_columns
from .edits import CUTS
from .engine import Engine, Table
from .filters import Filters, plan_filters
from .preflight import check_records, check_room
from .prepared import Prepared
from .selection.values import check_group_columns
from .semantic.encoding import ReadTexts
from .shards import FILE, POSITION
from .survey import survey


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

    def read(self, columns: pa.Schema) -> Table:
        """Read some columns of all records."""
        return self.engine.read(self.splits, columns, full=self.schema)

    def all_texts(self) -> Table:
        """Read the texts of all records."""
        return self.read(pa.schema([self.schema.field(self.text)]))

    def texts(self, rows: Table, name: str) -> Table:
        """Read the texts of rows again, from (address, ...), with these columns beside them; ``name`` is of the use."""
        return self.columns((self.text,))(rows, name)

    def columns(self, columns: Sequence[str]) -> ReadTexts:
        """Return what reads some columns of rows again."""

        def read(rows: Table, name: str) -> Table:
            others = [other for other in rows.schema.names if other != "address"]
            wanted = rows.select(*others, **{ADDRESS: "address"}).save(f"wanted_{name}")
            fields = pa.schema([self.schema.field(column) for column in columns])
            return self.engine.read(self.splits, fields, full=self.schema, only=wanted)

        return read


def list_inputs(prepared: Prepared, engine: Engine, folder: Path, memo: Path) -> Inputs:
    """Return the inputs of a run, which have what it needs.

    Args:
        prepared: the run.
        engine: reads them.
        folder: of the output, on a disk with room for it.
        memo: a file in which the next attempt finds their columns.

    Raises:
        ConfigError, EngineError, InputError: they do not fit the configuration, or the disk.
    """
    config, files = prepared.config, prepared.read.files
    splits = tuple(split for file in files for split in plan_splits(file, split_bytes=SPLIT_BYTES))
    check_records(prepared.read, splits)
    if config.check_room:
        check_room(folder, splits, prepared.read, bands=prepared.banding.bands if prepared.banding else 0)
    schema = survey(engine, splits, memo)
    _check_any_column(schema, files)
    filters = plan_filters(config.filters, schema)
    inputs = Inputs(
        engine,
        splits,
        schema,
        config.columns.text,
        check_columns(schema, config.columns, config.keep, filters),
        annotated_schema(schema) if config.annotate else schema,
        filters,
    )
    _check_reserved(schema)
    for stage in (config.balance, config.select):
        if stage is not None:
            check_group_columns(schema, stage.by, stage.stage)
    return inputs


def _check_any_column(schema: pa.Schema, files: Sequence[InputFile]) -> None:
    if not schema.names:
        some = ", ".join(file.path for file in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        raise InputError(
            "inputs hold records", value=f"none in {some}", remedy="Check them; JSON Lines has one object a line."
        )


def _check_reserved(schema: pa.Schema) -> None:
    taken = [name for name in (*RESERVED, FILE, POSITION, CUTS) if name in schema.names]
    if taken:
        raise InputError("no column has a reserved name", value=", ".join(taken), remedy="Rename it in the inputs.")
