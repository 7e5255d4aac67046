"""How well a network finds pairs that it has not learned from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .data import HeldOut
from .network import Network

_QUERIES = 256


@dataclass(frozen=True)
class HeldOutMeasures:
    """Measures of held-out pairs.

    Attributes:
        recall: share of the pairs that are among the nearest K of their query, by vectors; of equal distances the
            first places are nearer.
        code_recall: the same by the bits of codes; None: there are none.
        within: share of the pairs with a distance of at most R.
        beyond: share of all other pairs with one of at least c R.
        loss: mean of [d - R]+ over the pairs plus mean of [c R - d]+ over the nearest other of each query.
    """

    recall: float
    code_recall: float | None
    within: float
    beyond: float
    loss: float

    @property
    def mean_recall(self) -> float:
        """Return the mean of the recalls there are."""
        return self.recall if self.code_recall is None else (self.recall + self.code_recall) / 2


def measured(network: Network, held: HeldOut) -> HeldOutMeasures:
    """Measure a network as it is."""
    settings = network.settings
    radius, edge = settings.radius, settings.radius * settings.ratio
    searched = network.encode(held.searched)
    queries = searched if held.dirty else network.encode(held.queries)
    found = within = beyond = others = asked = 0
    near = far = 0.0
    for rows, squared in _squared_distances(queries, searched, held):
        distance = np.sqrt(np.maximum(squared, 0.0))
        true = _of(held.pairs, rows)
        found += int((_places(distance, true) < settings.budget).sum())
        own = distance[true[:, 0], true[:, 1]]
        within += int((own <= radius).sum())
        near += float(np.maximum(own - radius, 0.0).sum())
        distance[true[:, 0], true[:, 1]] = np.inf
        apart = np.isfinite(distance)
        others += int(apart.sum())
        beyond += int((distance[apart] >= edge).sum())
        far += float(np.maximum(edge - distance.min(1), 0.0).sum())
        asked += len(rows)
    pairs = len(held.pairs)
    return HeldOutMeasures(
        found / pairs,
        _code_recall(network, queries, searched, held) if settings.bits else None,
        within / pairs,
        beyond / max(1, others),
        near / pairs + far / asked,
    )


def _code_recall(network: Network, queries: NDArray[np.float32], searched: NDArray[np.float32], held: HeldOut) -> float:
    signs = np.where(network.project(searched) >= 0, 1, -1).astype(np.float32)
    asking = signs if held.dirty else np.where(network.project(queries) >= 0, 1, -1).astype(np.float32)
    found = 0
    for rows, squared in _squared_distances(asking, signs, held):
        found += int((_places(squared, _of(held.pairs, rows)) < network.settings.budget).sum())
    return found / len(held.pairs)


def _squared_distances(
    queries: NDArray[np.float32], searched: NDArray[np.float32], held: HeldOut
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield (queries that have a pair, squared distances to all that is searched); to itself it is infinite."""
    squares = np.einsum("ij,ij->i", searched, searched)
    asked = np.unique(held.pairs[:, 0])
    for start in range(0, len(asked), _QUERIES):
        rows = asked[start : start + _QUERIES]
        some = queries[rows]
        squared = np.einsum("ij,ij->i", some, some)[:, None] + squares - 2.0 * some @ searched.T
        if held.dirty:
            squared[np.arange(len(rows)), rows] = np.inf
        yield rows, squared


def _of(pairs: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs of some queries, those by their place among them."""
    mine = pairs[np.isin(pairs[:, 0], rows)]
    return np.column_stack([np.searchsorted(rows, mine[:, 0]), mine[:, 1]])


def _places(distance: NDArray[np.float32], true: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many are nearer than each true one: int64."""
    own = distance[true[:, 0], true[:, 1]]
    rows = distance[true[:, 0]]
    nearer = (rows < own[:, None]).sum(1)
    before = (rows == own[:, None]) & (np.arange(distance.shape[1]) < true[:, 1, None])
    places: NDArray[np.int64] = nearer + before.sum(1)
    return places
