"""The records of a blocking run, read from their tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ...connectors.record_table import RecordTable, read_record_table
from ...hashing.errors import BadRowError, ConfigError, InputError
from ..listed import listed
from .options import Options
from .records import Records, read_records


@dataclass(frozen=True)
class Sides:
    """The records of both sides.

    Attributes:
        left: the records that ask.
        right: the records that are searched; None: the left ones are one table with duplicates in it.
        tables: all columns of both sides, row by row as the records.
        unread: (side, path, record from 0, rule) of records that could not be read.
        delimiters: of the delimited files of each side, "" where it has none.
    """

    left: Records
    right: Records | None
    tables: tuple[pa.Table, ...]
    unread: tuple[tuple[str, str, int, str], ...]
    delimiters: tuple[str, ...]

    @property
    def searched(self) -> Records:
        """Return the records that are searched."""
        return self.left if self.right is None else self.right

    @property
    def possible(self) -> int:
        """Return how many pairs there could be."""
        n = len(self.left)
        return n * (n - 1) // 2 if self.right is None else n * len(self.right)


def read_sides(left: str, right: str | None, options: Options) -> Sides:
    """Read the tables of a run.

    Raises:
        InputError: a table cannot be read, a column is not there, or ids are missing or repeated.
        BadRowError: a record cannot be read, and is not to be set aside.
        ConfigError: there is no column to compare by.
    """
    paths = [("left", left, options.left_id)] + ([("right", right, options.right_id)] if right is not None else [])
    tables = [read_record_table(path, delimiter=options.delimiter) for _, path, _ in paths]
    unread = [(side, *what) for (side, _, _), table in zip(paths, tables, strict=True) for what in table.unread]
    if unread and not options.quarantine:
        side, path, record, rule = unread[0]
        raise BadRowError(
            "every record can be read",
            value=f"{len(unread):,} cannot, the first is record {record} of {path}: {rule}",
            remedy="Mend them (text is UTF-8, JSON one object a line), name the --delimiter, or set them aside: "
            "--on-error quarantine.",
        )
    _check_columns(paths, tables, options)
    records = [
        read_records(table.rows, id_column, _columns(table, id_column, options.columns))
        for (_, _, id_column), table in zip(paths, tables, strict=True)
    ]
    if not any(some.columns for some in records):
        raise ConfigError(
            "a record has something to compare by",
            value="no column but that of ids",
            remedy="Name other columns: --column, --id.",
        )
    second = records[1] if len(records) > 1 else None
    rows = tuple(table.rows for table in tables)
    return Sides(records[0], second, rows, tuple(unread), tuple(table.delimiter for table in tables))


def _check_columns(paths: Sequence[tuple[str, str, str]], tables: Sequence[RecordTable], options: Options) -> None:
    for (_, path, name), table in zip(paths, tables, strict=True):
        if name not in table.rows.column_names:
            raise InputError(
                "the column of ids is one of its table",
                value=f"{name!r} among {listed(table.rows.column_names) or 'no columns'} of {path}",
                remedy="Name it with --id, or --left-id and --right-id.",
            )
    there = {name for table in tables for name in table.rows.column_names}
    unknown = [name for name in options.columns or () if name not in there]
    if unknown:
        raise InputError(
            "the columns to compare by are there", value=f"{unknown[0]!r} among {listed(sorted(there))}",
            remedy="Mend --column.",
        )  # fmt: skip


def _columns(table: RecordTable, id_column: str, wanted: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if wanted is None:
        return None
    return tuple(name for name in wanted if name in table.rows.column_names and name != id_column)


def with_asking(sides: Sides, asking: pa.Table, options: Options) -> Sides:
    """Return the sides with other records in the left table, as planted ones."""
    wanted = None if options.columns is None else tuple(n for n in options.columns if n in asking.column_names)
    left = read_records(asking, options.left_id, wanted)
    return Sides(left, sides.right, (asking, *sides.tables[1:]), sides.unread, sides.delimiters)


def values_of(sides: Sides, name: str) -> list[pa.Array]:
    """Return the values of a column, an array for each side; texts that are all numbers are numbers.

    Raises:
        InputError: a side has no such column, or its values have no order.
    """
    columns = []
    for table in sides.tables:
        if name not in table.column_names:
            raise InputError(
                "the column that ranks records is in each table",
                value=f"{name!r} among {listed(table.column_names)}",
                remedy="Mend the name.",
            )
        columns.append(_ordered(table[name].combine_chunks(), name))
    if all(pa.types.is_string(column.type) or pa.types.is_large_string(column.type) for column in columns):
        bare = [pc.utf8_trim_whitespace(column.cast(pa.string())) for column in columns]
        bare = [pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column) for column in bare]
        numbers = _all_cast(bare, pa.float64())
        if numbers is None:
            return bare
        return _all_cast(bare, pa.int64()) or numbers  # a float does not tell large integers apart
    return columns


def _all_cast(columns: Sequence[pa.Array], kind: pa.DataType) -> list[pa.Array] | None:
    """Return columns of texts as numbers; None: one of them is no such number."""
    try:
        return [column.cast(kind) for column in columns]
    except pa.ArrowInvalid:
        return None


def _ordered(values: pa.Array, name: str) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_null(kind):
        return values.cast(pa.string())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise InputError(
            "the column that ranks records has text, numbers, booleans, dates or times",
            value=f"column {name!r} of type {kind}",
            remedy="Name another column.",
        )
    return values


def records_table(sides: Sides, *, text: bool) -> pa.Table:
    """Return what a later command needs of the records: ``side``, ``id`` and, if asked for, ``text``."""
    parts = []
    for side, records in (("left", sides.left), ("right", sides.right)):
        if records is not None:
            columns = {"side": pa.array([side]).take(pa.array([0] * len(records), pa.int64())), "id": records.ids}
            parts.append(pa.table(columns | ({"text": records.texts} if text else {})))
    return pa.concat_tables(parts)
