"""Find all pairs of texts from some similarity on, exactly, without comparing all pairs.

Prefix filtering (Bayardo, Ma, Srikant: Scaling up all pairs similarity search, WWW 2007): with the shingles of every
set in one order, rarest first, two sets of similarity t share one of the first n - ceil(t n) + 1 of either.
"""

from collections.abc import Sequence

import numpy as np
from accuracy_texts import Pairs, Shingled, meetings
from numpy.typing import NDArray
from text_sets import merge_plainly


def all_pairs(texts: Sequence[str], least: float) -> Pairs:
    """Return every pair of texts whose word 5-grams have at least that similarity (more than 0)."""
    return pairs_of(Shingled.of(texts), least)


def pairs_of(sets: Shingled, least: float) -> Pairs:
    """Return every pair of sets of at least that similarity."""
    values = sets.values[: sets.bounds[-1]]
    _, ranks, counts = np.unique(values, return_inverse=True, return_counts=True)
    owners = np.repeat(np.arange(len(sets.sizes)), sets.sizes)
    rarity = counts[ranks].astype(np.int64)
    order = np.lexsort((ranks, rarity, owners))
    place = np.arange(len(values)) - np.repeat(sets.bounds[:-1], sets.sizes)
    prefix = sets.sizes - np.ceil(least * sets.sizes - 1e-9).astype(np.int64) + 1
    looked_at = order[place < np.repeat(prefix, sets.sizes)]
    looked_at = looked_at[np.lexsort((owners[looked_at], ranks[looked_at]))]
    shingle = ranks[looked_at]
    starts = np.flatnonzero(np.concatenate([[True], shingle[1:] != shingle[:-1], [True]]))
    codes = np.unique(meetings(owners[looked_at], starts, len(sets.sizes)))
    second, first = np.divmod(codes, len(sets.sizes))
    similarity = merge_plainly(sets.values, sets.bounds, first, second)
    return Pairs(first, second, similarity).pick(similarity >= least)


def rows_with_partner(pairs: Pairs, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the rows that have a pair with a row that stays."""
    found = np.zeros(len(kept), np.bool_)
    found[pairs.second[kept[pairs.first]]] = True
    found[pairs.first[kept[pairs.second]]] = True
    return found
