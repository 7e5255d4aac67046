"""What the footers of a table's Parquet files say of its columns: bounds, nulls, rows; no data are read.

A bound is *exact* if some row has that very value, and loose if it may be further out than any. Writers may cut bounds
of long texts; a flag beside the bound says so in newer files. Without flags, bounds of numbers, times and booleans are
exact, and those of byte arrays only where the writer is known not to cut them (``parquet_writers``).

Statistics that lie cannot be found out, but for a low above its high. Whoever relies on them relies on the writer.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..hashing import footer as ft
from ..hashing.errors import InputError
from .parquet_bounds import BYTE_ARRAY, FIXED_BYTES, Reading, Stored, Value, reading_of
from .parquet_writers import Writer, writer_of
from .schema import widen
from .storage import is_local, open_binary, reached

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TAIL_BYTES = 64 * 1024
"""Fetched at first: most footers are shorter."""

_MAGIC = b"PAR1"
_REPEATED = 2
_TYPE_ORDER, _TOTAL_ORDER = 1, 2
"""Members of the union ColumnOrder: that of the type, and that of IEEE 754 for floats."""


@dataclass(frozen=True)
class ColumnStatistics:
    """What is known of the values of a column.

    Attributes:
        kind: the type of ``low`` and ``high``; None where files disagree. Of dictionaries, the type of their values.
        low, high: no value but null and NaN is below or above; None if that is not known, or if there is no such value.
            Times are integers in the unit of ``kind``, dates are days since 1970, strings are their bytes in UTF-8.
        low_exact, high_exact: whether some row has that value.
        nulls: how many there are; None if that is not known.
    """

    kind: pa.DataType | None
    low: Value | None = None
    high: Value | None = None
    low_exact: bool = False
    high_exact: bool = False
    nulls: int | None = None


@dataclass(frozen=True)
class TableStatistics:
    """What is known of a table.

    Attributes:
        rows: their number; None if that is not known.
        columns: by name.
    """

    rows: int | None
    columns: Mapping[str, ColumnStatistics]


class _Bound(NamedTuple):
    """A bound of some values: None if there is none, though there are values."""

    value: Any
    exact: bool = False


_NO_BOUND = _Bound(None)


class _Part(NamedTuple):
    """What one file says of a column.

    Attributes:
        kind: its type.
        lows, highs: of each row group that has, or may have, a value.
        nulls: None if that is not known.
    """

    kind: pa.DataType
    lows: Sequence[_Bound]
    highs: Sequence[_Bound]
    nulls: int | None


def table_statistics(paths: Sequence[str], columns: Sequence[str]) -> TableStatistics:
    """Return what the footers of the files of one table say.

    Nothing is said of nested columns and of those whose name is there twice; no bounds of columns without statistics,
    of INT96, of decimals in byte arrays of any length, of floats where a bound is NaN, of texts and unsigned integers
    with the deprecated bounds, of types or orders that are not known.

    Args:
        paths: of Parquet files, at least one. A column that some of them lack is null there.
        columns: names.

    Raises:
        InputError: if a file cannot be read or is not Parquet, or if no file has a column.
    """
    rows = 0
    parts: dict[str, list[_Part]] = {name: [] for name in columns}
    seen: set[str] = set()
    for path in paths:
        found = _file_statistics(path, columns)
        rows += found.rows
        seen |= found.parts.keys()
        for name in columns:
            parts[name].append(found.parts.get(name, _Part(pa.null(), (), (), found.rows)))
    missing = next((name for name in columns if name not in seen), None)
    if missing is not None:
        raise InputError(
            "a column is in a file of its table", value=f"{missing!r} in none of {paths[0]}, ...", remedy="Check it."
        )
    return TableStatistics(rows, {name: _joined(found) for name, found in parts.items()})


def _joined(parts: Sequence[_Part]) -> ColumnStatistics:
    """Return the statistics of all row groups of a column."""
    kind: pa.DataType | None = pa.null()
    for part in parts:
        kind = None if kind is None else widen(kind, part.kind)
    counts = [part.nulls for part in parts if part.nulls is not None]
    nulls = sum(counts) if len(counts) == len(parts) else None
    if kind is None:
        return ColumnStatistics(None, nulls=nulls)
    low = _least([bound for part in parts for bound in part.lows])
    high = _least([bound for part in parts for bound in part.highs], greatest=True)
    if low.value is not None and high.value is not None and high.value < low.value:
        return ColumnStatistics(kind, nulls=nulls)
    return ColumnStatistics(kind, low.value, high.value, low.exact, high.exact, nulls)


def _least(bounds: Sequence[_Bound], *, greatest: bool = False) -> _Bound:
    """Return the outermost bound, exact if one of this value is; none if one is missing."""
    values = [bound.value for bound in bounds]
    if not values or None in values:
        return _NO_BOUND
    value = max(values) if greatest else min(values)
    return _Bound(value, any(bound.exact for bound in bounds if bound.value == value))


@dataclass(frozen=True)
class _FileStatistics:
    rows: int
    parts: Mapping[str, _Part]


def _file_statistics(path: str, columns: Iterable[str]) -> _FileStatistics:
    message = _footer(path)
    end, elements, groups, chunks, orders, maker = ft.walk_footer(np.frombuffer(message, np.uint8))
    n_leaves = int((elements[1:, ft.CHILDREN] < 1).sum())
    if end < 0 or (groups[:, ft.GROUP_COLUMNS] != n_leaves).any():
        raise _damaged(path, "its footer")
    schema = _arrow_schema(path, message)
    leaves = _leaves(message, elements)
    writer = writer_of(_text(message, *maker.tolist()).decode("utf-8", "replace"))
    by_leaf = chunks.reshape(len(groups), n_leaves, chunks.shape[1])
    parts: dict[str, _Part] = {}
    for name in columns:
        places = schema.get_all_field_indices(name)
        if not places:
            continue
        leaf = leaves.get(name.encode()) if len(places) == 1 else None
        kind = schema.field(places[0]).type
        if leaf is None:
            parts[name] = _Part(kind, (_NO_BOUND,), (_NO_BOUND,), None)
        else:
            number, stored, required = leaf
            order = int(orders[number]) if number < len(orders) else 0
            parts[name] = _part(message, by_leaf[:, number], kind, stored, writer, order, required)
    return _FileStatistics(int(groups[:, ft.GROUP_ROWS].sum()), parts)


def _footer(path: str) -> bytes:
    """Return the message at the end of a file.

    Raises:
        InputError: if the file cannot be read, or is not a Parquet file whose footer is in the clear.
    """
    with reached(path), open(path, "rb") if is_local(path) else open_binary(path) as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _TAIL_BYTES))
        tail: bytes = stream.read()
        if len(tail) < 12 or tail[-4:] != _MAGIC:
            raise _damaged(path, "the end of the file")
        length = struct.unpack("<I", tail[-8:-4])[0]
        if length > size - 12:
            raise _damaged(path, "the length of its footer")
        if length > len(tail) - 8:
            stream.seek(size - 8 - length)
            tail = stream.read()
    return tail[-8 - length : -8]


def _damaged(path: str, where: str) -> InputError:
    return InputError(
        "a Parquet input is a readable Parquet file", value=f"{path}: {where}", remedy="Check or drop this file."
    )


def _arrow_schema(path: str, message: bytes) -> pa.Schema:
    """Return the types that a reader gives the columns of a file: they depend on what Arrow has left in its footer."""
    whole = _MAGIC + message + struct.pack("<I", len(message)) + _MAGIC
    try:
        return pq.read_metadata(pa.BufferReader(whole)).schema.to_arrow_schema()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error


def _leaves(message: bytes, elements: "NDArray[np.int64]") -> dict[bytes, tuple[int, Stored, bool]]:
    """Return (number, how it is stored, whether nulls are excluded) of each top-level column that is not nested."""
    found: dict[bytes, tuple[int, Stored, bool]] = {}
    leaf, inside = 0, 0
    for row in elements[1:].tolist():
        children = max(0, row[ft.CHILDREN])
        if not inside and not children and row[ft.REPETITION] != _REPEATED:
            name = _text(message, row[ft.NAME_AT], row[ft.NAME_SIZE])
            fields = (ft.PHYSICAL, ft.LENGTH, ft.CONVERTED, ft.LOGICAL, ft.SIGNED, ft.UNIT)
            found[name] = leaf, Stored(*(row[field] for field in fields)), row[ft.REPETITION] == 0
        inside = inside + children - (1 if inside else 0)  # elements of open groups that are still to come
        leaf += not children
    return found


def _text(message: bytes, at: int, size: int) -> bytes:
    return message[at : at + size] if at >= 0 else b""


def _part(
    message: bytes,
    chunks: "NDArray[np.int64]",
    kind: pa.DataType,
    stored: Stored,
    writer: Writer,
    order: int,
    required: bool,
) -> _Part:
    """Return what the row groups of a file say of a column.

    Args:
        message: the footer.
        chunks: int64, shape (row groups, 14): the rows of ``walk_footer`` of this column.
        kind: type of the column.
        stored: how it is stored.
        writer: of the file.
        order: number of the column's order, 0 if the file has none.
        required: whether the column has no nulls.
    """
    reading = reading_of(kind, stored)
    read = None
    if reading is not None and _is_believed(reading, stored, writer):
        known = order in (_TYPE_ORDER, _TOTAL_ORDER)
        read = _Bounds(
            message, reading, known, writer.never_cuts, stored.length if stored.physical == FIXED_BYTES else -1
        )
    only_nulls = pa.types.is_null(kind)
    counted = writer.orders_bytes or stored.physical != BYTE_ARRAY
    total: int | None = 0
    lows: list[_Bound] = []
    highs: list[_Bound] = []
    for chunk in chunks.tolist():
        values, said = chunk[ft.VALUES], chunk[ft.NULLS]
        nulls: int | None = values if only_nulls else 0
        if values and not (only_nulls or required):
            nulls = said if counted and 0 <= said <= values else None
        total = None if total is None or nulls is None else total + nulls
        if nulls == values:
            continue
        low, high = (read.low(chunk), read.high(chunk)) if read else (_NO_BOUND, _NO_BOUND)
        if pa.types.is_floating(kind) and (low.value is None or high.value is None):
            low = high = _NO_BOUND  # where one is NaN, the other was compared with NaN
        lows.append(low)
        highs.append(high)
    type_ = reading.kind if reading else kind.value_type if pa.types.is_dictionary(kind) else kind
    return _Part(type_, lows, highs, total)


def _is_believed(reading: Reading, stored: Stored, writer: Writer) -> bool:
    if pa.types.is_decimal(reading.kind):
        return writer.orders_decimals if stored.physical == FIXED_BYTES else writer.orders_signed
    if reading.cut:
        return writer.orders_bytes
    return writer.orders_signed if reading.signed else writer.orders_unsigned


class _Bounds(NamedTuple):
    """Reads the bounds of the row groups of a column.

    Attributes:
        message: the footer.
        reading: how to read the bytes of a bound.
        ordered: whether the file says that newer bounds are in the order of the type.
        never_cuts: whether the writer never cuts bounds.
        length: bytes of a value of fixed length, else -1.
    """

    message: bytes
    reading: Reading
    ordered: bool
    never_cuts: bool
    length: int

    def low(self, chunk: Sequence[int]) -> _Bound:
        """Return the low bound of a row group."""
        flag = chunk[ft.LOW_EXACT]
        if chunk[ft.LOW_AT] >= 0 and self.ordered:
            return self._newer(chunk[ft.LOW_AT], chunk[ft.LOW_SIZE], flag, chunk[ft.HIGH_EXACT])
        return self._older(chunk[ft.OLD_LOW_AT], chunk[ft.OLD_LOW_SIZE], flag)

    def high(self, chunk: Sequence[int]) -> _Bound:
        """Return the high bound of a row group."""
        flag = chunk[ft.HIGH_EXACT]
        if chunk[ft.HIGH_AT] >= 0 and self.ordered:
            return self._newer(chunk[ft.HIGH_AT], chunk[ft.HIGH_SIZE], flag, chunk[ft.LOW_EXACT])
        return self._older(chunk[ft.OLD_HIGH_AT], chunk[ft.OLD_HIGH_SIZE], flag)

    def _newer(self, at: int, size: int, flag: int, other_flag: int) -> _Bound:
        """Return a bound of the type's order; one flag alone says that the writer knows of flags."""
        value = self.reading.decode(self.message[at : at + size])
        if value is None:
            return _NO_BOUND
        cut = self.reading.cut and not (self.never_cuts and other_flag < 0)
        exact = flag == 1 or (flag < 0 and not cut)
        return _Bound(value, exact and (self.length < 0 or not self.reading.cut or size == self.length))

    def _older(self, at: int, size: int, flag: int) -> _Bound:
        """Return a bound of the order of signed numbers."""
        if at < 0 or not self.reading.signed:
            return _NO_BOUND
        value = self.reading.decode(self.message[at : at + size])
        return _NO_BOUND if value is None else _Bound(value, flag != 0)
