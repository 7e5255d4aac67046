"""Tables of the Spark engine that are so small that the driver works on them, with the local engine.

A job of Spark's costs a third of a second whatever it does, and a run has dozens of joins and sums over tables that
fit one machine many times. A table whose rows lie in parts of few bytes is therefore the driver's, and so is what
follows from such tables alone; where it meets a table of Spark's it becomes one.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from ..pipeline.engine import BatchFn, FoldFn, GroupFn, How, Measure, Table
from .local_table import LocalTable
from .saved import begin, commit, is_saved, write_part
from .spark_table import Branch, SparkTable, table_of
from .spark_tasks import ReadParts

if TYPE_CHECKING:
    from .spark import SparkEngine


class DriverTable:
    """The verbs, as the local engine does them.

    Args:
        engine: the Spark engine.
        local: the rows, as a table of the engine's own local one.
        spark: the same rows as a table of Spark's, where there is one.
        size_bytes: about how large it is.
    """

    def __init__(
        self, engine: "SparkEngine", local: LocalTable, spark: SparkTable | None = None, *, size_bytes: int
    ) -> None:
        self.engine = engine
        self.local = local
        self.size_bytes = size_bytes
        self._spark = spark

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self.local.schema

    @cached_property
    def spread(self) -> SparkTable:
        """The rows as a table of Spark's, which are written when they are wanted."""
        if self._spark is not None:
            return self._spark
        return SparkTable(self.engine, self.schema, lambda: [self._written()], size_bytes=self.size_bytes)

    def _written(self) -> Branch:
        folder = self.engine.new_folder("driver")
        part = write_part(folder, "part", self.local.batches(), self.schema)
        return self.engine.reading(ReadParts.of(folder, [part], self.schema))

    def _of(self, table: Table, size_bytes: int | None = None) -> "DriverTable":
        size = self.size_bytes if size_bytes is None else size_bytes
        return DriverTable(self.engine, cast(LocalTable, table), size_bytes=size)

    def select(self, *names: str, **renamed: str) -> Table:
        """See ``Table.select``."""
        spark = None if self._spark is None else table_of(self.engine, self._spark.select(*names, **renamed))
        local = cast(LocalTable, self.local.select(*names, **renamed))
        return DriverTable(self.engine, local, spark, size_bytes=self.size_bytes)

    def map(self, fn: BatchFn, schema: pa.Schema) -> Table:
        """See ``Table.map``."""
        return self._of(self.local.map(fn, schema))

    def union(self, *others: Table) -> Table:
        """See ``Table.union``."""
        return self._with(others, lambda here, there: here.union(*there))

    def distinct(self) -> Table:
        """See ``Table.distinct``."""
        return self._of(self.local.distinct())

    def join(self, other: Table, *, on: Sequence[str], how: How = "inner") -> Table:
        """See ``Table.join``."""
        return self._with([other], lambda here, there: here.join(there[0], on=on, how=how))

    def _with(self, others: Sequence[Table], verb: Callable[[Table, Sequence[Table]], Table]) -> Table:
        """Apply a verb of several tables: here if all are the driver's, on Spark otherwise."""
        small = [other for other in others if isinstance(other, DriverTable)]
        if len(small) == len(others):
            size = self.size_bytes + sum(other.size_bytes for other in small)
            return self._of(verb(self.local, [other.local for other in small]), size)
        return verb(self.spread, others)

    def first(
        self, *, by: Sequence[str], order: Sequence[str], n: int = 1, at_least: int = 1, size: str | None = None
    ) -> Table:
        """See ``Table.first``."""
        return self._of(self.local.first(by=by, order=order, n=n, at_least=at_least, size=size))

    def aggregate(self, *, by: Sequence[str], **measures: tuple[Measure, str]) -> Table:
        """See ``Table.aggregate``."""
        return self._of(self.local.aggregate(by=by, **measures))

    def explode(self, column: str, *, into: str, repeated: bool) -> Table:
        """See ``Table.explode``."""
        return self._of(self.local.explode(column, into=into, repeated=repeated), 2 * self.size_bytes)

    def number(self, *, order: Sequence[str], name: str) -> Table:
        """See ``Table.number``."""
        return self._of(self.local.number(order=order, name=name))

    def group(self, *, by: str, sort: Sequence[str], fn: GroupFn | FoldFn, schema: pa.Schema, **size: Any) -> Table:
        """See ``Table.group``."""
        return self._of(self.local.group(by=by, sort=sort, fn=fn, schema=schema, **size))

    def fold(self, *, order: Sequence[str], fn: FoldFn, schema: pa.Schema) -> Table:
        """See ``Table.fold``."""
        return self._of(self.local.fold(order=order, fn=fn, schema=schema))

    def save(self, name: str) -> Table:
        """See ``Table.save``."""
        folder = self.engine.work / name
        if not is_saved(folder):
            begin(folder)
            commit(folder, [write_part(folder, "part", self.local.batches(), self.schema)])
        return self.engine.saved(folder, self.schema, self.local.ordered)

    def collect(self) -> pa.Table:
        """See ``Table.collect``."""
        return self.local.collect()
