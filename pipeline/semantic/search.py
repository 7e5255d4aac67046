"""Which vectors are compared: all of them, those in the nearest cells of an inverted file, or those that share a band.

Each of these proposes pairs (worse, better); a pair is similar if its cosine, exact in float64, is at least what both
rows ask for. Of the similar rows before a row the best-ranked ones count (``most``).
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.codes import band_keys, pack_signs
from ...hashing.dense_anchors import anchors
from ...hashing.dense_topk import score_pairs
from ...hashing.hyperplanes import hyperplanes
from ...hashing.projections import Projection, project
from ..blocking.dense import FaissIndex, FaissOptions, built, import_faiss
from ..engine import Engine, Table
from ..similarity import PAIRS
from .matrix import Matrix

RANGES = pa.schema([("first", pa.int64()), ("stop", pa.int64())])
KEYS = pa.schema([("address", pa.int64()), ("bands", pa.binary())])
RANGE = 512
"""Rows of one task."""

MOST_BANDS, MOST_WIDTH = 127, 56
"""Number and bits of a band go into one key."""

CELL_SLACK = 1e-4
"""FAISS proposes rows whose cosine in float32 is so much below the least one."""


def ranges(engine: Engine, first: int, stop: int) -> Table:
    """Return ranges of places, each a batch of its own."""
    cuts = [(at, min(stop, at + RANGE)) for at in range(first, stop, RANGE)]
    batches = [pa.RecordBatch.from_pylist([{"first": a, "stop": b}], RANGES) for a, b in cuts]
    return engine.table(pa.Table.from_batches(batches, RANGES))


def _pairs(rows: NDArray[np.int64], found: tuple[NDArray[Any], ...], capped: NDArray[np.int64]) -> pa.RecordBatch:
    """Return ``PAIRS`` by row; a row that has more similar ones than were wanted is paired with itself, too."""
    worse, better, scores = found
    nothing = pa.nulls(len(capped), pa.float64())
    columns = [
        pa.array(rows[np.concatenate([worse, capped])]),
        pa.array(rows[np.concatenate([better, capped])]),
        pa.concat_arrays([pa.array(scores, pa.float64()), nothing]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=PAIRS)


@dataclass(frozen=True)
class AllBefore:
    """Compares rows with all before them; plain data.

    Attributes:
        matrix: the vectors.
        most: similar rows of each.
    """

    matrix: Matrix
    most: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``PAIRS`` of ``RANGES``."""
        vectors, rows, least = self.matrix.opened
        parts = []
        for first, stop in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            found = anchors(vectors, least, first, stop, self.most)
            parts.append(_pairs(rows, (found.worse, found.better, found.scores), found.capped))
        return pa.Table.from_batches(parts, PAIRS).combine_chunks().to_batches()[0] if len(parts) > 1 else parts[0]


@dataclass(frozen=True)
class Cells:
    """Compares rows with those in the nearest cells of an inverted file; plain data.

    Attributes:
        matrix: the vectors.
        most: similar rows of each.
        path: of the index, which ``write_cells`` makes.
        options: how it is asked.
    """

    matrix: Matrix
    most: int
    path: str
    options: FaissOptions

    @cached_property
    def index(self) -> FaissIndex:
        """The inverted file, read once for each copy of this object."""
        return FaissIndex("ivf", Path(self.path).read_bytes(), self.options)

    def __getstate__(self) -> dict[str, Any]:
        return {"matrix": self.matrix, "most": self.most, "path": self.path, "options": self.options}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``PAIRS`` of ``RANGES``."""
        vectors, rows, least = self.matrix.opened
        faiss = import_faiss()
        faiss.omp_set_num_threads(1)  # of this thread; the queries are dealt to threads already
        found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
        capped = []
        for first, stop in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            for place in range(first, stop):
                one = vectors.vectors[place : place + 1]
                _, _, near = self.index.opened.range_search(one, float(least[place] - CELL_SLACK))
                better = np.sort(near[near < place])
                worse = np.full(len(better), place)
                scores = score_pairs(vectors, vectors, worse, better)
                similar = np.flatnonzero(scores >= np.maximum(least[place], least[better]))
                capped += [place] if len(similar) > self.most else []
                taken = similar[: self.most]
                found.append((worse[taken], better[taken], scores[taken]))
        columns = [np.concatenate([np.empty(0, kind), *(part[i] for part in found)]) for i, kind in enumerate(_KINDS)]
        return _pairs(rows, tuple(columns), np.array(capped, np.int64))


_KINDS = (np.int64, np.int64, np.float64)


def write_cells(matrix: Matrix, path: Path, options: FaissOptions) -> None:
    """Build an inverted file of all vectors and write it, whole or not at all; one that is there stays."""
    if path.exists() or not len(matrix.opened.rows):
        return
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_bytes(built(matrix.opened.vectors, "ivf", options).stored)
    os.replace(unfinished, path)


@dataclass(frozen=True)
class BandKeys:
    """Makes band keys of the signs of random projections (Charikar 2002); plain data.

    Attributes:
        matrix: the vectors.
        bands, width: how many bands, and bits of each.
        seed: of the hyperplanes.
    """

    matrix: Matrix
    bands: int
    width: int
    seed: int

    @cached_property
    def planes(self) -> Projection:
        """The hyperplanes, made once for each copy of this object."""
        return hyperplanes(self.matrix.dim, self.bands * self.width, self.seed)

    def __getstate__(self) -> dict[str, Any]:
        return {"matrix": self.matrix, "bands": self.bands, "width": self.width, "seed": self.seed}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``KEYS`` of ``RANGES``, the row number as address; a vector of zeros has none."""
        vectors, rows, _ = self.matrix.opened
        parts = [np.arange(a, b) for a, b in zip(*(column.to_pylist() for column in batch.columns), strict=True)]
        places = np.concatenate(parts)
        places = places[vectors.squares[places] > 0.0]
        keys = band_keys(pack_signs(project(vectors.vectors[places], self.planes)), self.bands, self.width)
        keys |= np.arange(self.bands, dtype=np.uint64) << np.uint64(MOST_WIDTH)  # bands do not meet one another
        bands = pa.array([row.tobytes() for row in keys.astype("<u8")], pa.binary())
        return pa.RecordBatch.from_arrays([pa.array(rows[places]), bands], schema=KEYS)


@dataclass(frozen=True)
class Cosines:
    """Keeps the similar ones of proposed pairs; plain data.

    Attributes:
        matrix: the vectors.
    """

    matrix: Matrix

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``PAIRS`` of (worse, better)."""
        vectors, _, least = self.matrix.opened
        worse, better = (self.matrix.places(batch.column(name).to_numpy()) for name in ("worse", "better"))
        scores = score_pairs(vectors, vectors, worse, better)
        similar = pa.array(scores >= np.maximum(least[worse], least[better]))
        columns = [batch.column("worse"), batch.column("better"), pa.array(scores)]
        return pa.RecordBatch.from_arrays([column.filter(similar) for column in columns], schema=PAIRS)
