"""Choosing the rows of a part, or of a group, by a set function."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.selection.chosen import Selection
from ...hashing.selection.columns import HIGHEST
from ...hashing.selection.dense_columns import dense_columns
from ...hashing.selection.facility_location import FacilityLocation
from ...hashing.selection.feature_based import feature_based
from ...hashing.selection.greedy import greedy
from ...hashing.selection.log_determinant import LogDeterminant
from ...hashing.selection.optimum import Budget
from ...hashing.selection.pairwise import graph_cut
from ...hashing.selection.saturated_coverage import SaturatedCoverage
from ...hashing.selection.set_function import SetFunction
from ..engine import Group
from ..semantic.matrix import Matrix
from .features import BUCKETS, feature_rows
from .settings import Select

CHOSEN = pa.schema(
    [
        *((name, pa.int64()) for name in ("row", "tokens", "group", "part", "place")),
        *((name, pa.float64()) for name in ("gain", "value", "bound")),
        ("features", pa.binary()),
        ("covered", pa.int64()),
    ]
)
"""A chosen row: its place in the order of choice, what it added, and the value and bound of that choice."""

UNITS = 2.0**30
"""In which similarities are added up as whole numbers."""

SIMILARITY_BYTES = 512 << 20
"""Similarities that are held at once; where they would take more, they are made anew when asked for."""


@dataclass(frozen=True)
class Choose:
    """Chooses rows of a part, or of a group; plain data.

    Attributes:
        matrix: vectors of all rows.
        stage: the set function and how it is made large.
        by: ``part`` or ``group``.
        limits: int64, by number of these: how much is chosen.
        words: whether limits are in words.
        seed: of the run.
    """

    matrix: Matrix
    stage: Select
    by: str
    limits: NDArray[np.int64]
    words: bool
    seed: int

    def __call__(self, group: Group) -> pa.RecordBatch:
        """Return ``CHOSEN`` of rows of one part or group (``DEALT``). A row whose vector is zeros is not chosen."""
        rows = group.sorted()
        places = self.matrix.places(rows["row"].to_numpy())
        there = np.flatnonzero(self.matrix.opened.vectors.squares[places] > 0.0)
        rows, places = rows.take(pa.array(there)), places[there]
        if not len(places):
            return pa.RecordBatch.from_pylist([], schema=CHOSEN)
        vectors = np.ascontiguousarray(self.matrix.opened.vectors.vectors[places])
        features = rows["features"] if self.stage.function == "features" else None
        function = set_function(self.stage, vectors, features, rows["covered"].to_numpy())
        limit = self.limits[rows[self.by][0].as_py()].item()
        budget = budget_of(self.words, limit, rows["tokens"].to_numpy())
        return taken(chosen(function, budget, self.stage, self.seed), rows)


def budget_of(words: bool, limit: int, tokens: NDArray[np.int64]) -> Budget:
    """Return a budget in rows, or in words; a text without a word costs one."""
    return Budget(limit, np.maximum(1, tokens)) if words else Budget(limit)


def set_function(
    stage: Select, vectors: NDArray[np.float32], features: pa.ChunkedArray | None, covered: NDArray[np.int64]
) -> SetFunction:
    """Return the set function of a stage.

    Args:
        stage: names it.
        vectors: float32, shape (n, d).
        features: packed, where the function rests on them.
        covered: int64, shape (n,): what old rows stand for of each, in units of 2^-30; of ``facility-location``.
    """
    if features is not None:
        return feature_based(feature_rows(features), BUCKETS, curve=stage.curve)
    clip = stage.function in ("graph-cut", "saturated-coverage")
    columns = dense_columns(vectors, clip=clip, memory=SIMILARITY_BYTES)
    if stage.function == "graph-cut":
        return graph_cut(columns, stage.cost)
    if stage.function == "log-determinant":
        return LogDeterminant(columns)
    if stage.function == "saturated-coverage":
        return SaturatedCoverage(columns, stage.saturation)
    return FacilityLocation(columns, held_units(covered, columns.unit))


def held_units(covered: NDArray[np.int64], unit: float) -> NDArray[np.int32]:
    """Return what rows have at first, in units of similarities: int32.

    Args:
        covered: int64, in units of 2^-30, not negative.
        unit: of the similarities.
    """
    whole = np.rint(covered * (1.0 / UNITS / unit))
    return np.asarray(np.minimum(whole, 2.0**HIGHEST), np.int32)


def chosen(function: SetFunction, budget: Budget, stage: Select, seed: int) -> Selection:
    """Return what greedy chooses."""
    return greedy(function, budget, method=stage.method, epsilon=stage.epsilon, seed=seed)


def taken(found: Selection, rows: pa.Table) -> pa.RecordBatch:
    """Return ``CHOSEN`` of a choice among rows (row, tokens, group, part, features)."""
    some = rows.take(pa.array(found.items))
    n = len(found.items)
    own = {
        "place": pa.array(np.arange(n)),
        "gain": pa.array(found.gains),
        "value": pa.array(np.full(n, found.value)),
        "bound": pa.array(np.full(n, found.bound)),
    }
    columns = [own[name] if name in own else some[name].combine_chunks() for name in CHOSEN.names]
    return pa.RecordBatch.from_arrays(columns, schema=CHOSEN)
