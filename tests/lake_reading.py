"""Reads the tables of a lake as a scan does: from pickled tables and splits."""

import pickle

import pyarrow as pa

from tamis.connectors.lake_reading import read_table_split, table_schema, table_splits
from tamis.connectors.lake_tables import list_tables


def tables_of(*lakes):
    """Return {name: table} of some lakes."""
    return {table.name: table for table in list_tables([str(lake) for lake in lakes])[0]}


def rows_of(table, names=None):
    """Return (addresses, rows as a table) of a listed table, in the order of its splits."""
    table = pickle.loads(pickle.dumps(table))
    splits = pickle.loads(pickle.dumps(table_splits(table)))
    full = table_schema(table, splits)
    columns = full if names is None else pa.schema([full.field(name) for name in names])
    batches = [batch for split in splits for batch in read_table_split(split, columns, full)]
    addresses = [value for batch in batches for value in batch.column("__address").to_pylist()]
    for batch in batches:
        assert batch.schema.types[1:-1] == columns.types
    return addresses, pa.Table.from_batches([batch.select(columns.names) for batch in batches], columns)


def as_set(table):
    """Return the rows of a table, sorted, as text: order of rows and of columns do not count."""
    names = sorted(table.column_names)
    return sorted(repr([row[name] for name in names]) for row in table.to_pylist())


def check_addresses(table, addresses):
    """Check that the rows of each file are numbered from 0 on, in order."""
    of = {}
    for value in addresses:
        of.setdefault(value >> 40, []).append(value & ((1 << 40) - 1))
    assert all(numbers == list(range(len(numbers))) for numbers in of.values())
    assert set(of) <= {file.ordinal for file in table.files}
