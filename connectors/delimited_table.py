"""Delimited files as tables of a lake: their columns, and their records as columns of texts, by the kernels.

Records are those of ``delimited``, which reads the same files as documents: counted from the one after the header,
blank lines too, which are no rows here. Texts are as they are written; an empty field is an empty text.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing import delimited as kernels
from ..hashing.delimited import Cut, cut_records, first_record, gather_texts
from .address import ADDRESS, addresses
from .batches import RULE, conform_read
from .delimited import INVALID_CSV, UNTERMINATED_QUOTE, check_header, check_length, whole_file
from .dialect import SAMPLE_BYTES, Dialect, dialect_of, head_of, parser, utf8_chunks
from .formats import InputFile
from .json_fault import INVALID_UTF8, LONE_SURROGATE
from .split import Split

_HEADER_BYTES = 1 << 16
"""How much is read at a time to find the header."""

_BOM = b"\xef\xbb\xbf"


class _Window:
    """A stretch of a file in UTF-8 that starts with a record, moved on through the file.

    Attributes:
        data: uint8: the stretch, and padding.
        at, end: where it starts and ends in ``data``.
        final: whether it ends with the file.
    """

    data: NDArray[np.uint8]

    def __init__(self, split: Split, encoding: str, size: int) -> None:
        whole = split.size_bytes + 1 if encoding == "utf-8" and not split.compression else size
        self._split, self._size = split, max(size, len(_BOM))
        self._chunks = utf8_chunks(split.path, split.compression, encoding, min(size, whole))
        self.at, self.end, self.final = 0, 0, False
        self._fill(b"")
        if self.data[:3].tobytes() == _BOM:
            self.at = 3

    def move(self, at: int) -> None:
        """Start at another record, and reach further: twice as far where one record fills the stretch.

        Raises:
            InputError: if the file cannot be read to its end, or a record is too long.
        """
        check_length(self._split, self.end - at)
        self._fill(self.data[at : self.end].tobytes())

    def _fill(self, rest: bytes) -> None:
        parts, size = [rest], len(rest)
        wanted = max(self._size, 2 * len(rest))
        while size < wanted and not self.final:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.final = True
            else:
                parts.append(chunk)
                size += len(chunk)
        self.at, self.end = 0, size
        self.data = np.frombuffer(b"".join([*parts, bytes(kernels.PADDING)]), np.uint8)


def survey_delimited(file: InputFile) -> tuple[Split, list[str]]:
    """Return the one split of a delimited file, its dialect found, and the names in its header.

    Raises:
        InputError: if the file or its header cannot be read.
    """
    head = head_of(file.path, file.compression, SAMPLE_BYTES + 1)
    split = whole_file(file, dialect_of(file.path, head))
    dialect = Dialect(**dict(split.options))
    if dialect.encoding == "utf-8":
        data = np.frombuffer(head + bytes(kernels.PADDING), np.uint8)
        at = len(_BOM) if head.startswith(_BOM) else 0
        found = _header(split, dialect, data, at, len(head), final=len(head) <= SAMPLE_BYTES)
        if found is not None:
            return split, found[0]
    return split, read_header(split)


def read_header(split: Split) -> list[str]:
    """Return the names in the header of a delimited file: its first record that is no blank line; none without one.

    Raises:
        InputError: if it cannot be read.
    """
    dialect = Dialect(**dict(split.options))
    return _first(split, dialect, _Window(split, dialect.encoding, _HEADER_BYTES))


def _first(split: Split, dialect: Dialect, window: _Window) -> list[str]:
    """Take the header from the start of a file; return its names."""
    while True:
        found = _header(split, dialect, window.data, window.at, window.end, final=window.final)
        if found is not None:
            names, window.at = found
            return names
        window.move(window.at)


def _header(
    split: Split, dialect: Dialect, data: NDArray[np.uint8], at: int, end: int, *, final: bool
) -> tuple[list[str], int] | None:
    """Return the names in the first record of a stretch and where it ends; None where it goes on behind the stretch.

    Raises:
        InputError: if it cannot be read.
    """
    stop, _, rule = first_record(data, at, end, final, ord(dialect.delimiter))
    if stop < 0:
        return ([], end) if final else None
    check_length(split, stop - at)
    if rule != kernels.GOOD:
        check_header([], _reason(rule, 0, 0, dialect) or "", split.path)
    lines = [line.decode("utf-8") for line in data[at:stop].tobytes().splitlines(keepends=True)]
    names = next(record for record in parser(lines, dialect.delimiter) if record)
    check_header(names, "", split.path)
    return names, stop


@dataclass(frozen=True)
class CutBatch:
    """Records of a stretch of a file, as far as the kernels have cut them.

    Attributes:
        data: uint8: the stretch, and padding.
        cut: its records, and fields of some columns.
        columns: the names of these, in the order of the file.
        record: number of the first record.
        addresses: int64: of all records that are no blank lines.
        reasons: why each of these cannot be read, or None; None if all can.
    """

    data: NDArray[np.uint8]
    cut: Cut
    columns: list[str]
    record: int
    addresses: NDArray[np.int64]
    reasons: list[str | None] | None

    @property
    def good(self) -> NDArray[np.bool_]:
        """Of the records that have an address, those that can be read."""
        rules = self.cut.rules
        return np.asarray(rules[rules != kernels.BLANK] == kernels.GOOD, np.bool_)


def cut_delimited(split: Split, columns: Collection[str], batch_bytes: int) -> Iterator[CutBatch]:
    """Yield the records of a file in order, cut; see ``read_delimited_table``."""
    dialect = Dialect(**dict(split.options))
    window = _Window(split, dialect.encoding, batch_bytes)
    names = _first(split, dialect, window)
    found = [name for name in names if name in columns]
    wanted = np.array([name in columns for name in names], np.uint8)
    record = split.first_record
    while names:
        cut = cut_records(window.data, window.at, window.end, window.final, ord(dialect.delimiter), wanted)
        check_length(split, cut.longest)
        if len(cut.rules):
            numbers = addresses(split.file, record, len(cut.rules))
            reasons = _reasons(cut, len(names), dialect)
            if reasons is not None:
                numbers = numbers[cut.rules != kernels.BLANK]
            yield CutBatch(window.data, cut, found, record, numbers, reasons)
            record += len(cut.rules)
        if window.final:
            return
        window.move(cut.stop)


def read_delimited_table(
    split: Split, columns: pa.Schema, full: pa.Schema, batch_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Yield the records of a file in order: ``__address``, some columns, and ``__rule``.

    A record that cannot be read is a row without values, and its rule says why; others have no rule.

    Args:
        split: what to read.
        columns: the columns to yield, absent ones null.
        full: not looked at: the header says where columns are.
        batch_bytes: about how many bytes of the file make a batch.

    Raises:
        InputError: if the file cannot be read to its end, if its header cannot be read, or if a record is too long.
    """
    for batch in cut_delimited(split, set(columns.names), batch_bytes):
        texts = dict(zip(batch.columns, _texts(batch.data, batch.cut, len(batch.columns)), strict=True))
        yield _batch(split, batch, texts, columns)


def _texts(data: NDArray[np.uint8], cut: Cut, columns: int) -> list[pa.Array]:
    """Return the texts of the wanted columns of good records, in the order of the file."""
    if not columns:
        return []
    rows = len(cut.edges) // (2 * columns)
    offsets, texts, starts = gather_texts(data, cut.edges, columns)
    offsets_buffer, texts_buffer = pa.py_buffer(offsets), pa.py_buffer(texts)
    stride, size = offsets.strides[0], 4 * (rows + 1)
    places = zip(starts.tolist(), offsets[:, rows].tolist(), strict=False)
    return [
        pa.StringArray.from_buffers(rows, offsets_buffer.slice(c * stride, size), texts_buffer.slice(start, length))
        for c, (start, length) in enumerate(places)
    ]


def _reasons(cut: Cut, width: int, dialect: Dialect) -> list[str | None] | None:
    """Return why each record that is no blank line cannot be read; None if all are good."""
    if not cut.rules.any():
        return None
    kept = cut.rules != kernels.BLANK
    pairs = zip(cut.rules[kept].tolist(), cut.widths[kept].tolist(), strict=True)
    return [_reason(rule, fields, width, dialect) for rule, fields in pairs]


def _reason(rule: int, fields: int, width: int, dialect: Dialect) -> str | None:
    if rule == kernels.GOOD:
        return None
    if rule == kernels.RAGGED:
        return f"ragged: {fields} field{'s' * (fields != 1)}, the header has {width}"
    not_utf8 = INVALID_UTF8 if dialect.encoding == "utf-8" else LONE_SURROGATE
    return {kernels.TEXT_AFTER_QUOTE: INVALID_CSV, kernels.UNTERMINATED: UNTERMINATED_QUOTE}.get(rule, not_utf8)


def _batch(split: Split, batch: CutBatch, texts: dict[str, pa.Array], columns: pa.Schema) -> pa.RecordBatch:
    numbers, rows = batch.addresses, len(batch.addresses)
    rules = pa.nulls(rows, pa.string()) if batch.reasons is None else pa.array(batch.reasons, pa.string())
    if batch.reasons is not None and not (good := batch.good).all():
        places = pa.array(np.cumsum(good) - 1, mask=~good)
        texts = {name: column.take(places) for name, column in texts.items()}
    arrays = [texts[field.name] if field.name in texts else pa.nulls(rows, field.type) for field in columns]
    if any(array.type != field.type for array, field in zip(arrays, columns, strict=True)):
        read = pa.RecordBatch.from_arrays(arrays, columns.names)
        arrays = conform_read(read, columns, f"{split.path}, from record {batch.record}")
    return pa.RecordBatch.from_arrays([pa.array(numbers), *arrays, rules], [ADDRESS, *columns.names, RULE])
