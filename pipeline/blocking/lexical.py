"""A blocker by the letters of records: for each one the k others that are most alike by character n-grams.

TF-IDF weights of n-grams within words and their exact cosine. It needs neither labels nor training, and is the baseline
that learned blockers must beat (ShallowBlocker, arXiv 2312.15835; Sparkly, Paulsen et al. 2023).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...hashing.errors import ConfigError
from ...hashing.ngrams import MAX_NGRAM, count_ngrams
from ...hashing.sparse_topk import InvertedRows, SparseRows, inverted, nearest, tfidf_rows
from ...hashing.unicode_table import words_v1
from ..text_column import text_buffers
from .records import Records
from .search import Found

LEXICAL = "lexical"
"""What this blocker is called in tables of pairs."""


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
        return Found(queries + first, rows, found.scores[queries, places])


def lexical_search(
    left: Records,
    right: Records | None,
    k: int,
    *,
    ngrams: tuple[int, int] = (3, 4),
    sublinear: bool = True,
    smooth: bool = True,
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
    texts = [left.texts] if right is None else [left.texts, right.texts]
    data, offsets = text_buffers(pa.concat_arrays(texts))
    counts = count_ngrams(data, offsets, *ngrams, words_v1())
    rows = tfidf_rows(counts, sublinear=sublinear, smooth=smooth)
    asked = len(left)
    searched = rows if right is None else rows.part(asked, len(offsets) - 1)
    index = inverted(searched, len(counts.keys))
    return LexicalSearch(rows.part(0, asked), index, min(k, max(1, len(index.rows.bounds) - 1)), right is None)
