"""A walk through the footer of a Parquet file: what it says about columns, without making an object of each thing.

The footer is a Thrift message in the compact protocol: https://github.com/apache/parquet-format (parquet.thrift).
Values are known by their path: numbers of fields from the outside in, five bits each. Lists have no part in it.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel

DEPTH = 12
"""Deepest nesting that a path of int64 can say."""

ABSENT = -1

GROUP_ROWS = 0
GROUP_COLUMNS = 1

PHYSICAL, LENGTH, REPETITION, NAME_AT, NAME_SIZE, CHILDREN, CONVERTED, LOGICAL, SIGNED, UNIT = range(10)
"""Columns of the table of schema elements. ``LOGICAL`` is the number of a member of the union LogicalType; ``UNIT`` is
1 for milliseconds, 2 for microseconds, 3 for nanoseconds; ``SIGNED`` is 0 for unsigned integers."""

(GROUP, STORED, VALUES, NULLS, LOW_AT, LOW_SIZE, HIGH_AT, HIGH_SIZE) = range(8)
OLD_LOW_AT, OLD_LOW_SIZE, OLD_HIGH_AT, OLD_HIGH_SIZE, LOW_EXACT, HIGH_EXACT = range(8, 14)
"""Columns of the table of column chunks. ``OLD_`` are the deprecated bounds of signed order; the last two are flags."""

_SCHEMA, _GROUPS, _ORDERS = 2, 4, 7
_MAKER = 6
_LOGICAL = 2 << 5 | 10
_INTEGER_SIGNED = (_LOGICAL << 5 | 10) << 5 | 2
_TIME_UNIT = (_LOGICAL << 5 | 7) << 5 | 2
_TIMESTAMP_UNIT = (_LOGICAL << 5 | 8) << 5 | 2
_CHUNKS = 4 << 5 | 1
_ROWS = 4 << 5 | 3
_META = _CHUNKS << 5 | 3
_STATISTICS = _META << 5 | 12


@kernel
def walk_footer(
    data: NDArray[np.uint8],
) -> tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return what a footer says of its columns; whatever it does not say is -1.

    Args:
        data: uint8: the message.

    Returns:
        (end, elements, groups, chunks, orders, maker). ``end`` is -1 if the message is damaged, and what was found up
        to there is returned. elements: int64, shape (elements of the schema, 10). groups: int64, shape (row groups, 2):
        rows and column chunks. chunks: int64, shape (chunks, 14). orders: int64: for each leaf, the number of a member
        of the union ColumnOrder. maker: int64, shape (2,): where ``created_by`` begins, and its size.
    """
    counts, maker = np.zeros(4, np.int64), np.full(2, ABSENT, np.int64)
    stack = np.zeros((DEPTH + 1, 5), np.int64)
    elements, groups, chunks = np.zeros((0, 10), np.int64), np.zeros((0, 2), np.int64), np.zeros((0, 14), np.int64)
    orders = np.zeros(0, np.int64)
    _walk(data, stack, counts, elements, groups, chunks, orders, maker)  # counts only: no table has a row
    elements, groups = np.full((counts[0], 10), ABSENT, np.int64), np.zeros((counts[1], 2), np.int64)
    chunks, orders = np.full((counts[2], 14), ABSENT, np.int64), np.zeros(counts[3], np.int64)
    end = _walk(data, stack, counts, elements, groups, chunks, orders, maker)
    return end, elements, groups, chunks, orders, maker


@inner_kernel
def _walk(
    data: NDArray[np.uint8],
    stack: NDArray[np.int64],
    counts: NDArray[np.int64],
    elements: NDArray[np.int64],
    groups: NDArray[np.int64],
    chunks: NDArray[np.int64],
    orders: NDArray[np.int64],
    maker: NDArray[np.int64],
) -> int:
    """Fill tables that have room, and count what would fill them; return where the message ends, or -1.

    The stack has, for each struct or list that is open, whether it is a list, how many values are left and of which
    type (lists), the last field (structs), and the path.
    """
    counts[:] = 0
    stack[0] = 0
    at, depth, size = 0, 0, len(data)
    while depth >= 0:
        if stack[depth, 0]:
            if stack[depth, 1] == 0:
                depth -= 1
                continue
            stack[depth, 1] -= 1
            kind, path = stack[depth, 2], stack[depth, 4]
        else:
            if at >= size:
                break
            head = np.int64(data[at])
            at += 1
            if head == 0:
                depth -= 1
                continue
            kind = head & 15
            if head >> 4:
                stack[depth, 3] += head >> 4
            else:
                field, at = _varint(data, at)
                if at < 0:
                    break
                stack[depth, 3] = _zigzag(field)
            path = stack[depth, 4] << 5 | (stack[depth, 3] if 0 <= stack[depth, 3] < 31 else 31)
        begin, value, opens = at, np.int64(0), False
        if kind == 1 or kind == 2:
            value = np.int64(kind == 1)
            at += 1 if stack[depth, 0] else 0
        elif kind == 3:
            at += 1
        elif 4 <= kind <= 6:
            number, at = _varint(data, at)
            value = _zigzag(number)
        elif kind == 7:
            at += 8
        elif kind == 8:
            number, at = _varint(data, at)
            value, begin = np.int64(number), at
            if at < 0 or value < 0 or value > size - at:
                break
            at += int(value)
        elif kind == 9 or kind == 10:
            if at >= size or depth == DEPTH:
                break
            head = np.int64(data[at])
            at += 1
            value = head >> 4
            if value == 15:
                number, at = _varint(data, at)
                value = np.int64(number)
            if at < 0 or value < 0 or value > size - at:
                break
            depth += 1
            stack[depth, 0], stack[depth, 1], stack[depth, 2], stack[depth, 4] = 1, value, head & 15, path
            continue
        elif kind == 12:
            if depth == DEPTH:
                break
            depth += 1
            stack[depth, 0], stack[depth, 3], stack[depth, 4] = 0, 0, path
            opens = True
        else:
            break
        if at < 0 or at > size:
            break
        if opens:
            if path == _SCHEMA:
                counts[0] += 1
            elif path == _GROUPS:
                counts[1] += 1
            elif path == _CHUNKS:
                counts[2] += 1
                if counts[2] <= len(chunks) and counts[1] <= len(groups):
                    chunks[counts[2] - 1, GROUP] = counts[1] - 1
                    groups[counts[1] - 1, GROUP_COLUMNS] += 1
            elif path >> 5 == _ORDERS:
                counts[3] += 1
                if counts[3] <= len(orders):
                    orders[counts[3] - 1] = path & 31
        if len(elements) == 0:
            continue
        if opens:
            if path >> 5 == _LOGICAL:
                elements[counts[0] - 1, LOGICAL] = path & 31
            elif path >> 5 == _TIME_UNIT or path >> 5 == _TIMESTAMP_UNIT:
                elements[counts[0] - 1, UNIT] = path & 31
        elif path >> 5 == _STATISTICS:
            _statistic(chunks, counts[2] - 1, path & 31, begin, int(value))
        elif path >> 5 == _SCHEMA:
            _element(elements, counts[0] - 1, path & 31, begin, int(value))
        elif path == _META << 5 | 1:
            chunks[counts[2] - 1, STORED] = value
        elif path == _META << 5 | 5:
            chunks[counts[2] - 1, VALUES] = value
        elif path == _ROWS:
            groups[counts[1] - 1, GROUP_ROWS] = value
        elif path == _INTEGER_SIGNED:
            elements[counts[0] - 1, SIGNED] = value
        elif path == _MAKER:
            maker[0], maker[1] = begin, value
    return at if depth < 0 else -1


@inner_kernel
def _statistic(table: NDArray[np.int64], row: int, field: int, begin: int, value: int) -> None:
    """Write down a field of the struct Statistics."""
    if field == 1:
        table[row, OLD_HIGH_AT], table[row, OLD_HIGH_SIZE] = begin, value
    elif field == 2:
        table[row, OLD_LOW_AT], table[row, OLD_LOW_SIZE] = begin, value
    elif field == 3:
        table[row, NULLS] = value
    elif field == 5:
        table[row, HIGH_AT], table[row, HIGH_SIZE] = begin, value
    elif field == 6:
        table[row, LOW_AT], table[row, LOW_SIZE] = begin, value
    elif field == 7:
        table[row, HIGH_EXACT] = value
    elif field == 8:
        table[row, LOW_EXACT] = value


@inner_kernel
def _element(table: NDArray[np.int64], row: int, field: int, begin: int, value: int) -> None:
    """Write down a field of the struct SchemaElement."""
    if field == 1:
        table[row, PHYSICAL] = value
    elif field == 2:
        table[row, LENGTH] = value
    elif field == 3:
        table[row, REPETITION] = value
    elif field == 4:
        table[row, NAME_AT], table[row, NAME_SIZE] = begin, value
    elif field == 5:
        table[row, CHILDREN] = value
    elif field == 6:
        table[row, CONVERTED] = value


@inner_kernel
def _varint(data: NDArray[np.uint8], at: int) -> tuple[np.uint64, int]:
    """Return a number of seven bits a byte, and where it ends; -1 if it has no end."""
    value = np.uint64(0)
    for i in range(10):
        if at < 0 or at + i >= len(data):
            break
        byte = np.uint64(data[at + i])
        value |= (byte & np.uint64(127)) << np.uint64(7 * i)
        if byte < np.uint64(128):
            return value, at + i + 1
    return value, -1


@inner_kernel
def _zigzag(value: np.uint64) -> np.int64:
    """Return the signed number that is stored as 0, -1, 1, -2, ..."""
    return np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1))
