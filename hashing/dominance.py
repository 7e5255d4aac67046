"""Which pairs of tables can be (child, parent), by what is known of their columns: all pairs, exactly.

Everything that must hold between a child and a parent has one form: what the child *demands* is not below what the
parent *offers*. Of a column's low bounds these are their ranks; of high bounds, ranks counted downwards; of nulls, -1
for a child that has some, and 0 for a parent that has none. Nothing is demanded where the child's bound is loose or not
known, and nothing offered where the parent's is not known. Each such fact has a *slot*: one for the low bounds of one
column, say, in one kind of values.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel

NO_DEMAND = 2**31 - 1
"""A demand that every offer meets."""

NO_OFFER = -(2**31)
"""An offer that meets every demand."""

_BLOCK = 512
"""Parents that a child meets at once: their offers stay in the first cache."""


@kernel
def surviving_pairs(
    demands: NDArray[np.int32],
    offers: NDArray[np.int32],
    same: bool,
    children: NDArray[np.bool_],
    parents: NDArray[np.bool_],
) -> int:
    """Return how many pairs survive, and mark who is in one.

    Args:
        demands: int32, shape (children, slots).
        offers: int32, shape (slots, parents).
        same: whether children and parents are the same tables: none is paired with itself.
        children, parents: bool: set to True, in place, for those in a surviving pair.
    """
    n_children, n_slots = demands.shape
    n_parents = offers.shape[1]
    alive = np.empty(_BLOCK, np.int32)
    pairs = 0
    for child in range(n_children):
        for begin in range(0, n_parents, _BLOCK):
            size = min(_BLOCK, n_parents - begin)
            alive[:size] = 1
            left = np.int32(size)
            if same and begin <= child < begin + size:
                alive[child - begin] = 0
                left -= np.int32(1)
            for slot in range(n_slots):
                demand = demands[child, slot]
                if left == 0:
                    break
                if demand == NO_DEMAND:
                    continue
                offered = offers[slot, begin : begin + size]
                left = np.int32(0)
                for i in range(size):
                    alive[i] &= np.int32(demand >= offered[i])
                    left += alive[i]
            if left == 0:
                continue
            pairs += int(left)
            children[child] = True
            for i in range(size):
                if alive[i] == 1:
                    parents[begin + i] = True
    return pairs


@kernel
def surviving_in_lake(
    demands: NDArray[np.int32],
    offers: NDArray[np.int32],
    starts: NDArray[np.int64],
    members: NDArray[np.int64],
    member_starts: NDArray[np.int64],
    slots: NDArray[np.int64],
    slot_starts: NDArray[np.int64],
    above: NDArray[np.int64],
    above_starts: NDArray[np.int64],
    projection_starts: NDArray[np.int64],
    own: NDArray[np.bool_],
    others: NDArray[np.bool_],
) -> int:
    """Return how many pairs of tables survive, over all classes of equal columns, and mark the projections in them.

    Tables have the slots of their class. Those of a class inside another are among the other's.

    Args:
        demands, offers: int32: of all tables, one after another.
        starts: int64, shape (tables,): where those of a table begin.
        members, member_starts: int64: the tables of each class, and where they begin in ``members``; one start more.
        slots, slot_starts: int64: the slots of each class, ascending.
        above, above_starts: int64: for each class, the classes that have all its columns and more.
        projection_starts: int64, shape (classes,): where in ``others`` the tables of a class begin.
        own: bool, shape (tables,): set to True, in place, for tables in a surviving pair, in their own columns.
        others: bool: set to True, in place, for tables that a child survives with, in the columns of the child: of each
            class, first for the first class inside it, all tables, then for the second.
    """
    n_classes = len(member_starts) - 1
    seen = np.zeros(n_classes, np.int64)  # classes inside each, up to now
    pairs = 0
    for child in range(n_classes):
        children = members[member_starts[child] : member_starts[child + 1]]
        wanted = slots[slot_starts[child] : slot_starts[child + 1]]
        asked = np.empty((len(children), len(wanted)), np.int32)
        for i in range(len(children)):
            asked[i] = demands[starts[children[i]] : starts[children[i]] + len(wanted)]
        children_found = np.zeros(len(children), np.bool_)
        places = np.arange(len(wanted))
        found = np.zeros(len(children), np.bool_)
        if len(children) > 1:
            pairs += surviving_pairs(asked, _offered(offers, starts, children, places), True, children_found, found)
        own[children] = found
        for edge in range(above_starts[child], above_starts[child + 1]):
            parent = above[edge]
            parents = members[member_starts[parent] : member_starts[parent + 1]]
            place = 0
            for i in range(len(wanted)):
                while slots[slot_starts[parent] + place] != wanted[i]:
                    place += 1
                places[i] = place
            begin = projection_starts[parent] + seen[parent] * len(parents)
            seen[parent] += 1
            offered = _offered(offers, starts, parents, places)
            pairs += surviving_pairs(asked, offered, False, children_found, others[begin : begin + len(parents)])
        for i in range(len(children)):
            own[children[i]] |= children_found[i]
    return pairs


@kernel
def _offered(
    offers: NDArray[np.int32], starts: NDArray[np.int64], tables: NDArray[np.int64], places: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Return the offers of some tables in some of their slots: int32, shape (slots, tables)."""
    out = np.empty((len(places), len(tables)), np.int32)
    for i in range(len(tables)):
        for slot in range(len(places)):
            out[slot, i] = offers[starts[tables[i]] + places[slot]]
    return out
