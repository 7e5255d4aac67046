"""The scan of a lake: from its files to which tables lie inside which.

tables -> columns -> schema classes -> projections -> rows, fingerprinted -> candidates -> sample -> all rows -> groups
"""

import json
import pickle
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...connectors.lake_reading import survey_table, table_splits
from ...connectors.lake_tables import LakeTable, changed
from ...connectors.parquet_statistics import TableStatistics, table_statistics
from ...connectors.split import Split
from ...hashing.delimited import cut_records
from ...hashing.distinct_rows import distinct_rows
from ...hashing.dominance import surviving_in_lake
from ...hashing.errors import InputError
from ...hashing.kernel import is_compiled
from ..engine import Engine, Progress, Table
from .columns import Columns, unpacked
from .containment import Candidates, Checked, Checking, Projections, Sizes, held, sizes_of
from .links import Links, find_links
from .memory import Memory, Note
from .options import ALL_ROWS, Options, shared_rows
from .prints import (
    CONTENTS,
    COUNTED,
    FAULT,
    PRINTS,
    SUMMARY,
    UNREAD,
    Projection,
    Work,
    merged,
    rows_among,
    take_prints,
)  # fmt: skip
from .pruning import Pruned, prune
from .reduction import Groups, group
from .remembered_statistics import statistics_of
from .renamed import Candidate, Renamed, find_renamed
from .schema_graph import SchemaGraph, schema_graph

_SURVEYED = pa.schema([("table", pa.int64()), ("found", pa.binary()), ("fault", pa.string())])
_TABLE = pa.schema([("table", pa.int64()), ("packed", pa.binary())])
_PER_TASK = 32
"""Tables that a task surveys."""


@dataclass(frozen=True)
class Contents:
    """All rows of a table in the columns that are compared.

    Attributes:
        rows: how many were read.
        fingerprint: of these, repeated ones as often as they are there: 32 hexadecimal digits; "" where only some
            columns were read, as no other table has all of them.
    """

    rows: int
    fingerprint: str


@dataclass(frozen=True)
class Scan:
    """What a scan found.

    Attributes:
        tables: in order.
        columns: by table: all that it has.
        faults: by table: why it could not be compared.
        unread: by table: (address, why) of records that could not be read; addresses count the files of the table.
        contents: by table.
        graph: of the columns of tables that could be read.
        statistics: by table: what is known of it without reading its rows.
        pruned: pairs that these leave.
        projections, sizes: of these, by number.
        names: by number of projection: the columns of the table that it is of, sorted.
        links: what was looked at.
        groups: equal tables, and which lie inside others.
        renamed: tables inside others under other names of columns, if these were looked for.
        read: tables that were read in this scan, rather than remembered.
        seconds: by step.
        notes: of the pass over the tables, for the memory.
        rows_names: that their rows are saved under.
    """

    tables: tuple[LakeTable, ...]
    columns: dict[int, Columns]
    faults: dict[int, str]
    unread: dict[int, list[tuple[int, str]]]
    contents: dict[int, Contents]
    graph: SchemaGraph
    statistics: list[TableStatistics | None]
    pruned: Pruned
    projections: Projections
    sizes: Sizes
    names: list[tuple[str, ...]]
    links: Links
    groups: Groups
    renamed: Renamed | None
    read: tuple[int, ...]
    seconds: dict[str, float]
    notes: dict[int, list[Note]]
    rows_names: tuple[str, ...]

    def table_of(self, projection: int) -> int:
        """Return the table of a projection."""
        return int(self.projections.table[projection])

    @property
    def compared(self) -> set[int]:
        """Tables of which rows were compared with others'."""
        return set(self.projections.table.tolist()) - set(self.faults)

    @property
    def empty(self) -> tuple[int, ...]:
        """Tables without rows, which lie inside all that have their columns, and are left out."""
        read = {one for one, what in self.contents.items() if not what.rows and not self.unread.get(one)}
        said = {one for one, known in enumerate(self.statistics) if known is not None and known.rows == 0}
        return tuple(sorted(read | said - set(self.faults)))


def scan(
    engine: Engine,
    tables: Sequence[LakeTable],
    options: Options,
    *,
    memory: Memory | None = None,
    progress: Progress | None = None,
) -> Scan:
    """Find which tables lie inside others.

    A table that cannot be read to its end is inside none and holds none; ``faults`` says why.

    Args:
        engine: what runs the verbs.
        tables: of the lake.
        options: what counts as the same.
        memory: what an earlier scan remembers.
        progress: told about steps.
    """
    memory, steps = memory or Memory(), _Steps(progress)
    with steps.of("columns", compiles=cut_records):
        surveyed, faults = _survey(engine, tables, memory)
        columns = {number: _names(row.columns, options) for number, row in surveyed.items()}
        graph = schema_graph([columns.get(i, {}).keys() for i in range(len(tables))])
    with steps.of("statistics", compiles=surviving_in_lake):
        statistics = [surveyed[i].statistics if i in surveyed else None for i in range(len(tables))]
        matched = [columns.get(i, {}) for i in range(len(tables))]
        # Bounds refute whole containment: a share may lie within them.
        telling = statistics if options.min_containment >= 1 else [None] * len(tables)
        pruned = prune(graph, matched, telling, bags=options.bags, trim=options.trim)
    with steps.of("rows", compiles=distinct_rows):
        plan = _plan(tables, surveyed, columns, pruned, memory)
        printed = _printed(engine, plan, memory, options)
        notes: dict[int, list[Note]] = {one: [] for one in plan.read}
        notes |= printed.notes | {one: list(memory.notes[tables[one].stamp]) for one in plan.recalled}
        _learn(notes, tables, faults, plan.read)
        unread, contents = _facts(notes, faults)
        rows = list(printed.rows.values())
        sizes = sizes_of(rows, len(plan.projections.table), printed.sizes)
        sizes = sizes.without(np.isin(plan.projections.table, list(faults)))
    renamed = None
    if options.renamed:
        with steps.of("renamed columns"):
            renamed = find_renamed(engine, _candidates(tables, surveyed, columns, {*faults, *unread}), options)
    with steps.of("pairs"):
        links = _links(engine, rows, plan.projections, sizes, unread, graph, options)
        groups = _groups(plan.projections, sizes, links, options)
    return Scan(
        tables=tuple(tables),
        columns={number: row.columns for number, row in surveyed.items()},
        faults=faults,
        unread=unread,
        contents=contents,
        graph=graph,
        statistics=statistics,
        pruned=pruned,
        projections=plan.projections,
        sizes=sizes,
        names=plan.names,
        links=links,
        groups=groups,
        renamed=renamed,
        read=plan.read,
        seconds=steps.seconds,
        notes=notes,
        rows_names=tuple(printed.rows),
    )


def _candidates(
    tables: Sequence[LakeTable],
    surveyed: dict[int, "_Surveyed"],
    columns: dict[int, dict[str, str]],
    without: Collection[int],
) -> dict[int, Candidate]:
    """Return the tables whose columns may be renamed: all that have columns and could be read."""
    return {
        number: Candidate(tables[number], row.columns.packed, tuple(columns[number].values()), row.splits)
        for number, row in surveyed.items()
        if columns[number] and number not in without
    }


class _Steps:
    """Tells about steps, and how long each took."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def of(self, name: str, compiles: Callable[..., Any] | None = None) -> Iterator[None]:
        """Tell about a step, and that it compiles a kernel, if this machine has no code of that one yet."""
        begun = time.monotonic()
        if self._progress:
            first = compiles is not None and not is_compiled(compiles)
            self._progress.start(f"{name} (compiles once a machine)" if first else name)
        yield
        if self._progress:
            self._progress.finish()
        self.seconds[name] = round(time.monotonic() - begun, 3)


@dataclass(frozen=True)
class _Surveyed:
    """What a table is made of; splits are None where it need not be read."""

    columns: Columns
    splits: list[Split] | None
    statistics: TableStatistics | None


def _survey(engine: Engine, tables: Sequence[LakeTable], memory: Memory) -> tuple[dict[int, _Surveyed], dict[int, str]]:
    """Return columns and splits of each table, or why it has none."""
    found: dict[int, _Surveyed] = {}
    faults = {i: table.fault for i, table in enumerate(tables) if table.fault}
    asked = []
    for i, table in enumerate(tables):
        known = None if table.linked else memory.columns.get(table.stamp)
        if known is not None:
            statistics = statistics_of(memory.statistics[table.stamp])
            found[i] = _Surveyed(Columns.of(unpacked(known)), None, statistics)
        elif i not in faults and not table.linked:
            asked.append(i)
    for row in _ask(engine, tables, asked):
        if row["fault"]:
            faults[row["table"]] = row["fault"]
        else:
            found[row["table"]] = pickle.loads(row["found"])
    return dict(sorted(found.items())), faults


def _ask(engine: Engine, tables: Sequence[LakeTable], asked: Sequence[int]) -> list[dict[str, Any]]:
    packed = [(i, pickle.dumps(tables[i])) for i in asked]
    batches = [
        pa.RecordBatch.from_arrays(
            [pa.array([i for i, _ in part]), pa.array([value for _, value in part], pa.binary())], schema=_TABLE
        )
        for part in (packed[i : i + _PER_TASK] for i in range(0, len(packed), _PER_TASK))
    ]
    rows: list[dict[str, Any]] = (
        engine.table(pa.Table.from_batches(batches, _TABLE)).map(_surveyed, _SURVEYED).collect().to_pylist()
    )
    return rows


def _surveyed(batch: pa.RecordBatch) -> pa.RecordBatch:
    rows: list[dict[str, Any]] = []
    for number, packed in zip(batch.column("table").to_pylist(), batch.column("packed").to_pylist(), strict=True):
        table: LakeTable = pickle.loads(packed)
        row = {"table": number, "found": b"", "fault": None}
        try:
            splits, schema = survey_table(table)
            row["found"] = pickle.dumps(_Surveyed(Columns.of(schema), splits, _statistics(table, schema)))
        except InputError as error:
            row["fault"] = f"{error.rule}; found {error.value}"
        rows.append(row)
    return pa.RecordBatch.from_pylist(rows, schema=_SURVEYED)


def _statistics(table: LakeTable, schema: pa.Schema) -> TableStatistics | None:
    """Return what the footers of a table of Parquet files say."""
    if table.kind != "files" or any(file.format != "parquet" for file in table.files) or not len(schema):
        return None
    return table_statistics([file.path for file in table.files], schema.names)


def _names(columns: Columns, options: Options) -> dict[str, str]:
    """Return what columns are matched by: their name, perhaps with their type, to their name."""
    return {
        json.dumps([name, kind]) if options.match_types else name: name
        for name, kind in zip(columns.names, columns.types, strict=True)
        if name not in options.ignore
    }


@dataclass(frozen=True)
class _Plan:
    """What is read, and what is remembered.

    Attributes:
        projections: of all tables.
        names: by number of projection: the columns of the table, sorted.
        work: tasks.
        read: tables that are read.
        recalled: tables whose rows are remembered.
        known: int64, by remembered number: the number that it has now; -1 for none.
    """

    projections: Projections
    names: list[tuple[str, ...]]
    work: list[Work]
    read: tuple[int, ...]
    recalled: tuple[int, ...]
    known: NDArray[np.int64]


def _plan(
    tables: Sequence[LakeTable],
    surveyed: dict[int, _Surveyed],
    columns: dict[int, dict[str, str]],
    pruned: Pruned,
    memory: Memory,
) -> _Plan:
    """Return the projections, and what each task reads.

    A table whose columns nobody else has, and that has nobody's columns, is not read at all; nor is one that
    statistics leave no partner.
    """
    graph = pruned.graph
    wanted = [(table, schema) for table, keys in columns.items() if keys for schema in pruned.wanted(table)]
    own = [(table, schema) for table, schema in wanted if schema == graph.of[table]]
    ordered = own + [(table, schema) for table, schema in wanted if schema != graph.of[table]]
    names = [tuple(sorted(columns[table][key] for key in graph.classes[schema])) for table, schema in ordered]
    of_table: dict[int, list[int]] = {}
    for number, (table, _) in enumerate(ordered):
        of_table.setdefault(table, []).append(number)
    known = np.full(max(memory.projections.values(), default=-1) + 1, -1, np.int64)
    work: list[Work] = []
    read, recalled = [], []
    for table, numbers in sorted(of_table.items()):
        stamp = tables[table].stamp
        if memory.knows(stamp, [names[number] for number in numbers]):
            for number in numbers:
                known[memory.projections[stamp, names[number]]] = number
            recalled.append(table)
            continue
        read.append(table)
        asked = tuple(Projection(number, names[number], own=number < len(own)) for number in numbers)
        found = surveyed[table]
        first = tables[table].files[0].ordinal if tables[table].files else 0
        splits = table_splits(tables[table]) if found.splits is None else found.splits
        texts = all(split.format == "csv" for split in splits)
        width = len(found.columns.names)
        work += [
            Work(table, first, split, found.columns.packed, asked, len(splits) == 1, width, texts) for split in splits
        ]
    both = np.array(ordered, np.int64).reshape(-1, 2)
    projections = Projections(np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1]), len(own))
    return _Plan(projections, names, work, tuple(read), tuple(recalled), known)


@dataclass(frozen=True)
class _Printed:
    """What the pass over the tables gave.

    Attributes:
        rows: distinct rows of all projections, ``PRINTS`` or ``ROWS``: tables by the names that they are saved under.
        notes: of tables that were read.
        sizes: of projections, where they are known; as in ``Sizes``.
    """

    rows: dict[str, Table]
    notes: dict[int, list[Note]]
    sizes: dict[int, tuple[int, int, int, int, int]]


def _printed(engine: Engine, plan: _Plan, memory: Memory, options: Options) -> _Printed:
    """Take the prints of what is read; add what is remembered, and bring together what several tasks have read."""
    rows: dict[str, Table] = {}
    notes: dict[int, list[Note]] = {}
    sizes = {int(plan.known[old]): what for old, what in memory.sizes.items() if plan.known[old] >= 0}
    for name, work in (
        ("printed", [one for one in plan.work if one.whole]),
        ("parts", [one for one in plan.work if not one.whole]),
    ):
        if not work and name == "parts":
            continue
        rows[name] = take_prints(engine, work, trim=options.trim, typed_csv=options.typed_csv).save(name)
        for row in rows[name].map(_noted, PRINTS).collect().to_pylist():
            number = ~row["projection"]
            if row["note"].startswith(SUMMARY):
                distinct, check = map(int, row["note"].removeprefix(SUMMARY).split())
                sizes[number] = (distinct, row["rows"], check, row["high"], row["low"])
            else:
                notes.setdefault(number, []).append(row)
    every = np.ones(len(plan.names), np.bool_)
    if "parts" in rows:
        rows["merged"] = merged(rows_among([rows.pop("parts")], every)).save("merged")
    if np.any(plan.known >= 0):
        rows["recalled"] = memory.rows(engine, plan.known).save("recalled")
    return _Printed(rows, notes, sizes)


def _noted(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.less(batch.column("projection"), 0))


def _learn(
    notes: dict[int, list[Note]], tables: Sequence[LakeTable], faults: dict[int, str], read: Sequence[int]
) -> None:
    """Add faults that the pass found; also those of tables that changed while they were read."""
    for number, rows in notes.items():
        first = min((row["note"] for row in rows if row["note"].startswith(FAULT)), default=None)
        if first is not None:
            faults.setdefault(number, first.removeprefix(FAULT))
    for number in read:
        if number not in faults and (place := changed(tables[number])):
            faults[number] = f"a table stays as it is while it is read; found {place} changed"


def _facts(
    notes: dict[int, list[Note]], faults: dict[int, str]
) -> tuple[dict[int, list[tuple[int, str]]], dict[int, Contents]]:
    """Return records that could not be read, and the contents, of tables without a fault."""
    unread: dict[int, list[tuple[int, str]]] = {}
    contents: dict[int, Contents] = {}
    for number, rows in sorted(notes.items()):
        if number in faults:
            continue
        bad = [row for row in rows if row["note"].startswith(UNREAD)]
        if bad:
            unread[number] = sorted((row["address"], row["note"].removeprefix(UNREAD)) for row in bad)
        whole = [row for row in rows if row["note"] in (CONTENTS, COUNTED)]
        high, low = (sum(row[name] for row in whole) % 2**64 for name in ("high", "low"))
        own = all(row["note"] == CONTENTS for row in whole)
        contents[number] = Contents(sum(row["rows"] for row in whole), f"{high:016x}{low:016x}" if own else "")
    return unread, contents


def _links(
    engine: Engine,
    rows: Sequence[Table],
    projections: Projections,
    sizes: Sizes,
    unread: dict[int, list[tuple[int, str]]],
    graph: SchemaGraph,
    options: Options,
) -> Links:
    pairs = max(1, graph.table_pairs())
    few = shared_rows(min_containment=options.min_containment, delta=options.delta, pairs=pairs)
    least = few if options.sampled else ALL_ROWS
    memory = held(rows, sizes)
    if memory is not None:
        rows = [engine.table(pa.Table.from_batches([memory.table]))]
    found = Candidates(rows, projections, sizes, least, options, memory=memory)
    checking = Checking(engine, rows, projections, sizes, pairs, options, memory=memory)
    partial = np.isin(projections.table[: projections.own], list(unread))
    return find_links(found, projections, sizes, partial, options, checking.check)


def _groups(projections: Projections, sizes: Sizes, links: Links, options: Options) -> Groups:
    """Return groups of equal tables, and which groups lie inside others for certain."""
    own = np.arange(projections.own)
    table = projections.table[own]
    schema, size = projections.schema[own], sizes.measure(options)[own]
    # Classes with more columns have lower numbers; tables that are in others as far as known come after these.
    order = table[np.lexsort((table, -size, schema))].tolist()
    filled = sizes.distinct[own] > 0
    stands_for = dict(zip(table[filled].tolist(), table[links.stands_for][filled].tolist(), strict=True))
    found: Checked = links.checked
    inside = found.verified
    parents = projections.table[found.parent[inside]].tolist()
    for parent in parents:  # tables that are only looked into have columns that no other has all of
        stands_for.setdefault(parent, parent)
    pairs = zip(projections.table[found.child[inside]].tolist(), parents, strict=True)
    alone = sorted(set(stands_for) - set(order))
    return group([*alone, *order], stands_for, pairs)
