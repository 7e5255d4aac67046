"""The best rows of the buckets that a query looks into, by Hamming distance or by the inner product of vectors.

Rows of its own bucket and of the probed ones of all bands are gathered, each once, and scored. The scores are:

    by codes    1 - (differing bits) / bits
    by vectors  the inner product of float32 vectors: products, which are exact in float64, added up in float64 in the
                order of the dimensions; so they are the same bits on any threads and in any ranges
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .band_index import BandIndex, bucket_of
from .codes import differing_bits
from .kernel import inner_kernel, kernel

ALL = -1
"""Instead of a number of rows: all that were gathered."""


class Coded(NamedTuple):
    """Records that ask or are searched.

    Attributes:
        codes: uint64, shape (n, words).
        vectors: float32, shape (n, dim): what they are scored by; dim 0: by their codes.
    """

    codes: NDArray[np.uint64]
    vectors: NDArray[np.float32]

    def part(self, first: int, stop: int) -> "Coded":
        """Return the records ``first`` to ``stop - 1``."""
        return Coded(self.codes[first:stop], self.vectors[first:stop])


class Answers(NamedTuple):
    """What queries found, best first; of equal scores the row with the lower number.

    Attributes:
        bounds: int64, shape (n_queries + 1,): query q found the entries ``bounds[q]:bounds[q + 1]``.
        rows: int32.
        scores: float64.
    """

    bounds: NDArray[np.int64]
    rows: NDArray[np.int32]
    scores: NDArray[np.float64]


@kernel
def nearest_in_buckets(
    queries: Coded,
    keys: NDArray[np.uint64],
    flips: NDArray[np.uint64],
    searched: Coded,
    index: BandIndex,
    bits: int,
    k: int,
    own: int,
) -> Answers:
    """Return the best rows of the buckets of each query.

    Args:
        queries: who asks.
        keys: uint64, shape (n_queries, bands): the bands of their codes.
        flips: uint64, shape (n_queries, bands, probes): as of ``probes.flip_order``.
        searched: the records of the index.
        index: their bands; buckets that are too large are passed over.
        bits: of a code.
        k: how many rows, at least 1, or ``ALL``.
        own: the row that the first query is itself, which is left out, as the next one is for the next query; -1 where
            queries are no rows.
    """
    n = len(searched.codes)
    seen = np.zeros((n + 63) // 64, np.uint64)
    gathered = np.empty(min(n, 64), np.int32)
    bounds = np.zeros(len(keys) + 1, np.int64)
    rows, scores = np.empty(len(keys), np.int32), np.empty(len(keys), np.float64)
    for q in range(len(keys)):
        most = min(n, _rows_in_buckets(keys[q], flips[q], index))
        if most > len(gathered):
            gathered = np.empty(min(n, 2 * most), np.int32)
        found = _gather(keys[q], flips[q], index, own + q if own >= 0 else -1, seen, gathered)
        at = bounds[q]
        stop = at + (found if k == ALL else min(k, found))
        if stop > len(rows):
            more = max(stop, 2 * len(rows)) - len(rows)
            rows = np.concatenate((rows, np.empty(more, np.int32)))
            scores = np.concatenate((scores, np.empty(more, np.float64)))
        _take_best(queries, q, searched, bits, gathered[:found], rows[at:stop], scores[at:stop])
        bounds[q + 1] = stop
    return Answers(bounds, rows[: bounds[-1]].copy(), scores[: bounds[-1]].copy())


@inner_kernel
def _rows_in_buckets(keys: NDArray[np.uint64], flips: NDArray[np.uint64], index: BandIndex) -> int:
    """Return how many rows the buckets of a query have, one in several of them counted as often."""
    total = 0
    for band in range(len(keys)):
        for probe in range(-1, flips.shape[1]):
            start, stop = _bucket(keys, flips, index, band, probe)
            total += stop - start
    return total


@inner_kernel
def _bucket(
    keys: NDArray[np.uint64], flips: NDArray[np.uint64], index: BandIndex, band: int, probe: int
) -> tuple[int, int]:
    """Return from where to where the rows of a bucket are that is used: probe -1 is the query's own."""
    bucket = bucket_of(index, band, keys[band] if probe < 0 else keys[band] ^ flips[band, probe])
    if bucket < 0:
        return 0, 0
    start, stop = index.starts[bucket], index.starts[bucket + 1]
    return (start, stop) if stop - start <= index.max_bucket else (0, 0)


@inner_kernel
def _gather(
    keys: NDArray[np.uint64],
    flips: NDArray[np.uint64],
    index: BandIndex,
    itself: int,
    seen: NDArray[np.uint64],
    gathered: NDArray[np.int32],
) -> int:
    """Write the rows of the buckets of a query, each once, but for itself; return how many.

    ``seen`` has a bit a row, all 0, and again afterwards: with it a row costs a look into a few kilobytes.
    """
    found = 0
    for band in range(len(keys)):
        for probe in range(-1, flips.shape[1]):
            start, stop = _bucket(keys, flips, index, band, probe)
            for place in range(start, stop):
                row = index.rows[place]
                bit = np.uint64(1) << np.uint64(row & 63)
                if not seen[row >> 6] & bit and row != itself:
                    seen[row >> 6] |= bit
                    gathered[found] = row
                    found += 1
    for i in range(found):
        seen[gathered[i] >> 6] = np.uint64(0)
    return found


@inner_kernel
def _take_best(
    queries: Coded,
    q: int,
    searched: Coded,
    bits: int,
    gathered: NDArray[np.int32],
    best: NDArray[np.int32],
    scores: NDArray[np.float64],
) -> None:
    """Write the best of some rows, best first, into ``best``, which has room for as many as are wanted.

    While rows come, ``best`` is a heap with the worst of those that are kept at its top; then it is sorted in place.
    """
    room = len(best)
    for i in range(len(gathered)):
        row = gathered[i]
        score = _score(queries, q, searched, row, bits)
        if i < room:
            _sift_up(best, scores, i, row, score)
        elif _is_worse(best[0], scores[0], row, score):
            _sift_down(best, scores, room, row, score)
    for held in range(room - 1, 0, -1):
        row, score = best[held], scores[held]
        best[held], scores[held] = best[0], scores[0]
        _sift_down(best, scores, held, row, score)


@inner_kernel
def _score(queries: Coded, q: int, searched: Coded, row: int, bits: int) -> float:
    if not queries.vectors.shape[1]:
        return 1.0 - differing_bits(queries.codes[q], searched.codes[row]) / bits
    total = 0.0
    for i in range(queries.vectors.shape[1]):
        total += np.float64(queries.vectors[q, i]) * np.float64(searched.vectors[row, i])
    return total


@inner_kernel
def _is_worse(row: int, score: float, other: int, other_score: float) -> bool:
    """Return whether a row comes behind another."""
    return score < other_score or (score == other_score and row > other)


@inner_kernel
def _sift_up(best: NDArray[np.int32], scores: NDArray[np.float64], held: int, row: int, score: float) -> None:
    """Put a row into a heap of ``held`` others."""
    place = held
    while place > 0 and _is_worse(row, score, best[(place - 1) // 2], scores[(place - 1) // 2]):
        parent = (place - 1) // 2
        best[place], scores[place] = best[parent], scores[parent]
        place = parent
    best[place], scores[place] = row, score


@inner_kernel
def _sift_down(best: NDArray[np.int32], scores: NDArray[np.float64], held: int, row: int, score: float) -> None:
    """Put a row into a heap of ``held`` places instead of its top."""
    place = 0
    while 2 * place + 1 < held:
        child = 2 * place + 1
        if child + 1 < held and _is_worse(best[child + 1], scores[child + 1], best[child], scores[child]):
            child += 1
        if not _is_worse(best[child], scores[child], row, score):
            break
        best[place], scores[place] = best[child], scores[child]
        place = child
    best[place], scores[place] = row, score
