"""CSV and TSV input, plain or compressed: a header record that names columns, then records, in address order.

All columns are strings, as they are written: CSV has no types and no nulls, so an empty field is an empty string,
quoted or not. Lines end with ``\\n``, ``\\r\\n`` or ``\\r``. A quoted field may hold such ends, so a file is one split.

Records are counted from the one after the header. Blank lines before the header do not count; later ones do, also
where a file has one column (an empty value is written as ``""`` there). A record that breaks a rule is set aside. One
that does not parse ends with the line in which that shows, and the next record begins with the next line.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from ..hashing.errors import InputError
from .address import ADDRESS, addresses
from .batches import conform_read, good_batch, reading_schema, sifted_batch
from .dialect import Dialect, parser, sniff, utf8_chunks
from .formats import Format, InputFile
from .json_fault import BLANK_LINE, INVALID_UTF8, LONE_SURROGATE
from .split import Split

RAGGED_LINE = "ragged-line"
"""A record with more or fewer fields than the header."""
UNTERMINATED_QUOTE = "unterminated-quote"
"""A quoted field that never ends: the record is all the rest of the file."""
INVALID_CSV = "invalid-csv"
"""Text between the closing quote of a field and the next delimiter."""

MAX_RECORD_BYTES = 1 << 27
"""How long a record may be: a column of strings has 31-bit offsets."""

MAX_BATCH_ROWS = 65_536

_CHUNK_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class _Taken:
    """What was read for the record being parsed."""

    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    is_utf8: bool = True
    is_last: bool = False

    def clear(self) -> None:
        self.lines.clear()
        self.size, self.is_utf8 = 0, True

    @property
    def raw(self) -> bytes:
        return b"".join(self.lines).removesuffix(b"\n").removesuffix(b"\r")


@dataclass(slots=True)
class _Rows:
    """Records of a batch to be: their fields, and of those set aside the rule and the bytes, by position."""

    fields: list[list[str] | None] = field(default_factory=list)
    bad: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    size: int = 0


def _blocks(split: Split, encoding: str, chunk_bytes: int) -> Iterator[bytes]:
    """Yield whole lines, without the byte order mark of the file."""
    rest: list[bytes] = []
    size = 0
    mark = _BOM
    for chunk in _whole_ends(utf8_chunks(split.path, split.compression, encoding, chunk_bytes)):
        cut = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
        if cut:
            yield b"".join([*rest, chunk[:cut]]).removeprefix(mark)
            rest, size, mark = [], 0, b""
        if cut < len(chunk):
            rest.append(chunk[cut:])
            size += len(rest[-1])
            check_length(split, size)
    yield b"".join(rest).removeprefix(mark)


def _whole_ends(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Move a ``\\r`` from the end of a chunk to the next one: a ``\\n`` may follow it."""
    held = b""
    for chunk in chunks:
        whole = held + chunk
        held = b"\r" if whole.endswith(b"\r") else b""
        yield whole[: len(whole) - len(held)]
    yield held


def _lines(split: Split, encoding: str, chunk_bytes: int, taken: _Taken) -> Iterator[str]:
    """Yield lines with their ends, noting them in ``taken``; bytes that are not UTF-8 become lone surrogates."""
    for block in _blocks(split, encoding, chunk_bytes):
        for line in block.splitlines(keepends=True):
            taken.lines.append(line)
            taken.size += len(line)
            check_length(split, taken.size)
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError:
                text = line.decode("utf-8", "surrogateescape")
                taken.is_utf8 = False
            yield text
    taken.is_last = True


def check_length(split: Split, size: int) -> None:
    """Refuse a record of more than ``MAX_RECORD_BYTES``: a quote that never ends must not fill the memory.

    Args:
        split: what is read.
        size: bytes of the record, as far as it is known.

    Raises:
        InputError: naming the file.
    """
    if size > MAX_RECORD_BYTES:
        raise InputError(
            f"a record has at most {MAX_RECORD_BYTES} bytes",
            value=f"a longer one in {split.path}",
            remedy='Check that every field that opens with a quote (") is closed by one.',
        )


def _records(split: Split, chunk_bytes: int, taken: _Taken) -> Iterator[tuple[list[str], str]]:
    """Yield (fields, "" or the rule that the record breaks by itself); ``taken`` is that record's until the next."""
    dialect = Dialect(**dict(split.options))
    not_utf8 = INVALID_UTF8 if dialect.encoding == "utf-8" else LONE_SURROGATE
    found = parser(_lines(split, dialect.encoding, chunk_bytes, taken), dialect.delimiter)
    while True:
        taken.clear()
        try:
            fields = next(found)
        except StopIteration:
            return
        except csv.Error:
            yield [], UNTERMINATED_QUOTE if taken.is_last else INVALID_CSV
        else:
            yield fields, (BLANK_LINE if not fields else "" if taken.is_utf8 else not_utf8)


def _header(records: Iterator[tuple[list[str], str]], path: str) -> list[str]:
    """Take the records up to the header and return its names; none if the file is empty."""
    for names, rule in records:
        if rule == BLANK_LINE:
            continue
        check_header(names, rule, path)
        wrong = next((name for name, count in Counter(names).items() if not name or count > 1), None)
        if wrong is not None:
            raise InputError(
                "the header of a CSV names every column once",
                value=f"{repr(wrong) + ' twice' if wrong else 'an empty name'} in {path}",
                remedy="Name the columns in the first line (pandas leaves its index without a name: `index=False`).",
            )
        return names
    return []


def check_header(names: list[str], rule: str, path: str) -> None:
    """Refuse a header that cannot be read.

    Args:
        names: its fields.
        rule: that it breaks, or "".
        path: of its file.

    Raises:
        InputError: naming the file.
    """
    if rule or any("\0" in name for name in names):
        raise InputError(
            "the header of a CSV is a record in UTF-8, or in UTF-16 with a byte order mark",
            value=f"{rule or 'a NUL'} in {path}",
            remedy="Convert the file to UTF-8, or repair its first line.",
        )


def infer_csv_schema(split: Split, *, batch_bytes: int) -> pa.Schema:
    """Return the columns that the header of a file names: strings.

    Raises:
        InputError: if a name is empty or there twice, or if the header is no CSV record.
    """
    names = _header(_records(split, min(batch_bytes, _CHUNK_BYTES), _Taken()), split.path)
    return pa.schema([(name, pa.string()) for name in names])


def read_csv(split: Split, columns: pa.Schema, *, full: pa.Schema, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yield the records of a file in order, in the reading schema of ``columns``.

    Args:
        split: what to read.
        columns: the columns to yield, absent ones null.
        full: not looked at: every column is a string.
        batch_bytes: about how many bytes of the file make a batch.

    Raises:
        InputError: if the file cannot be read to its end, if its header names no columns, or if a record is too long.
    """
    taken = _Taken()
    records = _records(split, min(batch_bytes, _CHUNK_BYTES), taken)
    names = _header(records, split.path)
    record, rows = split.first_record, _Rows()
    width = len(names)
    for fields, rule in records:
        if rule or len(fields) != width:
            rows.bad[len(rows.fields)] = (rule or RAGGED_LINE, taken.raw)
            rows.fields.append(None)
        else:
            rows.fields.append(fields)
        rows.size += taken.size
        if rows.size >= batch_bytes or len(rows.fields) == MAX_BATCH_ROWS:
            yield _batch(split, record, rows, names, columns)
            record, rows = record + len(rows.fields), _Rows()
    if rows.fields:
        yield _batch(split, record, rows, names, columns)


def _batch(split: Split, record: int, rows: _Rows, names: list[str], columns: pa.Schema) -> pa.RecordBatch:
    numbers = addresses(split.file, record, len(rows.fields))
    found = {ADDRESS: pa.array(numbers)}  # a batch without columns would have no rows
    wanted = set(columns.names)
    for at, name in enumerate(names):
        if name in wanted:
            found[name] = pa.array([None if row is None else row[at] for row in rows.fields], pa.string())
    arrays = conform_read(pa.RecordBatch.from_pydict(found), columns, f"{split.path}, from record {record}")
    if not rows.bad:
        return good_batch(numbers, arrays, reading_schema(columns))
    rules, raw = zip(*(rows.bad.get(i, (None, None)) for i in range(len(rows.fields))), strict=True)
    return sifted_batch(numbers, arrays, list(rules), list(raw), reading_schema(columns))


def whole_file(file: InputFile, dialect: Dialect) -> Split:
    """Return the one split of a delimited file; what the file's own options say goes before the dialect."""
    return Split(
        file.ordinal,
        file.path,
        "csv",
        compression=file.compression,
        stop=file.size_bytes,
        source=file.source,
        size_bytes=file.size_bytes,
        options=tuple((dict(dialect.options) | dict(file.options)).items()),
    )


def _plan(file: InputFile, split_bytes: int) -> Iterator[Split]:
    yield whole_file(file, sniff(file.path, file.compression))


CSV = Format(
    "csv",
    plan=_plan,
    schema=lambda split, batch_bytes: infer_csv_schema(split, batch_bytes=batch_bytes),
    read=read_csv,
    endings=("csv", "tsv", "tab"),
    compressible=True,
    schema_by_split=False,
)
