"""The vectors of a run as files that every task can map: a row each, in rank order.

vectors.f32   float32, (n, dim): of length 1, or zeros
squares.f64   float64, (n,): their squared lengths
rows.i64      int64, (n,): row numbers, ascending
least.f64     float64, (n,): the similarity that each asks for
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.dense_topk import COSINE, DenseRows, squared_lengths
from ...hashing.errors import ArtefactError

VECTORS = pa.schema([("row", pa.int64()), ("least", pa.float64()), ("cut", pa.int64()), ("vector", pa.binary())])
"""A vector as bytes, and whether its text was cut (1) before it was encoded."""

SUMMARY = pa.schema([("rows", pa.int64()), ("cut", pa.int64()), ("empty", pa.int64())])
"""How many vectors there are, how many of cut texts, and how many of zeros."""

_FILES = {"vectors.f32": np.float32, "squares.f64": np.float64, "rows.i64": np.int64, "least.f64": np.float64}


class Opened(NamedTuple):
    """A matrix that is mapped into memory.

    Attributes:
        vectors: in rank order.
        rows: int64: their row numbers.
        least: float64: what each asks for.
    """

    vectors: DenseRows
    rows: NDArray[np.int64]
    least: NDArray[np.float64]


@dataclass(frozen=True)
class Matrix:
    """Where the vectors are; plain data.

    Attributes:
        folder: of the files.
        dim: values of a vector.
    """

    folder: str
    dim: int

    @cached_property
    def opened(self) -> Opened:
        """The vectors, mapped once for each copy of this object."""
        vectors, squares, rows, least = (self._mapped(name) for name in _FILES)
        vectors = vectors.reshape(-1, self.dim)
        if not len(vectors) == len(squares) == len(rows) == len(least):
            raise ArtefactError(
                "files of vectors have as many rows each",
                value=f"{self.folder}: {len(vectors)}, {len(squares)}, {len(rows)}, {len(least)}",
                remedy="Remove the work folder, and run again.",
            )
        dense = DenseRows(vectors, squares, vectors, np.sqrt(squares), np.zeros(self.dim), COSINE)
        return Opened(dense, rows, least)

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "dim": self.dim}

    def _mapped(self, name: str) -> NDArray[Any]:
        path, kind = Path(self.folder) / name, _FILES[name]
        if not path.stat().st_size:
            return np.empty(0, kind)  # nothing can be mapped
        return np.asarray(np.memmap(path, kind, mode="c"))  # kernels are compiled for arrays that may be written

    def places(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the vectors of some rows are."""
        places: NDArray[np.int64] = np.searchsorted(self.opened.rows, rows)
        return places


@dataclass(frozen=True)
class WriteMatrix:
    """Writes the files from ``VECTORS`` in order of row; each appears when it is whole.

    Attributes:
        matrix: where to.
    """

    matrix: Matrix

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield one row of ``SUMMARY``."""
        folder = Path(self.matrix.folder)
        folder.mkdir(parents=True, exist_ok=True)
        count = cut = empty = 0
        with ExitStack() as stack:
            files = [stack.enter_context(open(folder / f"{name}.unfinished", "wb")) for name in _FILES]
            for batch in batches:
                vectors = np.frombuffer(b"".join(batch.column("vector").to_pylist()), np.float32)
                vectors = vectors.reshape(batch.num_rows, self.matrix.dim)
                squares = squared_lengths(vectors)
                parts = (vectors, squares, batch.column("row").to_numpy(), batch.column("least").to_numpy())
                for file, part in zip(files, parts, strict=True):
                    file.write(np.ascontiguousarray(part).tobytes())
                count += batch.num_rows
                cut += int(batch.column("cut").to_numpy().sum())
                empty += int(np.sum(squares == 0.0))
        for name in _FILES:
            os.replace(folder / f"{name}.unfinished", folder / name)
        yield pa.RecordBatch.from_arrays([pa.array([n], pa.int64()) for n in (count, cut, empty)], schema=SUMMARY)


def unit_vectors(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors at length 1, as near as float32 can; those of zeros stay."""
    squares = squared_lengths(np.ascontiguousarray(vectors))
    lengths = np.sqrt(np.where(squares > 0.0, squares, 1.0))
    units: NDArray[np.float32] = (vectors / lengths[:, None]).astype(np.float32)
    return units
