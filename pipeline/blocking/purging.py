"""Which blocks are too large to be used.

The pairs of a block grow with the square of its records, and few of those in a large block are matches. By default the
largest blocks are left out until those that are left have together no more pairs than ``PAIRS_A_RECORD`` times the
records there are. So the work grows with the records and no faster, however many rules or bands there are; tables of a
few hundred records lose next to nothing; and blocks of the same number of pairs are used or left out together. (Block
purging of Papadakis et al., TKDE 2013, looks for the size at which pairs begin to outgrow records. It finds fewer
matches, as it leaves out blocks that cost little.)
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...hashing.errors import ConfigError
from ...hashing.key_blocks import Blocked
from .search import Block, Blocks

PAIRS_A_RECORD = 1_000
"""Pairs of all used blocks together for each record of both tables, where no size of a block is given."""

SHOWN = 20
"""How many of the largest blocks are described."""


def used_blocks(found: Blocked, records: int, max_block: int | None) -> NDArray[np.bool_]:
    """Return for each block whether it is used.

    Args:
        found: the blocks.
        records: how many records there are, in both tables.
        max_block: most pairs of a block; None: as above.

    Raises:
        ConfigError: max_block is below 1.
    """
    if max_block is not None:
        if max_block < 1:
            raise ConfigError(
                "a block has at least one pair", value=f"max_block {max_block}", remedy="Raise it, or leave it out."
            )
        return found.pairs <= max_block
    return found.pairs <= _most_pairs(found.pairs, PAIRS_A_RECORD * records)


def _most_pairs(pairs: NDArray[np.int64], budget: int) -> int:
    """Return the size up to which all blocks together have no more pairs than a budget."""
    sizes, counts = np.unique(pairs, return_counts=True)
    within = np.cumsum(sizes * counts) <= budget
    return int(sizes[within][-1]) if within.any() else 0


def described_blocks(found: Blocked, used: NDArray[np.bool_], describe: Callable[[int], str]) -> Blocks:
    """Return what is to be known of blocks.

    Args:
        found: the blocks.
        used: whether each is used.
        describe: returns the key of a block, by its number, for people.
    """
    largest = np.lexsort((np.arange(len(found.pairs)), -found.pairs))[:SHOWN].tolist()
    shown = [Block(describe(b), int(found.left[b]), int(found.right[b]), not used[b]) for b in largest]
    order = sorted(range(len(shown)), key=lambda i: (-int(found.pairs[largest[i]]), shown[i].key))
    unused = ~used
    return Blocks(len(used), int(unused.sum()), int(found.pairs[unused].sum()), tuple(shown[i] for i in order))
