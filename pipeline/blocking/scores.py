"""What decides that a pair is a match: a score of each pair that can be compared with all others, and a threshold.

Scores of different blockers cannot be compared, so pairs of several are scored anew. Two scores need no model:

- ``jaccard``: of the sets of character n-grams of the two records. It depends on these two alone, so it stays the same
  when records are added.
- ``cosine``: of the TF-IDF weights of the n-grams, as the lexical blocker has it, to the bit. Rare n-grams count more,
  and what is rare all records of a run say.
"""

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import ConfigError, InputError
from ...hashing.ngrams import MAX_NGRAM, count_ngrams
from ...hashing.sparse_pairs import pair_cosines, pair_jaccards
from ...hashing.sparse_topk import tfidf_rows
from ...hashing.unicode_table import words_v1
from ..counted import counted
from ..text_column import text_buffers
from .pairs import PAIRS, check_pairs
from .ranked_records import ranked_records
from .records import Records

NGRAMS = (3, 4)

ROUNDING = 1e-12
"""A score may be so much below a threshold: the cosine of equal records is 1 but for its last bits."""


def matched(pairs: pa.Table, threshold: float, by: Literal["score", "rank"] = "score") -> pa.Table:
    """Return the pairs that are matches, as they are.

    Args:
        pairs: a table of pairs.
        threshold: least score, but for ``ROUNDING``; or with ``by="rank"`` the last rank.

    Raises:
        ConfigError: the threshold is no number.
    """
    if np.isnan(threshold):
        raise ConfigError("a threshold is a number", value=threshold, remedy="Mend it.")
    check_pairs(pairs)
    good = (
        pc.greater_equal(pairs["score"], threshold - ROUNDING)
        if by == "score"
        else pc.less_equal(pairs["rank"], threshold)
    )
    return pairs.filter(good).combine_chunks()


def rescored(pairs: pa.Table, scores: NDArray[np.float64]) -> pa.Table:
    """Return pairs with other scores; who found them, and their ranks there, stay.

    Args:
        pairs: a table of pairs.
        scores: float64, shape (n_pairs,), in the order of the pairs.

    Raises:
        InputError: there are not as many scores as pairs, or one is NaN.
    """
    wrong = int(np.isnan(scores).sum())
    if len(scores) != len(pairs) or wrong:
        raise InputError(
            "each pair has a score that is a number",
            value=f"{counted(len(scores), 'score')} of {counted(len(pairs), 'pair')}, {wrong:,} of them NaN",
            remedy="Give one score for each pair.",
        )
    return pairs.set_column(PAIRS.get_field_index("score"), PAIRS.field("score"), pa.array(scores, pa.float64()))


def ngram_scores(
    pairs: pa.Table,
    left: Records,
    right: Records | None,
    measure: Literal["jaccard", "cosine"] = "jaccard",
    *,
    ngrams: tuple[int, int] = NGRAMS,
) -> NDArray[np.float64]:
    """Return how alike the records of pairs are by their character n-grams within words: float64, 0.0 to 1.0, a cosine
    but for its last bits.

    Args:
        pairs: a table of pairs.
        left, right: the records; right is None within one table.
        measure: see above; records without n-grams are like none.
        ngrams: least and most characters of an n-gram; of ``jaccard`` all lengths are in one set.

    Raises:
        ConfigError: the measure is unknown, or the n-grams cannot be.
        InputError: an id is that of no record.
    """
    least, most = ngrams
    if measure not in ("jaccard", "cosine") or not 1 <= least <= most <= MAX_NGRAM:
        raise ConfigError(
            f"records are measured by jaccard or cosine of n-grams of 1 to {MAX_NGRAM} characters, the fewer first",
            value=f"{measure}, n-grams {ngrams}",
            remedy="Mend these settings.",
        )
    first, second = rows_of_pairs(pairs, left, right)
    texts = [left.texts] if right is None else [left.texts, right.texts]
    data, offsets = text_buffers(pa.concat_arrays(texts))
    counts = count_ngrams(data, offsets, least, most, words_v1())
    if measure == "jaccard":
        return pair_jaccards(counts.bounds, counts.terms, first, second)
    return np.minimum(pair_cosines(tfidf_rows(counts), first, second), 1.0)  # as the lexical blocker has it


def rows_of_pairs(pairs: pa.Table, left: Records, right: Records | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the records of pairs stand among all of them, the left ones first: int64, shape (n_pairs,) each.

    Raises:
        InputError: an id is that of no record.
    """
    return ranked_records(left.ids, None if right is None else right.ids).rows_of(pairs)
