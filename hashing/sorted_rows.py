"""Which rows of one set another one lacks: rows are numbers of 128 bits, and those of a set ascend."""

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel

Ints = NDArray[np.int64]


@inner_kernel
def _is_below(high: Ints, low: Ints, place: int, of: int) -> bool:
    """Return whether the row at one place is smaller than that at another."""
    return bool(high[place] < high[of] or (high[place] == high[of] and low[place] < low[of]))


@inner_kernel
def _first_not_below(high: Ints, low: Ints, start: int, stop: int, of: int) -> int:
    """Return the first place from ``start`` on whose row is not smaller than another one; ``stop`` for none.

    Steps double, then halve: a few rows are found among many without looking at all of these.
    """
    step, end = 1, start
    while end < stop and _is_below(high, low, end, of):
        start, end, step = end + 1, end + step, 2 * step
    end = min(end, stop)
    while start < end:
        middle = (start + end) // 2
        if _is_below(high, low, middle, of):
            start = middle + 1
        else:
            end = middle
    return start


@kernel
def lacking_rows(
    high: Ints, low: Ints, rows: Ints, starts: Ints, stops: Ints, child: Ints, parent: Ints, most: int, bags: bool
) -> tuple[Ints, Ints, Ints]:
    """Look for the rows of children in parents.

    Args:
        high, low: int64: the rows of all sets; those of a set stand together, each once, ascending by (high, low).
        rows: int64: how often a set has each.
        starts, stops: int64: where the rows of each set are.
        child, parent: int64, shape (n,): pairs of sets.
        most: how many of a child's smallest rows are looked for.
        bags: whether a parent must have a row as often as the child; else once will do.

    Returns:
        int64 arrays, shape (n,): how many of these rows the parent lacks; how often, all together: of bags, what it has
        too few of; the place of the first of them, or -1.
    """
    missing, times = np.zeros(len(child), np.int64), np.zeros(len(child), np.int64)
    first = np.full(len(child), -1, np.int64)
    for i in range(len(child)):
        at, stop = starts[parent[i]], stops[parent[i]]
        begin = starts[child[i]]
        for place in range(begin, min(stops[child[i]], begin + most)):
            at = _first_not_below(high, low, at, stop, place)
            short = rows[place] if bags else 1
            if at < stop and high[at] == high[place] and low[at] == low[place]:
                short = rows[place] - rows[at] if bags else 0
            if short > 0:
                missing[i] += 1
                times[i] += short
                if first[i] < 0:
                    first[i] = place
    return missing, times, first
