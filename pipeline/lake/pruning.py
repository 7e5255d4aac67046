"""Which pairs of tables are left when the statistics of their columns are known: none that is true goes.

A child inside a parent has each of its values there too. So a pair cannot be true if

- a low bound that a row of the child has is below the parent's low bound, or a high bound above its high bound;
- the child has a null in a column in which the parent has none;
- the child has rows and the parent has none;
- as bags: the child has more rows than the parent.

The child's bound must be exact, for else no row need have it; the parent's may be loose. An empty child lies inside
every table. This is the min-max step of R2D2 (arXiv 2312.13427), with the rules that make it free of losses.

Counting does not go over pairs in Python: bounds become ranks, and ``hashing.dominance`` compares them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...connectors.parquet_statistics import TableStatistics
from ...hashing.dominance import NO_DEMAND, NO_OFFER, surviving_in_lake
from .facts import ColumnFacts, Facts, row_facts
from .schema_graph import SchemaGraph

_ROWS = ""
"""What numbers of rows are known by, among columns; names of columns have a full stop before."""


@dataclass(frozen=True)
class Pruned:
    """What is left to look at.

    Attributes:
        pairs: ordered pairs of tables that survive.
        usable: share of (table, column) with a bound that a child can be pruned by, over tables that some other can
            hold, or lie in, by its columns; 0 if there are none.
        graph: of the columns.
        own: bool, shape (tables,): whether a table is in a surviving pair through all its columns: as a child, or as a
            parent of a table with the same columns.
        others: bool, shape (projections,): whether a table is in a surviving pair as a parent, through the columns of a
            class inside its own.
        children: for each class, int64: the classes inside it, ascending.
        starts: int64, shape (classes,): where those of a class are in ``others``: a row of its tables for each child.
        places: int64, shape (tables,): where a table is among those of its class.
        sizes: int64, shape (classes,): tables of each.
    """

    pairs: int
    usable: float
    graph: SchemaGraph
    own: NDArray[np.bool_]
    others: NDArray[np.bool_]
    children: tuple[NDArray[np.int64], ...]
    starts: NDArray[np.int64]
    places: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def wanted(self, table: int) -> list[int]:
        """Return the classes in whose columns a table must be read: its own first, then those inside, ascending."""
        of = int(self.graph.of[table])
        inside = self.children[of]
        first = int(self.starts[of]) + int(self.places[table])
        size = int(self.sizes[of])
        found = inside[self.others[first : first + size * len(inside) : size]]
        return [*([of] if self.own[table] else []), *found.tolist()]


def prune(
    graph: SchemaGraph,
    columns: Sequence[Mapping[str, str]],
    statistics: Sequence[TableStatistics | None],
    *,
    bags: bool = False,
    trim: bool = False,
) -> Pruned:
    """Return what is left of the pairs of a graph.

    Args:
        graph: of the columns of the tables.
        columns: for each table, what its columns are matched by, to their names.
        statistics: of each table; None where nothing is known.
        bags: whether a child's rows must be in the parent as often as in the child.
        trim: whether white space around texts counts for nothing.
    """
    members, member_starts = _members(graph)
    children = _children(graph)
    sizes = np.diff(member_starts)
    facts, usable = _facts(graph, columns, statistics, members, member_starts, bags=bags, trim=trim)
    slots, slot_starts, starts, demands, offers = _laid_out(graph, facts)
    above = _ends([len(found) for found in graph.parents])
    counts = sizes * np.array([len(inside) for inside in children], np.int64)
    projection_starts = _ends(counts)
    own, others = np.zeros(len(graph.of), np.bool_), np.zeros(int(projection_starts[-1]), np.bool_)
    pairs = surviving_in_lake(
        demands,
        offers,
        starts,
        members,
        member_starts,
        slots,
        slot_starts,
        np.concatenate([np.zeros(0, np.int64), *graph.parents]),
        above,
        projection_starts[:-1],
        own,
        others,
    )
    places = np.empty(len(graph.of), np.int64)
    places[members] = np.arange(len(members)) - np.repeat(member_starts[:-1], sizes)
    return Pruned(pairs, usable, graph, own, others, children, projection_starts[:-1], places, sizes)


def _members(graph: SchemaGraph) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the tables of each class, one class after another, and where each begins; one start more."""
    members = np.argsort(graph.of, kind="stable").astype(np.int64)
    return members, _ends(np.bincount(graph.of, minlength=len(graph.classes)))


def _children(graph: SchemaGraph) -> tuple[NDArray[np.int64], ...]:
    """Return for each class those inside it, ascending."""
    child = np.repeat(np.arange(len(graph.parents)), [len(found) for found in graph.parents])
    parent = np.concatenate([np.zeros(0, np.int64), *graph.parents])
    order = np.argsort(parent, kind="stable")
    ends = np.cumsum(np.bincount(parent, minlength=len(graph.parents)))
    return tuple(np.split(child[order].astype(np.int64), ends)[:-1])


def _ends(sizes: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where parts of some sizes begin, and where the last ends."""
    return np.concatenate([[0], np.cumsum(np.asarray(sizes, np.int64))]).astype(np.int64)


def _facts(
    graph: SchemaGraph,
    columns: Sequence[Mapping[str, str]],
    statistics: Sequence[TableStatistics | None],
    members: NDArray[np.int64],
    member_starts: NDArray[np.int64],
    *,
    bags: bool,
    trim: bool,
) -> tuple[dict[str, Facts], float]:
    """Return the facts of each column, and the share of cells with an exact bound; of tables that a pair has."""
    paired = np.diff(member_starts) > 1
    for number, above in enumerate(graph.parents):
        paired[number] |= len(above) > 0
        paired[above] = True
    holders: dict[str, list[int]] = {}
    for number in np.flatnonzero(paired).tolist():
        for name in graph.classes[number]:
            holders.setdefault(name, []).append(number)
    found = {_ROWS: row_facts(statistics, bags=bags)}
    if not any(statistics):
        return found, 0.0
    usable = cells = 0
    for name, classes in holders.items():
        tables = np.concatenate([members[member_starts[i] : member_starts[i + 1]] for i in classes])
        column = ColumnFacts(len(tables))
        for i, table in enumerate(tables.tolist()):
            known = statistics[table]
            said = None if known is None else known.columns.get(columns[table][name])
            if known is not None and known.rows == 0:
                column.add_empty(i)
            elif said is not None:
                column.add(i, said, trim=trim)
        usable += column.usable
        cells += len(tables)
        facts = column.facts(tables)
        if facts.demands.shape[1]:
            found["." + name] = facts
    return found, usable / cells if cells else 0.0


def _laid_out(
    graph: SchemaGraph, facts: Mapping[str, Facts]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return (slots, slot_starts, starts, demands, offers) as ``surviving_in_lake`` takes them."""
    first: dict[str, int] = {}
    count = 0
    for name in sorted(facts):
        first[name] = count
        count += facts[name].demands.shape[1]
    slots: list[int] = []
    sizes: list[int] = []
    offsets: dict[tuple[str, int], int] = {}
    for number, names in enumerate(graph.classes):
        begin = len(slots)
        for name in _known(names, facts):
            offsets[name, number] = len(slots) - begin
            slots += range(first[name], first[name] + facts[name].demands.shape[1])
        sizes.append(len(slots) - begin)
    widths = np.array(sizes, np.int64)[graph.of] if sizes else np.zeros(0, np.int64)
    starts = _ends(widths)
    demands, offers = np.full(int(starts[-1]), NO_DEMAND, np.int32), np.full(int(starts[-1]), NO_OFFER, np.int32)
    for name, found in facts.items():
        inside = np.array([offsets[name, of] for of in graph.of[found.tables].tolist()], np.int64)
        places = (starts[found.tables] + inside)[:, None] + np.arange(found.demands.shape[1])
        demands[places], offers[places] = found.demands, found.offers
    return np.array(slots, np.int64), _ends(sizes), starts, demands, offers


def _known(names: Sequence[str], facts: Mapping[str, Facts]) -> Iterator[str]:
    """Yield rows, and the columns that have facts, in order of their slots."""
    yield _ROWS
    yield from ("." + name for name in names if "." + name in facts)
