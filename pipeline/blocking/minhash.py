"""A blocker by MinHash: records whose sets of n-grams or words are alike are likely to share a band of a signature.

Candidates are the records that share a band; their score is the exact Jaccard similarity of their sets. Signatures are
Fast Similarity Sketches (``hashing.fss``): the sets of records are small, and these are the most exact for them.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.errors import ConfigError
from ...hashing.jaccard import compare_pairs
from ...hashing.key_blocks import Blocked, Keys
from ...hashing.lsh import Banding, solve_for_recall
from ...hashing.mix import derive_seed
from ...hashing.ngrams import MAX_NGRAM, count_ngrams
from ...hashing.set_sketch import keys_of_sets
from ...hashing.shingles import CHAR, MAX_SHINGLE, WORD, shingle_sets
from ...hashing.sketch import sketch_plan
from ...hashing.unicode_table import words_v1
from ..text_column import text_buffers
from .key_search import KeySearch, key_search
from .records import Records

MINHASH = "minhash"
"""What this blocker is called in tables of pairs."""

Unit = Literal["ngrams", "characters", "words"]
"""What sets are made of: n-grams of characters within words (``hashing.ngrams``), of the characters of words with one
space between them, or of words (``hashing.shingles``)."""


@dataclass(frozen=True)
class JaccardOfSets:
    """The Jaccard similarity of the sets of two records.

    Attributes:
        values, bounds: the sets of the records that ask and behind them of those that are searched (CSR), ascending.
        offset: the first of those that are searched; 0 within one table.
        least: pairs that are less alike score 0.0.
    """

    values: NDArray[np.uint64]
    bounds: NDArray[np.int64]
    offset: int
    least: float

    def __call__(
        self, queries: NDArray[np.int64], rows: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the score of each pair; see ``key_search.Scorer``."""
        return compare_pairs(self.values, self.bounds, queries, rows + self.offset, False, self.least)


def minhash_search(
    left: Records,
    right: Records | None,
    k: int | None = None,
    *,
    threshold: float = 0.3,
    recall: float = 0.9,
    least: float = 0.0,
    unit: Unit = "ngrams",
    size: int = 3,
    values: int = 128,
    banding: Banding | None = None,
    max_block: int | None = None,
    seed: int = 0,
) -> KeySearch:
    """Prepare to find for each record of the left table those of the right one whose sets are alike.

    The score is the Jaccard similarity, above 0 and up to 1. Of equal scores the lower id comes first, as bytes. A
    record without a word is in no pair.

    Args:
        left: the records that are queried with.
        right: the records that are searched; None: the left ones are one table with duplicates in it.
        k: best ones of each record; None: all.
        threshold, recall: pairs of this similarity are found with this probability; others the more likely, the more
            alike they are.
        least: pairs that are less alike are none.
        unit, size: what sets are made of, and how many characters or words each has.
        values: of a signature.
        banding: the bands to use instead of those for the threshold.
        max_block: most pairs of a block that is used; None: see ``purging``.
        seed: of the signatures.

    Raises:
        ConfigError: a setting cannot be; no bands of so many values have that recall.
    """
    if not 0.0 < threshold <= 1.0 or not 0.0 < recall < 1.0 or not 0.0 <= least <= 1.0:
        raise ConfigError(
            "the threshold is above 0 and up to 1, the recall between 0 and 1, and the least similarity 0 to 1",
            value=f"threshold {threshold}, recall {recall}, least {least}",
            remedy="Mend these numbers.",
        )
    plan = sketch_plan("fss", values=values, seed=seed)
    bands = banding or solve_for_recall(threshold, values, recall=recall)
    if bands.values > values:
        raise ConfigError(
            "bands have no more rows than a signature has values",
            value=f"{bands.bands} x {bands.rows} of {values}",
            remedy="Raise `values`, or name fewer bands or rows.",
        )
    texts = left.texts if right is None else pa.concat_arrays([left.texts, right.texts])
    members, bounds = _sets(texts, unit, size)
    keys = keys_of_sets(members, bounds, plan, bands.bands, bands.rows, np.uint64(derive_seed(seed, "blocking band")))
    filled = np.diff(bounds) > 0
    each = np.append(0, np.cumsum(filled))
    offset = 0 if right is None else len(left)

    def described(found: Blocked, block: int) -> str:
        row = int(found.firsts[block])
        records, place = (left, row) if right is None or row < len(left) else (right, row - len(left))
        return f"band {found.families[block] + 1} of {records.ids[place].as_py()!r}"

    return key_search(
        MINHASH,
        [Keys(each, keys[filled, band].copy()) for band in range(bands.bands)],
        left,
        right,
        described,
        k=k,
        max_block=max_block,
        scorer=JaccardOfSets(members, bounds, offset, least),
        least=max(least, np.finfo(np.float64).tiny),
    )


def _sets(texts: pa.Array, unit: Unit, size: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hashes of the set of each text, ascending, and their bounds."""
    most = MAX_NGRAM if unit == "ngrams" else MAX_SHINGLE
    if unit not in ("ngrams", "characters", "words") or not 1 <= size <= most:
        raise ConfigError(
            f"sets are made of ngrams of 1 to {MAX_NGRAM}, or of characters or words by 1 to {MAX_SHINGLE}",
            value=f"{unit!r} of {size}",
            remedy="Mend `unit` or `size`.",
        )
    data, offsets = text_buffers(texts)
    if unit != "ngrams":
        return shingle_sets(data, offsets, CHAR if unit == "characters" else WORD, size, words_v1())
    counts = count_ngrams(data, offsets, size, size, words_v1())
    members = counts.keys[counts.terms]
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(counts.bounds))
    return members[np.lexsort((members, rows))], counts.bounds
