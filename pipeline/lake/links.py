"""Which pairs are looked at, so that nothing is looked for that follows from what was found.

Containment is transitive. So equal tables are found first, and one of them stands for all; then each child is compared
with its smallest candidates first, and what contains one that contains it is not compared at all: of the snapshots of
one growing table, each is compared with the next. What is true is found either way, and every pair that is refuted has
been looked at.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .containment import Candidates, Checked, Ints, Projections, Sizes
from .options import Options

Check = Callable[[Ints, Ints], Checked]
"""Look at pairs (child, parent) of projections."""

FETCHED = 64
"""Candidates of a child that are fetched at first; each time after, so many times more."""

WIDTH = 1
"""Candidates of a child that are looked at first, where there are many."""

WIDER = 4
"""How many times more are looked at each time after."""

AT_ONCE = 50_000
"""Pairs that are all looked at in one round."""

_ALL = 1 << 62


@dataclass(frozen=True)
class Links:
    """What was looked at, and what follows.

    Attributes:
        stands_for: int64: for each projection of a table in all its columns, the one of the first equal table.
        checked: pairs that were looked at, in order of (child, parent): of tables that stand for themselves.
        partial: the same, of children of which some records could not be read: what is said is said of the others.
        equal: pairs that were looked at to find equal tables.
        candidates: pairs of tables that stand for themselves that share the child's smallest row.
    """

    stands_for: Ints
    checked: Checked
    partial: Checked
    equal: Checked
    candidates: int


def find_links(
    found: Candidates,
    projections: Projections,
    sizes: Sizes,
    partial: NDArray[np.bool_],
    options: Options,
    check: Check,
    *,
    at_once: int = AT_ONCE,
) -> Links:
    """Find which tables lie inside others.

    A table of which some records could not be read is equal to none, and lies inside none for certain, so nothing
    follows from what its other rows lie inside; but it may hold others.

    Args:
        found: the candidates.
        projections, sizes: of all.
        partial: bool, for each projection of a table in all its columns: whether some records could not be read.
        options: what counts as the same.
        check: looks at pairs.
        at_once: pairs that are all looked at in one round.
    """
    own = np.arange(projections.own)
    stands_for, equal = _equal_tables(found.first_rows, projections, sizes, partial, options, check)
    standing = np.ones(int(projections.table.max(initial=-1)) + 1, np.bool_)
    standing[projections.table[np.flatnonzero(stands_for != own)]] = False
    filled = (stands_for == own) & (sizes.distinct[: projections.own] > 0)
    some = np.flatnonzero(filled & partial)
    of_partial = [check(*found.smallest(some, standing, _ALL)[:2])] if len(some) else []
    children = np.flatnonzero(filled & ~partial)
    transitive = options.min_containment >= 1 and options.verify
    reach = _Reach(projections, sizes.measure(options))
    looked: list[Checked] = []
    refuted = np.zeros(projections.own, np.int64)
    count, start, stop = sum(len(part.child) for part in of_partial), 0, FETCHED if transitive else _ALL
    while len(children):
        child, parent, total = found.smallest(children, standing, stop)
        heads = _heads(child)
        count += int(total[heads].sum()) if start == 0 else 0
        rest = _rank(child) >= start
        for part in _rounds(child[rest], parent[rest], reach, check, at_once if transitive else _ALL):
            looked.append(part)
            np.add.at(refuted, part.child[~part.verified], 1)
        many = total[heads] > stop
        children = np.array(
            [
                one
                for one, of in zip(child[heads][many].tolist(), total[heads][many].tolist(), strict=True)
                if reach.count(one) + refuted[one] < of
            ],
            np.int64,
        )
        start, stop = stop, stop * FETCHED
    return Links(stands_for, _joined(looked), _joined(of_partial), _joined(equal), count)


def _equal_tables(
    first_rows: pa.Table,
    projections: Projections,
    sizes: Sizes,
    partial: NDArray[np.bool_],
    options: Options,
    check: Check,
) -> tuple[Ints, list[Checked]]:
    """Return which table stands for each, and what was looked at to know it.

    Equal tables have the same columns, the same first row, as many rows, and the same check. Those that share all these
    are compared with the first of them until each is found equal to one; nearly always that takes one round.
    """
    stands_for = np.arange(projections.own)
    first_rows = first_rows.filter(pa.array(~partial[first_rows["child"].to_numpy()]))
    children = first_rows["child"].to_numpy()
    keys = [projections.schema[children], sizes.distinct[children], sizes.check[children]]
    keys += [sizes.rows[children]] if options.bags else []
    keys += [first_rows[name].to_numpy() for name in ("high", "low")]
    order = np.lexsort([children, *keys])
    children, keys = children[order], [key[order] for key in keys]
    changes = np.zeros(len(children), np.bool_)
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    bucket = np.cumsum(changes).astype(np.int64)
    looked: list[Checked] = []
    while True:
        heads = _heads(bucket)
        sizes_of_buckets = np.diff(heads, append=len(bucket))
        first = np.repeat(children[heads], sizes_of_buckets)
        members = children != first
        if not members.any():
            return stands_for, looked
        found = check(children[members], first[members])
        looked.append(found)
        equal = found.verified
        stands_for[found.child[equal]] = found.parent[equal]
        left = np.zeros(len(children), np.bool_)
        left[np.flatnonzero(members)[~equal]] = True
        children, bucket = children[left], bucket[left]


def _rounds(child: Ints, parent: Ints, reach: "_Reach", check: Check, at_once: int) -> Iterator[Checked]:
    """Look at pairs that may be, smallest parents first, but for those that follow by then; few are looked at at once.

    Args:
        child, parent: in order of the child, smallest parents first.
        reach: what is known; what is found is added.
        check: looks at pairs.
        at_once: pairs that are all looked at in one round.
    """
    width = WIDTH
    while len(child):
        follows = reach.contains(child, parent)
        child, parent = child[~follows], parent[~follows]
        now = (_rank(child) < width) | (len(child) <= at_once)
        found = check(child[now], parent[now])
        reach.add(found.child[found.verified], found.parent[found.verified])
        yield found
        child, parent = child[~now], parent[~now]
        width *= WIDER


def _heads(ordered: Ints) -> Ints:
    """Return where runs of equal values begin."""
    return np.flatnonzero(np.concatenate([[len(ordered) > 0], ordered[1:] != ordered[:-1]]))


def _rank(ordered: Ints) -> Ints:
    """Return the place of each value in its run."""
    heads = _heads(ordered)
    return np.arange(len(ordered)) - np.repeat(heads, np.diff(heads, append=len(ordered)))


def _joined(parts: Sequence[Checked]) -> Checked:
    """Return the pairs of several checks, in order."""
    empty = {name: np.zeros(0, np.int64) for name in ("child", "parent", "looked_for", "missing", "witness")}
    every = [Checked(**empty, whole=np.zeros(0, np.bool_), estimate=np.zeros(0)), *parts]
    names = (*empty, "whole", "estimate")
    arrays = {name: np.concatenate([getattr(part, name) for part in every]) for name in names}
    order = np.lexsort((arrays["parent"], arrays["child"]))
    return Checked(**{name: array[order] for name, array in arrays.items()})


class _Reach:
    """Which tables contain which, as far as is known: bits of integers, one for each table that contains another."""

    def __init__(self, projections: Projections, measure: Ints) -> None:
        self._table = projections.table
        schema, size, table = (values[: projections.own] for values in (projections.schema, measure, self._table))
        # Classes with more columns have lower numbers; so what contains a table comes before it.
        self._order: list[int] = table[np.lexsort((table, -size, schema))].tolist()
        self._bit: dict[int, int] = {}
        self._links: dict[int, set[int]] = {}
        self._above: dict[int, int] = {}

    def add(self, child: Ints, parent: Ints) -> None:
        """Add pairs of projections, and what follows."""
        for one, other in zip(self._table[child].tolist(), self._table[parent].tolist(), strict=True):
            self._bit.setdefault(other, len(self._bit))
            self._links.setdefault(one, set()).add(other)
        for table in self._order:
            if table in self._links:
                bits = 0
                for other in self._links[table]:
                    bits |= 1 << self._bit[other] | self._above.get(other, 0)
                self._above[table] = bits

    def contains(self, child: Ints, parent: Ints) -> NDArray[np.bool_]:
        """Return which pairs of projections are known or follow."""
        pairs = zip(self._table[child].tolist(), self._table[parent].tolist(), strict=True)
        found = [other in self._bit and bool(self._above.get(one, 0) >> self._bit[other] & 1) for one, other in pairs]
        return np.array(found, np.bool_)

    def count(self, child: int) -> int:
        """Return how many tables are known to contain one."""
        return self._above.get(int(self._table[child]), 0).bit_count()
