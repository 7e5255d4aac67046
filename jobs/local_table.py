"""Tables of the local engine.

A table is either a *stream* (batches made by Python, read once each time it is used) or a *query* (SQL over other
tables). Streams become DuckDB sources, queries become streams; nothing is computed before somebody takes batches.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pyarrow as pa

from ..hashing.errors import EngineError
from ..pipeline.engine import BatchFn, FoldFn, GroupFn, How, Measure, Table, drop_columns
from .bucketed import Buckets
from .chunks import cut, one_batch
from .explode import REPEATED_SHARE, exploded, repeated_values
from .first import first_of_each
from .lookup import Lookup, lookup_of
from .memory_aggregate import Aggregate, can_group
from .memory_sort import SLICE_ROWS, Held
from .numbers import with_numbers
from .ordered import ordered_map
from .spool import Spool
from .table_store import SavedRows

if TYPE_CHECKING:
    from .local import LocalEngine

R = TypeVar("R")

LOOKUP_SHARE = 0.12
"""Share for the rows that others are looked up in."""

SPOOL_SHARE = 0.3
"""Share of the engine's memory for rows that wait for their group."""

GROUPS_SHARE = 0.4
"""Share for the groups that functions are working on, once rows that do not fit are spilled."""

SORT_SHARE = 0.05
"""Share for rows that are sorted in memory; once more as much for the sorted ones."""

FIRST_BYTES = 16 << 20
"""Bytes of rows that are grouped at once; what they come to says whether it pays to group the others in parts."""

FEW = 8
"""Where so many rows have one key, about, they are grouped in parts."""

MOST_SORT_BYTES = 1 << 30
"""At most so many bytes of rows are sorted in memory: Arrow joins no more than twice as much text to one piece."""

Opener = Callable[[], Iterator[pa.RecordBatch]]


def opened(fn: Callable[..., Iterator[pa.RecordBatch]], *args: Any) -> Opener:
    """Return a function that opens a stream."""
    return lambda: fn(*args)


class Sources:
    """Names under which one query sees its inputs; every stream is registered afresh for every query."""

    def __init__(self, cursor: Any, names: Iterator[int]) -> None:
        self._cursor, self._names = cursor, names
        self.failure: BaseException | None = None

    def stream(self, table: "LocalTable") -> str:
        """Register a table's batches for this query and return their name."""
        name = f"stream_{next(self._names)}"
        self._cursor.register(name, pa.RecordBatchReader.from_batches(table.schema, self._noting(table.batches())))
        return name

    def _noting(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Remember what a stream raises: DuckDB passes on its text only."""
        try:
            yield from batches
        except BaseException as error:
            self.failure = error
            raise


def _quoted(names: Sequence[str], prefix: str = "") -> str:
    return ", ".join(prefix + f'"{name}"' for name in names)


def table_of(engine: "LocalEngine", table: Table) -> "LocalTable":
    """Return a table of this engine as what it is."""
    if not isinstance(table, LocalTable) or table.engine is not engine:
        raise EngineError("tables of one plan belong to one engine", value=type(table).__name__, remedy="Report this.")
    return table


class LocalTable:
    """The verbs, over two primitives: ``batches`` (Python) and ``sql`` (DuckDB)."""

    def __init__(self, engine: "LocalEngine", schema: pa.Schema, ordered: tuple[str, ...] = ()) -> None:
        self.engine = engine
        self._schema = schema
        self.ordered = ordered
        """Columns that rows are known to ascend by."""

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._schema

    @property
    def in_database(self) -> bool:
        """Whether DuckDB makes the rows, or reads them by itself."""
        return False

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""
        raise NotImplementedError

    def apply(self, fn: Callable[[pa.RecordBatch], R]) -> Iterator[R]:
        """Yield what a function makes of each batch in the worker threads, in order."""
        return ordered_map([self.batches], fn, threads=self.engine.threads)

    def sql(self, sources: Sources) -> str:
        """Return a table expression for DuckDB."""
        return sources.stream(self)

    def select(self, *names: str, **renamed: str) -> Table:
        """See ``Table.select``."""
        chosen = {**{name: name for name in names}, **renamed}
        schema, ordered = self._selected(chosen)
        if not self.in_database:
            choose = partial(_chosen, names=list(chosen.values()), schema=schema)
            return StreamTable(self.engine, schema, lambda: [self.batches], ordered, choose)
        columns = ", ".join(f'"{old}" AS "{new}"' for new, old in chosen.items())
        return QueryTable(self.engine, schema, lambda sources: f"SELECT {columns} FROM {self.sql(sources)}", ordered)

    def _selected(self, chosen: Mapping[str, str]) -> tuple[pa.Schema, tuple[str, ...]]:
        """Return the schema of some columns, given as new and old name, and by which of them rows ascend."""
        schema = pa.schema([self.schema.field(old).with_name(new) for new, old in chosen.items()])
        back = {old: new for new, old in chosen.items()}
        return schema, tuple(back[name] for name in self.ordered) if set(self.ordered) <= set(back) else ()

    def map(self, fn: BatchFn, schema: pa.Schema) -> Table:
        """See ``Table.map``."""
        ordered = self.ordered if set(self.ordered) <= set(schema.names) else ()
        return StreamTable(self.engine, schema, lambda: [self.batches], ordered, fn)

    def union(self, *others: Table) -> Table:
        """See ``Table.union``."""
        return UnionTable(self.engine, [self, *(table_of(self.engine, other) for other in others)])

    def distinct(self) -> Table:
        """See ``Table.distinct``."""
        if not self.in_database and can_group(self.schema):
            return self._grouped(Aggregate(self.schema.names, {}, self.schema))
        return QueryTable(self.engine, self.schema, lambda sources: f"SELECT DISTINCT * FROM {self.sql(sources)}")

    def join(self, other: Table, *, on: Sequence[str], how: How = "inner") -> Table:
        """See ``Table.join``."""
        right = table_of(self.engine, other)
        extra = [] if how in ("semi", "anti") else [f for f in right.schema if f.name not in on]
        columns = ", ".join(filter(None, [_quoted(self.schema.names, "l."), _quoted([f.name for f in extra], "r.")]))
        matches = " AND ".join(f'l."{name}" = r."{name}"' for name in on)
        joined = QueryTable(
            self.engine,
            pa.schema(list(self.schema) + extra),
            lambda sources: (
                f"SELECT {columns} FROM {self.sql(sources)} l {how.upper()} JOIN {right.sql(sources)} r ON {matches}"
            ),
        )
        by_number = len(on) == 1 and self.schema.field(on[0]).type == right.schema.field(on[0]).type == pa.int64()
        if not by_number:
            return joined
        return LookupTable(joined, self, right, on=on[0], how=how, joined=joined.schema, names=joined.schema.names)

    def first(
        self, *, by: Sequence[str], order: Sequence[str], n: int = 1, at_least: int = 1, size: str | None = None
    ) -> Table:
        """See ``Table.first``."""
        schema = pa.schema(list(self.schema) + ([pa.field(size, pa.int64())] if size else []))
        rows = opened(self.sorted_batches, [*by, *order])
        return StreamTable(
            self.engine,
            schema,
            lambda: [lambda: first_of_each(rows(), by, n=n, at_least=at_least, sized=size is not None, schema=schema)],
            (),
        )

    def aggregate(self, *, by: Sequence[str], **measures: tuple[Measure, str]) -> Table:
        """See ``Table.aggregate``."""
        fields = [self.schema.field(name) for name in by] + [pa.field(name, pa.int64()) for name in measures]
        aggregate = Aggregate(by, measures, pa.schema(fields))
        here = not self.in_database and can_group(aggregate.schema)
        return self._grouped(aggregate) if here else self._aggregated_by_query(aggregate)

    def _grouped(self, aggregate: Aggregate) -> Table:
        """Return the measures of each key: from memory where rows or keys are few, else from DuckDB."""
        none = pa.RecordBatch.from_pylist([], schema=self.schema)

        def rows() -> Iterator[pa.RecordBatch]:
            begun = Held.of(self.batches(), budget=min(FIRST_BYTES, self.sort_bytes))
            first = one_batch([*begun.batches, none])
            part = aggregate(first)
            if begun.rest is None:
                return iter([aggregate.final(part)])
            if part.num_rows * FEW > first.num_rows:
                return self._streaming(begun)._aggregated_by_query(aggregate).batches()
            parts = Held.of(itertools.chain([part], map(aggregate, begun.rest)), budget=self.sort_bytes)
            merging = aggregate.merging
            if parts.rest is None:
                return iter([merging.final(merging(one_batch(parts.batches)))])
            table = StreamTable(self.engine, aggregate.schema, lambda: [parts.every], ())
            return table._aggregated_by_query(merging).batches()

        return StreamTable(self.engine, aggregate.schema, lambda: [rows], ())

    def _aggregated_by_query(self, aggregate: Aggregate) -> "QueryTable":
        columns = [f'"{name}"' for name in aggregate.by]
        columns += [
            f'CAST(coalesce({measure}("{column}"), 0) AS BIGINT) AS "{name}"'
            for name, (measure, column) in aggregate.measures.items()
        ]
        tail = f" GROUP BY {_quoted(aggregate.by)}" if aggregate.by else ""
        return QueryTable(
            self.engine,
            aggregate.schema,
            lambda sources: f"SELECT {', '.join(columns)} FROM {self.sql(sources)}{tail}",
        )

    def explode(self, column: str, *, into: str, repeated: bool) -> Table:
        """See ``Table.explode``."""
        others = drop_columns(self.schema, [column])
        schema = pa.schema([*others, pa.field(into, pa.int64())])

        def every() -> list[Opener]:
            among = repeated_values(self.batches(), column, self.value_bytes(column), self.engine) if repeated else None
            return [lambda: self.apply(partial(exploded, column=column, schema=schema, among=among))]

        if repeated:
            return ExplodedTable(self, column, schema, every)
        return StreamTable(self.engine, schema, every, ())

    def value_bytes(self, column: str) -> int | None:
        """Return about how many bytes a column's values have, if that is known without reading them."""
        return None

    def number(self, *, order: Sequence[str], name: str) -> Table:
        """See ``Table.number``."""
        schema = pa.schema([*self.schema, pa.field(name, pa.int64())])

        rows = opened(self.sorted_batches, order)
        return StreamTable(self.engine, schema, lambda: [lambda: with_numbers(rows(), 0, schema)], (name,))

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
        if hold is None:
            return self.streamed(by, sort, cast(FoldFn, fn), schema)
        whole, size = cast(GroupFn, fn), hold

        def grouped() -> list[Opener]:
            # Streams are opened lazily, one for each key, after all rows are in their buckets.
            spool = self._spool(by)
            workers = max(1, min(self.engine.threads, int(self.engine.memory_bytes * GROUPS_SHARE) // max(1, size)))

            def rows() -> Iterator[pa.RecordBatch]:
                try:
                    keys = [opened(lambda key: iter([key]), key) for key in spool.sorted_keys()]
                    yield from ordered_map(
                        keys, lambda key: whole(spool.take(key, list(sort))), threads=workers, window=1
                    )
                finally:
                    spool.close()

            return [rows]

        return StreamTable(self.engine, schema, grouped, ())

    def streamed(self, by: str, sort: Sequence[str], fn: FoldFn, schema: pa.Schema) -> Table:
        """Return ``group`` without ``hold``: one function sees one key after another."""
        return self.fold(order=[by, *sort], fn=fn, schema=schema)

    def _spool(self, by: str) -> Spool:
        budget = int(self.engine.memory_bytes * SPOOL_SHARE)
        spool = Spool(self.schema, budget=budget, folder=self.engine.spill)
        try:
            for parts in self.apply(partial(cut, by=by)):
                spool.add(parts)
            spool.settle()
        except BaseException:
            spool.close()
            raise
        return spool

    def fold(self, *, order: Sequence[str], fn: FoldFn, schema: pa.Schema) -> Table:
        """See ``Table.fold``."""
        return StreamTable(self.engine, schema, lambda: [lambda: fn(self.sorted_batches(order))], ())

    def save(self, name: str) -> Table:
        """See ``Table.save``."""
        store = self.engine.store
        if not store.has(name):
            store.save(name, self.batches(), self.schema)
        return SavedTable(self.engine, self.schema, store.rows(name), self.ordered, self.schema.names)

    def collect(self) -> pa.Table:
        """See ``Table.collect``."""
        return pa.Table.from_batches(list(self.batches()), self.schema)

    def sorted_batches(self, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows sorted; rows known to be in order are only checked."""
        if self.ordered and tuple(order) == self.ordered:
            return _checked(self.batches(), order)
        if self.may_fit(self.sort_bytes) and all(self.schema.field(name).type == pa.int64() for name in order):
            return self._sorted_where_they_fit(order)
        return self._sorted_by_query(order)

    @property
    def sort_bytes(self) -> int:
        """Bytes of rows that are sorted in memory."""
        return min(MOST_SORT_BYTES, int(self.engine.memory_bytes * SORT_SHARE))

    def may_fit(self, size_bytes: int) -> bool:
        """Whether the rows may have no more bytes than that, as far as is known without reading them."""
        return True

    def _sorted_where_they_fit(self, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
        held = Held.of(self.batches(), budget=self.sort_bytes)
        if held.sortable(order):
            yield from held.sorted(order, threads=self.engine.threads)
            return
        yield from self._streaming(held)._sorted_by_query(order)

    def _streaming(self, held: Held) -> "StreamTable":
        """Return rows that were begun to be read as a table that is read once."""
        return StreamTable(self.engine, self.schema, lambda: [held.every], ())

    def _sorted_by_query(self, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return self.engine.run_query(
            lambda sources: f"SELECT * FROM {self.sql(sources)} ORDER BY {_quoted(order)}", self.schema
        )


class StreamTable(LocalTable):
    """A table whose batches Python makes: streams read in order, then a function in the worker threads."""

    def __init__(
        self,
        engine: "LocalEngine",
        schema: pa.Schema,
        streams: Callable[[], Sequence[Opener]],
        ordered: tuple[str, ...],
        fn: BatchFn | None = None,
    ) -> None:
        super().__init__(engine, schema, ordered)
        self._streams, self._fn = streams, fn

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""
        streams = self._streams()
        if self._fn is None and len(streams) == 1:
            return streams[0]()
        return ordered_map(streams, self._fn or _same, threads=self.engine.threads)

    def apply(self, fn: Callable[[pa.RecordBatch], R]) -> Iterator[R]:
        """Fuse with the function before, so that a batch stays in one worker."""
        return ordered_map(self._streams(), _then(self._fn, fn), threads=self.engine.threads)

    def select(self, *names: str, **renamed: str) -> Table:
        """See ``Table.select``: columns are chosen on the way, without DuckDB."""
        chosen = {**{name: name for name in names}, **renamed}
        schema, ordered = self._selected(chosen)
        choose = partial(_chosen, names=list(chosen.values()), schema=schema)
        return StreamTable(self.engine, schema, self._streams, ordered, _then(self._fn, choose))

    def map(self, fn: BatchFn, schema: pa.Schema) -> Table:
        """Fuse with the function before, so that a batch stays in one worker."""
        ordered = self.ordered if set(self.ordered) <= set(schema.names) else ()
        return StreamTable(self.engine, schema, self._streams, ordered, _then(self._fn, fn))


def _same(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch


def _chosen(batch: pa.RecordBatch, *, names: Sequence[str], schema: pa.Schema) -> pa.RecordBatch:
    """Return some columns of a batch under the names of a schema."""
    return pa.RecordBatch.from_arrays([batch.column(name) for name in names], schema=schema)


def _then(before: BatchFn | None, after: Callable[[pa.RecordBatch], R]) -> Callable[[pa.RecordBatch], R]:
    return after if before is None else lambda batch: after(before(batch))


class ExplodedTable(StreamTable):
    """A row for each packed value that may occur twice. Equal values meet in memory, where they fit.

    Args:
        packed: the table with packed values.
        column: that holds them.
        schema: the other columns of the table, then that of values.
        streams: the rows, for all other uses.
    """

    def __init__(
        self, packed: LocalTable, column: str, schema: pa.Schema, streams: Callable[[], Sequence[Opener]]
    ) -> None:
        super().__init__(packed.engine, schema, streams, ())
        self._packed, self._column = packed, column

    def streamed(self, by: str, sort: Sequence[str], fn: FoldFn, schema: pa.Schema) -> Table:
        """Return ``group`` without ``hold``: threads take a bucket of values each."""
        most = self._most_values()
        if most is None or [*sort, by] != self.schema.names or len(sort) != 1:
            return super().streamed(by, sort, fn, schema)

        def grouped() -> list[Opener]:
            buckets = Buckets.of(self._packed.apply, [self._column, sort[0]], most)
            met = [opened(_met, buckets, bucket, self.schema, fn) for bucket in range(len(buckets))]
            return [lambda: ordered_map(met, _same, threads=self.engine.threads)]

        return StreamTable(self.engine, schema, grouped, ())

    def _most_values(self) -> int | None:
        """Return about how many values there are, or more; None if they do not fit the memory, or nobody knows."""
        size = self._packed.value_bytes(self._column)
        room = self.engine.memory_bytes * REPEATED_SHARE
        return None if size is None or 2 * size > room else size // 8


def _met(buckets: Buckets, bucket: int, schema: pa.Schema, fn: FoldFn) -> Iterator[pa.RecordBatch]:
    """Yield what a function makes of the values of a bucket.

    A value that many rows have makes a large bucket, and a function makes several times as much of it: it gets slices.
    """
    values, rows = buckets.repeated(bucket)
    batch = pa.RecordBatch.from_arrays([pa.array(rows), pa.array(values)], schema=schema)
    return fn(batch.slice(start, SLICE_ROWS) for start in range(0, len(rows), SLICE_ROWS))


class QueryTable(LocalTable):
    """A table that DuckDB computes."""

    def __init__(
        self, engine: "LocalEngine", schema: pa.Schema, build: Callable[[Sources], str], ordered: tuple[str, ...] = ()
    ) -> None:
        super().__init__(engine, schema, ordered)
        self._build = build

    @property
    def in_database(self) -> bool:
        """Always."""
        return True

    def sql(self, sources: Sources) -> str:
        """Return a table expression for DuckDB."""
        return f"({self._build(sources)})"

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""
        return self.engine.run_query(self._build, self.schema)


class LookupTable(LocalTable):
    """Columns of a join by a number: keys are looked up in the other side, where that is small and adds no row twice.

    Args:
        query: the same columns of the same join in DuckDB, for all other cases.
        left, right: what is joined.
        on: an int64 column of both.
        how: which rows stay.
        joined: all columns of the join.
        names: the column of the join behind each of the query.
    """

    def __init__(
        self,
        query: LocalTable,
        left: LocalTable,
        right: LocalTable,
        *,
        on: str,
        how: How,
        joined: pa.Schema,
        names: Sequence[str],
    ) -> None:
        super().__init__(query.engine, query.schema)
        self._query, self._left, self._right = query, left, right
        self._on, self._how, self._joined, self._names = on, how, joined, names

    def select(self, *names: str, **renamed: str) -> Table:
        """See ``Table.select``."""
        behind = dict(zip(self.schema.names, self._names, strict=True))
        return LookupTable(
            table_of(self.engine, self._query.select(*names, **renamed)),
            self._left,
            self._right,
            on=self._on,
            how=self._how,
            joined=self._joined,
            names=[behind[old] for old in (*names, *renamed.values())],
        )

    def map(self, fn: BatchFn, schema: pa.Schema) -> Table:
        """See ``Table.map``."""
        return AppliedTable(self, fn, schema)

    def _lookup(self) -> Lookup | None:
        """Return the other side; not kept, since tables live longer than their use."""
        budget = int(self.engine.memory_bytes * LOOKUP_SHARE)
        if not self._right.may_fit(budget):
            return None
        return lookup_of(self._right.batches(), self._right.schema, self._on, self._how, budget=budget)

    def sql(self, sources: Sources) -> str:
        """Return a table expression for DuckDB."""
        return self._query.sql(sources)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""
        return self.apply(_same)

    def apply(self, fn: Callable[[pa.RecordBatch], R]) -> Iterator[R]:
        """Yield what a function makes of each batch, in the worker threads."""
        lookup = self._lookup()
        if lookup is None:
            return self._query.apply(fn)
        choose = partial(_chosen, names=self._names, schema=self.schema)
        return self._left.apply(lambda batch: fn(choose(lookup(batch, self._on, self._joined))))

    def value_bytes(self, column: str) -> int | None:
        """Return about how many bytes a column's values have, or more."""
        behind = self._names[self.schema.get_field_index(column)]
        return self._left.value_bytes(behind) if behind in self._left.schema.names else None


class AppliedTable(LocalTable):
    """A function over another table, applied in the worker threads together with what comes before and after."""

    def __init__(self, table: LocalTable, fn: BatchFn, schema: pa.Schema) -> None:
        super().__init__(table.engine, schema, table.ordered if set(table.ordered) <= set(schema.names) else ())
        self._table, self._fn = table, fn

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""
        return self._table.apply(self._fn)

    def apply(self, fn: Callable[[pa.RecordBatch], R]) -> Iterator[R]:
        """Yield what a function makes of each batch, in the worker threads."""
        return self._table.apply(_then(self._fn, fn))

    def value_bytes(self, column: str) -> int | None:
        """Return about how many bytes a column's values have, or more, if the function keeps it."""
        same = column in self._table.schema.names and self._table.schema.field(column) == self.schema.field(column)
        return self._table.value_bytes(column) if same else None


class UnionTable(LocalTable):
    """Rows of several tables: one after another in Python, so that a stream need not pass through DuckDB."""

    def __init__(self, engine: "LocalEngine", tables: Sequence[LocalTable]) -> None:
        super().__init__(engine, tables[0].schema)
        self._tables = tables

    @property
    def in_database(self) -> bool:
        """Where all of them are."""
        return all(table.in_database for table in self._tables)

    def sql(self, sources: Sources) -> str:
        """Return a table expression for DuckDB."""
        columns = _quoted(self.schema.names)
        return f"({' UNION ALL '.join(f'SELECT {columns} FROM {table.sql(sources)}' for table in self._tables)})"

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""
        return itertools.chain.from_iterable(table.batches() for table in self._tables)

    def apply(self, fn: Callable[[pa.RecordBatch], R]) -> Iterator[R]:
        """Yield what a function makes of each batch, table after table."""
        return itertools.chain.from_iterable(table.apply(fn) for table in self._tables)


class SavedTable(LocalTable):
    """Columns of a saved table: DuckDB scans its files by itself, where the rows are not in memory.

    Args:
        rows: of the whole table.
        stored: its column behind each column of the schema.
    """

    def __init__(
        self,
        engine: "LocalEngine",
        schema: pa.Schema,
        rows: SavedRows,
        ordered: tuple[str, ...],
        stored: Sequence[str],
    ) -> None:
        super().__init__(engine, schema, ordered)
        self._rows, self._stored = rows, stored

    def select(self, *names: str, **renamed: str) -> Table:
        """See ``Table.select``."""
        chosen = {**{name: name for name in names}, **renamed}
        schema, ordered = self._selected(chosen)
        behind = dict(zip(self.schema.names, self._stored, strict=True))
        return SavedTable(self.engine, schema, self._rows, ordered, [behind[old] for old in chosen.values()])

    @property
    def in_database(self) -> bool:
        """Where they are read from disk."""
        return self._rows.kept is None

    def sql(self, sources: Sources) -> str:
        """Return a table expression for DuckDB."""
        paths = self._rows.files() if self._rows.kept is None else ()
        if not paths:
            return super().sql(sources)
        columns = [f'"{stored}" AS "{name}"' for stored, name in zip(self._stored, self.schema.names, strict=True)]
        escaped = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
        return f"(SELECT {', '.join(columns)} FROM read_parquet([{escaped}]))"

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""
        return self._rows.batches(self._stored, self.schema)

    def may_fit(self, size_bytes: int) -> bool:
        """Whether the rows have no more bytes than that."""
        return self._rows.size_bytes(self._stored) <= size_bytes

    def value_bytes(self, column: str) -> int | None:
        """Return about how many bytes a column's values have, or more."""
        return self._rows.size_bytes([self._stored[self.schema.get_field_index(column)]])

    def save(self, name: str) -> Table:
        """See ``Table.save``."""
        return self


def _checked(batches: Iterator[pa.RecordBatch], order: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Pass batches on and make sure that they ascend by the one column of ``order``."""
    last: int | None = None
    for batch in batches:
        values = batch.column(batch.schema.get_field_index(order[0])).to_numpy()
        if len(values):
            if (last is not None and values[0] < last) or np.any(values[1:] < values[:-1]):
                raise EngineError("rows come in the order they were promised in", value=order[0], remedy="Report this.")
            last = int(values[-1])
        yield batch
