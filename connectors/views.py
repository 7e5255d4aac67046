"""Strings as views, so that rows are picked, dealt and sorted without copying their bytes.

An Arrow view is sixteen bytes: a short string itself, or where a longer one lies in a shared buffer. Taking rows takes
views; the bytes are copied once, when a column is cast back. Arrow has no ``take`` for views, but they are fixed-size
values, and that it has.
"""

import numpy as np
import pyarrow as pa

VIEW_BYTES = 16
_VIEWS = {
    pa.string(): pa.string_view(),
    pa.large_string(): pa.string_view(),
    pa.binary(): pa.binary_view(),
    pa.large_binary(): pa.binary_view(),
}


def view_schema(schema: pa.Schema) -> pa.Schema:
    """Return a schema with its string and binary columns as views; strings inside other types stay."""
    return pa.schema(
        [field.with_type(_VIEWS.get(field.type, field.type)) for field in schema], metadata=schema.metadata
    )


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return a schema with its views as large strings and binaries."""
    plain = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    return pa.schema([field.with_type(plain.get(field.type, field.type)) for field in schema], metadata=schema.metadata)


def as_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with its string and binary columns as views into the same bytes."""
    schema = view_schema(batch.schema)
    return cast_batch(batch, schema)


def cast_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch in the types of a schema with the same columns."""
    columns = [c if c.type == f.type else c.cast(f.type) for c, f in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def is_view(kind: pa.DataType) -> bool:
    """Whether a type is a view."""
    return bool(kind in (pa.string_view(), pa.binary_view()))


def take_array(array: pa.Array, rows: pa.Array) -> pa.Array:
    """Return an array's values at some rows (int64, no nulls)."""
    if not is_view(array.type):
        return array.take(rows)
    _, views, *data = array.buffers()
    fixed = pa.Array.from_buffers(pa.binary(VIEW_BYTES), len(array), [None, views], offset=array.offset)
    validity = array.is_valid().take(rows).buffers()[1] if array.null_count else None
    return pa.Array.from_buffers(array.type, len(rows), [validity, fixed.take(rows).buffers()[1], *data])


def take_batch(batch: pa.RecordBatch, rows: pa.Array) -> pa.RecordBatch:
    """Return a batch's rows at some places."""
    return pa.RecordBatch.from_arrays([take_array(column, rows) for column in batch.columns], schema=batch.schema)


def take_table(table: pa.Table, rows: pa.Array) -> pa.Table:
    """Return a table's rows at some places; its columns are one chunk each, or none."""
    columns = [take_array(column.chunk(0), rows) if column.num_chunks else column for column in table.columns]
    return pa.Table.from_arrays(columns, schema=table.schema)


def size_bytes(batch: pa.RecordBatch) -> int:
    """Return what a batch's rows weigh: for views, the views and the bytes they stand for."""
    return sum(_view_bytes(c) if is_view(c.type) else c.nbytes for c in batch.columns)


def _view_bytes(array: pa.Array) -> int:
    lengths = np.frombuffer(array.buffers()[1], np.int32)[::4][array.offset : array.offset + len(array)]
    return len(array) * VIEW_BYTES + int(lengths.sum(dtype=np.int64))
