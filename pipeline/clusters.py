"""Clusters: connected components of exact copies and verified pairs, named by their best-ranked member."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.components import labels, unite
from .engine import Table

EDGES = pa.schema([("first", pa.int64()), ("second", pa.int64())])
LABELS = pa.schema([("row", pa.int64()), ("best", pa.int64())])
BATCH_ROWS = 262_144
DRIVER_EDGES = 100_000_000
"""Edges that the driver unites by itself: about a minute."""


@dataclass(frozen=True)
class Components:
    """Union-find over all edges; its state is eight bytes a row.

    Attributes:
        rows: number of ranked rows.
    """

    rows: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield (row, best) for every row of a component of two or more."""
        parent = np.arange(self.rows, dtype=np.int64)
        for batch in batches:
            unite(parent, batch.column("first").to_numpy(), batch.column("second").to_numpy())
        best = labels(parent)
        sizes = np.bincount(best, minlength=self.rows)
        members = np.flatnonzero(sizes[best] > 1)
        for start in range(0, len(members), BATCH_ROWS):
            rows = members[start : start + BATCH_ROWS]
            yield pa.RecordBatch.from_arrays([pa.array(rows), pa.array(best[rows])], schema=LABELS)


def components(edges: Table, *, rows: int) -> Table:
    """Return (row, best) of the members of clusters.

    Up to ``DRIVER_EDGES`` edges the driver unites them, in eight bytes a row; more are contracted by all machines.

    Args:
        edges: (first, second) row numbers, saved or cheap to compute.
        rows: number of ranked rows.
    """
    count = edges.aggregate(by=[], edges=("count", "first")).collect()["edges"][0].as_py()
    if count <= DRIVER_EDGES:
        return edges.fold(order=["first", "second"], fn=Components(rows), schema=LABELS)
    return contracted(edges)


def contracted(edges: Table) -> Table:
    """Return (row, best) of the members of clusters, by alternating large-star and small-star.

    Each round hangs the neighbours of a row on the least of them, first the larger ones, then the smaller; it ends
    when a round changes nothing: then every edge goes from a member to the best of its cluster. Rounds are few (about
    the square of the logarithm of the longest path). Kiveris and others, "Connected Components in MapReduce and
    Beyond", 2014.

    Args:
        edges: (first, second) row numbers.
    """
    stars = edges.select(*EDGES.names).map(_downwards, EDGES).distinct().save("stars-0")
    for number in itertools.count(1):
        both = stars.union(stars.select(first="second", second="first"))
        large = both.group(by="first", sort=["second"], fn=_larger_to_least, schema=EDGES, lead=1).distinct()
        small = large.group(by="first", sort=["second"], fn=_smaller_to_least, schema=EDGES, lead=1).distinct()
        before, stars = stars, small.save(f"stars-{number}")
        if _equal(before, stars):
            break
    members = stars.select(row="first", best="second")
    return members.union(stars.select(row="second", best="second").distinct())


def _equal(one: Table, other: Table) -> bool:
    """Whether two tables of different edges hold the same."""
    counts = [table.aggregate(by=[], rows=("count", "first")).collect()["rows"][0].as_py() for table in (one, other)]
    if counts[0] != counts[1]:
        return False
    new = other.join(one, on=EDGES.names, how="anti").aggregate(by=[], rows=("count", "first"))
    return bool(new.collect()["rows"][0].as_py() == 0)


def _edges(first: NDArray[np.int64], second: NDArray[np.int64]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(first), pa.array(second)], schema=EDGES)


def _downwards(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Let edges go from the worse row to the better one; a row is no neighbour of itself."""
    first, second = batch.column("first").to_numpy(), batch.column("second").to_numpy()
    apart = first != second
    return _edges(np.maximum(first, second)[apart], np.minimum(first, second)[apart])


def _larger_to_least(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Large-star: hang the larger neighbours of each row on the least of itself and its neighbours."""
    for rows, neighbours, least in _with_least(batches):
        larger = neighbours > rows
        yield _edges(neighbours[larger], np.minimum(rows, least)[larger])


def _smaller_to_least(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Small-star: hang each row and its smaller neighbours on the least of these; all its neighbours are smaller."""
    for rows, neighbours, least in _with_least(batches):
        yield _edges(np.where(neighbours == least, rows, neighbours), least)


def _with_least(
    batches: Iterator[pa.RecordBatch],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Yield (row, neighbour, least neighbour of the row) for edges sorted by row and neighbour."""
    row, least = -1, -1
    for batch in batches:
        rows, neighbours = batch.column("first").to_numpy(), batch.column("second").to_numpy()
        if not len(rows):
            continue
        new = np.concatenate([[rows[0] != row], rows[1:] != rows[:-1]])
        leasts = np.concatenate([[least], neighbours[new]])[np.cumsum(new)]
        row, least = int(rows[-1]), int(leasts[-1])
        yield rows, neighbours, leasts
