"""The records of a WARC stream, one after another, with nothing skipped in silence.

A parser of its own: fastwarc, the usual one, passes over damage and takes a record that is cut off for a shorter one.
Here every byte belongs to a record that is whole, or reading ends in ``Damaged``.
"""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MAX_HEADER_BYTES = 1 << 20
"""How long the header of a record may be: a longer one is damage."""

_BUFFER_BYTES = 1 << 18
_VERSION = re.compile(rb"WARC/\d+\.\d+\r?\n")
_DIGITS = re.compile(r"\d{1,18}", re.ASCII)
_LINE_END = (b"\r\n", b"\n")


class Damaged(Exception):
    """What is read is no WARC file, or part of one."""


@dataclass(frozen=True)
class Record:
    """The header of a record.

    Attributes:
        head: as stored, with the blank line that ends it.
        fields: values by name in lower case; of repeated ones, the first.
        length: bytes of the block that follows.
    """

    head: bytes
    fields: dict[str, str]
    length: int

    @property
    def type(self) -> str:
        """WARC-Type in lower case."""
        return self.fields["warc-type"].lower()


class WarcStream:
    """Reads records in order: call ``next``, then ``read`` as much of the block as is wanted.

    Every method raises ``Damaged`` where the stream is no WARC file or ends too soon.
    """

    def __init__(self, stream: Any) -> None:
        """Take a readable binary stream, already decompressed."""
        self._stream = io.BufferedReader(stream, _BUFFER_BYTES)
        self._left = 0
        self._begun = False

    def next(self) -> Record | None:
        """Return the next record, or None after the last."""
        line = self._after_block() if self._begun else self._stream.readline(MAX_HEADER_BYTES)
        if not line and self._begun:
            return None
        if not _VERSION.fullmatch(line):
            start = "a record" if self._begun else "the file"
            raise Damaged(f"{start} starts with {line[:20]!r} where WARC/1.0 should stand")
        self._begun = True
        return self._header(line)

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes of the block, fewer only at its end."""
        size = min(size, self._left)
        found = self._stream.read(size)
        if len(found) < size:
            raise Damaged(f"a block ends {self._left - len(found)} bytes too soon")
        self._left -= size
        return found

    def _after_block(self) -> bytes:
        """Return the line after the current record, b"" at the end of the stream."""
        while self._left:
            self.read(_BUFFER_BYTES)
        end = self._stream.read(4)
        if end != b"\r\n\r\n":
            raise Damaged(f"a block ends with {end!r} where two line ends should stand")
        line = self._stream.readline(MAX_HEADER_BYTES)
        while line in _LINE_END:
            line = self._stream.readline(MAX_HEADER_BYTES)
        return line

    def _header(self, version: bytes) -> Record:
        lines, size = [version], len(version)
        while lines[-1] not in _LINE_END:
            lines.append(self._stream.readline(MAX_HEADER_BYTES))
            size += len(lines[-1])
            if not lines[-1].endswith(b"\n") or size > MAX_HEADER_BYTES:
                raise Damaged("the header of a record has no end")
        for line in lines[1:-1]:
            if b":" not in line and line[:1] not in b" \t":
                raise Damaged(f"the header of a record holds {line[:40]!r}")
        fields = header_fields(lines[1:-1])
        length = fields.get("content-length", "")
        if not fields.get("warc-type") or not _DIGITS.fullmatch(length):
            raise Damaged("the header of a record lacks its WARC-Type or its Content-Length")
        self._left = int(length)
        return Record(b"".join(lines), fields, self._left)


def header_fields(lines: Iterable[bytes]) -> dict[str, str]:
    """Return the fields of header lines, by name in lower case: of repeated ones the first, folded lines joined.

    Bytes that are no UTF-8 are spelt as ``\\xe9``; lines without a colon are left out.
    """
    pairs: list[tuple[str, str]] = []
    for line in lines:
        text = line.decode("utf-8", "backslashreplace")
        name, colon, value = text.partition(":")
        if text[:1] in (" ", "\t") and pairs:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]} {text.strip()}")
        elif colon:
            pairs.append((name.strip().lower(), value.strip()))
    return dict(reversed(pairs))
