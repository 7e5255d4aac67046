"""The inputs of a run are cut into splits; their columns are found, and checked against the configuration."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ..connectors.batches import RESERVED
from ..connectors.corpus import plan_splits
from ..connectors.formats import InputFile
from ..connectors.split import SPLIT_BYTES, Split
from ..hashing.errors import InputError
from .annotations import annotated_schema
from .documents import check_columns
from .edits import CUTS
from .engine import Engine
from .filters import plan_filters
from .inputs import Inputs
from .preflight import check_records, check_room, first_broken, no_records, some_paths
from .prepared import Prepared
from .selection.values import check_group_columns
from .shards import FILE, POSITION
from .survey import survey


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
    _check_any_column(schema, files, splits)
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


def _check_any_column(schema: pa.Schema, files: Sequence[InputFile], splits: Sequence[Split]) -> None:
    if schema.names:
        return
    broken = first_broken(splits)
    if broken is None:
        raise no_records(files)
    file, record, rule = broken
    raise InputError(
        "inputs hold records",
        value=f"none in {some_paths(files)}: record {record} of {files[file].path} breaks the rule `{rule}`",
        remedy="JSON Lines has one object a line; `jq -c '.[]' FILE` writes a JSON array so.",
    )


def _check_reserved(schema: pa.Schema) -> None:
    taken = [name for name in (*RESERVED, FILE, POSITION, CUTS) if name in schema.names]
    if taken:
        raise InputError("no column has a reserved name", value=", ".join(taken), remedy="Rename it in the inputs.")
