"""Records of a table: their ids, and one text of each.

Profile ``record-v1`` writes a record as text:

- columns in the order in which they are named; by default all but the id, in the order of the table;
- a missing value is left out with its column: null, NaN, and text of nothing but white space;
- text: runs of white space become one space, none at the ends; nothing is folded or escaped;
- numbers: in decimal without an exponent, the fewest digits that are read back as the same number of its type, without
  zeros behind the point (``5``, ``-0.1``); so a price is the same text from an integer column and from a float one;
- ``true`` and ``false``; dates and times in ISO 8601, a space before the time, as Arrow writes them, without
  zeros behind the seconds.

``texts`` are the values with a space between: for lexical blockers. ``marked`` is ``COL name VAL value`` for each of
them, with a space between: for encoders (the form of Ditto, Li et al. 2020).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...hashing.errors import InputError
from ..counted import counted

RECORD_PROFILE = "record-v1"
"""Names the rules above; another name whenever one of them changes."""

_SHOWN = 3
_SPACES = r"[\s\x{0b}\x{85}\p{Z}]+"
"""White space of Unicode: Arrow's ``\\s`` is that of ASCII without the vertical tab."""


@dataclass(frozen=True)
class Records:
    """Some records.

    Attributes:
        ids: string: the id of each, all different, none missing.
        texts: large_string: the values of each; may be empty.
        marked: large_string: the same with the names of columns.
        columns: the columns that are written, in order.
        values: large_string: each of these columns as it is written; null where a value is missing.
    """

    ids: pa.Array
    texts: pa.Array
    marked: pa.Array
    columns: tuple[str, ...]
    values: dict[str, pa.Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


def read_records(table: pa.Table, id_column: str, columns: Sequence[str] | None = None) -> Records:
    """Return the records of a table, in its order.

    Args:
        table: one row a record.
        id_column: names the column of ids, of any simple type.
        columns: the columns to write, in order; default: all but the ids.

    Raises:
        InputError: a column is not there, is named twice, or is not simple; an id is missing as a value may be, or
            repeated.

    >>> table = pa.table({"id": [7, 8], "name": ["Sony  TV", None], "price": [5.0, 12.5]})
    >>> read_records(table, "id").marked.to_pylist()
    ['COL name VAL Sony TV COL price VAL 5', 'COL price VAL 12.5']
    """
    names = tuple(name for name in table.column_names if name != id_column) if columns is None else tuple(columns)
    for name in (id_column, *names):
        if table.column_names.count(name) != 1:
            raise InputError(
                "each column of a record is one of its table",
                value=f"{name!r}, {table.column_names.count(name)} times among {table.column_names}",
                remedy="Name columns that the table has, and has once.",
            )
    if len(set(names)) < len(names):
        raise InputError("a record has each column once", value=list(names), remedy="Name no column twice.")
    ids = _checked_ids(table[id_column], id_column)
    values = [(name, _written(table[name], name)) for name in names]
    texts = _joined([column for _, column in values], len(ids))
    marked = _joined(
        [pc.binary_join_element_wise(_large(f"COL {name} VAL"), v, _large(" ")) for name, v in values], len(ids)
    )
    return Records(ids, texts, marked, names, dict(values))


def _checked_ids(column: pa.ChunkedArray, name: str) -> pa.Array:
    ids = _as_text(column, name)
    blank = pc.or_(pc.equal(ids, ""), pc.utf8_is_space(ids))
    ids = pc.if_else(blank, pa.scalar(None, pa.large_string()), ids)
    if ids.null_count:
        rows = pc.indices_nonzero(ids.is_null()).to_pylist()
        first, have = ", ".join(map(str, rows[:_SHOWN])), "has" if len(rows) == 1 else "have"
        raise InputError(
            f"every record has an id in column {name!r}",
            value=f"{len(rows):,} of {counted(len(ids), 'record')} {have} none, the first in row {first}",
            remedy="Give each record an id, or leave such records out. Rows count from 0.",
        )
    counts = ids.value_counts()
    often = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(often):
        shown = []
        for repeated in often.field("values")[:_SHOWN].to_pylist():
            rows = pc.indices_nonzero(pc.equal(ids, repeated)).to_pylist()
            shown.append(f"{repeated!r} in rows {', '.join(map(str, rows[:_SHOWN]))}")
        raise InputError(
            f"an id in column {name!r} names one record",
            value=f"{counted(len(often), 'id')} of several records: {'; '.join(shown)}",
            remedy="Mend the ids, or name a column that tells records apart. Rows count from 0.",
        )
    return ids.cast(pa.string())


def _written(column: pa.ChunkedArray, name: str) -> pa.Array:
    """Return the values as the profile writes them, null where they are missing."""
    values = _as_text(column, name)
    trimmed = pc.utf8_trim(pc.replace_substring_regex(values, _SPACES, " "), " ")
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.large_string()), trimmed)


def _as_text(column: pa.ChunkedArray, name: str) -> pa.Array:
    """Return a column as large_string; nulls and NaN are null."""
    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_null(kind):
        return pa.nulls(len(values), pa.large_string())
    if pa.types.is_floating(kind):
        return _each(values, _float)
    if pa.types.is_decimal(kind):
        return _each(values, _decimal)
    if pa.types.is_time(kind) or pa.types.is_timestamp(kind):
        written = pc.replace_substring_regex(values.cast(pa.string()), r"(\.\d*[1-9])0+", r"\1")
        return pc.replace_substring_regex(written, r"\.0+(\D|$)", r"\1").cast(pa.large_string())
    plain = (pa.types.is_integer, pa.types.is_boolean, pa.types.is_date)
    text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    if any(fits(kind) for fits in plain):
        return values.cast(pa.string()).cast(pa.large_string())
    if any(fits(kind) for fits in text):
        return values.cast(pa.large_string())
    raise InputError(
        "the columns of a record are text, numbers, booleans, dates or times",
        value=f"column {name!r} of type {kind}",
        remedy="Name the columns to compare, without this one (--column COL), or make text of it first.",
    )


def _each(values: pa.Array, write: Callable[[Any], str | None]) -> pa.Array:
    numbers = values.to_numpy(zero_copy_only=False) if pa.types.is_floating(values.type) else values.to_pylist()
    valid = values.is_valid().to_pylist()
    return pa.array([write(x) if there else None for x, there in zip(numbers, valid, strict=True)], pa.large_string())


def _float(x: Any) -> str | None:
    """Write a float of any width: the fewest digits that are read back as the same."""
    return None if np.isnan(x) else _without_sign_of_zero(np.format_float_positional(x, unique=True, trim="-"))


def _decimal(x: Any) -> str:
    text = format(x, "f")
    return _without_sign_of_zero(text.rstrip("0").rstrip(".") if "." in text else text)


def _without_sign_of_zero(text: str) -> str:
    return "0" if text == "-0" else text


def _joined(values: list[pa.Array], n: int) -> pa.Array:
    """Join the values of each record with a space, the missing ones left out.

    Arrow can leave out nulls when it joins, but loses the rows that have nothing else (26.0.1); so no null gets there.
    """
    if not values:
        return pa.array([""] * n, pa.large_string())
    closed = [pc.fill_null(pc.binary_join_element_wise(v, _large(""), _large(" ")), _large("")) for v in values]
    return pc.utf8_rtrim(pc.binary_join_element_wise(*closed, _large("")), " ")


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())
