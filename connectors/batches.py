"""What readers yield: record batches with addresses, and bad records set aside in two columns."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.errors import InputError
from .address import ADDRESS
from .views import take_batch

RULE = "__rule"
"""Reserved column: null, or the name of the rule a record broke."""

RAW = "__raw"
"""Reserved column: null, or the bytes of a record that could not be parsed."""

RESERVED = (ADDRESS, RULE, RAW)


def reading_schema(columns: pa.Schema) -> pa.Schema:
    """Return the schema that readers yield for some columns: address, rule, raw, then the columns."""
    fields = [pa.field(ADDRESS, pa.int64()), pa.field(RULE, pa.string()), pa.field(RAW, pa.binary())]
    return pa.schema(fields + list(columns), metadata=columns.metadata)


def good_batch(addresses: NDArray[np.int64], columns: list[pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch of records that parsed; ``schema`` is a reading schema."""
    n = len(addresses)
    head = [pa.array(addresses), pa.nulls(n, pa.string()), pa.nulls(n, pa.binary())]
    return pa.RecordBatch.from_arrays(head + columns, schema=schema)


def sifted_batch(
    addresses: NDArray[np.int64],
    columns: list[pa.Array],
    rules: list[str | None],
    raw: list[bytes | None],
    schema: pa.Schema,
) -> pa.RecordBatch:
    """Return a batch of records of which some did not parse: those have a rule and their bytes, and null columns."""
    head = [pa.array(addresses), pa.array(rules, pa.string()), pa.array(raw, pa.binary())]
    return pa.RecordBatch.from_arrays(head + columns, schema=schema)


def conform(batch: pa.RecordBatch, columns: pa.Schema) -> list[pa.Array]:
    """Return the named columns of a batch in the types of a schema: absent ones null, others cast without loss."""
    arrays = []
    for field in columns:
        at = batch.schema.get_field_index(field.name)
        if at < 0:
            arrays.append(pa.nulls(batch.num_rows, field.type))
        else:
            column = batch.column(at)
            arrays.append(column if column.type == field.type else column.cast(field.type))
    return arrays


def conform_read(batch: pa.RecordBatch, columns: pa.Schema, where: str) -> list[pa.Array]:
    """Return the named columns of records that were read, in the types of the corpus.

    Args:
        batch: what a reader found.
        columns: names and types.
        where: file and record, for the message.

    Raises:
        InputError: if a value does not fit the type that its column has over all inputs.
    """
    try:
        return conform(batch, columns)
    except pa.ArrowException as error:
        raise InputError(
            "values fit the type that their column has over all inputs",
            value=f"{where}: {error}",
            remedy="Convert the column, or leave that file out.",
        ) from error


def pick(batches: Iterator[pa.RecordBatch], wanted: NDArray[np.int64]) -> Iterator[tuple[pa.RecordBatch, int, int]]:
    """Yield only the wanted records of a split, each as often as its address occurs.

    Args:
        batches: batches whose addresses ascend.
        wanted: int64, ascending addresses, repeats allowed.

    Yields:
        (records, first, last): the records at ``wanted[first:last]``, one for one.
    """
    for batch in batches:
        if not batch.num_rows:
            continue
        addresses = batch.column(0).to_numpy()
        first = int(np.searchsorted(wanted, addresses[0], side="left"))
        last = int(np.searchsorted(wanted, addresses[-1], side="right"))
        if first == last:
            continue
        for start in range(first, last, batch.num_rows):  # repeats must not make batches of any size
            part = wanted[start : min(last, start + batch.num_rows)]
            whole = len(part) == batch.num_rows and bool(np.array_equal(addresses, part))
            rows = pa.array(np.searchsorted(addresses, part))
            yield batch if whole else take_batch(batch, rows), start, start + len(part)


def rebatch(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield zero-copy slices of at most ``rows`` rows."""
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)
