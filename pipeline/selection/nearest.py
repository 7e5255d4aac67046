"""The nearest of some rows: candidates that may represent a row, and the chosen row that does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.dense_topk import DenseRows, nearest_dense
from ...hashing.selection.facility_location import FacilityLocation
from ...hashing.selection.sparse_columns import nearest_columns
from ..drops import DROPS
from ..engine import Group, Shipped
from ..semantic.matrix import Matrix
from .choose import UNITS, budget_of, chosen, held_units, taken
from .groups import Groups
from .rounds import Rounds, cells
from .settings import Select

NEAR = pa.schema(
    [
        *((name, pa.int64()) for name in ("row", "group", "covered")),
        ("near", pa.binary()),
        ("similarity", pa.binary()),
    ]
)
"""A row, what is covered of it; its nearest candidates as int32 numbers in the group, -1 where there are fewer, and
cosines as float64."""

REPRESENTED = pa.schema([*DROPS, ("covered", pa.int64())])
"""A row that was not chosen, the chosen one that is nearest to it, their cosine, and that in units of 2^-30."""

WIDTH = 16
"""Candidates that may represent a row."""

NEAR_BYTES = WIDTH * 12 + 32


@dataclass(frozen=True)
class Some:
    """Some rows, by the number of what they are in: a group, or a cell (``rounds.cells``).

    Attributes:
        rows: int64, ascending.
        tokens: int64: their words.
        parts: int64: the parts that they are of.
    """

    rows: Mapping[int, NDArray[np.int64]]
    tokens: Mapping[int, NDArray[np.int64]]
    parts: Mapping[int, NDArray[np.int64]]


def some_of(found: pa.Table, numbers: NDArray[np.int64]) -> Some:
    """Return rows (row, tokens, part) by the number of what they are in."""
    order = np.lexsort((found["row"].to_numpy(), numbers))
    row, tokens, part = (found[name].to_numpy()[order] for name in ("row", "tokens", "part"))
    names, starts = np.unique(numbers[order], return_index=True)
    stops = [*starts.tolist(), len(row)][1:]
    places = {n: slice(first, stop) for n, first, stop in zip(names.tolist(), starts.tolist(), stops, strict=True)}
    return Some(*({name: of[place] for name, place in places.items()} for of in (row, tokens, part)))


@dataclass(frozen=True)
class Candidates:
    """Finds the nearest candidates of rows; plain data.

    Attributes:
        matrix: vectors of all rows.
        some: the candidates of each group.
    """

    matrix: Matrix
    some: Shipped[Some]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``NEAR`` of ``DEALT``, of rows of groups that have candidates."""
        group, covered = batch.column("group").to_numpy(), batch.column("covered").to_numpy()
        parts = [
            pa.RecordBatch.from_arrays(
                [
                    pa.array(rows),
                    pa.array(np.full(len(rows), number)),
                    pa.array(covered[group == number]),
                    pa.array([row.tobytes() for row in near.astype("<i4")], pa.binary()),
                    pa.array([row.tobytes() for row in scores.astype("<f8")], pa.binary()),
                ],
                schema=NEAR,
            )
            for number, rows, near, scores in _nearest(
                batch.column("row").to_numpy(), group, self.matrix, self.some(), WIDTH
            )
        ]
        return _one(parts, NEAR)


@dataclass(frozen=True)
class Merge:
    """Chooses among candidates by facility location, each row counting with its nearest candidates; plain data.

    Attributes:
        some: the candidates.
        stage, groups, seed: as of ``Choose``.
    """

    some: Shipped[Some]
    stage: Select
    groups: Groups
    seed: int

    def __call__(self, group: Group) -> pa.RecordBatch:
        """Return ``CHOSEN`` of the rows of one group (``NEAR``)."""
        rows = group.sorted()
        number = rows["group"][0].as_py()
        near = np.frombuffer(b"".join(rows["near"].to_pylist()), "<i4").reshape(-1, WIDTH)
        scores = np.frombuffer(b"".join(rows["similarity"].to_pylist()), "<f8").reshape(-1, WIDTH)
        there = (near >= 0) & (scores > 0.0)
        own, tokens = self.some().rows[number], self.some().tokens[number]
        columns = nearest_columns(np.where(there, near, -1), np.where(there, scores, 0.0), len(own))
        budget = budget_of(self.groups.words, self.groups.limits[number].item(), tokens)
        covered = held_units(rows["covered"].to_numpy(), columns.unit)
        found = chosen(FacilityLocation(columns, covered), budget, self.stage, self.seed)
        candidates = pa.table(
            {
                "row": own,
                "tokens": tokens,
                "group": np.full(len(own), number),
                "part": self.some().parts[number],
                "features": pa.nulls(len(own), pa.binary()),
                "covered": np.zeros(len(own), np.int64),
            }
        )
        return taken(found, candidates)


@dataclass(frozen=True)
class Represent:
    """Names the chosen row that is nearest to each row that was not chosen; plain data.

    Attributes:
        matrix: vectors of all rows.
        some: the chosen rows of each cell.
        rounds: says what these are.
    """

    matrix: Matrix
    some: Shipped[Some]
    rounds: Rounds

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``REPRESENTED`` of ``DEALT``; no keeper where a cell has no chosen row, or a row no vector."""
        some = self.some()
        row, group, part = (batch.column(name).to_numpy() for name in ("row", "group", "part"))
        cell = cells(group, part, self.rounds)
        alone = pa.array(row[~np.isin(cell, list(some.rows))])
        nothing = pa.nulls(len(alone), pa.int64())
        zeros = pa.array(np.zeros(len(alone), np.int64))
        columns = [alone, nothing, pa.nulls(len(alone), pa.float64()), zeros]
        parts = [pa.RecordBatch.from_arrays(columns, schema=REPRESENTED)]
        for number, rows, near, scores in _nearest(row, cell, self.matrix, some, 1):
            found = near[:, 0] >= 0
            keepers = pa.array(some.rows[number][near[:, 0]], mask=~found)
            cosine = np.where(found, scores[:, 0], 0.0)
            covered = pa.array(np.rint(np.maximum(cosine, 0.0) * UNITS).astype(np.int64))
            columns = [pa.array(rows), keepers, pa.array(cosine, mask=~found), covered]
            parts.append(pa.RecordBatch.from_arrays(columns, schema=REPRESENTED))
        return _one(parts, REPRESENTED)


def _nearest(
    row: NDArray[np.int64], numbers: NDArray[np.int64], matrix: Matrix, some: Some, k: int
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Yield (number of what rows are in, these rows, places of the k nearest of some there, cosines)."""
    for number in np.unique(numbers).tolist():
        if number not in some.rows:
            continue
        rows = row[numbers == number]
        index = vectors_of(matrix, some.rows[number])
        found = nearest_dense(vectors_of(matrix, rows), index, k)
        yield number, rows, found.rows, found.scores


def vectors_of(matrix: Matrix, rows: NDArray[np.int64]) -> DenseRows:
    """Return the vectors of some rows."""
    places, held = matrix.places(rows), matrix.opened.vectors
    vectors = np.ascontiguousarray(held.vectors[places])
    return held._replace(
        vectors=vectors,
        squares=np.ascontiguousarray(held.squares[places]),
        moved=vectors,
        lengths=np.ascontiguousarray(held.lengths[places]),
    )


def _one(parts: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """Return some batches as one."""
    if len(parts) == 1:
        return parts[0]
    whole = pa.Table.from_batches(parts, schema).combine_chunks().to_batches()
    return whole[0] if whole else pa.RecordBatch.from_pylist([], schema=schema)
