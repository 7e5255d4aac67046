"""What a format of inputs is: how files are recognised, cut into splits, surveyed and read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from .split import Split
from .storage import Stored


@dataclass(frozen=True)
class InputFile:
    """One file of a corpus; a text folder counts as one file with members.

    Attributes:
        ordinal: its number, the high part of addresses.
        path: path or URL.
        relative: path under the argument that it was found through.
        format: name of its format.
        compression: "gzip", "zstd", "bzip2", "xz" or "".
        source: source of records without a source column.
        size_bytes: as stored.
        fingerprint: of its size, time and ends.
        members: files of a text folder.
        options: further facts for the reader, as (name, value): the dialect of a delimited file.
    """

    ordinal: int
    path: str
    relative: str
    format: str
    compression: str
    source: str
    size_bytes: int
    fingerprint: str
    members: tuple[Stored, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    def place(self, record: int) -> str:
        """Say where a record is, for messages: of a text folder, its file."""
        return self.members[record].path if self.members else f"record {record} of {self.path}"


class Reader(Protocol):
    """Reads a split."""

    def __call__(
        self, split: Split, columns: pa.Schema, *, full: pa.Schema, batch_bytes: int
    ) -> Iterator[pa.RecordBatch]:
        """Yield the records in address order, in the reading schema of ``columns``.

        Args:
            split: what to read.
            columns: the columns to yield, absent ones null.
            full: all columns of the corpus.
            batch_bytes: about how many bytes a batch holds.
        """


@dataclass(frozen=True)
class Format:
    """A format of inputs.

    Attributes:
        name: as in the configuration.
        plan: (file, bytes of a split) to splits in address order.
        schema: (split, bytes of a batch) to the columns of the split.
        read: yields records.
        endings: of file names, lower case, without the dot and without that of a compression.
        compressible: whether files may be compressed as a whole.
        schema_by_split: whether every split has to be read to know the columns, rather than one of each file.
        expansion: rough size in memory of a byte to read.
    """

    name: str
    plan: Callable[[InputFile, int], Iterable[Split]]
    schema: Callable[[Split, int], pa.Schema]
    read: Reader
    endings: tuple[str, ...] = ()
    compressible: bool = False
    schema_by_split: bool = False
    expansion: float = 1.2
