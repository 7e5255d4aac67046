"""The columns of the inputs, found before the first pass: from footers, headers, or every line for JSON Lines."""

import json
import pickle
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa

from ..connectors.corpus import FORMATS, split_schema
from ..connectors.merged import runs
from ..connectors.schema import unify
from ..connectors.split import Split
from .engine import Engine
from .state import write_atomically

_SPLITS = pa.schema([("number", pa.int64()), ("split", pa.binary())])
_SCHEMAS = pa.schema([("number", pa.int64()), ("schema", pa.binary())])
_BATCH_BYTES = 4 << 20
_FEW = 32
"""Footers that are read here and now, rather than by the engine."""


def survey(engine: Engine, splits: Sequence[Split], memo: Path) -> pa.Schema:
    """Return the unified columns of all splits; the answer is kept in ``memo`` for the next attempt of this run.

    Raises:
        InputError: if a column has types that exclude each other.
    """
    if memo.exists():
        return pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(json.loads(memo.read_text())["schema"])))
    firsts = {split.file: split for split in reversed(splits)}
    asked = [split for split in splits if FORMATS[split.format].schema_by_split or firsts[split.file] is split]
    numbered = enumerate(asked)
    batches = [
        pa.RecordBatch.from_pylist(
            [{"number": i, "split": pickle.dumps(split)} for i, split in islice(numbered, len(run))], schema=_SPLITS
        )
        for run in runs(asked)
    ]
    if len(asked) <= _FEW and not any(FORMATS[split.format].schema_by_split for split in asked):
        found = pa.Table.from_batches(map(_schemas, batches), _SCHEMAS)
    else:
        found = (
            engine.table(pa.Table.from_batches(batches, _SPLITS)).map(_schemas, _SCHEMAS).collect().sort_by("number")
        )
    schemas = [pa.ipc.read_schema(pa.py_buffer(value)) for value in found["schema"].to_pylist()]
    schema = unify([(split.path, schema) for split, schema in zip(asked, schemas, strict=True)])
    write_atomically(memo, json.dumps({"schema": schema.serialize().to_pybytes().hex()}))
    return schema


def _schemas(batch: pa.RecordBatch) -> pa.RecordBatch:
    found = [
        split_schema(pickle.loads(split), batch_bytes=_BATCH_BYTES).serialize().to_pybytes()
        for split in batch.column("split").to_pylist()
    ]
    return pa.RecordBatch.from_arrays([batch.column("number"), pa.array(found, pa.binary())], schema=_SCHEMAS)
