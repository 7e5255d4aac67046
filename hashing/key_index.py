"""Records that share blocks: all of them once, with the weights of the blocks that they share added up.

For each block the records that are searched are listed. A query goes through the lists of its blocks in order of their
numbers, so a sum does not depend on the order of records.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel


class KeyIndex(NamedTuple):
    """The records that are searched, block by block (CSC).

    Attributes:
        starts: int64, shape (n_blocks + 1,): block b has ``holders[starts[b]:starts[b + 1]]``.
        holders: int32: places of records in the order in which they stand in a tie, ascending in a block.
        weights: float64, shape (n_blocks,): what sharing a block adds, above 0.
        size: how many records are searched.
    """

    starts: NDArray[np.int64]
    holders: NDArray[np.int32]
    weights: NDArray[np.float64]
    size: int


class Candidates(NamedTuple):
    """Records that share a block with some queries.

    Attributes:
        queries: int64, ascending: number of the query.
        holders: int32: the record; none twice for a query, in no order.
        sums: float64: weights of the blocks that both are in.
    """

    queries: NDArray[np.int64]
    holders: NDArray[np.int32]
    sums: NDArray[np.float64]


def key_index(
    bounds: NDArray[np.int64], blocks: NDArray[np.int32], order: NDArray[np.int64], weights: NDArray[np.float64]
) -> KeyIndex:
    """Return the index of records.

    Args:
        bounds, blocks: the blocks of each record (CSR).
        order: int64, shape (n,): the record that stands first in a tie, the next one, and so on.
        weights: float64, shape (n_blocks,).
    """
    return KeyIndex(*_postings(bounds, blocks, order, len(weights)), weights, len(order))


@kernel
def _postings(
    bounds: NDArray[np.int64], blocks: NDArray[np.int32], order: NDArray[np.int64], n_blocks: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    starts = np.zeros(n_blocks + 1, np.int64)
    for place in range(len(order)):
        for j in range(bounds[order[place]], bounds[order[place] + 1]):
            starts[blocks[j] + 1] += 1
    for block in range(n_blocks):
        starts[block + 1] += starts[block]
    ends = starts[:-1].copy()
    holders = np.empty(starts[-1], np.int32)
    for place in range(len(order)):
        for j in range(bounds[order[place]], bounds[order[place] + 1]):
            holders[ends[blocks[j]]] = place
            ends[blocks[j]] += 1
    return starts, holders


@kernel
def candidates(
    bounds: NDArray[np.int64],
    blocks: NDArray[np.int32],
    itself: NDArray[np.int32],
    index: KeyIndex,
    first: int,
    last: int,
) -> Candidates:
    """Return the records that share a block with the queries ``first`` to ``last - 1``.

    Args:
        bounds, blocks: the blocks of all queries (CSR), ascending.
        itself: int32, shape (n_queries,): the holder that each query is, which it does not find; shape (0,): none is.
        index: the records.
        first, last: of the queries.
    """
    most = 0
    for j in range(bounds[first], bounds[last]):
        most += index.starts[blocks[j] + 1] - index.starts[blocks[j]]
    queries, holders, sums = np.empty(most, np.int64), np.empty(most, np.int32), np.empty(most, np.float64)
    totals = np.zeros(index.size, np.float64)
    used = 0
    for q in range(first, last):
        begin = used
        for j in range(bounds[q], bounds[q + 1]):
            weight = index.weights[blocks[j]]
            for p in range(index.starts[blocks[j]], index.starts[blocks[j] + 1]):
                holder = index.holders[p]
                if totals[holder] == 0.0:
                    holders[used] = holder
                    used += 1
                totals[holder] += weight
        end = begin
        for c in range(begin, used):
            holder = holders[c]
            if len(itself) == 0 or holder != itself[q]:
                queries[end], holders[end], sums[end] = q, holder, totals[holder]
                end += 1
            totals[holder] = 0.0
        used = end
    return Candidates(queries[:used].copy(), holders[:used].copy(), sums[:used].copy())


@kernel
def best_of_each(
    queries: NDArray[np.int64], holders: NDArray[np.int32], scores: NDArray[np.float64], k: int
) -> NDArray[np.int64]:
    """Return which candidates are the k best of their queries, in order: the highest scores, then the lowest holders.

    Args:
        queries: int64, ascending.
        holders: int32, none twice for a query.
        scores: float64.
        k: at least 1.
    """
    chosen = np.empty(len(queries), np.int64)
    used, start = 0, 0
    for c in range(len(queries)):
        if c == 0 or queries[c] != queries[c - 1]:
            start = used
        if used - start < k:
            used += 1
        elif not _before(c, chosen[used - 1], holders, scores):
            continue
        place = used - 1
        while place > start and _before(c, chosen[place - 1], holders, scores):
            chosen[place] = chosen[place - 1]
            place -= 1
        chosen[place] = c
    return chosen[:used].copy()


@inner_kernel
def _before(one: int, other: int, holders: NDArray[np.int32], scores: NDArray[np.float64]) -> bool:
    if scores[one] != scores[other]:
        return bool(scores[one] > scores[other])
    return bool(holders[one] < holders[other])


@kernel
def share_a_key(
    bounds: NDArray[np.int64],
    values: NDArray[np.uint64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Return whether the records of each pair (first[i], second[i]) have a key in common.

    Args:
        bounds, values: keys of records (CSR), ascending in a record.
        first, second: int64, numbers of records.
    """
    shared = np.zeros(len(first), np.bool_)
    for p in range(len(first)):
        i, j = bounds[first[p]], bounds[second[p]]
        i_end, j_end = bounds[first[p] + 1], bounds[second[p] + 1]
        while i < i_end and j < j_end and not shared[p]:
            if values[i] == values[j]:
                shared[p] = True
            elif values[i] < values[j]:
                i += 1
            else:
                j += 1
    return shared
