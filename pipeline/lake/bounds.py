"""Bounds of columns as values that can be compared: in an order that fits canonical texts (``canonical``).

Columns are compared within one *kind* only, and so that equal texts mean equal values. Across kinds texts can be equal
where values have no common order: ``5`` and ``"5"``, ``true`` and ``"true"``, bytes and strings.

==========  =================================================================================================
number      integers, decimals, floats: the number that the canonical text says. The float 0.1 has the text ``0.1``, as
            the decimal 0.1 has, though its value is a little more; so it counts as 0.1. Nothing is rounded
text        strings: their bytes in UTF-8; none if white space is trimmed
bytes       binary
boolean     false before true
date        days
time        nanoseconds
timestamp   without zone: nanoseconds
instant     with a zone: nanoseconds
duration    nanoseconds
==========  =================================================================================================
"""

from decimal import Decimal
from typing import Any

import pyarrow as pa

_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}

_TYPES: dict[str, list[pa.DataType]] = {
    "number": [
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        *(pa.float16(), pa.float32(), pa.float64()),
        *(pa.decimal32(1), pa.decimal64(1), pa.decimal128(1), pa.decimal256(1)),
    ],
    "text": [pa.string(), pa.large_string(), pa.string_view()],
    "bytes": [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(1)],
    "boolean": [pa.bool_()],
    "date": [pa.date32()],
    "time": [pa.time32("s"), pa.time64("us")],
    "timestamp": [pa.timestamp("s")],
    "duration": [pa.duration("s")],
}
_KINDS = {one.id: kind for kind, types in _TYPES.items() for one in types}


def kind_of(column: pa.DataType | None, *, trim: bool = False) -> str | None:
    """Return the kind of values of a type; None if their bounds cannot be compared.

    Args:
        column: the type, not a dictionary; None if it is not known.
        trim: whether white space around texts counts for nothing.
    """
    kind = None if column is None else _KINDS.get(column.id)
    if kind == "text":
        return None if trim else kind
    return "instant" if kind == "timestamp" and column is not None and column.tz else kind


def scale_of(column: pa.DataType) -> int:
    """Return the nanoseconds in a unit of a type of times; 1 for other types."""
    return _NANOSECONDS[column.unit] if _KINDS.get(column.id) in ("time", "timestamp", "duration") else 1


def ordered(value: Any, scale: int = 1) -> Any:
    """Return a bound as what it is compared by: ints and Decimals, which compare exactly, bytes or booleans.

    >>> ordered(0.1), ordered(2.0**53 * 2), ordered(1500, 10**6)
    (Decimal('0.1'), 18014398509481984, 1500000000)
    """
    if isinstance(value, float):
        return int(value) if value.is_integer() else Decimal(repr(value))
    return value if scale == 1 else value * scale
