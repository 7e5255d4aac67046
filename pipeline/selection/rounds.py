"""Rounds: how much each part of a group chooses, and in which groups a last choice is made among what parts chose.

A choice in parts costs the rows of a group times those of a part; the last choice and the search for witnesses cost the
rows of the group times the candidates, and times the chosen rows. Where that is too much, and parts choose many rows
each, every part chooses its share for good, and a row's witness is looked for in its own part: parts are drawn by a
keyed hash, so each is like the whole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...hashing.mixing.rounding import largest_remainder
from .groups import Groups

TIMES, MORE = 4, 32
"""A part whose choice is not the last one chooses so many times its share, and so many rows more."""

MOST_PRODUCTS = 1 << 36
"""Rows times candidates, or times chosen rows, up to which all are compared."""

MANY = 32
"""Rows that a part chooses of which its choice can be the last one."""


@dataclass(frozen=True)
class Rounds:
    """How groups are chosen from.

    Attributes:
        limits: int64, by number of the part: how much it chooses, in rows or words.
        merged: numbers of groups of which a last choice is made.
        by_part: numbers of groups whose rows find their witness in their part.
    """

    limits: NDArray[np.int64]
    merged: frozenset[int]
    by_part: frozenset[int]


def rounds_of(groups: Groups, held: NDArray[np.int64], *, most: int = MOST_PRODUCTS) -> Rounds:
    """Return how groups are chosen from, which follows from sizes alone.

    Args:
        groups: with the limits.
        held: int64, by number of the part: its rows or words, as limits are.
        most: rows times others up to which all are compared.
    """
    limits = np.zeros(len(held), np.int64)
    merged, by_part = set(), set()
    for number, first in enumerate(groups.first_part.tolist()):
        limit, rows, parts = (int(of[number]) for of in (groups.limits, groups.rows, groups.parts))
        own = slice(first, first + parts)
        a_row = max(1.0, float(groups.tokens[number]) / max(1, rows)) if groups.words else 1.0
        wanted = limit / a_row  # rows, about
        many = wanted >= MANY * parts
        if many and rows * wanted > most:
            by_part.add(number)
        some = min(limit, -(-TIMES * limit // max(1, parts)) + int(MORE * a_row))
        if parts == 1:
            limits[own] = limit
        elif many and rows * min(rows, some / a_row * parts) > most:
            limits[own] = largest_remainder(held[own], min(limit, int(held[own].sum())), held[own])
        else:
            merged.add(number)
            limits[own] = some
    return Rounds(limits, frozenset(merged), frozenset(by_part))


def cells(group: NDArray[np.int64], part: NDArray[np.int64], rounds: Rounds) -> NDArray[np.int64]:
    """Return what rows find their witness in: int64, the part, or -1 - the group."""
    return np.where(np.isin(group, sorted(rounds.by_part)), part, -1 - group)
