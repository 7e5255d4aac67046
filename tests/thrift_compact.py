"""Thrift's compact protocol, read into trees and written from them, to make footers that no writer at hand writes.

A struct is {field: (kind, value)}, a list (kind, values). Kinds are those of the protocol: 1 true, 2 false, 3 byte,
4 to 6 integers, 7 double, 8 bytes, 9 list, 12 struct.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

Struct = dict[int, tuple[int, Any]]


def read_struct(data: bytes) -> Struct:
    return _read(data, 0, 12)[0]


def write_struct(tree: Struct) -> bytes:
    return _write(12, tree)


def footer_of(path: Path) -> bytes:
    data = path.read_bytes()
    return data[-8 - struct.unpack("<I", data[-8:-4])[0] : -8]


def rewrite_footer(path: Path, change: Callable[[Struct], None]) -> None:
    """Change the footer of a Parquet file in place."""
    footer = footer_of(path)
    tree = read_struct(footer)
    change(tree)
    new = write_struct(tree)
    path.write_bytes(path.read_bytes()[: -8 - len(footer)] + new + struct.pack("<I", len(new)) + b"PAR1")


def statistics_in(tree: Struct, group: int = 0, column: int = 0) -> Struct:
    """Return the statistics of a column chunk."""
    found: Struct = tree[4][1][1][group][1][1][1][column][3][1][12][1]
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _read(data: bytes, at: int, kind: int, in_list: bool = False) -> tuple[Any, int]:
    if kind in (1, 2):
        return (data[at] == 1, at + 1) if in_list else (kind == 1, at)
    if kind == 3:
        return data[at], at + 1
    if kind in (4, 5, 6):
        value, at = _varint(data, at)
        return (value >> 1) ^ -(value & 1), at
    if kind == 7:
        return data[at : at + 8], at + 8
    if kind == 8:
        size, at = _varint(data, at)
        return data[at : at + size], at + size
    if kind == 9:
        head, at = data[at], at + 1
        size, at = _varint(data, at) if head >> 4 == 15 else (head >> 4, at)
        values = []
        for _ in range(size):
            value, at = _read(data, at, head & 15, in_list=True)
            values.append(value)
        return (head & 15, values), at
    assert kind == 12
    fields: Struct = {}
    last = 0
    while data[at]:
        head, at = data[at], at + 1
        if head >> 4:
            last += head >> 4
        else:
            last, at = _read(data, at, 4)
        value, at = _read(data, at, head & 15)
        fields[last] = head & 15, value
    return fields, at + 1


def _varint_bytes(value: int) -> bytes:
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _write(kind: int, value: Any, in_list: bool = False) -> bytes:
    if kind in (1, 2):
        return bytes([1 if value else 2]) if in_list else b""
    if kind == 3:
        return bytes([value])
    if kind in (4, 5, 6):
        return _varint_bytes((value << 1) ^ (value >> 63))
    if kind == 7:
        return bytes(value)
    if kind == 8:
        return _varint_bytes(len(value)) + value
    if kind == 9:
        inner, values = value
        head = bytes([len(values) << 4 | inner]) if len(values) < 15 else bytes([240 | inner])
        size = b"" if len(values) < 15 else _varint_bytes(len(values))
        return head + size + b"".join(_write(inner, one, in_list=True) for one in values)
    out, last = b"", 0
    for field in sorted(value):
        inner, one = value[field]
        kind_ = (1 if one else 2) if inner in (1, 2) else inner
        gap = field - last
        out += bytes([gap << 4 | kind_]) if 0 < gap < 16 else bytes([kind_]) + _write(4, field)
        out += _write(inner, one)
        last = field
    return out + b"\0"
