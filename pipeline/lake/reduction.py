"""Groups of equal tables, and the containment between groups with nothing said twice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Pair = tuple[int, int]
"""(child, parent)."""


@dataclass(frozen=True)
class Groups:
    """Equal tables are one group; groups lie inside others.

    Attributes:
        members: the tables of each group, ascending; groups in order of their first.
        direct: for each group, the groups that it lies inside, ascending, but those that follow from others.
        inside: for each group, how many groups it lies inside.
    """

    members: tuple[tuple[int, ...], ...]
    direct: tuple[tuple[int, ...], ...]
    inside: tuple[int, ...]

    def closure(self) -> Iterable[Pair]:
        """Yield (child, parent) of every two groups of which one lies inside the other, in order."""
        for child in range(len(self.members)):
            yield from ((child, parent) for parent in self.above(child))

    def pairs(self) -> int:
        """Return how many ordered pairs of tables there are of which one lies inside the other."""
        sizes = [len(tables) for tables in self.members]
        within = sum(n * (n - 1) for n in sizes)
        if max(sizes, default=1) == 1:
            return sum(self.inside)
        return within + sum(sizes[child] * sizes[parent] for child, parent in self.closure())

    def above(self, group: int) -> list[int]:
        """Return the groups that one lies inside, ascending: all of them."""
        found: set[int] = set()
        open_ = list(self.direct[group])
        while open_:
            one = open_.pop()
            if one not in found:
                found.add(one)
                open_ += self.direct[one]
        return sorted(found)


def group(order: Sequence[int], stands_for: Mapping[int, int], links: Iterable[Pair]) -> Groups:
    """Return groups and the transitive reduction of their containment.

    Args:
        order: tables, those that contain others before these.
        stands_for: the table that is equal to each and stands for it; itself for most.
        links: (child, parent) of tables that stand for themselves; every true pair follows from these.
    """
    members: dict[int, list[int]] = {}
    for table, first in stands_for.items():
        members.setdefault(first, []).append(table)
    firsts = sorted(members, key=lambda table: min(members[table]))
    number = {table: i for i, table in enumerate(firsts)}
    place = {table: i for i, table in enumerate(order)}
    parents: dict[int, set[int]] = {}
    for child, parent in links:
        parents.setdefault(child, set()).add(parent)
    above: dict[int, int] = {}
    bit: dict[int, int] = {}
    direct: dict[int, tuple[int, ...]] = {}
    for table in order:
        found, kept = 0, []
        # The smallest come first: what lies above them follows.
        for parent in sorted(parents.get(table, ()), key=lambda one: place[one], reverse=True):
            mark = 1 << bit.setdefault(parent, len(bit))
            if not found & mark:
                kept.append(parent)
                found |= mark | above.get(parent, 0)
        if kept:
            above[table], direct[table] = found, tuple(sorted(number[one] for one in kept))
    return Groups(
        tuple(tuple(sorted(members[table])) for table in firsts),
        tuple(direct.get(table, ()) for table in firsts),
        tuple(above.get(table, 0).bit_count() for table in firsts),
    )
