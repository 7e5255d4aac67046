"""The k nearest texts by cosine of sparse weighted vectors: exact, and the same to the last bit on any threads.

Vectors are TF-IDF weights of terms, scaled to length 1. The index is inverted: for each term the rows that have it. The
products of a query are added up in one float64 a row, term by term in the order of ``ngrams.TermCounts``, which does
not depend on the order of the texts; so neither does a score.

What is left out: the terms in most rows cost most and add least. After the rarer terms of a query no row can gain more
than the length of what is left of the query (Cauchy and Schwarz; the bound of L2AP, Anastasiu and Karypis 2014). Once
the rows that could still be among the first k are few, the remaining terms are looked up in these alone, in the same
order, so that the sums are the same bits.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel
from .mix import signed
from .ngrams import TermCounts

SLACK = 1e-9
"""Added to bounds: far above the rounding of a sum, so that a row that is tied for a place is never left out."""

CHECKS = 3
"""How often at most a query looks whether it may stop reading lists: each look is a pass over all sums."""

FIRST_CHECK = 0.3
"""Squared length that is left of a query when it looks first."""

TRIAL, WORTH = 16, 3
"""After so many queries that looked, it must have been of use to one in so many, or the others do not look at all."""

LOOK = 3.0
"""Cost of looking up an entry of a row, in entries of a list."""


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
        rows: the rows themselves.
        starts: int64, shape (n_terms + 1,): term t has the postings ``starts[t]:starts[t + 1]``.
        holders: int32: the row of each posting, ascending in a term.
        shares: float64: the weight there.
    """

    rows: SparseRows
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
    to_length_1(found.bounds, weights)
    return SparseRows(found.bounds, found.terms, weights)


@kernel
def to_length_1(bounds: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
    """Scale each row to length 1, in place; rows without entries stay so."""
    for i in range(len(bounds) - 1):
        square = 0.0
        for j in range(bounds[i], bounds[i + 1]):
            square += weights[j] * weights[j]
        length = np.sqrt(square)
        for j in range(bounds[i], bounds[i + 1]):
            weights[j] /= length


def inverted(rows: SparseRows, n_terms: int) -> InvertedRows:
    """Return the index of rows whose terms are below ``n_terms``."""
    return InvertedRows(rows, *_postings(rows, n_terms))


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
    n_queries, n_rows = len(queries.bounds) - 1, len(index.rows.bounds) - 1
    rows, scores = np.full((n_queries, k), -1, np.int32), np.zeros((n_queries, k), np.float64)
    sums = np.zeros(n_rows, np.float64)
    shares = np.zeros(len(index.starts) - 1, np.float64)
    kept = np.empty(n_rows, np.int32)
    looked = stopped = 0
    for q in range(n_queries):
        first, stop = queries.bounds[q], queries.bounds[q + 1]
        itself = own + q if own >= 0 else -1
        terms, weights = queries.terms[first:stop], queries.weights[first:stop]
        checks = CHECKS if looked < TRIAL or WORTH * stopped > looked else 0
        did_look, did_stop = _answer(terms, weights, index, itself, checks, sums, shares, kept, rows[q], scores[q])
        looked += did_look
        stopped += did_stop
    return Nearest(rows, scores)


@inner_kernel
def _answer(
    terms: NDArray[np.int32],
    weights: NDArray[np.float64],
    index: InvertedRows,
    itself: int,
    checks: int,
    sums: NDArray[np.float64],
    shares: NDArray[np.float64],
    kept: NDArray[np.int32],
    best: NDArray[np.int32],
    scores: NDArray[np.float64],
) -> tuple[bool, bool]:
    """Write the best rows of a query and their scores; return whether it looked if it may stop, and whether it did.

    Args:
        terms, weights: the query.
        index: the rows.
        itself: the row to leave out, or -1.
        checks: how often it may look.
        sums: float64 zeros, shape (n_rows,); zeros again afterwards.
        shares: float64 zeros, shape (n_terms,); zeros again afterwards.
        kept: int32 scratch, shape (n_rows,).
        best: int32, shape (k,), all -1.
        scores: float64, shape (k,), all 0.0.
    """
    at, few, looks = _add_up(terms, weights, index, itself, checks, sums, scores, kept)
    scores[:] = 0.0
    if at == len(terms):
        _take_best(sums, itself, best, scores)
        return looks > 0, False
    for j in range(at, len(terms)):
        shares[terms[j]] = weights[j]
    for c in range(few):
        row = kept[c]
        total = _completed(index.rows, row, terms[at], shares, sums[row])
        if total > scores[-1] and row != itself:
            _insert(best, scores, row, total)
    for j in range(at, len(terms)):
        shares[terms[j]] = 0.0
    sums[:] = 0.0
    return True, True


@inner_kernel
def _add_up(
    terms: NDArray[np.int32],
    weights: NDArray[np.float64],
    index: InvertedRows,
    itself: int,
    checks: int,
    sums: NDArray[np.float64],
    best: NDArray[np.float64],
    kept: NDArray[np.int32],
) -> tuple[int, int, int]:
    """Add the products of a query and each row to ``sums``, term by term, until few rows could still be the best.

    Returns:
        (the first term that was not added, or the number of terms; how many rows could be, which are in ``kept``,
        ascending; how often it looked).
    """
    starts, holders, shares = index.starts, index.holders, index.shares
    n_rows = len(sums)
    entries = len(index.rows.terms) / max(1, n_rows)
    left, square = 0, 0.0
    for j in range(len(terms)):
        left += starts[terms[j] + 1] - starts[terms[j]]
        square += weights[j] * weights[j]
    looks, due = 0, FIRST_CHECK
    for j in range(len(terms)):
        if square < due and looks < checks and left > 4 * n_rows:
            looks += 1
            score = _kth(sums, itself, best)
            least = score - np.sqrt(max(0.0, square)) - SLACK
            if least > 0.0:
                most = signed(left / (LOOK * entries))
                few = 0
                for row in range(n_rows):
                    if sums[row] >= least:
                        kept[few] = row
                        few += 1
                if few <= most:
                    return j, few, looks
            due = min(0.6 * square, 0.5 * score * score)
        weight = weights[j]
        square -= weight * weight
        left -= starts[terms[j] + 1] - starts[terms[j]]
        for p in range(starts[terms[j]], starts[terms[j] + 1]):
            sums[np.uint32(holders[p])] += weight * shares[p]
    return len(terms), 0, looks


@inner_kernel
def _kth(sums: NDArray[np.float64], itself: int, best: NDArray[np.float64]) -> float:
    """Return the k-th highest of the sums but that of one row; 0.0 if there are fewer above 0."""
    best[:] = 0.0
    least = 0.0
    for row in range(len(sums)):
        if sums[row] > least and row != itself:
            place = len(best) - 1
            while place > 0 and best[place - 1] < sums[row]:
                best[place] = best[place - 1]
                place -= 1
            best[place] = sums[row]
            least = best[-1]
    return least


@inner_kernel
def _completed(rows: SparseRows, row: int, start: int, shares: NDArray[np.float64], total: float) -> float:
    """Return a sum with the products of the terms from ``start`` on added, in order."""
    low, high = rows.bounds[row], rows.bounds[row + 1]
    while low < high:  # the first entry of a term that is not below start
        middle = (low + high) // 2
        if rows.terms[middle] < start:
            low = middle + 1
        else:
            high = middle
    for j in range(low, rows.bounds[row + 1]):
        total += shares[rows.terms[j]] * rows.weights[j]
    return total


@inner_kernel
def _take_best(sums: NDArray[np.float64], itself: int, best: NDArray[np.int32], scores: NDArray[np.float64]) -> None:
    """Write the rows with the highest sums, and leave zeros behind."""
    least = 0.0
    for row in range(len(sums)):
        if sums[row] > least and row != itself:
            _insert(best, scores, row, sums[row])
            least = scores[-1]
        sums[row] = 0.0


@inner_kernel
def _insert(best: NDArray[np.int32], scores: NDArray[np.float64], row: int, score: float) -> None:
    """Put a row into its place among the best; rows come in ascending order, so it goes behind its equals."""
    place = len(best) - 1
    while place > 0 and scores[place - 1] < score:
        best[place], scores[place] = best[place - 1], scores[place - 1]
        place -= 1
    best[place], scores[place] = row, score
