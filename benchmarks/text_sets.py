"""Shingle sets of texts: their sketches, their exact similarities, and pairs of them that are similar."""

import numpy as np
from accuracy_random import ROOM
from numba import njit
from numpy.typing import NDArray

from tamis.hashing.fss import fss_fill
from tamis.hashing.oph import EMPTY
from tamis.hashing.shingles import WORD, shingle_sets
from tamis.hashing.sketch import FSS, SketchPlan, complete, lower, no_sketch_scratch, signatures, sketch_plan
from tamis.hashing.unicode_table import words_v1


def padded_sets(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], shingle: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the shingle sets of texts, one after another, with ``ROOM`` zeros behind the last, and their bounds."""
    values, bounds = shingle_sets(data, offsets, WORD, shingle, words_v1())
    return np.concatenate([values, np.zeros(ROOM, np.uint64)]), bounds


@njit(nogil=True)
def sketch_sets(
    values: NDArray[np.uint64], bounds: NDArray[np.int64], which: NDArray[np.int64], plan: SketchPlan
) -> NDArray[np.uint64]:
    """Return the signatures of some of the sets that ``padded_sets`` makes: uint64, shape (len(which), plan.values)."""
    out, longest = np.empty((len(which), plan.values), np.uint64), 0
    for i in which:
        longest = max(longest, bounds[i + 1] - bounds[i])
    work, partial = np.empty(longest + ROOM, np.uint64), np.empty(plan.values, np.uint64)
    scratch = no_sketch_scratch(plan)
    for n in range(len(which)):
        start, count = bounds[which[n]], bounds[which[n] + 1] - bounds[which[n]]
        shingles = values[start:]
        # Written out as in sketch_set: a call would add a fifth to the time of oph, and this is timed.
        partial[:] = EMPTY
        lower(partial, shingles, count, plan, work)
        if plan.kind == FSS and count > 0:
            fss_fill(partial, shingles, count, plan.seed, work)
        if count > 0:
            complete(partial, plan, scratch, out[n])
        else:
            out[n] = EMPTY
    return out


@njit(nogil=True)
def merge_plainly(
    values: NDArray[np.uint64], bounds: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the similarity of pairs of sorted sets by the merge of textbooks."""
    similarity = np.empty(len(first), np.float64)
    for p in range(len(first)):
        i, end = bounds[first[p]], bounds[first[p] + 1]
        j, stop = bounds[second[p]], bounds[second[p] + 1]
        union, common = end - i + stop - j, 0
        while i < end and j < stop:
            if values[i] == values[j]:
                common += 1
                i += 1
                j += 1
            elif values[i] < values[j]:
                i += 1
            else:
                j += 1
        similarity[p] = common / (union - common) if union else 0.0
    return similarity


def similar_pairs(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], values: int, shingle: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return many pairs of different texts that share something: (first, second, exact similarity).

    Texts next to each other in the order of one value of their signatures, where these are equal.
    """
    plan, rows = sketch_plan("minhash", values=values, shingle=shingle), len(offsets) - 1
    signature = signatures(data, offsets, plan)
    found = []
    for j in range(values):
        order = np.argsort(signature[:, j], kind="stable")
        equal = signature[order[1:], j] == signature[order[:-1], j]
        found.append(np.unique(order[:-1][equal] * rows + order[1:][equal]))
    codes = np.unique(np.concatenate(found))
    first, second = np.divmod(codes, rows)
    return first, second, merge_plainly(*padded_sets(data, offsets, shingle), first, second)
