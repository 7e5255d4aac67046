"""The k nearest of dense vectors: exact, and the same to the last bit for any blocks, threads and BLAS.

A score is computed in float64, one component after another, from float32 values. That is slow, so it is done for few
rows: products of float32 matrices (BLAS) propose. However BLAS adds up, its product of a query and a row differs from
the true one by at most about d * 2**-24 times the product of their lengths (Higham, Accuracy and Stability of
Numerical Algorithms, 2002, 3.1), and a row is scored whenever it may, within that bound, be among the first k. So no
row is lost to rounding, and proposals decide about time alone.

Scores, higher for nearer ones:

- ``inner``: the inner product;
- ``cosine``: the product by the square root of the product of both squared lengths, from -1.0 to 1.0; 1.0 for equal
  vectors. A vector of zeros has no direction: it finds nothing and is not found;
- ``euclidean``: minus the distance.

Of equal scores the lower row comes first.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError, InputError
from .kernel import inner_kernel, kernel

Metric = Literal["cosine", "inner", "euclidean"]
COSINE, INNER, EUCLIDEAN = 0, 1, 2
METRICS: dict[str, int] = {"cosine": COSINE, "inner": INNER, "euclidean": EUCLIDEAN}

LARGEST = 1e15
"""Largest size of a component: products of two such vectors stay far inside float32."""
MOST_COMPONENTS = 1 << 16

QUERIES, ROWS = 256, 4096
"""Queries and rows of one matrix product: 4 MB of products."""

STRIDE = 64
"""Products that are looked at together."""

UNIT = 1e-3
"""Squared lengths that are this near to 1 need no scaling before BLAS multiplies them."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class DenseRows(NamedTuple):
    """Vectors, ready to be searched or to ask.

    Attributes:
        vectors: float32, shape (n, d), contiguous: the vectors as given.
        squares: float64, shape (n,): their squared lengths.
        moved: float32, shape (n, d): what BLAS multiplies: the vectors; under ``cosine`` scaled to length 1; under
            ``euclidean`` seen from ``origin``, which keeps its errors small.
        lengths: float64, shape (n,): the lengths of these.
        origin: float64, shape (d,): zeros but for ``euclidean``, where it is the mean of the searched vectors.
        metric: one of ``METRICS``.
    """

    vectors: Floats
    squares: Doubles
    moved: Floats
    lengths: Doubles
    origin: Doubles
    metric: int

    def part(self, first: int, stop: int) -> "DenseRows":
        """Return the vectors ``first`` to ``stop - 1`` without a copy."""
        return self._replace(
            vectors=self.vectors[first:stop],
            squares=self.squares[first:stop],
            moved=self.moved[first:stop],
            lengths=self.lengths[first:stop],
        )


class NearestRows(NamedTuple):
    """For each query the best rows, best first.

    Attributes:
        rows: int64, shape (n_queries, k); -1 where there are fewer rows.
        scores: float64, shape (n_queries, k); minus infinity there.
    """

    rows: NDArray[np.int64]
    scores: Doubles


def dense_rows(vectors: Floats, metric: Metric, like: DenseRows | None = None) -> DenseRows:
    """Check vectors and prepare them.

    Args:
        vectors: float32, shape (n, d); it is not copied where it is contiguous.
        metric: what scores are.
        like: the searched vectors, where these are queries.

    Raises:
        InputError: they are not float32 of that shape, or a component is NaN, infinite or above ``LARGEST``.
        ConfigError: there is no such metric.
    """
    if metric not in METRICS:
        raise ConfigError(
            "vectors are compared by a known metric", value=metric, remedy=f"One of {', '.join(METRICS)}."
        )
    if vectors.ndim != 2 or vectors.dtype != np.float32 or vectors.shape[1] > MOST_COMPONENTS:
        raise InputError(
            f"vectors are a float32 matrix of at most {MOST_COMPONENTS:,} columns",
            value=f"{vectors.dtype} of shape {vectors.shape}",
            remedy="Convert them: a row is a vector.",
        )
    if like is not None and vectors.shape[1] != like.vectors.shape[1]:
        raise InputError(
            "queries have as many components as the searched vectors",
            value=f"{vectors.shape[1]} and {like.vectors.shape[1]}",
            remedy="Make both by one encoder.",
        )
    vectors = np.ascontiguousarray(vectors)
    bad = first_bad(vectors)
    if bad >= 0:
        row, column = divmod(bad, vectors.shape[1])
        raise InputError(
            f"components are numbers of size {LARGEST:g} at most",
            value=f"{vectors[row, column]} at row {row}, column {column}",
            remedy="Leave such vectors out, or scale all of them.",
        )
    squares = squared_lengths(vectors)
    moved, origin = vectors, np.zeros(vectors.shape[1])
    if metric == "euclidean" and len(vectors):
        origin = vectors.mean(axis=0, dtype=np.float64) if like is None else like.origin
        moved = (vectors - origin).astype(np.float32)
    elif metric == "cosine" and np.any((np.abs(squares - 1.0) > UNIT) & (squares > 0.0)):
        moved = (vectors / np.sqrt(np.where(squares > 0.0, squares, 1.0))[:, None]).astype(np.float32)
    lengths = np.sqrt(squares if moved is vectors else squared_lengths(moved))
    return DenseRows(vectors, squares, moved, lengths, origin, METRICS[metric])


def nearest_dense(
    queries: DenseRows, index: DenseRows, k: int, own: int = -1, *, block: int = QUERIES, tile: int = ROWS
) -> NearestRows:
    """Return the k rows with the highest scores for each query.

    Args:
        queries: made with ``like=index``, or a part of the index itself.
        index: the rows that are searched.
        k: how many, at least 1.
        own: the row that the first query is itself, which is left out, as the next one is for the next query; -1 where
            queries are no rows.
        block, tile: queries and rows of one product; they change no result.
    """
    found = NearestRows(np.full((len(queries.vectors), k), -1), np.full((len(queries.vectors), k), -np.inf))
    for first, start, products in blocks_of_products(queries, index, block, tile):
        stop = first + len(products)
        asked, seen = queries.part(first, stop), index.part(start, start + products.shape[1])
        itself = own + first if own >= 0 else -1
        _take_nearest(products, asked, seen, start, itself, found.rows[first:stop], found.scores[first:stop])
    return found


def blocks_of_products(
    queries: DenseRows, index: DenseRows, block: int = QUERIES, tile: int = ROWS
) -> Iterator[tuple[int, int, Floats]]:
    """Yield (first query, first row, float32 products of some queries and rows); of one query rows ascend."""
    for first in range(0, len(queries.moved), block):
        asked = queries.moved[first : first + block]
        for start in range(0, len(index.moved), tile):
            yield first, start, asked @ index.moved[start : start + tile].T


@kernel
def _take_nearest(
    products: Floats,
    queries: DenseRows,
    index: DenseRows,
    start: int,
    own: int,
    rows: NDArray[np.int64],
    scores: Doubles,
) -> None:
    """Put rows among the best ones that are already there.

    Args:
        products: float32, shape (n_queries, n_rows).
        queries, index: those that were multiplied.
        start: number of the first row.
        own: the row that the first query is, or -1.
        rows, scores: shape (n_queries, k): the best so far; updated.
    """
    shortest, longest = range_of(index)
    for q in range(len(products)):
        if index.metric == COSINE and queries.squares[q] == 0.0:
            continue
        itself = own + q - start if own >= 0 else -1
        a, b, c = cut(queries, q, index.metric, scores[q, -1])
        floor = lowest(a, b, c, shortest, longest)
        for low in range(0, products.shape[1], STRIDE):
            if low + STRIDE <= products.shape[1] and not any_above(products[q], low, floor):
                continue
            for r in range(low, min(low + STRIDE, products.shape[1])):
                if r == itself or not above(products[q, r], index.lengths[r], a, b, c):
                    continue
                score = exact_score(queries, q, index, r)
                if score > scores[q, -1]:
                    _insert(rows[q], scores[q], start + r, score)
                    a, b, c = cut(queries, q, index.metric, scores[q, -1])
                    floor = lowest(a, b, c, shortest, longest)
            if done(index.metric, scores[q, -1]):
                break


@inner_kernel
def cut(queries: DenseRows, q: int, metric: int, least: float) -> tuple[float, float, float]:
    """Return (a, b, c): only a row of length n and product p > a + b n + c n**2 can have a score above ``least``.

    The bounds hold for float32 products in any order, with numbers below 2**-126 taken as zeros.
    """
    d = queries.vectors.shape[1]
    error = 1.1 * (d + 32) * 2.0**-24
    n = queries.lengths[q]
    tiny = d * 2.0**-120 * (1.0 + n)  # of what is lost below 2**-126; that of a row is d * 2**-120 of its length
    if metric == INNER:
        return least - tiny, -(error * n + d * 2.0**-120), 0.0
    if metric == COSINE:
        return -tiny, n * (least - error) - d * 2.0**-120, 0.0
    half = 0.5 * error
    return (
        0.5 * (n * n - least * least) - half * n * n - tiny,
        -(2.0 * half * n + d * 2.0**-120),
        0.5 - half,
    )


@inner_kernel
def above(product: float, length: float, a: float, b: float, c: float) -> bool:
    """Return whether a row may be above what ``cut`` was asked for; NaN is not below it."""
    return not (float(product) <= a + b * length + c * length * length)


@inner_kernel
def range_of(index: DenseRows) -> tuple[float, float]:
    """Return the least and the greatest length of some rows; under ``cosine`` of those that can be found."""
    shortest, longest = np.inf, 0.0
    for n in index.lengths:
        if n > 0.0 or index.metric != COSINE:
            shortest, longest = min(shortest, n), max(longest, n)
    return shortest, longest


@inner_kernel
def lowest(a: float, b: float, c: float, shortest: float, longest: float) -> np.float32:
    """Return a product that no row of these lengths is above ``cut`` with, or with less."""
    if shortest > longest:
        return np.float32(np.inf)
    if not a > -np.inf or not b > -np.inf:
        return np.float32(-np.inf)
    n = shortest if c <= 0.0 else min(max(-0.5 * b / c, shortest), longest)
    least = min(a + b * n + c * n * n, a + b * longest + c * longest * longest)
    return np.float32(least - abs(least) * 2.0**-20 - 2.0**-120)


@inner_kernel
def any_above(products: Floats, low: int, floor: np.float32) -> bool:
    """Return whether any of ``STRIDE`` products is above a number."""
    some = np.int32(0)
    for r in range(STRIDE):
        some += np.int32(not (products[low + r] <= floor))
    return bool(some > 0)


@inner_kernel
def done(metric: int, least: float) -> bool:
    """Return whether nothing can be above a score."""
    return (metric == COSINE and least >= 1.0) or (metric == EUCLIDEAN and least >= 0.0)


@inner_kernel
def exact_score(queries: DenseRows, q: int, index: DenseRows, r: int) -> float:
    """Return the score of two vectors; minus infinity under ``cosine`` for a vector of zeros."""
    one, other = queries.vectors[q], index.vectors[r]
    total = 0.0
    if index.metric == EUCLIDEAN:
        for i in range(len(one)):
            difference = np.float64(one[i]) - np.float64(other[i])
            total += difference * difference
        return float(0.0 - np.sqrt(total))  # no -0.0
    for i in range(len(one)):
        total += np.float64(one[i]) * np.float64(other[i])
    if index.metric == INNER:
        return total
    square = queries.squares[q] * index.squares[r]
    return -np.inf if square == 0.0 else min(1.0, max(-1.0, total / np.sqrt(square)))


@inner_kernel
def _insert(best: NDArray[np.int64], scores: Doubles, row: int, score: float) -> None:
    """Put a row into its place; rows come in ascending order, so it goes behind its equals."""
    place = len(best) - 1
    while place > 0 and scores[place - 1] < score:
        best[place], scores[place] = best[place - 1], scores[place - 1]
        place -= 1
    best[place], scores[place] = row, score


@kernel
def nearest_among(
    queries: DenseRows, index: DenseRows, proposed: NDArray[np.int64], k: int, own: int = -1
) -> NearestRows:
    """Return the k best of the rows that are proposed to each query.

    Args:
        queries, index, k, own: as of ``nearest_dense``.
        proposed: int64, shape (n_queries, m), each row ascending, no number twice in it; below 0 for none.
    """
    rows = np.full((len(proposed), k), -1, np.int64)
    scores = np.full((len(proposed), k), -np.inf, np.float64)
    for q in range(len(proposed)):
        for r in proposed[q]:
            if r < 0 or (own >= 0 and r == own + q):
                continue
            score = exact_score(queries, q, index, r)
            if score > scores[q, -1]:
                _insert(rows[q], scores[q], r, score)
    return NearestRows(rows, scores)


@kernel
def none_above(
    queries: DenseRows, index: DenseRows, scores: Doubles, least: Floats, distances: bool
) -> NDArray[np.bool_]:
    """Return for which queries no row can be above a score that was not proposed, bool, shape (n_queries,).

    Args:
        queries, index: prepared vectors.
        scores: float64, shape (n_queries,): the score.
        least: float32, shape (n_queries,): rows whose product in float32 is above it were all proposed.
        distances: whether ``least`` are squared distances instead, and those below were proposed.
    """
    certain = np.zeros(len(scores), np.bool_)
    shortest, longest = range_of(index)
    for q in range(len(scores)):
        if distances:
            error = 2.2 * (index.vectors.shape[1] + 32) * 2.0**-24 * (queries.lengths[q] + longest) ** 2
            certain[q] = scores[q] * scores[q] + error + 2.0**-100 < least[q]
        else:
            a, b, c = cut(queries, q, index.metric, scores[q])
            certain[q] = least[q] <= lowest(a, b, c, shortest, longest)
    return certain


@kernel
def score_pairs(
    queries: DenseRows, index: DenseRows, places: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the scores of pairs, float64, shape (n_pairs,).

    Args:
        queries, index: prepared vectors.
        places: int64, shape (n_pairs,): the query of each pair.
        rows: int64, shape (n_pairs,): its row.
    """
    scores = np.empty(len(places), np.float64)
    for i in range(len(places)):
        scores[i] = exact_score(queries, places[i], index, rows[i])
    return scores


@kernel
def squared_lengths(vectors: Floats) -> NDArray[np.float64]:
    """Return the squared length of each vector, float64, added up in order."""
    squares = np.zeros(len(vectors), np.float64)
    for i in range(len(vectors)):
        for x in vectors[i]:
            squares[i] += np.float64(x) * np.float64(x)
    return squares


@kernel
def first_bad(vectors: Floats) -> int:
    """Return the place of the first component, row by row, that is no number of size ``LARGEST`` at most; or -1."""
    for i in range(len(vectors)):
        for j in range(vectors.shape[1]):
            if not abs(vectors[i, j]) <= LARGEST:
                return i * len(vectors[i]) + j
    return -1
