"""Find all pairs of texts from some similarity on, exactly, without comparing all and in little memory.

Prefix filtering (Bayardo, Ma, Srikant: Scaling up all pairs similarity search, WWW 2007): with the shingles of every
set in one order, two sets of similarity t share one of the first n - ceil(t n) + 1 of either. Any order is right, and
the rarer come first the fewer sets meet. Here a shingle's rank is the count of its place in a table, which others may
share: a count of 1 is certain, so what has it brings no pair and is not kept. The sets lie in a file, of 8 bytes a
shingle, that is mapped while it is used. In memory are the table, of ``MOST_BITS`` at most, and 24 bytes for each
shingle of a prefix that is not alone, 40 while they are sorted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from accuracy_texts import SHINGLE, Pairs
from numba import njit
from numpy.typing import NDArray
from text_sets import padded_sets

from tamis.pipeline.text_column import text_buffers

LEAST_BITS, MOST_BITS = 10, 28
"""Of the number of places in the table of counts; at most 268 MB."""

MANY = 255
"""Where a count stops: what is more frequent is ordered by its hash alone."""

BLOCK_ROWS = 16_384

_ZERO = np.zeros(1, np.int64)


class Postings(NamedTuple):
    """Which sets have which shingle in their prefix.

    Attributes:
        bounds: int64, shape (sets + 1,): where the prefix of each set begins in ``shingles``.
        shingles: int64, numbers of shingles, set by set.
        starts: int64, shape (numbers + 1,): where the sets of each shingle begin in ``members``.
        members: int64, numbers of sets, ascending for each shingle.
    """

    bounds: NDArray[np.int64]
    shingles: NDArray[np.int64]
    starts: NDArray[np.int64]
    members: NDArray[np.int64]


@dataclass(frozen=True)
class SimilarSets:
    """The shingle sets of texts, and what finds those that are similar to one of them.

    Attributes:
        file: the sorted sets, one after another: uint64.
        bounds: int64, shape (texts + 1,): where each begins.
        least: the similarity of a pair, more than 0.
        postings: of the prefixes.
    """

    file: Path
    bounds: NDArray[np.int64]
    least: float
    postings: Postings

    @classmethod
    def of(cls, texts: Iterable[pa.Array], least: float, file: Path) -> "SimilarSets":
        """Shingle texts, given as columns of strings, by the product's kernel; ``file`` is written."""
        sizes = [np.zeros(1, np.int64)]
        with file.open("wb") as out:
            for column in texts:
                values, bounds = padded_sets(*text_buffers(column), SHINGLE)
                values[: bounds[-1]].tofile(out)
                sizes.append(np.diff(bounds))
            np.zeros(1, np.uint64).tofile(out)  # an empty file cannot be mapped
        bounds = np.cumsum(np.concatenate(sizes))
        return cls(file, bounds, least, _postings(file, bounds, least))

    @property
    def values(self) -> NDArray[np.uint64]:
        """The sets, mapped anew: pages are let go with the array."""
        return np.asarray(np.memmap(self.file, np.uint64, "r"))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Distinct shingles of each text."""
        return np.diff(self.bounds)

    def pairs(self) -> Pairs:
        """Return every pair of texts of at least that similarity."""
        first, second, similarity = _pairs(self.values, self.bounds, self.postings, self.least)
        return Pairs(first, second, similarity).pick(np.lexsort((first, second)))

    def with_partner(self, rows: NDArray[np.int64], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say for each of some texts if one of those that stay, other than itself, is that similar to it."""
        return _with_partner(self.values, self.bounds, self.postings, self.least, rows, kept)


def rows_with_partner(pairs: Pairs, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the rows that have a pair with a row that stays."""
    found = np.zeros(len(kept), np.bool_)
    found[pairs.second[kept[pairs.first]]] = True
    found[pairs.first[kept[pairs.second]]] = True
    return found


def _blocks(file: Path, bounds: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """Yield some sets after another, with their bounds."""
    for i in range(0, len(bounds) - 1, BLOCK_ROWS):
        own = bounds[i : i + BLOCK_ROWS + 1]
        yield np.fromfile(file, np.uint64, own[-1] - own[0], offset=8 * int(own[0])), own - own[0]


def _postings(file: Path, bounds: NDArray[np.int64], least: float) -> Postings:
    """Count all shingles, then list those of the prefixes."""
    bits = min(MOST_BITS, max(LEAST_BITS, 1 + int(bounds[-1]).bit_length()))
    counts, shift = np.zeros(1 << bits, np.uint8), np.uint64(64 - bits)
    for values, _ in _blocks(file, bounds):
        _count(values, counts, shift)
    blocks = [_prefixes(*block, counts, shift, least) for block in _blocks(file, bounds)]
    none: tuple[NDArray[Any], NDArray[Any]] = (np.empty(0, np.uint64), np.empty(0, np.int64))
    shared, lengths = (np.concatenate(parts) for parts in zip(none, *blocks, strict=True))
    del counts, blocks
    order = np.argsort(shared, kind="stable")  # sets of one shingle stay in order
    shared = shared[order]
    starts = np.flatnonzero(np.concatenate([[True], shared[1:] != shared[:-1], [True]])) if len(shared) else _ZERO
    del shared
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    members = np.repeat(np.arange(len(lengths)), lengths)[order]
    return Postings(np.concatenate([_ZERO, np.cumsum(lengths)]), numbers, starts, members)


@njit(nogil=True)
def _count(values: NDArray[np.uint64], counts: NDArray[np.uint8], shift: np.uint64) -> None:
    for value in values:
        place = value >> shift
        if counts[place] < MANY:
            counts[place] += 1


@njit(nogil=True)
def _prefixes(
    values: NDArray[np.uint64], bounds: NDArray[np.int64], counts: NDArray[np.uint8], shift: np.uint64, least: float
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the shingles of each prefix that others may have too, set by set, and how many each set has."""
    out, used = np.empty(len(values), np.uint64), 0
    lengths = np.empty(len(bounds) - 1, np.int64)
    of_count = np.empty(MANY + 1, np.int64)
    for row in range(len(lengths)):
        own, before = values[bounds[row] : bounds[row + 1]], used
        room = min(len(own), len(own) - np.int64(np.ceil(least * len(own) - 1e-9)) + 1)
        of_count[:] = 0
        for value in own:
            of_count[counts[value >> shift]] += 1
        last = 0
        while room > of_count[last]:
            room -= of_count[last]
            last += 1
        for value in own:  # ascending, which orders those of the last count
            count = counts[value >> shift]
            if count > last or (count == last and room == 0):
                continue
            if count == last:
                room -= 1
            if count > 1:
                out[used] = value
                used += 1
        lengths[row] = used - before
    return out[:used].copy(), lengths


@njit(nogil=True)
def _similarity(values: NDArray[np.uint64], bounds: NDArray[np.int64], one: int, other: int, least: float) -> float:
    """Return the similarity of two sets, or 0 as soon as it cannot reach ``least``."""
    i, end, j, stop = bounds[one], bounds[one + 1], bounds[other], bounds[other + 1]
    together, common = end - i + stop - j, 0
    fewest = least / (1 + least) * together - 1e-6
    while i < end and j < stop:
        if common + min(end - i, stop - j) < fewest:
            return 0.0
        if values[i] == values[j]:
            common += 1
            i += 1
            j += 1
        elif values[i] < values[j]:
            i += 1
        else:
            j += 1
    return common / (together - common)


@njit(nogil=True)
def _pairs(
    values: NDArray[np.uint64], bounds: NDArray[np.int64], postings: Postings, least: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return all pairs (first, second, similarity), by second."""
    ends, similarity, used = np.empty((1024, 2), np.int64), np.empty(1024, np.float64), 0
    met = np.full(len(bounds), -1, np.int64)
    for row in range(len(bounds) - 1):
        for shingle in postings.shingles[postings.bounds[row] : postings.bounds[row + 1]]:
            for other in postings.members[postings.starts[shingle] : postings.starts[shingle + 1]]:
                if other >= row:
                    break
                if met[other] == row:
                    continue
                met[other] = row
                found = _similarity(values, bounds, other, row, least)
                if found < least:
                    continue
                if used == len(similarity):
                    ends = np.concatenate((ends, np.empty_like(ends)))
                    similarity = np.concatenate((similarity, np.empty_like(similarity)))
                ends[used, 0], ends[used, 1], similarity[used] = other, row, found
                used += 1
    return ends[:used, 0].copy(), ends[:used, 1].copy(), similarity[:used].copy()


@njit(nogil=True)
def _with_partner(
    values: NDArray[np.uint64],
    bounds: NDArray[np.int64],
    postings: Postings,
    least: float,
    rows: NDArray[np.int64],
    kept: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    found, met = np.zeros(len(rows), np.bool_), np.full(len(bounds), -1, np.int64)
    for n in range(len(rows)):
        row = rows[n]
        met[row] = n  # no text is its own partner
        for shingle in postings.shingles[postings.bounds[row] : postings.bounds[row + 1]]:
            if found[n]:
                break
            for other in postings.members[postings.starts[shingle] : postings.starts[shingle + 1]]:
                if kept[other] and met[other] != n:
                    met[other] = n
                    if _similarity(values, bounds, other, row, least) >= least:
                        found[n] = True
                        break
    return found
