"""A blocker by the letters of records: for each one the k others that are most alike by character n-grams.

TF-IDF weights of n-grams within words and their exact cosine. It needs neither labels nor training, and is the baseline
that learned blockers must beat (ShallowBlocker, arXiv 2312.15835; Sparkly, Paulsen et al. 2023).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import ConfigError
from ...hashing.murmur3 import murmur3_all
from ...hashing.ngrams import MAX_NGRAM, TermCounts, count_ngrams
from ...hashing.sparse_parts import beside_each_other, weighted_sum
from ...hashing.sparse_topk import InvertedRows, SparseRows, inverted, nearest, tfidf_rows
from ...hashing.unicode_table import words_v1
from ..text_column import text_buffers
from .records import Records
from .search import Found

LEXICAL = "lexical"
"""What this blocker is called in tables of pairs."""

Columns = Literal["together", "apart", "auto"]

_SAMPLE = 512
"""Records by which ``auto`` decides: enough that a difference of some percent shows."""


@dataclass(frozen=True)
class LexicalSearch:
    """The n-grams of the records that ask, and those of the searched ones by term; a ``Search``.

    Attributes:
        queries: weighted n-grams of the records that ask.
        index: of those that are searched.
        k: neighbours of each.
        dirty: whether both are the same records.
    """

    queries: SparseRows
    index: InvertedRows
    k: int
    dirty: bool
    name: str = LEXICAL
    blocks: None = None

    def __len__(self) -> int:
        return len(self.queries.bounds) - 1

    def __call__(self, first: int, last: int) -> Found:
        """Return the nearest of the searched records for some queries; see ``Search``."""
        found = nearest(self.queries.part(first, last), self.index, self.k, first if self.dirty else -1)
        queries, places = np.nonzero(found.rows >= 0)
        rows = found.rows[queries, places].astype(np.int64)
        scores = np.minimum(found.scores[queries, places], 1.0)  # sums of equal texts may end beyond it
        return Found(queries + first, rows, scores)


def lexical_search(
    left: Records,
    right: Records | None,
    k: int,
    *,
    ngrams: tuple[int, int] = (3, 4),
    sublinear: bool = True,
    smooth: bool = True,
    columns: Columns = "together",
) -> LexicalSearch:
    """Prepare to find for each record of the left table its k nearest of the right one.

    Records that share no n-gram are no pair, so there may be fewer than k. Of equal scores the record that stands first
    comes first. The score is the cosine, above 0 and up to 1.

    Args:
        left: the records that are queried with.
        right: the records that are searched; None: the left ones are one table with duplicates in it.
        k: neighbours of each record, at least 1.
        ngrams: least and most characters of an n-gram.
        sublinear, smooth: as in ``tfidf_rows``.
        columns: ``together``: a record is all its values. ``apart``: the cosine is the mean of that and of one by which
            an n-gram counts in its own column alone, of the columns that both tables have. ``auto``: what finds more
            pairs of a sample that are each other's nearest; see ``_apart_is_better``.

    Raises:
        ConfigError: k or the n-grams cannot be.
    """
    least, most = ngrams
    if k < 1 or not 1 <= least <= most <= MAX_NGRAM:
        raise ConfigError(
            f"k is at least 1, and n-grams have 1 to {MAX_NGRAM} characters, the fewer first",
            value=f"k {k}, n-grams {ngrams}",
            remedy="Mend these numbers.",
        )
    counts = _counted(left.texts, None if right is None else right.texts, ngrams)
    whole = tfidf_rows(counts, sublinear=sublinear, smooth=smooth)
    together = _search(whole, len(counts.keys), left, right, k)
    shared = [name for name in left.values if right is None or name in right.values]
    if columns == "together" or len(shared) < 2:
        return together
    found = [_counted(left.values[name], None if right is None else right.values[name], ngrams) for name in shared]
    each = beside_each_other(found)
    own = tfidf_rows(each, sublinear=sublinear, smooth=smooth)
    stacked = weighted_sum([(whole, counts.texts_with), (own, each.texts_with)], [1.0, 1.0])
    apart = _search(stacked.rows, stacked.n_terms, left, right, k)
    return apart if columns == "apart" or _apart_is_better(together, apart, left) else together


def _counted(left: pa.Array, right: pa.Array | None, ngrams: tuple[int, int]) -> TermCounts:
    texts = pc.fill_null(pa.concat_arrays([left] if right is None else [left, right]), "")
    data, offsets = text_buffers(texts)
    return count_ngrams(data, offsets, *ngrams, words_v1())


def _search(rows: SparseRows, n_terms: int, left: Records, right: Records | None, k: int) -> LexicalSearch:
    asked = len(left)
    searched = rows if right is None else rows.part(asked, len(rows.bounds) - 1)
    index = inverted(searched, n_terms)
    return LexicalSearch(rows.part(0, asked), index, min(k, max(1, len(index.rows.bounds) - 1)), right is None)


def _apart_is_better(together: LexicalSearch, apart: LexicalSearch, left: Records) -> bool:
    """Whether more records of a sample are the nearest of their nearest with columns apart.

    Two records that are one thing are mostly each other's nearest, and others seldom: their share tells without labels
    which of two measures is the better one. Where columns are noise or say other things in each table, together wins.
    """
    hashes = murmur3_all(*text_buffers(left.ids.cast(pa.large_string())), np.uint64(0))
    sample = np.sort(np.argsort(hashes[:, 0])[:_SAMPLE])
    mutual = [_mutual(search, sample) for search in (together, apart)]
    return mutual[1] > mutual[0]


def _mutual(search: LexicalSearch, sample: NDArray[np.int64]) -> int:
    """Return how many queries of a sample are the nearest of their nearest."""
    queries, index, dirty = search.queries, search.index, search.dirty
    back = index if dirty else inverted(queries, len(index.starts) - 1)
    mutual = 0
    for q in sample.tolist():
        best = int(nearest(queries.part(q, q + 1), index, 1, q if dirty else -1).rows[0, 0])
        if best >= 0:
            mutual += int(nearest(index.rows.part(best, best + 1), back, 1, best if dirty else -1).rows[0, 0]) == q
    return mutual
