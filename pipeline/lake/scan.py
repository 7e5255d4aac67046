"""The scan of a lake: from its files to which tables lie inside which.

tables -> schema classes -> projections -> prints -> candidates -> sample -> all rows -> groups
"""

import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ...connectors.lake_tables import LakeTable, survey_table
from ...connectors.split import Split
from ...hashing.errors import InputError
from ..engine import Engine, Table
from .containment import Containment, Projections, contained
from .prints import PRINTS, Work, take_prints
from .reduction import Groups, group
from .schema_graph import SchemaGraph, schema_graph

_SURVEYED = pa.schema([("table", pa.int64()), ("splits", pa.binary()), ("schema", pa.binary()), ("fault", pa.string())])
_TABLE = pa.schema([("table", pa.int64()), ("packed", pa.binary())])
_PER_TASK = 32
"""Tables that a task surveys."""


@dataclass(frozen=True)
class Options:
    """What counts as the same.

    Attributes:
        ignore: names of columns that are not compared.
        match_types: whether columns match by name and type, rather than by name.
        trim: whether white space around texts counts for nothing.
        epsilon, delta: the sample refutes a pair that lacks a share epsilon of the child's rows, but with probability
            delta over all pairs.
    """

    ignore: tuple[str, ...] = ()
    match_types: bool = False
    trim: bool = False
    epsilon: float = 0.01
    delta: float = 1e-6


@dataclass(frozen=True)
class Scan:
    """What a scan found.

    Attributes:
        tables: in order.
        faults: by table: why it could not be compared.
        empty: tables that were read and have no rows: they lie inside every table of their columns, and are left out.
        graph: of the columns of tables that could be read.
        projections, containment: by number of projection.
        pairs: (child, parent) of tables: every row of the child is in the parent.
        groups: of these.
    """

    tables: tuple[LakeTable, ...]
    faults: dict[int, str]
    empty: tuple[int, ...]
    graph: SchemaGraph
    projections: Projections
    containment: Containment
    pairs: tuple[tuple[int, int], ...]
    groups: Groups


def scan(engine: Engine, tables: Sequence[LakeTable], options: Options) -> Scan:
    """Find which tables lie inside others, as sets of rows.

    A table that cannot be read to its end is inside none and holds none; ``faults`` says why.
    """
    surveyed = _survey(engine, tables)
    faults = {row["table"]: row["fault"] for row in surveyed if row["fault"]}
    read = {row["table"]: row for row in surveyed if not row["fault"]}
    columns = {number: _names(row["schema"], options) for number, row in read.items()}
    graph = schema_graph([columns.get(i, {}).keys() for i in range(len(tables))])
    projections, work = _plan(read, columns, graph)
    printed = take_prints(engine, work, trim=options.trim).save("printed")
    for row in printed.map(_faulty, PRINTS).collect().to_pylist():
        faults.setdefault(row["projection"], row["fault"])
    sound = _sound(engine, printed, projections, faults)
    found = contained(engine, sound, projections, epsilon=options.epsilon, delta=options.delta)
    pairs = tuple(
        sorted(
            (int(projections.table[row["child"]]), int(projections.table[row["parent"]]))
            for row in found.verified.to_pylist()
        )
    )
    filled = {int(projections.table[i]) for i in found.sizes["projection"].to_pylist()}
    empty = tuple(i for i in sorted(set(projections.table.tolist())) if i not in filled and i not in faults)
    return Scan(tuple(tables), faults, empty, graph, projections, found, pairs, group(len(tables), pairs))


def _survey(engine: Engine, tables: Sequence[LakeTable]) -> list[dict[str, Any]]:
    """Return splits and columns of each table, or why it has none, in order."""
    packed = [(i, pickle.dumps(table)) for i, table in enumerate(tables)]
    batches = [
        pa.RecordBatch.from_arrays(
            [pa.array([i for i, _ in part]), pa.array([value for _, value in part], pa.binary())], schema=_TABLE
        )
        for part in (packed[i : i + _PER_TASK] for i in range(0, len(packed), _PER_TASK))
    ]
    found = engine.table(pa.Table.from_batches(batches, _TABLE)).map(_surveyed, _SURVEYED).collect().sort_by("table")
    rows: list[dict[str, Any]] = found.to_pylist()
    for row in rows:
        if not row["fault"]:
            row["splits"] = pickle.loads(row["splits"])
            row["schema"] = pa.ipc.read_schema(pa.py_buffer(row["schema"]))
    return rows


def _surveyed(batch: pa.RecordBatch) -> pa.RecordBatch:
    rows = []
    for number, packed in zip(batch.column("table").to_pylist(), batch.column("packed").to_pylist(), strict=True):
        table: LakeTable = pickle.loads(packed)
        try:
            splits, schema = survey_table(table)
            packed_schema = schema.serialize().to_pybytes()
            rows.append({"table": number, "splits": pickle.dumps(splits), "schema": packed_schema, "fault": None})
        except InputError as error:
            rows.append({"table": number, "splits": b"", "schema": b"", "fault": f"{error.rule}; found {error.value}"})
    return pa.RecordBatch.from_pylist(rows, schema=_SURVEYED)


def _names(schema: pa.Schema, options: Options) -> dict[str, str]:
    """Return what columns are matched by: their name, perhaps with their type, to their name."""
    kept = [field for field in schema if field.name not in options.ignore]
    return {
        json.dumps([field.name, str(field.type)]) if options.match_types else field.name: field.name for field in kept
    }


def _plan(
    read: dict[int, dict[str, Any]], columns: dict[int, dict[str, str]], graph: SchemaGraph
) -> tuple[Projections, list[Work]]:
    """Return the projections, and what each task reads.

    A table whose columns nobody else has, and that has nobody's columns, is not read at all.
    """
    members = np.bincount(graph.of, minlength=len(graph.classes))
    children: list[list[int]] = [[] for _ in graph.classes]
    for child, parents in enumerate(graph.parents):
        for parent in parents.tolist():
            children[parent].append(child)
    tables: list[int] = []
    schemas: list[int] = []
    own: list[bool] = []
    work: list[Work] = []
    for number, row in read.items():
        of = int(graph.of[number])
        wanted = [*([of] if members[of] > 1 or len(graph.parents[of]) else []), *children[of]]
        if not columns[number] or not wanted:
            continue
        asked = []
        for schema in wanted:
            asked.append((len(tables), tuple(columns[number][name] for name in graph.classes[schema])))
            tables.append(number)
            schemas.append(schema)
            own.append(schema == of)
        splits: list[Split] = row["splits"]
        work += [Work(number, (split,), row["schema"], tuple(asked)) for split in splits]
    arrays = np.array(tables, np.int64), np.array(schemas, np.int64), np.array(own, np.bool_)
    return Projections(*arrays), work


def _sound(engine: Engine, printed: Table, projections: Projections, faults: dict[int, str]) -> Table:
    """Return the distinct rows of tables that could be read to their end, saved."""
    bad = np.flatnonzero(np.isin(projections.table, list(faults)))
    rows = printed.map(_good, PRINTS)
    if len(bad):
        rows = rows.join(engine.table(pa.table({"projection": pa.array(bad)})), on=["projection"], how="anti")
    key = ["projection", "high", "low"]
    return rows.aggregate(by=key, address=("min", "address"), rows=("sum", "rows")).save("prints")


def _faulty(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(batch.column("fault").is_valid())


def _good(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(batch.column("fault").is_null())
