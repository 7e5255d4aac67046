"""Files compressed as a whole: which compression an ending stands for, and reading what is inside."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from .storage import open_binary

_ENDINGS = {
    "gz": "gzip",
    "gzip": "gzip",
    "zst": "zstd",
    "zstd": "zstd",
    "bz2": "bzip2",
    "bzip2": "bzip2",
    "xz": "xz",
}

_BEGINNINGS = {b"\x1f\x8b\x08": "gz", b"\x28\xb5\x2f\xfd": "zst", b"\xfd7zXZ\x00": "xz"}
"""First bytes of compressed files; none of them begins a text. That of bzip2 has a digit in the middle."""

_BZIP2_BLOCK = b"\x31\x41\x59\x26\x53\x59"

_CHUNK = 1 << 20


class _Streams(io.RawIOBase):
    """Compressed streams one after another, each of which must be whole: Python's own files pass over what follows the
    first damaged one, as if it were not there."""

    def __init__(self, raw: Any, decompressor: Callable[[], Any]) -> None:
        self._raw, self._make = raw, decompressor
        self._stream: Any = None
        self._input = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = len(buffer)
        while True:
            if self._stream is not None and self._stream.eof:
                self._input, self._stream = self._stream.unused_data, None
            needs = self._stream is None or self._stream.needs_input
            if not self._input and needs:
                self._input = self._raw.read(_CHUNK)
                if not self._input:
                    if self._stream is not None:
                        raise EOFError("a compressed stream is cut off")
                    return 0
            self._stream = self._stream or self._make()
            data, self._input = self._stream.decompress(self._input, wanted), b""
            if data:
                buffer[: len(data)] = data
                return len(data)


class _ArrowStream(io.RawIOBase):
    """What Arrow decompresses, read into the caller's memory: its own ``read`` never frees what it has taken for bytes
    that turn out to be damaged."""

    def __init__(self, raw: Any, compression: str) -> None:
        self._stream = pa.input_stream(raw, compression=compression)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return int(self._stream.readinto(buffer))


def _streams(decompressor: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda raw: io.BufferedReader(_Streams(raw, decompressor), _CHUNK)


_OPENERS: dict[str, Callable[[Any], Any]] = {
    "gzip": lambda raw: gzip.GzipFile(fileobj=raw),
    "bzip2": _streams(bz2.BZ2Decompressor),
    "xz": _streams(lzma.LZMADecompressor),
    "zstd": lambda raw: io.BufferedReader(_ArrowStream(raw, "zstd"), _CHUNK),
}

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What reading a file raises that is cut off or was never compressed."""


def compression_of(name: str) -> str:
    """Return the compression that a file name's ending stands for, or "".

    >>> compression_of("a.jsonl.zst"), compression_of("a.jsonl")
    ('zstd', '')
    """
    return _ENDINGS.get(name.rpartition(".")[2].lower(), "")


def ending_of(beginning: bytes) -> str:
    """Return the ending that a file's name should have for its first 10 bytes or more, or "".

    >>> ending_of(b"\\x1f\\x8b\\x08\\x00"), ending_of(b'{"text": 1')
    ('gz', '')
    """
    if beginning.startswith(b"BZh") and beginning[4:10] == _BZIP2_BLOCK:
        return "bz2"
    return next((ending for magic, ending in _BEGINNINGS.items() if beginning.startswith(magic)), "")


@contextmanager
def open_stored(path: str, compression: str) -> Iterator[Any]:
    """Open a file for reading the bytes that were compressed, or that it has."""
    with open_binary(path) as raw:
        if not compression:
            yield raw
            return
        with _OPENERS[compression](raw) as stream:
            yield stream
