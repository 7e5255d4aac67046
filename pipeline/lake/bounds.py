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
from functools import lru_cache
from typing import Any

import pyarrow as pa

_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@lru_cache(4096)
def kind_of(column: pa.DataType | None, *, trim: bool = False) -> str | None:
    """Return the kind of values of a type; None if their bounds cannot be compared.

    Args:
        column: the type, not a dictionary; None if it is not known.
        trim: whether white space around texts counts for nothing.
    """
    if column is None:
        return None
    if pa.types.is_integer(column) or pa.types.is_floating(column) or pa.types.is_decimal(column):
        return "number"
    if pa.types.is_string(column) or pa.types.is_large_string(column) or column == pa.string_view():
        return None if trim else "text"
    if pa.types.is_binary(column) or pa.types.is_large_binary(column) or column == pa.binary_view():
        return "bytes"
    if pa.types.is_fixed_size_binary(column):
        return "bytes"
    if pa.types.is_boolean(column):
        return "boolean"
    if pa.types.is_date(column):
        return "date"
    if pa.types.is_time(column):
        return "time"
    if pa.types.is_timestamp(column):
        return "instant" if column.tz else "timestamp"
    return "duration" if pa.types.is_duration(column) else None


@lru_cache(4096)
def scale_of(column: pa.DataType) -> int:
    """Return the nanoseconds in a unit of a type of times; 1 for other types."""
    timed = pa.types.is_time(column) or pa.types.is_timestamp(column) or pa.types.is_duration(column)
    return _NANOSECONDS[column.unit] if timed else 1


def ordered(value: Any, scale: int = 1) -> Any:
    """Return a bound as what it is compared by: ints and Decimals, which compare exactly, bytes or booleans.

    >>> ordered(0.1), ordered(2.0**53 * 2), ordered(1500, 10**6)
    (Decimal('0.1'), 18014398509481984, 1500000000)
    """
    if isinstance(value, float):
        return int(value) if value.is_integer() else Decimal(repr(value))
    return value if scale == 1 else value * scale
