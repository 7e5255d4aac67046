"""Splits: the unit of reading, the same for a local thread and a Spark task."""

from dataclasses import dataclass


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
