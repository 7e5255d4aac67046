"""What statistics say of the columns of a lake, as demands and offers (``hashing.dominance``): bounds become ranks.

Each kind of values (``bounds``) has ranks and slots of its own: tables of other kinds neither demand nor offer there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...connectors.parquet_statistics import ColumnStatistics, TableStatistics
from ...hashing.dominance import NO_DEMAND, NO_OFFER
from .bounds import kind_of, ordered, scale_of


@dataclass(frozen=True)
class Facts:
    """What is known of one column of some tables.

    Attributes:
        tables: int64, shape (n,).
        demands, offers: int32, shape (n, slots).
    """

    tables: NDArray[np.int64]
    demands: NDArray[np.int32]
    offers: NDArray[np.int32]


def row_facts(statistics: Sequence[TableStatistics | None], *, bags: bool) -> Facts:
    """Return the facts of the numbers of rows of all tables.

    Args:
        statistics: of each table.
        bags: whether a parent must have as many rows as a child; else it must have one if the child has.
    """
    known = [None if said is None else said.rows for said in statistics]
    counts = known if bags else [None if rows is None else min(rows, 1) for rows in known]
    rank = _ranks({rows for rows in counts if rows is not None})
    demands = [NO_DEMAND if not rows else -rank[rows] for rows in counts]
    offers = [NO_OFFER if rows is None else -rank[rows] for rows in counts]
    return _useful(np.arange(len(known)), np.array([demands], np.int32), np.array([offers], np.int32))


def _ranks(values: set[Any]) -> dict[Any, int]:
    """Return the place of each value among all, ascending; values must be comparable."""
    return {value: rank for rank, value in enumerate(sorted(values))}


def _useful(tables: NDArray[np.int64], demands: NDArray[np.int32], offers: NDArray[np.int32]) -> Facts:
    """Return the facts of those slots (rows of the arrays) that can prune a pair at all."""
    kept = demands.min(axis=1, initial=NO_DEMAND) < offers.max(axis=1, initial=NO_OFFER)
    return Facts(tables, np.ascontiguousarray(demands[kept].T), np.ascontiguousarray(offers[kept].T))


class ColumnFacts:
    """Gathers what is known of one column.

    Attributes:
        usable: tables with an exact bound.
    """

    def __init__(self, tables: int) -> None:
        self.usable = 0
        self._size = tables
        self._nulls: list[tuple[int, bool]] = []  # (place, whether there is a null)
        self._kinds: dict[str, list[tuple[int, Any, bool, Any, bool]]] = {}

    def add(self, place: int, said: ColumnStatistics, *, trim: bool) -> None:
        """Add what is known of a table that may have rows.

        Args:
            place: of the table among those that have the column.
            said: what its statistics say.
            trim: whether white space around texts counts for nothing.
        """
        if said.nulls is not None:
            self._nulls.append((place, said.nulls > 0))
        kind = kind_of(said.kind, trim=trim)
        if kind is None or said.kind is None or (said.low is None and said.high is None):
            return
        self.usable += said.low_exact or said.high_exact
        scale = scale_of(said.kind)
        low = None if said.low is None else ordered(said.low, scale)
        high = None if said.high is None else ordered(said.high, scale)
        self._kinds.setdefault(kind, []).append((place, low, said.low_exact, high, said.high_exact))

    def add_empty(self, place: int) -> None:
        """Add a table without rows: it has no null, whatever is said."""
        self._nulls.append((place, False))

    def facts(self, tables: NDArray[np.int64]) -> Facts:
        """Return the facts: a slot for nulls, and for each kind one for low bounds and one for high ones."""
        shape = (1 + 2 * len(self._kinds), self._size)
        demands, offers = np.full(shape, NO_DEMAND, np.int32), np.full(shape, NO_OFFER, np.int32)
        for place, some in self._nulls:
            if some:
                demands[0, place] = -1
            else:
                offers[0, place] = 0
        for i, kind in enumerate(sorted(self._kinds)):
            bounds = self._kinds[kind]
            rank = _ranks({value for _, low, _, high, _ in bounds for value in (low, high) if value is not None})
            for place, low, low_exact, high, high_exact in bounds:
                if low is not None:
                    offers[1 + 2 * i, place] = rank[low]
                    if low_exact:
                        demands[1 + 2 * i, place] = rank[low]
                if high is not None:
                    offers[2 + 2 * i, place] = -rank[high]
                    if high_exact:
                        demands[2 + 2 * i, place] = -rank[high]
        return _useful(tables, demands, offers)
