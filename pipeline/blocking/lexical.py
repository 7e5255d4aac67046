"""A blocker by the letters of records: for each one the k others that are most alike by character n-grams.

TF-IDF weights of n-grams within words and their exact cosine. It needs neither labels nor training, and is the baseline
that learned blockers must beat (ShallowBlocker, arXiv 2312.15835; Sparkly, Paulsen et al. 2023).
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from ...hashing.errors import ConfigError
from ...hashing.ngrams import MAX_NGRAM, count_ngrams
from ...hashing.sparse_topk import Nearest, inverted, nearest, tfidf_rows
from ...hashing.unicode_table import words_v1
from ..text_column import text_buffers
from .pairs import pairs_of_one_table, pairs_table
from .records import Records

LEXICAL = "lexical"
"""What this blocker is called in tables of pairs."""

_QUERIES = 256
"""Queries of one task: some milliseconds of work, and little to wait for at the end."""


def lexical_pairs(
    left: Records,
    right: Records | None,
    k: int,
    *,
    ngrams: tuple[int, int] = (3, 4),
    sublinear: bool = True,
    smooth: bool = True,
    threads: int | None = None,
) -> pa.Table:
    """Return for each record of the left table its k nearest of the right one.

    Records that share no n-gram are no pair, so there may be fewer than k. Of equal scores the record that stands first
    comes first.

    Args:
        left: the records that are queried with.
        right: the records that are searched; None: the left ones are one table with duplicates in it. Then no record is
            paired with itself, and a pair that both of its records find is there once, with the better rank.
        k: neighbours of each record, at least 1.
        ngrams: least and most characters of an n-gram.
        sublinear, smooth: as in ``tfidf_rows``.
        threads: default: one a processor. They change no result.

    Returns:
        a table of ``pairs.PAIRS``, in the order of ``pairs_table``; the score is the cosine, above 0 and up to 1.

    Raises:
        ConfigError: k, threads or the n-grams cannot be.
    """
    least, most = ngrams
    if k < 1 or (threads is not None and threads < 1) or not 1 <= least <= most <= MAX_NGRAM:
        raise ConfigError(
            f"k and threads are at least 1, and n-grams have 1 to {MAX_NGRAM} characters, the fewer first",
            value=f"k {k}, threads {threads}, n-grams {ngrams}",
            remedy="Mend these numbers.",
        )
    texts = [left.texts] if right is None else [left.texts, right.texts]
    found = _nearest_texts(texts, k, ngrams, sublinear, smooth, threads or os.cpu_count() or 1)
    there = found.rows >= 0
    queries, places = np.nonzero(there)
    ranks, scores = places + 1, found.scores[there]
    one, other = left.ids.take(pa.array(queries)), (right or left).ids.take(pa.array(found.rows[there]))
    if right is None:
        return pairs_of_one_table(one, other, scores, LEXICAL, ranks)
    return pairs_table(one, other, scores, LEXICAL, ranks)


def _nearest_texts(
    texts: list[pa.Array], k: int, ngrams: tuple[int, int], sublinear: bool, smooth: bool, threads: int
) -> Nearest:
    """Return the nearest of the last texts for each of the first."""
    data, offsets = text_buffers(pa.concat_arrays(texts))
    counts = count_ngrams(data, offsets, *ngrams, words_v1())
    rows = tfidf_rows(counts, sublinear=sublinear, smooth=smooth)
    queries, total, dirty = len(texts[0]), len(offsets) - 1, len(texts) == 1
    searched = rows if dirty else rows.part(queries, total)
    index = inverted(searched, len(counts.keys))
    k = min(k, max(1, len(index.rows.bounds) - 1))

    def near(part: tuple[int, int]) -> Nearest:
        return nearest(rows.part(*part), index, k, part[0] if dirty else -1)

    with ThreadPoolExecutor(threads, thread_name_prefix="tamis-lexical") as pool:
        parts = list(pool.map(near, _parts(queries)))
    if not parts:
        return Nearest(np.empty((0, k), np.int32), np.empty((0, k), np.float64))
    return Nearest(np.concatenate([part.rows for part in parts]), np.concatenate([part.scores for part in parts]))


def _parts(n: int) -> Iterator[tuple[int, int]]:
    for first in range(0, n, _QUERIES):
        yield first, min(n, first + _QUERIES)
