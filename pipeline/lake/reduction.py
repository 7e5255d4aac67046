"""Groups of equal tables, and the containment between groups with nothing said twice."""

from collections.abc import Iterable
from dataclasses import dataclass

Pair = tuple[int, int]
"""(child, parent)."""


@dataclass(frozen=True)
class Groups:
    """Equal tables are one group; groups lie inside others.

    Attributes:
        members: the tables of each group, ascending; groups in order of their first.
        inside: for each group, the groups that it lies inside, ascending: all of them.
        direct: of these, those that lie in no other of them: all others follow.
    """

    members: tuple[tuple[int, ...], ...]
    inside: tuple[tuple[int, ...], ...]
    direct: tuple[tuple[int, ...], ...]


def group(tables: int, pairs: Iterable[Pair]) -> Groups:
    """Return the groups of tables, from every pair of which one lies inside the other.

    Containment is transitive, so tables that lie inside each other are equal, and a group inside another is so with all
    its members.

    Args:
        tables: how many there are.
        pairs: (child, parent), all of them.
    """
    found = set(pairs)
    parents: dict[int, set[int]] = {}
    for child, parent in found:
        parents.setdefault(child, set()).add(parent)
    first = list(range(tables))
    for child in range(tables):
        equal = [parent for parent in parents.get(child, ()) if (parent, child) in found]
        first[child] = min([child, *equal])
    firsts = sorted(set(first))
    number = {table: i for i, table in enumerate(firsts)}
    members: list[list[int]] = [[] for _ in firsts]
    for table in range(tables):
        members[number[first[table]]].append(table)
    inside = [{number[first[parent]] for parent in parents.get(table, ())} - {i} for i, table in enumerate(firsts)]
    direct = [above - {other for one in above for other in inside[one]} for above in inside]
    return Groups(
        tuple(map(tuple, members)),
        tuple(tuple(sorted(above)) for above in inside),
        tuple(tuple(sorted(above)) for above in direct),
    )
