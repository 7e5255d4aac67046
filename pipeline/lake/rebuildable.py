"""Which tables could be rebuilt from which: the edges that a plan chooses from.

Containment is transitive, so a table can be rebuilt from every table that any chain of pairs leads to. All these edges
are given to the solver while there are not too many; else those that matter most: direct ones, those from equal copies,
and those from tables that lie inside no other.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...hashing.errors import ArtefactError

ALL_UP_TO = 200_000
"""Edges that are all looked at."""

Edges = NDArray[np.int64]
"""(parent, child) of tables: int64, shape (m, 2), in order."""

Kind = Literal["all", "direct, equal copies and roots"]


def edges(
    groups: Sequence[Sequence[int]],
    inside: Iterable[tuple[int, int]],
    hubs: Callable[[Sequence[int]], Sequence[int]],
    *,
    all_up_to: int = ALL_UP_TO,
) -> tuple[Edges, Kind]:
    """Return which tables could be rebuilt from which, and whether these are all.

    Args:
        groups: of equal tables.
        inside: (child, parent) of groups, from which all others follow.
        hubs: of the members of a group, those that others are rebuilt from where not all can be looked at.
        all_up_to: how many edges are looked at without choosing.

    Raises:
        ArtefactError: if a group lies inside itself by way of others.

    >>> found, kind = edges([[0], [1], [2, 3]], [(1, 0), (2, 1)], lambda members: members[:1])
    >>> found.tolist(), kind
    ([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3], [3, 2]], 'all')
    """
    direct: list[set[int]] = [set() for _ in groups]
    for child, parent in inside:
        direct[child].add(parent)
    order = _parents_first(direct)
    above = _closure(groups, direct, order, all_up_to)
    if above is not None:
        return _as_array(_between(groups, above, lambda members: members)), "all"
    return _as_array(_between(groups, _with_roots(direct, order), hubs)), "direct, equal copies and roots"


def _parents_first(direct: Sequence[set[int]]) -> list[int]:
    try:
        return list(TopologicalSorter(dict(enumerate(direct))).static_order())
    except CycleError as error:
        raise ArtefactError(
            "a table that lies inside another holds it only if they are equal",
            value=f"groups {error.args[1]} in a circle",
            remedy="Scan the lake again.",
        ) from error


def _closure(
    groups: Sequence[Sequence[int]], direct: Sequence[set[int]], order: Iterable[int], limit: int
) -> list[set[int]] | None:
    """Return all groups that each lies inside, or None if that makes more edges than the limit."""
    left = limit - sum(len(members) * (len(members) - 1) for members in groups)
    above: list[set[int]] = [set() for _ in direct]
    for child in order:
        above[child] = direct[child].union(*(above[parent] for parent in direct[child]))
        left -= len(groups[child]) * sum(len(groups[parent]) for parent in above[child])
        if left < 0:
            return None
    return above


def _with_roots(direct: Sequence[set[int]], order: Iterable[int]) -> list[set[int]]:
    """Return the direct parents of each group and those of all groups above it that lie inside none."""
    roots: list[set[int]] = [set() for _ in direct]
    for child in order:
        for parent in direct[child]:
            roots[child] |= roots[parent] or {parent}
    return [near | far for near, far in zip(direct, roots, strict=True)]


def _between(
    groups: Sequence[Sequence[int]], above: Sequence[set[int]], hubs: Callable[[Sequence[int]], Sequence[int]]
) -> Iterator[tuple[int, int]]:
    chosen = [tuple(hubs(members)) for members in groups]
    for number, members in enumerate(groups):
        for source in (number, *above[number]):
            yield from ((parent, child) for parent in chosen[source] for child in members if parent != child)


def _as_array(pairs: Iterable[tuple[int, int]]) -> Edges:
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)
