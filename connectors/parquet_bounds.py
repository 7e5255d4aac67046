"""How the bounds of a Parquet column are stored, by its type: which bytes stand for which value.

Arrow's type says what a reader makes of a column, and the schema of the file how it is stored. Both must fit, else the
bounds are not read: a wrong unit or sign would be a wrong bound.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa

Value = int | float | bytes | bool | Decimal
"""A bound: times are integers in the unit of the column's type, dates are days, strings are their bytes in UTF-8."""

BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED_BYTES = range(8)
_TEXT, _ENUM, _DECIMAL, _DATE, _TIME, _TIMESTAMP, _INTEGER, _JSON, _BSON, _UUID, _HALF = (
    1,
    4,
    5,
    6,
    7,
    8,
    10,
    12,
    13,
    14,
    15,
)
_OLD_TEXT, _OLD_ENUM, _OLD_DECIMAL, _OLD_DATE, _OLD_JSON, _OLD_BSON = 0, 4, 5, 6, 19, 20
_OLD_TIMES, _OLD_TIMESTAMPS = {7: 1, 8: 2}, {9: 1, 10: 2}
_OLD_UNSIGNED, _OLD_SIGNED = range(11, 15), range(15, 19)
_UNITS = {"ms": 1, "us": 2, "ns": 3}


class Stored(NamedTuple):
    """How the schema of a file says that a column is stored; -1 is what it does not say.

    Attributes:
        physical: number of the physical type.
        length: bytes of a value of fixed length.
        converted: number of the converted type, the older form of logical types.
        logical: number of the logical type.
        signed: 0 for unsigned integers.
        unit: 1 for milliseconds, 2 for microseconds, 3 for nanoseconds.
    """

    physical: int
    length: int
    converted: int
    logical: int
    signed: int
    unit: int

    @property
    def plain(self) -> bool:
        """Whether it has no logical type."""
        return self.logical == self.converted == -1

    def has(self, logical: int, converted: int) -> bool:
        """Whether it has a logical type, in the newer or the older form."""
        return self.logical == logical or (self.logical == -1 and self.converted == converted)


@dataclass(frozen=True)
class Reading:
    """How to read the bounds of a column.

    Attributes:
        kind: type of what ``decode`` returns.
        decode: makes a value of the bytes of a bound; None if these are no such value.
        signed: whether values are ordered as signed numbers, as the deprecated bounds are.
        cut: whether a bound may be a shorter text than any value has.
    """

    kind: pa.DataType
    decode: Callable[[bytes], Value | None]
    signed: bool
    cut: bool = False


@lru_cache(4096)
def reading_of(kind: pa.DataType, stored: Stored) -> Reading | None:
    """Return how to read the bounds of a column; None if they are not to be read.

    Args:
        kind: the type that a reader gives the column.
        stored: how it is stored.
    """
    if pa.types.is_dictionary(kind):
        return reading_of(kind.value_type, stored)
    number = _number_format(kind, stored)
    if number:
        return Reading(pa.date32() if pa.types.is_date(kind) else kind, _Unpacked(number), not number.isupper())
    if pa.types.is_decimal(kind):
        return _decimal(kind, stored)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()
    if is_text and stored.physical == BYTE_ARRAY and _is_text(stored):
        return Reading(kind, bytes, False, cut=True)
    if _is_binary(kind) and stored.physical in (BYTE_ARRAY, FIXED_BYTES) and (stored.plain or _is_bytes(stored)):
        fixed = stored.length if stored.physical == FIXED_BYTES else None
        return Reading(kind, bytes if fixed is None else _Fixed(fixed), False, cut=True)
    return None


def _number_format(kind: pa.DataType, stored: Stored) -> str:
    """Return the format, as of ``struct``, of what is stored as a number; "" for others. Capitals are unsigned."""
    physical = stored.physical
    whole = {INT32: "i", INT64: "q"}.get(physical, "")
    if pa.types.is_boolean(kind):
        return "?" if physical == BOOLEAN else ""
    if pa.types.is_integer(kind):
        return whole and _integer_format(kind, stored, whole)
    if pa.types.is_floating(kind):
        sizes = {FLOAT: ("f", 32), DOUBLE: ("d", 64), FIXED_BYTES: ("e" if stored.logical == _HALF else "", 16)}
        code, bits = sizes.get(physical, ("", 0))
        return code if bits == kind.bit_width and (bits == 16 or stored.plain) else ""
    if pa.types.is_date(kind):
        return whole if physical == INT32 and stored.has(_DATE, _OLD_DATE) else ""
    if pa.types.is_duration(kind):
        return whole if physical == INT64 and stored.plain else ""
    if pa.types.is_time(kind):
        known = stored.logical in (_TIME, -1) and _unit(stored, _OLD_TIMES) == _UNITS.get(kind.unit)
        return whole if known else ""
    if pa.types.is_timestamp(kind):
        known = stored.logical in (_TIMESTAMP, -1) and _unit(stored, _OLD_TIMESTAMPS) == _UNITS.get(kind.unit)
        return whole if known and physical == INT64 else ""
    return ""


def _integer_format(kind: pa.DataType, stored: Stored, whole: str) -> str:
    unsigned = stored.signed == 0 if stored.logical == _INTEGER else stored.converted in _OLD_UNSIGNED
    if unsigned and stored.logical in (_INTEGER, -1):
        return whole.upper() if pa.types.is_unsigned_integer(kind) else ""
    signed = stored.plain or stored.logical == _INTEGER or (stored.logical == -1 and stored.converted in _OLD_SIGNED)
    fits = pa.types.is_signed_integer(kind) or kind.bit_width < {"i": 32, "q": 64}[whole]
    return whole if signed and fits else ""


def _unit(stored: Stored, old: dict[int, int]) -> int | None:
    return old.get(stored.converted) if stored.logical == -1 else stored.unit


def _decimal(kind: pa.DataType, stored: Stored) -> Reading | None:
    if not stored.has(_DECIMAL, _OLD_DECIMAL):
        return None
    number = {INT32: "i", INT64: "q"}.get(stored.physical)
    if number:
        return Reading(kind, _Decimals(kind.scale, struct.calcsize("<" + number), "little"), True)
    if stored.physical == FIXED_BYTES:  # of byte arrays of any length the order was taken for others too often
        return Reading(kind, _Decimals(kind.scale, stored.length, "big"), False)
    return None


def _is_text(stored: Stored) -> bool:
    return any(stored.has(*one) for one in ((_TEXT, _OLD_TEXT), (_ENUM, _OLD_ENUM), (_JSON, _OLD_JSON)))


def _is_bytes(stored: Stored) -> bool:
    return stored.logical == _UUID or any(
        stored.has(*one) for one in ((_ENUM, _OLD_ENUM), (_JSON, _OLD_JSON), (_BSON, _OLD_BSON))
    )


def _is_binary(kind: pa.DataType) -> bool:
    plain = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return bool(plain or kind == pa.binary_view())


@dataclass(frozen=True)
class _Unpacked:
    """Reads a number of a fixed format; NaN is none."""

    number: str

    def __call__(self, raw: bytes) -> Value | None:
        if len(raw) != struct.calcsize("<" + self.number):
            return None
        value: int | float | bool = struct.unpack("<" + self.number, raw)[0]
        return value if value == value else None


@dataclass(frozen=True)
class _Decimals:
    """Reads an unscaled number of a fixed length."""

    scale: int
    length: int
    order: str

    def __call__(self, raw: bytes) -> Value | None:
        if len(raw) != self.length:
            return None
        number = int.from_bytes(raw, "little" if self.order == "little" else "big", signed=True)
        return Decimal(f"{number}E{-self.scale}")


@dataclass(frozen=True)
class _Fixed:
    """Reads bytes; fewer than a value has are a bound all the same, but no value."""

    length: int

    def __call__(self, raw: bytes) -> Value | None:
        return raw if len(raw) <= self.length else None
