"""What every stage returns: rows that go, and what stays in their place."""

from dataclasses import dataclass

import pyarrow as pa

DROPS = pa.schema([("row", pa.int64()), ("keeper", pa.int64()), ("similarity", pa.float64())])
"""A dropped row, the row that its stage keeps in its place, and their similarity (null where nobody measured it)."""

STAGED = pa.schema([*DROPS, pa.field("stage", pa.string())])


@dataclass(frozen=True)
class Staged:
    """Adds the name of the stage."""

    stage: str

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of ``STAGED``."""
        names = pa.repeat(self.stage, batch.num_rows)
        return pa.RecordBatch.from_arrays([*batch.columns, names], schema=STAGED)


@dataclass(frozen=True)
class Nameless:
    """Makes drops of a stage that keeps nothing in the place of what it drops."""

    stage: str

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of ``STAGED`` for (row)."""
        n = batch.num_rows
        columns = [batch.column("row"), pa.nulls(n, pa.int64()), pa.nulls(n, pa.float64()), pa.repeat(self.stage, n)]
        return pa.RecordBatch.from_arrays(columns, schema=STAGED)
