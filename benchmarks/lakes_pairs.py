"""Pairs of tables of which one lies inside the other: which can be, which follow, and how right some are.

Only the standard library is imported, so that a brute force that needs no more does not pay for more.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

Pair = tuple[str, str]
"""(parent, child)."""


@dataclass(frozen=True)
class Score:
    """How right some pairs are.

    Attributes:
        said: how many.
        true: how many there are.
        found: how many of the true ones were said.
    """

    said: int
    true: int
    found: int

    @classmethod
    def of(cls, said: Collection[Pair], true: Collection[Pair]) -> "Score":
        """Compare pairs that were said with the true ones."""
        return cls(len(said), len(true), len(set(said) & set(true)))

    @property
    def recall(self) -> float:
        """Share of the true pairs that were said; 1 if there is none."""
        return self.found / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        """Share of what was said that is true; 1 if nothing was."""
        return self.found / self.said if self.said else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Return all numbers."""
        return {
            "said": self.said,
            "true": self.true,
            "found": self.found,
            "missed": self.true - self.found,
            "invented": self.said - self.found,
            "recall": self.recall,
            "precision": self.precision,
        }


def closure(groups: Mapping[str, int], direct: Iterable[Pair]) -> set[Pair]:
    """Return all pairs of tables.

    Args:
        groups: the group of each table; equal tables have the same.
        direct: pairs of tables, one of each group at least.
    """
    members: dict[int, list[str]] = defaultdict(list)
    for table, group in groups.items():
        members[group].append(table)
    parents: dict[int, set[int]] = defaultdict(set)
    for parent, child in direct:
        parents[groups[child]].add(groups[parent])
    pairs: set[Pair] = set()
    for group, tables in members.items():
        above, left = {group}, [group]
        while left:
            more = parents.get(left.pop(), set()) - above
            above |= more
            left += more
        pairs |= {
            (parent, child)
            for other in above
            for parent in members.get(other, ())
            for child in tables
            if parent != child
        }
    return pairs


def compatible(columns: Mapping[str, frozenset[str]]) -> Iterator[tuple[frozenset[str], list[str], list[str]]]:
    """Yield (columns, tables with just these, tables with these and perhaps more) of classes where pairs can be."""
    classes: dict[frozenset[str], list[str]] = defaultdict(list)
    for table, names in columns.items():
        classes[names].append(table)
    for names, children in classes.items():
        parents = [table for wider, tables in classes.items() if names <= wider for table in tables]
        if names and len(parents) > 1:
            yield names, children, parents


def compatible_pairs(columns: Mapping[str, frozenset[str]]) -> Iterator[Pair]:
    """Yield every pair of different tables of which the parent has all columns of the child."""
    for _, children, parents in compatible(columns):
        yield from ((parent, child) for child in children for parent in parents if parent != child)


class Numbered:
    """The pairs of ``compatible_pairs`` in the same order, without a list of them: there may be very many.

    Args:
        columns: of each table.
    """

    def __init__(self, columns: Mapping[str, frozenset[str]]) -> None:
        self._classes = [(children, parents) for _, children, parents in compatible(columns)]
        self._ends = list(accumulate(len(children) * (len(parents) - 1) for children, parents in self._classes))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, place: int) -> Pair:
        """Return the pair at a place from 0 on."""
        number = bisect_right(self._ends, place)
        children, parents = self._classes[number]
        which, rest = divmod(place - (self._ends[number - 1] if number else 0), len(parents) - 1)
        child = children[which]
        return parents[rest + (rest >= parents.index(child))], child
