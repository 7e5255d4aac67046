"""Blocks of JSON lines, parsed by pyarrow under guard.

pyarrow parses a block at once and in silence does what a reader must not: it passes invalid UTF-8, rounds integers that
fall into float columns, takes several objects of one line for records, makes lists of nulls too short, and ends the
process on a document that begins with ``null`` or nests some thousand levels. Blocks are checked for these before and
after; a block that fails is taken apart, and its sound lines are parsed together.
"""

import io
import re
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
from numpy.typing import NDArray

from .json_fault import MAX_DEPTH, SPACES, depth, fault, is_too_deep

NEWLINE = 10

EXACT = 2**53
"""From here on, a float64 may be a rounded integer."""

_SAFE_DEPTH = 500
"""Nesting that pyarrow survives on a stack of one megabyte."""

_WINDOW = 1 << 16
_PATIENCE = 64
"""How many attempts may fail before every line is judged by itself."""

_ROW = re.compile(r"in row (\d+)$")


def parse_block(block: bytes, lines: int, record: pa.StructType | None) -> pa.Table | None:
    """Return the records of a block, one for each line, or None if some line is not a record.

    Args:
        block: whole lines.
        lines: how many.
        record: the type of records, or None to find it.
    """
    if not _is_safe(block):
        return None
    try:
        table = _parse(block, record)
    except pa.ArrowInvalid:
        return None
    if table.num_rows != lines or (record is None and nesting(pa.struct(list(table.schema))) > MAX_DEPTH):
        return None
    odd = _rounded_rows(table)
    if len(odd):
        split = block.split(b"\n")
        if any(_breaks(split[row], record) for row in odd):
            return None
    return table


def parse_lines(lines: list[bytes], record: pa.StructType | None) -> Iterator[tuple[list[int], pa.Table]]:
    """Yield (numbers of lines, their records), ascending: lines that are in no table are not records.

    Without their type, only stretches of lines whose types agree are in tables.
    """
    queue = [[i for i, line in enumerate(lines) if _is_plain(line)]]
    failures = 0
    while queue:
        part = queue.pop()
        if not part:
            continue
        table, culprit = _attempt([lines[i] for i in part], record)
        if table is not None:
            yield part, table
            continue
        failures += 1
        if culprit is not None and _leave_out(lines[part[culprit]], record):
            queue += [part[culprit + 1 :], part[:culprit]]
            continue
        if failures > _PATIENCE:
            sound = [i for i in part if not _leave_out(lines[i], record)]
            if len(sound) < len(part):
                queue.append(sound)
                continue
        if len(part) > 1:
            queue += [part[len(part) // 2 :], part[: len(part) // 2]]


def _attempt(lines: list[bytes], record: pa.StructType | None) -> tuple[pa.Table | None, int | None]:
    """Return the records of lines; else None and, if that shows, the line that is not one."""
    try:
        table = _parse(b"\n".join(lines), record)
    except pa.ArrowInvalid as error:
        found = _ROW.search(str(error))
        row = int(found[1]) if found else len(lines)
        return None, row if row < len(lines) else None
    if table.num_rows != len(lines):
        return None, None
    for row in _rounded_rows(table):
        if _breaks(lines[row], record):
            return None, row
    return table, None


def _parse(block: bytes, record: pa.StructType | None) -> pa.Table:
    if record is None:
        table = _read(block, pj.ParseOptions(unexpected_field_behavior="infer"))
        try:
            table.validate()
            return table
        except pa.ArrowInvalid:  # lists that begin with nulls come out too short; with their type known they do not
            record = pa.struct(list(table.schema))
    options = pj.ParseOptions(explicit_schema=pa.schema(list(record)), unexpected_field_behavior="error")
    table = _read(block, options).combine_chunks()
    columns = [_mend(chunk) for column in table.columns for chunk in column.chunks]
    return pa.Table.from_arrays(columns, schema=table.schema) if columns else table


def _read(block: bytes, options: pj.ParseOptions) -> pa.Table:
    reading = pj.ReadOptions(use_threads=False, block_size=len(block) + 1)
    return pj.read_json(io.BytesIO(block), read_options=reading, parse_options=options)


def _mend(array: pa.Array) -> pa.Array:
    """Return an array whose lists of nothing but nulls are as long as they should be; pyarrow 26 makes them shorter."""
    kind = array.type
    if not _holds(kind, pa.types.is_null):
        return array
    if pa.types.is_struct(kind):
        children = [_mend(array.field(i)) for i in range(kind.num_fields)]
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())
    if pa.types.is_list(kind):
        values = pa.nulls(array.offsets[-1].as_py()) if pa.types.is_null(kind.value_type) else _mend(array.values)
        return pa.ListArray.from_arrays(array.offsets, values, type=kind, mask=array.is_null())
    return array


def _breaks(line: bytes, record: pa.StructType | None) -> bool:
    return bool(fault(line, record))


def _leave_out(line: bytes, record: pa.StructType | None) -> bool:
    return record is None or _breaks(line, record)


def _is_safe(block: bytes) -> bool:
    """Whether every line is UTF-8, nests no deeper than pyarrow bears, starts with ``{`` and ends with ``}``.

    Between ``}`` and ``{`` no object or list can go on, so that rows and lines match if their numbers do.
    """
    bytes_ = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(bytes_ == NEWLINE)
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    starts = np.concatenate([[0], ends[:-1] + 1])
    lasts = ends - 1
    if np.any(lasts < starts):
        return False
    lasts = np.where(bytes_[lasts] == 13, lasts - 1, lasts)
    if not (np.all(bytes_[starts] == ord("{")) and np.all(bytes_[lasts] == ord("}"))):
        return False
    return _is_utf8(block) and _is_shallow(block, bytes_, starts, ends)


def _is_plain(line: bytes) -> bool:
    """Whether a line by itself is safe to parse."""
    bare = line.strip(SPACES)
    if not (bare.startswith(b"{") and bare.endswith(b"}")) or is_too_deep(line):
        return False
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8(data: bytes) -> bool:
    offsets = pa.py_buffer(np.array([0, len(data)], np.int64))
    try:
        pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_shallow(block: bytes, bytes_: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> bool:
    """Whether no line nests deeper than ``_SAFE_DEPTH``: by counting brackets, then in earnest where there are many."""
    first = 0
    while first < len(starts):
        stop = max(first + 1, int(np.searchsorted(ends, starts[first] + _WINDOW, side="right")))
        opening = (bytes_[starts[first] : ends[stop - 1]] | 0x20) == ord("{")  # [ differs from { in this bit alone
        if np.count_nonzero(opening) > _SAFE_DEPTH:
            counts = np.add.reduceat(opening, starts[first:stop] - starts[first], dtype=np.int64)
            for i in first + np.flatnonzero(counts > _SAFE_DEPTH):
                if depth(block[starts[i] : ends[i]]) > _SAFE_DEPTH:
                    return False
        first = stop
    return True


def _rounded_rows(table: pa.Table) -> NDArray[np.int64]:
    """Return the rows with floats that may be rounded integers, or that only Python knows to be well spelt (NaN)."""
    rows = np.zeros(table.num_rows, np.bool_)
    for column in table.columns:
        if _holds(column.type, pa.types.is_floating):
            rows |= np.concatenate([_rounded(chunk) for chunk in column.chunks] or [rows])
    return np.flatnonzero(rows)


def _holds(kind: pa.DataType, test: Callable[[pa.DataType], bool]) -> bool:
    """Whether a type, or one inside it, passes a test."""
    if pa.types.is_nested(kind):
        return any(_holds(kind.field(i).type, test) for i in range(kind.num_fields))
    return test(kind)


def _rounded(array: pa.Array) -> NDArray[np.bool_]:
    rows = np.zeros(len(array), np.bool_)
    if not _holds(array.type, pa.types.is_floating):
        return rows
    if pa.types.is_struct(array.type):
        for child in array.flatten():
            rows |= _rounded(child)
    elif pa.types.is_list(array.type):
        parents = pc.list_parent_indices(array).to_numpy()
        rows[parents[_rounded(array.flatten())]] = True
    else:
        values = array.fill_null(0).to_numpy(zero_copy_only=False)
        rows = ~(np.abs(values) < EXACT)
    return rows


def nesting(kind: pa.DataType) -> int:
    """Return how deep structs and lists nest in a type, itself included."""
    level, kinds = 0, [kind]
    while nested := [k for k in kinds if pa.types.is_nested(k)]:
        level, kinds = level + 1, [k.field(i).type for k in nested for i in range(k.num_fields)]
    return level
