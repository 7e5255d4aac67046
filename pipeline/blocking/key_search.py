"""A blocker by keys: records that have a key in common are candidates.

What rules and bands of signatures have in common: blocks, which of them are used, and the best of the candidates. Of
equal scores the lower id comes first, as bytes: scores of keys are equal often, and the order of a table decides
nothing.

Sharing a block weighs ln(1 + all records / records of the block)^2: the fewer have a key, the more it tells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import ConfigError
from ...hashing.key_blocks import Blocked, Keys, blocked, kept
from ...hashing.key_index import KeyIndex, best_of_each, candidates, key_index, share_a_key
from .purging import described_blocks, used_blocks
from .records import Records
from .search import Blocks, Found


class Scorer(Protocol):
    """How alike two records are; plain data that can be pickled."""

    def __call__(
        self, queries: NDArray[np.int64], rows: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the score of each pair.

        Args:
            queries, rows: places among the records that ask and among those that are searched.
            weights: what the blocks that a pair shares weigh together.
        """


@dataclass(frozen=True)
class SharedKeys:
    """Pairs that share a key which they must not share; plain data.

    Attributes:
        bounds, values: keys of the records that ask and behind them of those that are searched (CSR), ascending in a
            record.
        offset: the first of those that are searched; 0 within one table.
    """

    bounds: NDArray[np.int64]
    values: NDArray[np.uint64]
    offset: int

    def __call__(self, queries: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether the records of each pair share one."""
        return share_a_key(self.bounds, self.values, queries, rows + self.offset)


@dataclass(frozen=True)
class CosineOfKeys:
    """The cosine of two records over the blocks that are used: what they share by what each has; above 0, up to 1.

    Attributes:
        asking, searched: float64: what the blocks of each record weigh together.
    """

    asking: NDArray[np.float64]
    searched: NDArray[np.float64]

    def __call__(
        self, queries: NDArray[np.int64], rows: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the score of each pair; see ``Scorer``."""
        scores: NDArray[np.float64] = weights / np.sqrt(self.asking[queries] * self.searched[rows])
        return scores


@dataclass(frozen=True)
class KeySearch:
    """The blocks of the records that ask, and the searched records by block; a ``Search``.

    Attributes:
        name: of the blocker.
        blocks: what is known of the blocks.
        bounds, numbers: the used blocks of the records that ask (CSR).
        itself: int32: which of the searched ones each is, within one table.
        index: the searched ones, numbered in the order of their ids.
        order: int64: the place of each of these numbers.
        scorer: of pairs.
        k: best ones of each query; None: all.
        least: pairs that score less are none.
        excluded: pairs that are none.
    """

    name: str
    blocks: Blocks
    bounds: NDArray[np.int64]
    numbers: NDArray[np.int32]
    itself: NDArray[np.int32]
    index: KeyIndex
    order: NDArray[np.int64]
    scorer: Scorer
    k: int | None
    least: float
    excluded: SharedKeys | None

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __call__(self, first: int, last: int) -> Found:
        """Return the best of those that share a key with some queries; see ``Search``."""
        queries, holders, weights = candidates(self.bounds, self.numbers, self.itself, self.index, first, last)
        rows = self.order[holders]
        scores = self.scorer(queries, rows, weights)
        wanted = scores >= self.least
        if self.excluded is not None:
            wanted &= ~self.excluded(queries, rows)
        queries, holders, rows, scores = queries[wanted], holders[wanted], rows[wanted], scores[wanted]
        if self.k is None:
            best = np.lexsort((holders, -scores, queries))
        else:
            best = best_of_each(queries, holders, scores, self.k)
        return Found(queries[best], rows[best], scores[best])


def key_search(
    name: str,
    families: Sequence[Keys],
    left: Records,
    right: Records | None,
    describe: Callable[[Blocked, int], str],
    *,
    k: int | None = None,
    max_block: int | None = None,
    scorer: Scorer | None = None,
    least: float = 0.0,
    excluded: SharedKeys | None = None,
) -> KeySearch:
    """Prepare to find for each record of the left table those of the right one that share a key with it.

    Args:
        name: of the blocker.
        families: the keys of the left records and behind them those of the right ones, a family each.
        left: the records that are queried with.
        right: the records that are searched; None: the left ones are one table with duplicates in it.
        describe: returns the key of a block, by its number, for people.
        k: best ones of each query; None: all.
        max_block: most pairs of a block that is used; None: see ``purging``.
        scorer: of pairs; None: ``CosineOfKeys``.
        least, excluded: as in ``KeySearch``.

    Raises:
        ConfigError: k or max_block is below 1.
    """
    if k is not None and k < 1:
        raise ConfigError("k is at least 1", value=k, remedy="Raise it, or leave it out to have all pairs.")
    found = blocked(families, len(left), dirty=right is None)
    n = len(found.bounds) - 1
    used = used_blocks(found, n, max_block)
    bounds, numbers = kept(found, used)
    weights = np.log1p(n / (found.left if right is None else found.left + found.right)) ** 2
    searched, start = (left, 0) if right is None else (right, len(left))
    if scorer is None:
        each = np.bincount(np.repeat(np.arange(n), np.diff(bounds)), weights[numbers], n).astype(np.float64)
        scorer = CosineOfKeys(each[: len(left)], each[start:])
    order = pc.sort_indices(searched.ids).to_numpy().astype(np.int64)
    itself = np.empty(len(order) if right is None else 0, np.int32)
    itself[order[: len(itself)]] = np.arange(len(itself), dtype=np.int32)
    return KeySearch(
        name,
        described_blocks(found, used, lambda block: describe(found, block)),
        bounds[: len(left) + 1],
        numbers[: bounds[len(left)]],
        itself,
        key_index(bounds[start:], numbers, order, weights),
        order,
        scorer,
        None if k is None else min(k, max(1, len(order))),
        least,
        excluded,
    )
