"""Splits: the unit of reading, the same for a local thread and a Spark task."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .address import RECORD_BITS

SPLIT_BYTES = 16 << 20
"""Bytes of a split, about, where nothing else is asked for."""


@dataclass(frozen=True)
class Split:
    """A stretch of one input file that one task reads.

    Attributes:
        file: ordinal of the file.
        path: path or URL of the file, or of the folder for text folders.
        format: name of the reader.
        compression: "gzip", "zstd" or "" (JSONL).
        first_record: record number of its first record.
        records: number of physical records, or None where only reading tells.
        start, stop: row groups [start, stop) of Parquet; bytes of JSONL; unused otherwise.
        members: relative paths of the files of a text folder.
        source: value of the source column that a text folder or an input without one gives its records.
        size_bytes: bytes to read, for scheduling and progress.
        options: further facts for the reader, as (name, value): the dialect of a delimited file.
    """

    file: int
    path: str
    format: str
    compression: str = ""
    first_record: int = 0
    records: int | None = None
    start: int = 0
    stop: int = 0
    members: tuple[str, ...] = ()
    source: str = ""
    size_bytes: int = 0
    options: tuple[tuple[str, str], ...] = ()


def bounds(splits: Sequence[Split]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first address of each split and the one after its last."""
    first = [(split.file << RECORD_BITS) + split.first_record for split in splits]
    after = [
        start + split.records if split.records is not None else (split.file + 1) << RECORD_BITS
        for start, split in zip(first, splits, strict=True)
    ]
    return np.array(first, np.int64), np.array(after, np.int64)
