"""Sparse vectors made of several: parts beside each other, each with a weight."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .ngrams import TermCounts
from .sparse_topk import SparseRows, to_length_1


class Stacked(NamedTuple):
    """Rows with the terms of several parts, the rarer terms first.

    Attributes:
        rows: each of length 1, or without entries.
        n_terms: of all parts.
    """

    rows: SparseRows
    n_terms: int


def beside_each_other(found: Sequence[TermCounts]) -> TermCounts:
    """Return the counts of the same texts by several kinds of terms as counts of all of them; terms stay apart.

    Args:
        found: one or more, of equally many texts.
    """
    firsts = np.cumsum([0, *(len(part.keys) for part in found)])
    order, bounds = _entries_of(found)
    keys = np.concatenate([part.keys for part in found])
    terms = np.concatenate([part.terms + np.int32(first) for part, first in zip(found, firsts[:-1], strict=True)])
    counts = np.concatenate([part.counts for part in found])
    return TermCounts(
        keys, np.concatenate([part.texts_with for part in found]), bounds, terms[order], counts[order]
    )  # fmt: skip


def weighted_sum(
    parts: Sequence[tuple[SparseRows, NDArray[np.int64]]], weights: Sequence[float]
) -> Stacked:  # fmt: skip
    """Return rows whose products are the weighted mean of those of the parts.

    A row that lacks a part is of length 1 in the others.

    Args:
        parts: (rows of length 1 or without entries, how many rows have each term), of the same texts.
        weights: of the parts, above 0.
    """
    rows = [part for part, _ in parts]
    order, bounds = _entries_of(rows)
    firsts = np.cumsum([0, *(len(often) for _, often in parts)])
    often = np.concatenate([often for _, often in parts])
    place = np.empty(len(often), np.int32)
    place[np.argsort(often, kind="stable")] = np.arange(len(often), dtype=np.int32)
    terms = place[np.concatenate([part.terms + first for part, first in zip(rows, firsts[:-1], strict=True)])]
    values = np.concatenate([part.weights * np.sqrt(weight) for part, weight in zip(rows, weights, strict=True)])
    terms, values = terms[order], values[order]
    texts = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    by_term = np.lexsort((terms, texts))
    terms, values = terms[by_term], values[by_term]
    to_length_1(bounds, values)
    return Stacked(SparseRows(bounds, terms, values), len(often))


def _entries_of(parts: Sequence[TermCounts | SparseRows]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (where the entries of all parts go, text by text; the bounds of texts)."""
    sizes = [np.diff(part.bounds) for part in parts]
    texts = np.concatenate([np.repeat(np.arange(len(size)), size) for size in sizes])
    bounds = np.zeros(len(sizes[0]) + 1, np.int64)
    np.cumsum(np.sum(sizes, axis=0), out=bounds[1:])
    return np.argsort(texts, kind="stable"), bounds
