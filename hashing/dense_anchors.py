"""For each of some ranked vectors the best-ranked ones that are similar enough to it: exact, as in ``dense_topk``.

Vectors stand in rank order. A vector is compared with those before it, from the best-ranked on, until so many similar
ones are found as are wanted; one more is looked for, to know whether there are others.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .dense_topk import (
    COSINE,
    QUERIES,
    ROWS,
    STRIDE,
    DenseRows,
    Doubles,
    Floats,
    above,
    any_above,
    cut,
    exact_score,
    lowest,
    range_of,
)
from .kernel import inner_kernel, kernel


class Anchors(NamedTuple):
    """Pairs of vectors.

    Attributes:
        worse, better: int64: places of two vectors, ascending by (worse, better).
        scores: float64.
        capped: int64, ascending: places of those that have more similar ones before them than were wanted.
    """

    worse: NDArray[np.int64]
    better: NDArray[np.int64]
    scores: Doubles
    capped: NDArray[np.int64]


def anchors(
    vectors: DenseRows, least: Doubles, first: int, stop: int, most: int, *, block: int = QUERIES, tile: int = ROWS
) -> Anchors:
    """Return the similar vectors before each of a range, the first ``most`` of each.

    Args:
        vectors: all, in rank order.
        least: float64, shape (n,): a pair is similar that has at least the score that each of both asks for.
        first, stop: whose similar ones are wanted.
        most: how many of each, at least 1.
        block, tile: vectors of one product; they change no result.
    """
    parts = [_of_block(vectors, least, at, min(stop, at + block), most, tile) for at in range(first, stop, block)]
    return Anchors(
        np.concatenate([np.empty(0, np.int64), *(part.worse for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.better for part in parts)]),
        np.concatenate([np.empty(0, np.float64), *(part.scores for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.capped for part in parts)]),
    )


def _of_block(vectors: DenseRows, least: Doubles, first: int, stop: int, most: int, tile: int) -> Anchors:
    counts = np.zeros(stop - first, np.int64)
    found, scores = np.zeros((stop - first, most), np.int64), np.zeros((stop - first, most))
    queries, asked = vectors.part(first, stop), least[first:stop]
    for start in range(0, stop, tile):
        end = min(stop, start + tile)
        waiting = np.flatnonzero(counts <= most)
        if not len(waiting):
            break
        low, high = int(waiting[0]), int(waiting[-1]) + 1
        part, products = queries.part(low, high), queries.moved[low:high] @ vectors.moved[start:end].T
        _take_ranked(
            products,
            part,
            vectors.part(start, end),
            first + low - start,
            start,
            asked[low:high],
            least[start:end],
            counts[low:high],
            found[low:high],
            scores[low:high],
        )
    taken = np.minimum(counts, most)
    places = np.arange(most)[None, :] < taken[:, None]
    worse = np.repeat(np.arange(first, stop), taken)
    return Anchors(worse, found[places], scores[places], first + np.flatnonzero(counts > most))


@kernel
def _take_ranked(
    products: Floats,
    queries: DenseRows,
    rows: DenseRows,
    before: int,
    start: int,
    asked: Doubles,
    least: Doubles,
    counts: NDArray[np.int64],
    found: NDArray[np.int64],
    scores: Doubles,
) -> None:
    """Add the similar ones among some rows to those that are found.

    Args:
        products: float32, shape (n_queries, n_rows).
        queries, rows: those that were multiplied.
        before: rows that stand before the first query; each next one has one more.
        start: place of the first row.
        asked, least: float64: the scores that each query, and each row, asks for.
        counts: int64, shape (n_queries,): how many are found; up to one more than there is room for; updated.
        found, scores: shape (n_queries, most): what is found; updated.
    """
    most = found.shape[1]
    shortest, longest = range_of(rows)
    loosest = np.inf
    for x in least:
        loosest = min(loosest, x)
    for q in range(len(products)):
        if counts[q] > most or (rows.metric == COSINE and queries.squares[q] == 0.0):
            continue
        a, b, c = cut(queries, q, rows.metric, np.nextafter(max(asked[q], loosest), -np.inf))
        floor = lowest(a, b, c, shortest, longest)
        end = min(len(least), before + q)
        for low in range(0, end, STRIDE):
            if low + STRIDE <= end and not any_above(products[q], low, floor):
                continue
            for r in range(low, min(low + STRIDE, end)):
                if counts[q] > most or not above(products[q, r], rows.lengths[r], a, b, c):
                    continue
                score = exact_score(queries, q, rows, r)
                if score >= max(asked[q], least[r]):
                    _add(q, start + r, score, counts, found, scores)


@inner_kernel
def _add(q: int, row: int, score: float, counts: NDArray[np.int64], found: NDArray[np.int64], scores: Doubles) -> None:
    if counts[q] < found.shape[1]:
        found[q, counts[q]], scores[q, counts[q]] = row, score
    counts[q] += 1
