"""Which projections hold the smallest row of a child: what its candidates are looked up in."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .containment import Projections

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Holders:
    """Who holds which row.

    Tables that grow share their smallest row, so a list of holders serves many children: pairs are made only of those
    that are asked for.

    Attributes:
        row, parent: int64: a row, and a projection that holds it; each pair once, in any order.
        row_of: int64, by number of projection: the smallest row of a child; -1 for none.
        projections: of all.
        measure: int64, by number of projection: what a larger one has more of.
    """

    row: Ints
    parent: Ints
    row_of: Ints
    projections: "Projections"
    measure: Ints

    def smallest(
        self, children: Ints, standing: NDArray[np.bool_], n: int, least_share: float
    ) -> tuple[Ints, Ints, Ints]:
        """Return (child, parent, total): candidates, in order of (child, measure, parent); int64 arrays.

        A candidate is of another table, is seen through the child's columns, and has enough rows.

        Args:
            children: numbers of projections that are a table in all its columns, ascending.
            standing: bool, by table: those that may be parents.
            n: at most how many of each child.
            least_share: of the child's measure that a parent has.

        Returns:
            int64 arrays; total: how many the child has.
        """
        table, schema = self.projections.table, self.projections.schema
        kept = standing[table[self.parent]]
        row, parent = self.row[kept], self.parent[kept]
        sizes, rank = np.unique(self.measure[parent], return_inverse=True)
        group = row * (int(schema.max(initial=0)) + 1) + schema[parent]
        order = np.lexsort((parent, rank, group))
        parent, group, rank = parent[order], group[order], rank[order]
        groups, number = np.unique(group, return_inverse=True)
        places = number * (len(sizes) + 1) + rank  # ascends
        asked = self.row_of[children] * (int(schema.max(initial=0)) + 1) + schema[children]
        at = np.searchsorted(groups, asked)
        there = at < len(groups)
        there[there] = groups[at[there]] == asked[there]
        children, at = children[there], at[there]
        enough = np.searchsorted(sizes, np.ceil(self.measure[children] * least_share).astype(np.int64))
        start = np.searchsorted(places, at * (len(sizes) + 1) + enough)
        stop = np.searchsorted(places, (at + 1) * (len(sizes) + 1))
        total = stop - start - standing[table[children]]  # a child that stands holds its own row
        count = np.minimum(stop - start, n + 1)
        ends = np.cumsum(count)
        child = np.repeat(children, count)
        found = parent[np.repeat(start + count - ends, count) + np.arange(len(child))]
        total = np.repeat(total, count)
        others = found != child
        child, found, total = child[others], found[others], total[others]
        heads = np.flatnonzero(np.concatenate([[len(child) > 0], child[1:] != child[:-1]]))
        first = np.arange(len(child)) - np.repeat(heads, np.diff(heads, append=len(child))) < n
        return child[first], found[first], total[first]
