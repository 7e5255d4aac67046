"""Vectors of texts on disk, by the hash of the text: each is computed once, by whichever process meets it first.

    STORE/FINGERPRINT/part-00000001.parquet ...    hash (16 bytes), vector (float32, little-endian); none ever changes

A folder holds vectors of one encoder, which its fingerprint names. Parts appear whole, under the next free number, so
any number of processes may read and add at once. A text that two of them added has the vector of the part with the
lowest number, whatever is added later. Files that end in ``.unfinished`` are left by processes that were killed.
"""

import itertools
import json
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..hashing.errors import ArtefactError, ConfigError
from .unfinished import UNFINISHED

FORMAT, VERSION = "tamis-vectors", 1
HASH_BYTES = 16
GROUP_ROWS = 8192
"""Rows of a row group: the least that is read for a vector."""

_LABEL = b"tamis"
_PART = re.compile(r"part-(\d{8})\.parquet")


def hash_keys(hashes: NDArray[np.uint64]) -> NDArray[np.bytes_]:
    """Return 128-bit hashes as keys that compare as these numbers do.

    Args:
        hashes: uint64, shape (n, 2).

    Returns:
        S16, shape (n,).
    """
    return np.ascontiguousarray(hashes, ">u8").view(f"S{HASH_BYTES}").reshape(-1)


class VectorStore:
    """The vectors of one encoder.

    Args:
        folder: of the stores of all encoders, on a disk.
        fingerprint: of the encoder.
        dim: values of a vector.
    """

    def __init__(self, folder: Path, fingerprint: str, dim: int) -> None:
        self.folder = folder / fingerprint
        self.fingerprint = fingerprint
        self.dim = dim

    def read(self, keys: NDArray[np.bytes_], vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Fill in the vectors that are stored.

        Args:
            keys: S16, shape (n,): of ``hash_keys``, ascending, all different.
            vectors: float32, shape (n, dim): where those that are found are written.

        Returns:
            bool, shape (n,): which were found.

        Raises:
            ArtefactError: a part is damaged or of another encoder, naming it.
        """
        found = np.zeros(len(keys), np.bool_)
        for path in self._parts():
            if found.all():
                break
            self._read_part(path, keys, vectors, found)
        return found

    def append(self, keys: NDArray[np.bytes_], vectors: NDArray[np.float32]) -> None:
        """Add a part with some vectors; it is there for all, and whole, when this returns.

        Args:
            keys: S16, shape (n,): of ``hash_keys``.
            vectors: float32, shape (n, dim).

        Raises:
            ConfigError: the folder cannot be written.
        """
        if not len(keys):
            return
        columns = [_fixed(keys, HASH_BYTES), _fixed(np.ascontiguousarray(vectors, "<f4"), 4 * self.dim)]
        label = {"format": FORMAT, "version": VERSION, "fingerprint": self.fingerprint, "dim": self.dim}
        schema = pa.schema([("hash", columns[0].type), ("vector", columns[1].type)], {_LABEL: json.dumps(label)})
        table = pa.Table.from_arrays(columns, schema=schema)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _publish(table, self.folder)
        except OSError as error:
            raise ConfigError(
                "vectors can be stored", value=f"{self.folder}: {error}", remedy="Check your rights and room."
            ) from error

    def _parts(self) -> Iterator[Path]:
        names = sorted(p.name for p in self.folder.iterdir() if _PART.fullmatch(p.name)) if self.folder.exists() else []
        return (self.folder / name for name in names)

    def _read_part(
        self, path: Path, keys: NDArray[np.bytes_], vectors: NDArray[np.float32], found: NDArray[np.bool_]
    ) -> None:
        """Fill in what a part has of the wanted vectors that no earlier part had."""
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                self._check(path, file.schema_arrow)
                for group in range(file.num_row_groups):
                    stored = _rows_of(file.read_row_group(group, ["hash"])["hash"], HASH_BYTES)
                    stored_keys = stored.view(f"S{HASH_BYTES}").reshape(-1)
                    places = np.searchsorted(keys, stored_keys)
                    wanted = places < len(keys)
                    wanted[wanted] = keys[places[wanted]] == stored_keys[wanted]
                    wanted[wanted] = ~found[places[wanted]]
                    if wanted.any():
                        rows = _rows_of(file.read_row_group(group, ["vector"])["vector"], 4 * self.dim)
                        vectors[places[wanted]] = rows.view("<f4")[wanted]
                        found[places[wanted]] = True
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(path, str(error)) from error

    def _check(self, path: Path, schema: pa.Schema) -> None:
        label = (schema.metadata or {}).get(_LABEL, b"{}")
        due = {"format": FORMAT, "version": VERSION, "fingerprint": self.fingerprint, "dim": self.dim}
        try:
            found = json.loads(label)
        except json.JSONDecodeError as error:
            raise _damaged(path, str(error)) from error
        if found != due:
            raise _damaged(path, f"{found} where {due} is due")
        kinds = [pa.binary(HASH_BYTES), pa.binary(4 * self.dim)]
        if schema.names != ["hash", "vector"] or schema.types != kinds:
            raise _damaged(path, f"columns {schema.names} of types {schema.types}")


def _publish(table: pa.Table, folder: Path) -> None:
    """Write a part and give it the next free number; a link fails where the name is taken, a rename would not."""
    temporary = folder / f".{uuid.uuid4().hex}{UNFINISHED}"
    try:
        pq.write_table(
            table,
            temporary,
            row_group_size=GROUP_ROWS,
            compression="none",  # neither hashes nor vectors would shrink
            use_dictionary=False,
            write_statistics=False,
            write_page_checksum=True,
        )
        _sync(temporary)
        taken = [int(match[1]) for path in folder.iterdir() if (match := _PART.fullmatch(path.name))]
        for number in itertools.count(max(taken, default=0) + 1):
            with suppress(FileExistsError):
                os.link(temporary, folder / f"part-{number:08d}.parquet")
                break
    finally:
        temporary.unlink(missing_ok=True)
    _sync(folder)


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fixed(rows: NDArray[np.generic], width: int) -> pa.Array:
    return pa.Array.from_buffers(pa.binary(width), len(rows), [None, pa.py_buffer(rows)])


def _rows_of(column: pa.ChunkedArray, width: int) -> NDArray[np.uint8]:
    """Return the bytes of fixed-size values: uint8, shape (n, width)."""
    if column.null_count:
        raise pa.ArrowInvalid("a null among hashes or vectors")
    whole = column.combine_chunks()
    array = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    data = np.frombuffer(array.buffers()[1], np.uint8)
    return data[array.offset * width : (array.offset + len(array)) * width].reshape(-1, width)


def _damaged(path: Path, why: str) -> ArtefactError:
    return ArtefactError(
        "a part of stored vectors is whole, and of this encoder",
        value=f"{path}: {why}",
        remedy="Delete this file; its vectors are made again.",
    )
