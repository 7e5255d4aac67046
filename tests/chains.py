"""Long chains of verified pairs, and what becomes of them by plain loops."""

import numpy as np
import pyarrow as pa

from tamis.pipeline.similarity import PAIRS

ORDERS = ("forwards", "backwards", "at random")


def chain(order, count):
    """Pairs (worse, better) of consecutive nodes, whose ranks run along the chain, against it, or anyhow."""
    ranks = np.arange(count) if order == "forwards" else np.arange(count)[::-1]
    if order == "at random":
        ranks = np.random.default_rng(6).permutation(count)
    worse, better = np.maximum(ranks[1:], ranks[:-1]), np.minimum(ranks[1:], ranks[:-1])
    shuffled = np.random.default_rng(7).permutation(count - 1)
    columns = [pa.array(worse[shuffled]), pa.array(better[shuffled]), pa.array(np.full(count - 1, 0.9))]
    return pa.table(columns, schema=PAIRS)


def decided(pairs):
    """The dropped rows and their keepers, in rank order."""
    ordered = sorted(zip(pairs["worse"].to_pylist(), pairs["better"].to_pylist(), strict=True))
    dropped, keepers = set(), []
    for worse, better in ordered:
        if worse not in dropped and better not in dropped:
            dropped.add(worse)
            keepers.append((worse, better))
    return keepers


def as_pairs(drops):
    """Rows and keepers of a table of drops, in rank order."""
    drops = drops.sort_by("row")
    return list(zip(drops["row"].to_pylist(), drops["keeper"].to_pylist(), strict=True))
