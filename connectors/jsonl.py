"""JSON Lines input, plain or compressed: one record a line, in address order.

Every line has a record number. A line that is not a record is set aside with the rule that it breaks, a blank one too.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.errors import InputError
from .address import addresses
from .batches import conform, good_batch, reading_schema, sifted_batch
from .compression import DAMAGE, open_stored
from .formats import Format, InputFile
from .json_block import parse_block, parse_lines
from .json_fault import BLANK_LINE as BLANK_LINE
from .json_fault import INVALID_UTF8 as INVALID_UTF8
from .json_fault import WRONG_TYPE, fault, kind_of
from .schema import gather
from .split import Split
from .storage import open_binary

MAX_LINE_BYTES = 1 << 30
"""How long a line may be: a column of strings has 31-bit offsets."""

_BOM = b"\xef\xbb\xbf"


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
    while block := stream.read(split_bytes):
        last = block.rfind(b"\n")
        if last >= 0:
            stop, lines = position + last + 1, block.count(b"\n")
            yield replace(whole, first_record=record, records=lines, start=start, stop=stop, size_bytes=stop - start)
            start, record = stop, record + lines
        position += len(block)
    if start < position:
        yield replace(whole, first_record=record, records=1, start=start, stop=position, size_bytes=position - start)


def _blocks(split: Split, batch_bytes: int) -> Iterator[tuple[bytes, int]]:
    """Yield (whole lines, how many), without the byte order mark of the file."""
    rest: list[bytes] = []
    size = 0
    first = split.start == 0
    for chunk in _chunks(split, batch_bytes):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            block = b"".join([*rest, chunk[:cut]])
            yield block.removeprefix(_BOM) if first else block, block.count(b"\n")
            rest, size, first = [], 0, False
        if cut < len(chunk):
            rest.append(chunk[cut:])
            size += len(rest[-1])
            _check_length(split, size)
    if rest:
        block = b"".join(rest)
        yield block.removeprefix(_BOM) if first else block, 1


def _chunks(split: Split, batch_bytes: int) -> Iterator[bytes]:
    left = split.stop - split.start if not split.compression else -1
    try:
        with open_stored(split.path, split.compression) as stream:
            if split.start:
                stream.seek(split.start)
            while left and (chunk := stream.read(batch_bytes if left < 0 else min(batch_bytes, left))):
                left = left if left < 0 else left - len(chunk)
                yield chunk
    except DAMAGE as error:
        raise InputError(
            "an input can be read to its end",
            value=f"{split.path}: {error}",
            remedy="Restore the file or drop it from the inputs.",
        ) from error


def _check_length(split: Split, size: int) -> None:
    if size > MAX_LINE_BYTES:
        raise InputError(
            f"a line has at most {MAX_LINE_BYTES} bytes",
            value=f"a longer one in {split.path}",
            remedy="Check that the file is JSON Lines: one record a line.",
        )


def infer_jsonl_schema(split: Split, *, batch_bytes: int) -> pa.Schema:
    """Return the columns of all well-formed lines of a split; strings stay strings, whatever they look like.

    A column whose values exclude each other has a union type, first ones first; ``unify`` settles it.
    """
    record = pa.struct([])
    for block, lines in _blocks(split, batch_bytes):
        for kind in _infer(block, lines):
            record = gather(record, kind)
    return pa.schema(list(record))


def _infer(block: bytes, lines: int) -> Iterator[pa.DataType]:
    """Yield the types of the records of a block, in the order in which they first appear."""
    table = parse_block(block, lines, None)
    if table is not None:
        yield _record_type(table.schema)
        return
    texts = block.split(b"\n")[:lines]
    parsed: dict[int, pa.DataType | None] = {}
    shapes: dict[Any, pa.DataType] = {}
    for numbers, table in parse_lines(texts, None):
        parsed.update(dict.fromkeys(numbers, None))
        parsed[numbers[0]] = _record_type(table.schema)
    for i, text in enumerate(texts):
        kind = parsed[i] if i in parsed else kind_of(text, shapes)
        if kind is not None:
            yield kind


def _record_type(schema: pa.Schema) -> pa.StructType:
    return _untimed(pa.struct(list(schema)))


def _untimed(kind: pa.DataType) -> pa.DataType:
    """Take back the guess that some strings are timestamps."""
    if pa.types.is_temporal(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_untimed(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_untimed(kind.value_type)))
    return kind


def read_jsonl(split: Split, columns: pa.Schema, *, full: pa.Schema, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yield the records of a split in order.

    Args:
        split: what to read.
        columns: the columns to yield.
        full: the schema of the whole input: a line that breaks it anywhere is bad, whichever columns are read.
        batch_bytes: about how much to parse at a time.
    """
    first = split.first_record
    record = pa.struct([field.with_type(_parsed_type(field.type)) for field in full])
    schema = reading_schema(columns)
    for block, lines in _blocks(split, batch_bytes):
        numbers = addresses(split.file, first, lines)
        table = parse_block(block, lines, record)
        if table is not None:
            yield good_batch(numbers, conform(_one_batch(table), columns), schema)
        else:
            yield _sift(block.split(b"\n")[:lines], numbers, record, columns)
        first += lines


def _sift(lines: list[bytes], numbers: NDArray[np.int64], record: pa.StructType, columns: pa.Schema) -> pa.RecordBatch:
    """Return a batch of lines of which some are no records."""
    tables = [pa.schema(list(record)).empty_table()]
    rows = np.full(len(lines), -1)
    for part, table in parse_lines(lines, record):
        start = sum(t.num_rows for t in tables)
        rows[part] = np.arange(start, start + len(part))
        tables.append(table)
    good = pa.array(rows, mask=rows < 0)
    arrays = [column.take(good) for column in conform(_one_batch(pa.concat_tables(tables)), columns)]
    rules = [fault(line, record) or WRONG_TYPE if row < 0 else None for line, row in zip(lines, rows, strict=True)]
    raw = [line if row < 0 else None for line, row in zip(lines, rows, strict=True)]
    return sifted_batch(numbers, arrays, rules, raw, reading_schema(columns))


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _parsed_type(kind: pa.DataType) -> pa.DataType:
    """Return the type to parse values of a column as: null for types that only other inputs can give it."""
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_parsed_type(field.type)) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(kind.value_field.with_type(_parsed_type(kind.value_type)))
    if pa.types.is_integer(kind) or kind in (pa.bool_(), pa.float64(), pa.string(), pa.large_string()):
        return kind
    return pa.null()


def _plan(file: InputFile, split_bytes: int) -> Iterator[Split]:
    return plan_jsonl(
        file.ordinal,
        file.path,
        compression=file.compression,
        size_bytes=file.size_bytes,
        split_bytes=split_bytes,
        source=file.source,
    )


JSONL = Format(
    "jsonl",
    plan=_plan,
    schema=lambda split, batch_bytes: infer_jsonl_schema(split, batch_bytes=batch_bytes),
    read=read_jsonl,
    endings=("jsonl", "ndjson", "json"),
    compressible=True,
    schema_by_split=True,
)
