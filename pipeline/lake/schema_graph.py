"""Which tables' columns are among those of others: exactly, and over classes of equal columns.

A lake has many tables and few sets of columns. So tables with equal columns form a class, and edges are between
classes: their number does not grow with snapshots of a table. For each class the columns are looked up in an inverted
index, the rarest first; what is in the lists of all of them has all of them (the graph is that of R2D2's schema step,
without the clusters that it needs to find it).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Columns = tuple[str, ...]
"""Names of columns, sorted; with ``--match name,type`` the type is part of the name."""


@dataclass(frozen=True)
class SchemaGraph:
    """Classes of tables with equal columns, and which classes lie inside others.

    Attributes:
        classes: the columns of each class, most columns first, then by name.
        of: int64, shape (tables,): the class of each table.
        parents: for each class, int64: the classes that have all its columns and more, ascending.
    """

    classes: tuple[Columns, ...]
    of: NDArray[np.int64]
    parents: tuple[NDArray[np.int64], ...]

    @property
    def edges(self) -> int:
        """Pairs of classes, one inside the other."""
        return sum(len(found) for found in self.parents)

    def paired(self) -> NDArray[np.bool_]:
        """Return whether another table has all columns of each table, or only such columns: bool, shape (tables,)."""
        found = np.bincount(self.of, minlength=len(self.classes)) > 1
        found &= np.array([bool(names) for names in self.classes], np.bool_)
        for number, above in enumerate(self.parents):
            found[number] |= len(above) > 0
            found[above] = True
        return np.asarray(found[self.of], np.bool_)

    def table_pairs(self) -> int:
        """Return how many ordered pairs of different tables could be (parent, child)."""
        sizes = np.bincount(self.of, minlength=len(self.classes))
        above = [int(sizes[found].sum()) for found in self.parents]
        return int(sum(int(n) * (int(n) - 1 + more) for n, more in zip(sizes, above, strict=True)))


def schema_graph(tables: Sequence[Iterable[str]]) -> SchemaGraph:
    """Return the graph of the columns of some tables.

    A class without columns is inside none: there is nothing to compare.

    Args:
        tables: names of the columns of each; repeated names count once.
    """
    columns = [tuple(sorted(set(names))) for names in tables]
    classes = sorted(set(columns), key=lambda names: (-len(names), names))
    number = {names: i for i, names in enumerate(classes)}
    lists: dict[str, list[int]] = {}
    for i, names in enumerate(classes):
        for name in names:
            lists.setdefault(name, []).append(i)
    index = {name: np.array(found, np.int64) for name, found in lists.items()}
    parents = tuple(_supersets(i, names, index) for i, names in enumerate(classes))
    return SchemaGraph(tuple(classes), np.array([number[names] for names in columns], np.int64), parents)


def _supersets(number: int, names: Columns, index: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the classes that have these columns and more; classes with more columns have lower numbers."""
    if not names:
        return np.zeros(0, np.int64)
    ordered = sorted((index[name] for name in names), key=len)
    found = ordered[0][: np.searchsorted(ordered[0], number)]
    for other in ordered[1:]:
        if not len(found):
            break
        found = found[_among(found, other)]
    return found


def _among(values: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which values are in another ascending array."""
    places = np.minimum(np.searchsorted(other, values), len(other) - 1)
    return np.asarray(other[places] == values, np.bool_)
