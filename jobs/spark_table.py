"""Tables of the Spark engine.

A table is some *branches*, whose rows are its rows one after another. A branch is a Spark data frame and functions
that Python tasks apply to it; the functions of consecutive verbs are fused, so that rows enter Python once. Rows become
Spark's own where a verb is one of Spark's: joins, distinct rows, sums, sorting.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial, reduce
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sql

from ..connectors.views import plain_schema
from ..hashing.errors import EngineError
from ..pipeline.engine import BatchFn, FoldFn, GroupFn, How, Measure, Table, drop_columns
from .chunks import CHUNKS, CutByKey
from .explode import exploded
from .saved import Part, is_saved
from .spark_lead import LEAD_PARTS, Deal, Follow, Gather, Keyed
from .spark_tasks import (
    ASCENTS,
    Ascent,
    Conformed,
    LookedUp,
    Mapped,
    Numbered,
    ReadParts,
    ReadSplits,
    Selected,
    TaskFn,
    WholeGroups,
    part_of,
)

if TYPE_CHECKING:
    from .spark import SparkEngine

FrameOf = Callable[[], DataFrame]

_JOINS = {"inner": "inner", "left": "left", "semi": "left_semi", "anti": "left_anti"}


@dataclass(frozen=True)
class Branch:
    """Some rows of a table.

    Attributes:
        base: makes the frame that the functions start from; called when rows are wanted.
        fns: what Python tasks apply.
        native: makes the frame of these rows without Python, where that is possible.
    """

    base: FrameOf
    fns: tuple[TaskFn, ...]
    native: FrameOf | None = None

    def then(self, fn: TaskFn) -> "Branch":
        """Return the branch with one more function."""
        return Branch(self.base, (*self.fns, fn))

    @property
    def written(self) -> ReadParts | None:
        """What reads these rows, if they are parts as they were written."""
        only = self.fns[0] if len(self.fns) == 1 else None
        return only if isinstance(only, ReadParts) else None


def table_of(engine: "SparkEngine", table: Table) -> "SparkTable":
    """Return a table of this engine as one of Spark's."""
    table = getattr(table, "spread", table)  # of the driver's
    if not isinstance(table, SparkTable) or table.engine is not engine:
        raise EngineError("tables of one plan belong to one engine", value=type(table).__name__, remedy="Report this.")
    return table


class SparkTable:
    """The verbs, over branches.

    Args:
        engine: what runs them.
        schema: Arrow names and types of the rows.
        branches: make the branches, once, when rows are wanted.
        size_bytes: about how large the table is, for the number of shuffle partitions.
        ordered: columns that rows ascend by, branch after branch and task after task.
        alone_may_go: a column whose values that occur once may be left out.
    """

    def __init__(
        self,
        engine: "SparkEngine",
        schema: pa.Schema,
        branches: Callable[[], Sequence[Branch]],
        *,
        size_bytes: int,
        ordered: tuple[str, ...] = (),
        alone_may_go: str | None = None,
    ) -> None:
        self.engine = engine
        self._schema = schema
        self._make = branches
        self.size_bytes = size_bytes
        self.ordered = ordered
        self.alone_may_go = alone_may_go

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._schema

    @cached_property
    def branches(self) -> Sequence[Branch]:
        """What the rows are made of."""
        return self._make()

    def then(self, fn: TaskFn, schema: pa.Schema, **facts: Any) -> "SparkTable":
        """Return the table with a function applied to the batches of each task."""
        facts = {"size_bytes": self.size_bytes} | facts
        return SparkTable(self.engine, schema, lambda: [branch.then(fn) for branch in self.branches], **facts)

    @property
    def frame(self) -> DataFrame:
        """The rows as Spark's own."""
        return self.engine.frame(self.branches, self.schema)

    def query(self, frame: FrameOf, schema: pa.Schema, *, size_bytes: int | None = None) -> "SparkTable":
        """Return the table that a frame of Spark is."""
        size = self.size_bytes if size_bytes is None else size_bytes
        return SparkTable(
            self.engine, schema, lambda: [Branch(frame, (Conformed(schema),), native=frame)], size_bytes=size
        )

    def select(self, *names: str, **renamed: str) -> Table:
        """See ``Table.select``."""
        chosen = {**{name: name for name in names}, **renamed}
        schema = pa.schema([self.schema.field(old).with_name(new) for new, old in chosen.items()])
        back = {old: new for new, old in chosen.items()}
        ordered = tuple(back[name] for name in self.ordered) if set(self.ordered) <= set(back) else ()
        return SparkTable(
            self.engine,
            schema,
            lambda: [_selected(self.engine, branch, chosen, schema) for branch in self.branches],
            size_bytes=self.size_bytes,
            ordered=ordered,
            alone_may_go=back.get(self.alone_may_go or ""),
        )

    def map(self, fn: BatchFn, schema: pa.Schema) -> Table:
        """See ``Table.map``."""
        return self.then(Mapped(fn), schema, ordered=self.ordered if set(self.ordered) <= set(schema.names) else ())

    def union(self, *others: Table) -> Table:
        """See ``Table.union``."""
        tables = [self, *(table_of(self.engine, other) for other in others)]
        return SparkTable(
            self.engine,
            self.schema,
            lambda: [branch for table in tables for branch in table.branches],
            size_bytes=sum(table.size_bytes for table in tables),
        )

    def distinct(self) -> Table:
        """See ``Table.distinct``."""
        return self.query(lambda: self.frame.distinct(), self.schema)

    def join(self, other: Table, *, on: Sequence[str], how: How = "inner") -> Table:
        """See ``Table.join``."""
        right = table_of(self.engine, other)
        extra = [] if how in ("semi", "anti") else [field for field in right.schema if field.name not in on]
        schema = pa.schema(list(self.schema) + extra)
        size = self.size_bytes + (right.size_bytes if extra else 0)
        joined = self.query(
            lambda: self.frame.join(right.frame, list(on), _JOINS[how]).select(*_columns(schema.names)),
            schema,
            size_bytes=size,
        )
        if how != "inner" or len(on) > 1 or not any(pa.types.is_binary(field.type) for field in self.schema):
            return joined
        return SparkTable(self.engine, schema, lambda: self._looked_up(right, on[0], joined, schema), size_bytes=size)

    def _looked_up(self, right: "SparkTable", on: str, joined: "SparkTable", schema: pa.Schema) -> Sequence[Branch]:
        """Join rows with long values by looking their keys up, so that the values never pass through the JVM.

        Only where the other side is small and its keys are unique.
        """
        path = self.engine.lookup_file(right, on)
        if path is None:
            return joined.branches
        return [branch.then(LookedUp(str(path), on, schema)) for branch in self.branches]

    def first(
        self, *, by: Sequence[str], order: Sequence[str], n: int = 1, at_least: int = 1, size: str | None = None
    ) -> Table:
        """See ``Table.first``: partial minima, or the limit that Spark pushes below a window's shuffle."""
        schema = pa.schema([*self.schema, *([pa.field(size, pa.int64())] if size else [])])
        rest = [name for name in self.schema.names if name not in (*by, *order)]
        counted, ranked = "__rows", "__place"

        def frame() -> DataFrame:
            count = sql.count(sql.lit(1)).alias(counted)
            if n == 1 and len(order) == 1 and not rest:  # a plain minimum, which Spark aggregates by hashing
                rows = self.frame.groupBy(*_columns(by)).agg(sql.min(column_of(order[0])).alias(order[0]), count)
            elif n == 1:
                best = sql.min(sql.struct(*_columns([*order, *rest]))).alias("__best")
                rows = self.frame.groupBy(*_columns(by)).agg(best, count)
                fields = [sql.col("__best").getField(name).alias(name) for name in (*order, *rest)]
                rows = rows.select(*_columns(by), *fields, counted)
            else:
                frame = self.frame
                window = Window.partitionBy(*_columns(by)).orderBy(*_columns(order))
                few = frame.withColumn(ranked, sql.row_number().over(window)).where(sql.col(ranked) <= n)
                rows = few.join(frame.groupBy(*_columns(by)).agg(count), list(by))
            kept = rows.where(sql.col(counted) >= at_least)
            sized = [sql.col(counted).alias(size)] if size else []
            return kept.select(*_columns(self.schema.names), *sized)

        return self.query(frame, schema)

    def aggregate(self, *, by: Sequence[str], **measures: tuple[Measure, str]) -> Table:
        """See ``Table.aggregate``."""
        schema = pa.schema([*(self.schema.field(name) for name in by), *((name, pa.int64()) for name in measures)])
        functions = {"count": sql.count, "sum": sql.sum, "min": sql.min, "max": sql.max}

        def measure(name: str, kind: Measure, column: str) -> Column:
            return sql.coalesce(functions[kind](column_of(column)).cast("bigint"), sql.lit(0)).alias(name)

        columns = [partial(measure, name, *what) for name, what in measures.items()]
        return self.query(
            lambda: self.frame.groupBy(*_columns(by)).agg(*(column() for column in columns)), schema, size_bytes=0
        )

    def explode(self, column: str, *, into: str, repeated: bool) -> Table:
        """See ``Table.explode``."""
        others = drop_columns(self.schema, [column])
        schema = pa.schema([*others, pa.field(into, pa.int64())])
        fn = partial(exploded, column=column, schema=schema, among=None)
        return self.then(Mapped(fn), schema, size_bytes=2 * self.size_bytes, alone_may_go=into if repeated else None)

    def number(self, *, order: Sequence[str], name: str) -> Table:
        """See ``Table.number``: rows that are in order already are counted only; others are sorted and written."""
        schema = pa.schema([*self.schema, pa.field(name, pa.int64())])

        def branches() -> list[Branch]:
            firsts = self._first_numbers(order)
            if firsts is not None:
                return [self.branches[0].then(Numbered(firsts, schema))]
            rows = self.engine.in_order(self, order)
            return [self.engine.reading(replace(rows, schema=schema, numbered=True))]

        return SparkTable(self.engine, schema, branches, size_bytes=self.size_bytes, ordered=(name,))

    def _first_numbers(self, order: Sequence[str]) -> dict[int, int] | None:
        """Return the number of the first row of each task, if all rows ascend by the one column already."""
        branch = self.branches[0]
        repeatable = len(self.branches) == 1 and bool(branch.fns) and isinstance(branch.fns[0], ReadParts | ReadSplits)
        if not repeatable or len(order) > 1 or self.schema.field(order[0]).type != pa.int64():
            return None
        found = self.engine.rows([branch.then(Ascent(order[0]))], ASCENTS).sort_by("task").to_pylist()
        last, count, firsts = None, 0, {}
        for line in found:
            if not line["ascends"] or (last is not None and line["first"] <= last):
                return None
            firsts[line["task"]] = count
            last, count = line["last"], count + line["rows"]
        return firsts

    def group(
        self,
        *,
        by: str,
        sort: Sequence[str],
        fn: GroupFn | FoldFn,
        schema: pa.Schema,
        hold: int | None = None,
        lead: int | None = None,
    ) -> Table:
        """See ``Table.group``."""
        if hold is not None:
            return self._whole_groups(by, tuple(sort), cast(GroupFn, fn), schema)
        if lead is not None:
            keyed = Keyed(by, tuple(sort), lead, self.engine.parts_for(self.size_bytes))
            return SparkTable(
                self.engine, schema, lambda: self._led(keyed, cast(FoldFn, fn), schema), size_bytes=self.size_bytes
            )

        def streamed() -> DataFrame:
            dealt = self.frame.repartition(self.engine.parts_for(self.size_bytes), column_of(by))
            return dealt.sortWithinPartitions(*_columns([by, *sort]))

        grouped = self.query(streamed, self.schema)
        return grouped.then(cast(FoldFn, fn), schema)

    def _whole_groups(self, by: str, sort: tuple[str, ...], fn: GroupFn, schema: pa.Schema) -> "SparkTable":
        parts = self.engine.parts_for(self.size_bytes)

        def gathered() -> DataFrame:
            dealt = self.engine.chunk_frame(self.then(CutByKey(by, parts), CHUNKS).branches)
            return dealt.repartitionById(parts, sql.col("part"))

        groups = WholeGroups(self.schema, sort, fn)
        return SparkTable(self.engine, schema, lambda: [Branch(gathered, (groups,))], size_bytes=self.size_bytes)

    def _led(self, keyed: Keyed, fn: FoldFn, schema: pa.Schema) -> list[Branch]:
        """Group, and return what was written."""
        folder = self.engine.new_folder("group")
        dealt = self.engine.chunk_frame(self.then(Deal(keyed), CHUNKS).branches)
        gather = Gather(keyed, fn, self.schema, schema, self.alone_may_go == keyed.by, str(folder))
        gathered = Branch(lambda: dealt.repartitionById(keyed.parts, sql.col("part")), (gather,))
        lines = self.engine.rows([gathered], LEAD_PARTS).sort_by([("kind", "ascending"), ("task", "ascending")])
        parts: dict[str, list[Part]] = {"results": [], "overflow": [], "lead": []}
        leads: dict[int, str] = {}
        for line in lines.to_pylist():
            parts[line["kind"]].append(part_of(line))
            if line["kind"] == "lead":
                leads[line["task"]] = str(folder / line["name"])
        branches = [self.engine.reading(ReadParts.of(folder, parts["results"], schema))]
        if parts["overflow"]:
            overflow = self.engine.reading(ReadParts.of(folder, parts["overflow"], self.schema))
            branches.append(overflow.then(Follow(keyed, fn, self.schema, leads)))
        return branches

    def fold(self, *, order: Sequence[str], fn: FoldFn, schema: pa.Schema) -> Table:
        """See ``Table.fold``: rows are written, sorted by Spark if they are many, and folded by the driver."""
        return FoldedTable(self, tuple(order), fn, schema)

    def save(self, name: str) -> Table:
        """See ``Table.save``."""
        folder = self.engine.work / name
        if not is_saved(folder):
            self.engine.save(self, folder)
        return self.engine.saved(folder, self.schema, self.ordered)

    def collect(self) -> pa.Table:
        """See ``Table.collect``."""
        return self.engine.rows(self.branches, self.schema)


class PartsTable(SparkTable):
    """A table that was written; some of its columns may be few enough for the driver.

    Args:
        engine: what runs it.
        reader: the parts.
        ordered: columns that rows ascend by.
    """

    def __init__(self, engine: "SparkEngine", reader: ReadParts, ordered: tuple[str, ...]) -> None:
        super().__init__(
            engine, reader.schema, lambda: [engine.reading(reader)], size_bytes=reader.size_bytes, ordered=ordered
        )
        self._reader = reader

    def select(self, *names: str, **renamed: str) -> Table:
        """See ``Table.select``."""
        chosen = table_of(self.engine, super().select(*names, **renamed))
        columns = {**{name: name for name in names}, **renamed}
        return self.engine.of_parts(self._reader.select(columns, chosen.schema), chosen.ordered)


class FoldedTable(SparkTable):
    """What the driver makes of rows in order; written when wanted, or straight to where it is saved."""

    def __init__(self, table: SparkTable, order: tuple[str, ...], fn: FoldFn, schema: pa.Schema) -> None:
        super().__init__(table.engine, schema, self._spilled, size_bytes=table.size_bytes)
        self._table, self._order, self._fn = table, order, fn

    def _spilled(self) -> list[Branch]:
        folder = self.engine.new_folder("fold")
        parts = self.engine.fold(self._table, self._order, self._fn, self.schema, folder)
        return [self.engine.reading(ReadParts.of(folder, parts, self.schema))]

    def save(self, name: str) -> Table:
        """See ``Table.save``."""
        folder = self.engine.work / name
        if not is_saved(folder):
            self.engine.save_fold(self._table, self._order, self._fn, self.schema, folder)
        return self.engine.saved(folder, self.schema, ())


def _selected(engine: "SparkEngine", branch: Branch, chosen: dict[str, str], schema: pa.Schema) -> Branch:
    """Return a branch with some columns; of parts, only these are read."""
    reader = branch.written
    if reader is not None and not reader.numbered:
        return engine.reading(reader.select(chosen, schema))
    native = None if branch.native is None else partial(_select_frame, branch.native, chosen)
    return Branch(branch.base, (*branch.fns, Selected(tuple(chosen.values()), schema)), native)


def _select_frame(make: FrameOf, chosen: dict[str, str]) -> DataFrame:
    return make().select(*(column_of(old).alias(new) for new, old in chosen.items()))


def column_of(name: str) -> Column:
    """Return a column whose name may hold dots."""
    return sql.col("`" + name.replace("`", "``") + "`")


def _columns(names: Sequence[str]) -> list[Column]:
    return [column_of(name) for name in names]


def union_frames(frames: Sequence[DataFrame]) -> DataFrame:
    """Return the rows of some frames of one schema."""
    return reduce(DataFrame.union, frames)


def spark_types(schema: pa.Schema) -> pa.Schema:
    """Return a schema whose strings and binaries are those that Spark takes."""
    plain = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}
    return pa.schema([field.with_type(plain.get(field.type, field.type)) for field in plain_schema(schema)])
