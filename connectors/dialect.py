"""How a delimited file is written: its delimiter and its encoding, found by looking at its first records."""

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..hashing.errors import InputError
from ..hashing.redaction import redacted
from .compression import DAMAGE, compression_of, open_stored
from .split import Split

DELIMITERS = (",", "\t", ";", "|")
"""What may stand between fields, likelier ones first."""

SAMPLE_BYTES = 64 * 1024
"""How much of a file is looked at to find its delimiter."""

_BY_ENDING = {"tsv": "\t", "tab": "\t"}

_MARKS = (  # the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

csv.field_size_limit(max(csv.field_size_limit(), 2**31 - 1))  # the limit is the process's; readers have their own


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written.

    Attributes:
        delimiter: the character between fields.
        encoding: "utf-8", or what the byte order mark of the file names: "utf-16-le", "utf-16-be", "utf-32-le" or
            "utf-32-be".
    """

    delimiter: str
    encoding: str

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The options of a split that say so; ``Dialect(**dict(options))`` is this dialect again."""
        return (("delimiter", self.delimiter), ("encoding", self.encoding))


def sniff(path: str, compression: str) -> Dialect:
    """Return the dialect of a file.

    The delimiter of ``.tsv`` and ``.tab`` is a tab. For others it is the one of ``DELIMITERS`` by which most of the
    first records have as many fields as the header, more than one; if equally many have, the one that gives more
    fields, then the one named first. If there is none, the file has one column, and the delimiter is a comma.

    Raises:
        InputError: if the file cannot be read.
    """
    return dialect_of(path, head_of(path, compression, SAMPLE_BYTES + 1))


def head_of(path: str, compression: str, size: int) -> bytes:
    """Return the first bytes of a file as they are stored, decompressed: at least ``size``, or all.

    Raises:
        InputError: if the file cannot be read.
    """
    head = b""
    for chunk in utf8_chunks(path, compression, "utf-8", size):
        head += chunk
        if len(head) >= size:
            break
    return head


def dialect_of(path: str, head: bytes, delimiters: Sequence[str] = DELIMITERS) -> Dialect:
    """Return the dialect of a file with that name and these first bytes: all, or more than ``SAMPLE_BYTES``."""
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    delimiter = _BY_ENDING.get(_ending(path))
    if delimiter is None:
        sample, is_whole = head[:SAMPLE_BYTES], len(head) <= SAMPLE_BYTES
        if encoding != "utf-8":
            sample = sample.decode(encoding, "replace").encode()
        delimiter = _likeliest(sample.removeprefix(codecs.BOM_UTF8), delimiters, is_whole=is_whole)
    return Dialect(delimiter, encoding)


def dialects(splits: Iterable[Split]) -> list[dict[str, object]]:
    """Return the dialects of delimited files: how many files each has, and the first of them."""
    found: dict[Dialect, dict[int, str]] = {}
    for split in splits:
        if split.options:
            found.setdefault(Dialect(**dict(split.options)), {})[split.file] = split.path
    return [
        {**dict(dialect.options), "files": len(files), "first": redacted(files[min(files)])}
        for dialect, files in sorted(found.items(), key=lambda item: min(item[1]))
    ]


def _ending(path: str) -> str:
    stem = path.rpartition(".")[0] if compression_of(path) else path
    return stem.rpartition(".")[2].lower()


def _likeliest(text: bytes, delimiters: Sequence[str], *, is_whole: bool) -> str:
    """Return the delimiter of the first bytes of a file, in UTF-8."""
    from ..hashing.delimited import PADDING, field_counts  # loads Numba, which runs without such files do not need

    padded = np.frombuffer(text + bytes(PADDING), np.uint8)
    best, chosen = (0.0, 0), DELIMITERS[0]
    for delimiter in delimiters:
        if delimiter.encode() not in text:
            continue  # every record would have one field
        widths = field_counts(padded, 0, len(text), ord(delimiter))
        widths = widths if is_whole else widths[:-1]
        if len(widths) and widths[0] > 1:
            score = (int(np.count_nonzero(widths == widths[0])) / len(widths), int(widths[0]))
            if score > best:
                best, chosen = score, delimiter
    return chosen


def parser(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Return the records of lines: fields as they are written, without their quotes.

    It takes no line before it needs it. ``csv.Error`` says that a record does not parse; the next one begins with the
    next line.

    Args:
        lines: with their ends: ``\\n``, ``\\r\\n`` or ``\\r``.
        delimiter: the character between fields.
    """
    return csv.reader(lines, delimiter=delimiter, quotechar='"', doublequote=True, strict=True)


def utf8_chunks(path: str, compression: str, encoding: str, chunk_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of a file, other encodings than UTF-8 rewritten in it; lone surrogates become invalid UTF-8.

    Args:
        path: of the file.
        compression: of the file as a whole, or "".
        encoding: of a ``Dialect``.
        chunk_bytes: how much to read at a time.

    Raises:
        InputError: if the file cannot be read to its end, or is not in the encoding.
    """
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)("surrogatepass")
    try:
        with open_stored(path, compression) as stream:
            while chunk := stream.read(chunk_bytes):
                yield chunk if decoder is None else decoder.decode(chunk).encode("utf-8", "surrogatepass")
            if decoder is not None:
                yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except (*DAMAGE, UnicodeDecodeError) as error:
        raise InputError(
            "an input can be read to its end",
            value=f"{path}: {error}",
            remedy="Restore the file or drop it from the inputs.",
        ) from error
