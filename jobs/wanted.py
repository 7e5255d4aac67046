"""Reading only some records: which splits hold them, and their other columns beside what is read."""

from collections.abc import Iterator

import pyarrow as pa

from ..connectors.address import ADDRESS
from ..connectors.batches import pick, reading_schema
from ..connectors.views import as_views, view_schema


def wanted_schema(columns: pa.Schema, only: pa.Schema) -> pa.Schema:
    """Return the schema of wanted records: what is read, strings as views, then the other columns of ``only``."""
    schema = reading_schema(columns)
    extra = [field for field in only if field.name != ADDRESS]
    return pa.schema(list(view_schema(schema)) + extra, metadata=schema.metadata)


def with_columns(
    batches: Iterator[pa.RecordBatch], wanted: pa.Table, schema: pa.Schema, *, held: bool
) -> Iterator[pa.RecordBatch]:
    """Yield the wanted records of a split.

    Args:
        batches: all its records.
        wanted: rows of ``only`` in this split, by ascending address, in one chunk.
        schema: as ``wanted_schema`` says.
        held: whether the batches stay in memory anyway, so that records may be views into them.
    """
    extra = [i for i, field in enumerate(wanted.schema) if field.name != ADDRESS]
    keys = wanted[ADDRESS].to_numpy()
    if held:
        picked = pick(map(as_views, batches), keys)
    else:
        picked = ((as_views(batch), *place) for batch, *place in pick(batches, keys))
    for batch, start, stop in picked:
        part = wanted.slice(start, stop - start).combine_chunks()
        more = [part.column(i).chunk(0) for i in extra]
        yield pa.RecordBatch.from_arrays(batch.columns + more, schema=schema)
