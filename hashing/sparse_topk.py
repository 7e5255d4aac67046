"""The k nearest texts by cosine of sparse weighted vectors: exact, and the same to the last bit on any threads.

Vectors are TF-IDF weights of terms, scaled to length 1. The index is inverted: for each term the rows that have it. The
products of a query are added up in one float64 a row, term by term in the order of ``ngrams.TermCounts``, which does
not depend on the order of the texts; so neither does a score.

No term is skipped by a bound. Stopping early (Cauchy and Schwarz on what is left of a query, as in L2AP, Anastasiu and
Karypis 2014, with the rows still in question finished one by one) gives the same bits, and took longer on all sets
measured: records are short, and their k-th best scores are too low for the bounds to bite.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel
from .ngrams import TermCounts


class SparseRows(NamedTuple):
    """Vectors with few entries, by rows (CSR).

    Attributes:
        bounds: int64, shape (n + 1,): row i has the entries ``bounds[i]:bounds[i + 1]``.
        terms: int32: the term of each entry, ascending in a row.
        weights: float64: its weight, above 0.
    """

    bounds: NDArray[np.int64]
    terms: NDArray[np.int32]
    weights: NDArray[np.float64]

    def part(self, first: int, stop: int) -> "SparseRows":
        """Return the rows ``first`` to ``stop - 1``, without a copy of their entries."""
        low, high = int(self.bounds[first]), int(self.bounds[stop])
        return SparseRows(self.bounds[first : stop + 1] - low, self.terms[low:high], self.weights[low:high])


class InvertedRows(NamedTuple):
    """The rows to be found, term by term (CSC).

    Attributes:
        n_rows: how many rows.
        starts: int64, shape (n_terms + 1,): term t has the postings ``starts[t]:starts[t + 1]``.
        holders: int32: the row of each posting, ascending in a term.
        shares: float64: the weight there.
    """

    n_rows: int
    starts: NDArray[np.int64]
    holders: NDArray[np.int32]
    shares: NDArray[np.float64]


class Nearest(NamedTuple):
    """For each query the best rows, best first; of equal ones the one with the lower number.

    Attributes:
        rows: int32, shape (n_queries, k); -1 where a query has fewer rows with a term in common.
        scores: float64, shape (n_queries, k), 0.0 there.
    """

    rows: NDArray[np.int32]
    scores: NDArray[np.float64]


def tfidf_rows(found: TermCounts, *, sublinear: bool = True, smooth: bool = True) -> SparseRows:
    """Weigh the terms of texts: tf times idf, each row scaled to length 1; a text without terms has no entries.

    Args:
        found: counts of all texts that are to be compared with each other, of both tables where there are two.
        sublinear: tf is 1 + ln(count) instead of the count.
        smooth: idf is ln((1 + n) / (1 + n_with)) + 1 instead of ln(n / n_with) + 1 (the two of scikit-learn).
    """
    texts = len(found.bounds) - 1
    more = 1 if smooth else 0
    idf = np.log((more + texts) / (more + found.texts_with)) + 1.0
    tf = 1.0 + np.log(np.arange(1, 1 + found.counts.max(initial=0))) if sublinear else None
    weights = found.counts.astype(np.float64) if tf is None else tf[found.counts - 1]
    weights *= idf[found.terms]
    _to_length_1(found.bounds, weights)
    return SparseRows(found.bounds, found.terms, weights)


@kernel
def _to_length_1(bounds: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
    for i in range(len(bounds) - 1):
        square = 0.0
        for j in range(bounds[i], bounds[i + 1]):
            square += weights[j] * weights[j]
        length = np.sqrt(square)
        for j in range(bounds[i], bounds[i + 1]):
            weights[j] /= length


def inverted(rows: SparseRows, n_terms: int) -> InvertedRows:
    """Return the index of rows whose terms are below ``n_terms``."""
    return InvertedRows(len(rows.bounds) - 1, *_postings(rows, n_terms))


@kernel
def _postings(rows: SparseRows, n_terms: int) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    starts = np.zeros(n_terms + 1, np.int64)
    for term in rows.terms:
        starts[term + 1] += 1
    for term in range(n_terms):
        starts[term + 1] += starts[term]
    ends = starts[:-1].copy()
    holders, shares = np.empty(len(rows.terms), np.int32), np.empty(len(rows.terms), np.float64)
    for i in range(len(rows.bounds) - 1):
        for j in range(rows.bounds[i], rows.bounds[i + 1]):
            term = rows.terms[j]
            holders[ends[term]], shares[ends[term]] = i, rows.weights[j]
            ends[term] += 1
    return starts, holders, shares


@kernel
def nearest(queries: SparseRows, index: InvertedRows, k: int, own: int) -> Nearest:
    """Return the k rows with the highest scores for each query; rows with no term in common are never among them.

    Args:
        queries: the vectors to find neighbours of; their terms are numbered as those of the index.
        index: where to find them.
        k: how many, at least 1.
        own: the row that the first query is itself, which is left out, as the next one is for the next query; -1 where
            queries are no rows.
    """
    n_queries = len(queries.bounds) - 1
    rows, scores = np.full((n_queries, k), -1, np.int32), np.zeros((n_queries, k), np.float64)
    sums = np.zeros(index.n_rows, np.float64)
    for q in range(n_queries):
        for j in range(queries.bounds[q], queries.bounds[q + 1]):
            term, weight = queries.terms[j], queries.weights[j]
            for p in range(index.starts[term], index.starts[term + 1]):
                sums[index.holders[p]] += weight * index.shares[p]
        if own >= 0:
            sums[own + q] = 0.0
        best, best_scores = rows[q], scores[q]
        for row in range(index.n_rows):
            if sums[row] > best_scores[k - 1]:
                _insert(best, best_scores, row, sums[row])
            sums[row] = 0.0
    return Nearest(rows, scores)


@inner_kernel
def _insert(best: NDArray[np.int32], scores: NDArray[np.float64], row: int, score: float) -> None:
    """Put a row into its place among the best; rows come in ascending order, so it goes behind its equals."""
    place = len(best) - 1
    while place > 0 and scores[place - 1] < score:
        best[place], scores[place] = best[place - 1], scores[place - 1]
        place -= 1
    best[place], scores[place] = row, score
