"""Files compressed as a whole: which compression an ending stands for, and reading what is inside."""

import bz2
import gzip
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

_OPENERS: dict[str, Callable[[Any], Any]] = {
    "gzip": lambda raw: gzip.GzipFile(fileobj=raw),  # these three read files of several members to the end
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "zstd": lambda raw: pa.input_stream(raw, compression="zstd"),
}

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What reading a file raises that is cut off or was never compressed."""


def compression_of(name: str) -> str:
    """Return the compression that a file name's ending stands for, or "".

    >>> compression_of("a.jsonl.zst"), compression_of("a.jsonl")
    ('zstd', '')
    """
    return _ENDINGS.get(name.rpartition(".")[2].lower(), "")


@contextmanager
def open_stored(path: str, compression: str) -> Iterator[Any]:
    """Open a file for reading the bytes that were compressed, or that it has."""
    with open_binary(path) as raw:
        if not compression:
            yield raw
            return
        with _OPENERS[compression](raw) as stream:
            yield stream
