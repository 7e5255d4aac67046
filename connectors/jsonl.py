"""JSON Lines input, plain or compressed: one record a line, in address order.

pyarrow parses whole blocks; a block that it refuses, or whose rows do not match its lines one for one, is taken
line by line, so that the bad lines are named and the good ones kept. A blank line has a record number and is set aside
under the rule ``blank-line``.
"""

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from ..hashing.errors import InputError
from .address import address
from .batches import bad_batch, conform, good_batch, reading_schema
from .schema import unify
from .split import Split
from .storage import open_binary

NEWLINE = 10
_SPACES = b" \t\r"
_BOM = b"\xef\xbb\xbf"

BLANK_LINE = "blank-line"
INVALID_UTF8 = "invalid-utf8"
INVALID_JSON = "invalid-json"
NOT_AN_OBJECT = "not-an-object"
LONE_SURROGATE = "lone-surrogate"
WRONG_TYPE = "wrong-type"


def compression_of(name: str) -> str:
    """Return the compression that a file name's ending stands for, or ""."""
    return {"gz": "gzip", "gzip": "gzip", "zst": "zstd", "zstd": "zstd"}.get(name.rpartition(".")[2].lower(), "")


def open_lines(path: str, compression: str) -> Any:
    """Open a file for reading decompressed bytes."""
    raw = open_binary(path)
    if compression == "gzip":
        return gzip.GzipFile(fileobj=raw)  # reads multi-member files to the end
    if compression:
        return pa.input_stream(raw, compression=compression)
    return raw


def plan_jsonl(
    file: int, path: str, *, compression: str, size_bytes: int, split_bytes: int, source: str
) -> Iterator[Split]:
    """Yield splits at line boundaries; a compressed file is one split.

    A plain file is scanned once for its newlines, so that every split knows its first record number.
    """
    whole = Split(file, path, "jsonl", compression=compression, stop=size_bytes, source=source, size_bytes=size_bytes)
    if compression:
        yield whole
        return
    with open_binary(path) as stream:
        yield from _line_splits(stream, whole, split_bytes)


def _line_splits(stream: BinaryIO, whole: Split, split_bytes: int) -> Iterator[Split]:
    start = position = record = 0
    lines = 0
    while block := stream.read(split_bytes):
        bytes_ = np.frombuffer(block, np.uint8)
        newlines = int(np.count_nonzero(bytes_ == NEWLINE))
        last = block.rfind(b"\n")
        if last >= 0:
            stop = position + last + 1
            yield replace(
                whole, first_record=record, records=lines + newlines, start=start, stop=stop, size_bytes=stop - start
            )
            record, lines, start = record + lines + newlines, 0, stop
        position += len(block)
    if start < position:
        yield replace(whole, first_record=record, records=1, start=start, stop=position, size_bytes=position - start)


def _blocks(split: Split, batch_bytes: int) -> Iterator[bytes]:
    """Yield blocks of whole lines."""
    left = split.stop - split.start if not split.compression else None
    rest = b""
    with open_lines(split.path, split.compression) as stream:
        if split.start:
            stream.seek(split.start)
        while True:
            try:
                block = stream.read(batch_bytes if left is None else min(batch_bytes, left))
            except (OSError, EOFError) as error:
                raise InputError(
                    "a compressed input can be read to its end",
                    value=f"{split.path}: {error}",
                    remedy="Restore the file or drop it from the inputs.",
                ) from error
            if not block:
                break
            left = None if left is None else left - len(block)
            cut = block.rfind(b"\n") + 1
            if cut:
                yield rest + block[:cut]
                rest = block[cut:]
            else:
                rest += block
    if rest:
        yield rest


def infer_jsonl_schema(split: Split, *, batch_bytes: int) -> pa.Schema:
    """Return the schema of all well-formed lines of a split; strings stay strings, whatever they look like."""
    schemas = [_infer(block) for block in _blocks(split, batch_bytes)]
    return unify([(split.path, schema) for schema in schemas]) if schemas else pa.schema([])


def _infer(block: bytes) -> pa.Schema:
    try:
        return _untimed(_parse(block, None).schema)
    except pa.ArrowInvalid:
        merged = pa.schema([])
        for line in block.split(b"\n"):
            if not line.strip(_SPACES) or _fault(line)[0]:
                continue
            try:
                merged = unify([("", merged), ("", _untimed(_parse(line, None).schema))])
            except (pa.ArrowInvalid, InputError):
                continue  # the line breaks the type its column has so far: reading reports it
        return merged


def _untimed(schema: pa.Schema) -> pa.Schema:
    """Take back the guess that some strings are timestamps."""
    return pa.schema([field.with_type(_untimed_type(field.type)) for field in schema])


def _untimed_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_temporal(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_untimed_type(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_untimed_type(kind.value_type)))
    return kind


def _parse(block: bytes, schema: pa.Schema | None) -> pa.Table:
    options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer" if schema is None else "error")
    reading = pj.ReadOptions(use_threads=False, block_size=max(1, len(block)) + 1)
    return pj.read_json(io.BytesIO(block), read_options=reading, parse_options=options)


def read_jsonl(split: Split, columns: pa.Schema, *, full: pa.Schema, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yield the records of a split in order.

    Args:
        split: what to read.
        columns: the columns to yield.
        full: the schema of the whole input: a line that breaks it anywhere is bad, whichever columns are read.
        batch_bytes: about how much to parse at a time.
    """
    record = split.first_record
    for i, block in enumerate(_blocks(split, batch_bytes)):
        if i == 0 and split.start == 0:
            block = block.removeprefix(_BOM)
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        yield from _read_block(block, lines, address(split.file, record), columns, full)
        record += lines


def _read_block(block: bytes, lines: int, first: int, columns: pa.Schema, full: pa.Schema) -> Iterator[pa.RecordBatch]:
    schema = reading_schema(columns)
    if _one_object_a_line(block):
        try:
            table = _parse(block, full)
        except pa.ArrowInvalid:
            table = None
        if table is not None and table.num_rows == lines:
            batch = table.combine_chunks().to_batches()[0]
            yield good_batch(np.arange(first, first + lines, dtype=np.int64), conform(batch, columns), schema)
            return
    yield from _read_lines(block, first, columns, full)


def _one_object_a_line(block: bytes) -> bool:
    """Whether every line starts with ``{`` and ends with ``}``: then rows and lines match if their numbers do."""
    bytes_ = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(bytes_ == NEWLINE)
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    starts = np.concatenate([[0], ends[:-1] + 1])
    lasts = ends - 1
    if np.any(lasts < starts):
        return False
    lasts = np.where(bytes_[lasts] == 13, lasts - 1, lasts)
    return bool(np.all(bytes_[starts] == ord("{")) and np.all(bytes_[lasts] == ord("}")))


def _read_lines(block: bytes, first: int, columns: pa.Schema, full: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The slow way: each line by itself. Consecutive good lines share a batch."""
    schema = reading_schema(columns)
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for i, line in enumerate(lines):
        fault, parsed = _fault(line)
        if not fault:
            try:
                batch = _parse(line, full).combine_chunks().to_batches()[0]
                yield good_batch(np.array([first + i], np.int64), conform(batch, columns), schema)
                continue
            except pa.ArrowInvalid:
                fault = LONE_SURROGATE if _has_surrogate(parsed) else WRONG_TYPE
        yield bad_batch([first + i], [fault], [line], schema)


def _fault(line: bytes) -> tuple[str, Any]:
    """Return the rule that a line breaks, or "", and what it parses to."""
    if not line.strip(_SPACES):
        return BLANK_LINE, None
    try:
        parsed = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return INVALID_UTF8, None
    except (json.JSONDecodeError, RecursionError):
        return INVALID_JSON, None
    return ("", parsed) if isinstance(parsed, dict) else (NOT_AN_OBJECT, parsed)


def _has_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return any(0xD800 <= ord(c) <= 0xDFFF for c in value)
    if isinstance(value, dict):
        return any(_has_surrogate(k) or _has_surrogate(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_has_surrogate, value))
