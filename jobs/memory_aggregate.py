"""Counts and sums by key, of some rows and of what parts of them come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ..pipeline.engine import Measure

_MERGED: dict[Measure, Measure] = {"count": "sum", "sum": "sum", "min": "min", "max": "max"}
"""How the results of parts become that of all."""


@dataclass(frozen=True)
class Aggregate:
    """Measures of the rows of each key; plain data.

    Attributes:
        by: columns of the key; without any, all rows are of one.
        measures: what is made of which column, by the name of the result.
        schema: the key, then the measures (int64).
    """

    by: Sequence[str]
    measures: Mapping[str, tuple[Measure, str]]
    schema: pa.Schema

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return a row for each key of a batch; null where there is no value to sum or compare."""
        asked = [(column, measure) for measure, column in self.measures.values()]
        named = [f"{column}_{measure}" for column, measure in asked]
        found = pa.table(batch).group_by(list(self.by), use_threads=False).aggregate(list(dict.fromkeys(asked)))
        columns = [found[name].combine_chunks() for name in (*self.by, *named)]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    @property
    def merging(self) -> "Aggregate":
        """What makes one row of those that parts have for a key."""
        merged = {name: (_MERGED[measure], name) for name, (measure, _) in self.measures.items()}
        return Aggregate(self.by, merged, self.schema)

    def final(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of all keys with 0 for what has no value."""
        columns = [*batch.columns[: len(self.by)], *(c.fill_null(0) for c in batch.columns[len(self.by) :])]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def can_group(schema: pa.Schema) -> bool:
    """Whether Arrow groups rows by these columns."""
    return all(kind in (pa.int64(), pa.string(), pa.bool_()) for kind in schema.types)
