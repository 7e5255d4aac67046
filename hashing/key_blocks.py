"""Blocks: records that share a key, numbered so that no order of records matters.

A record has any number of 64-bit keys in each of some families (a rule, a band of a signature); equal keys of different
families are different keys. A block is a key that brings at least one pair together. Blocks are numbered by family and
then by key, so what is added up over the blocks of a pair is added up in one order.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel


class Keys(NamedTuple):
    """Keys of one family (CSR).

    Attributes:
        bounds: int64, shape (n + 1,): record i has ``values[bounds[i]:bounds[i + 1]]``.
        values: uint64, in any order; repeated ones count once.
    """

    bounds: NDArray[np.int64]
    values: NDArray[np.uint64]


class Blocked(NamedTuple):
    """The blocks of some records, and those that each record is in (CSR).

    Attributes:
        families: int32, shape (n_blocks,), ascending.
        keys: uint64, shape (n_blocks,), ascending in a family.
        left, right: int64, shape (n_blocks,): records of each side; within one table the same.
        pairs: int64, shape (n_blocks,): pairs of the block.
        firsts: int64, shape (n_blocks,): the first record of each.
        bounds: int64, shape (n + 1,): record i is in ``blocks[bounds[i]:bounds[i + 1]]``.
        blocks: int32, ascending in a record.
    """

    families: NDArray[np.int32]
    keys: NDArray[np.uint64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    pairs: NDArray[np.int64]
    firsts: NDArray[np.int64]
    bounds: NDArray[np.int64]
    blocks: NDArray[np.int32]


def blocked(families: Sequence[Keys], n_left: int, *, dirty: bool) -> Blocked:
    """Return the blocks of records.

    Args:
        families: the keys of all records, those of the left table first; as many records in each.
        n_left: how many are left.
        dirty: whether there is one table, whose records are all left; then a block has two records or more, and else
            one or more of each side.

    >>> one = Keys(np.array([0, 1, 3, 4]), np.array([7, 7, 8, 8], np.uint64))
    >>> found = blocked([one], 1, dirty=False)
    >>> found.keys.tolist(), found.left.tolist(), found.right.tolist(), found.bounds.tolist(), found.blocks.tolist()
    ([7], [1], [1], [0, 1, 2, 2], [0, 0])
    """
    n = len(families[0].bounds) - 1 if families else 0
    parts = [_family(keys, n_left, dirty) for keys in families]
    counts = [len(part.keys) for part in parts]
    starts = np.cumsum([0, *counts])
    left = _joined([part.left for part in parts])
    right = _joined([part.right for part in parts])
    rows = _joined([part.rows for part in parts])
    numbers = _joined([part.numbers + start for part, start in zip(parts, starts[:-1], strict=True)])
    return Blocked(
        np.repeat(np.arange(len(parts), dtype=np.int32), counts),
        np.concatenate([np.empty(0, np.uint64), *(part.keys for part in parts)]),
        left,
        right,
        left * (left - 1) // 2 if dirty else left * right,
        _joined([part.firsts for part in parts]),
        *_by_row(rows, numbers, n),
    )


class _Family(NamedTuple):
    """The blocks of a family: the fields of ``Blocked``, and the record and the block of each entry."""

    keys: NDArray[np.uint64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    firsts: NDArray[np.int64]
    rows: NDArray[np.int64]
    numbers: NDArray[np.int64]


def _family(keys: Keys, n_left: int, dirty: bool) -> _Family:
    order = np.argsort(keys.values, kind="stable")  # so rows ascend within a key
    rows = np.repeat(np.arange(len(keys.bounds) - 1), np.diff(keys.bounds))[order]
    values = keys.values[order]
    new_key = np.ones(len(values), np.bool_)
    new_key[1:] = values[1:] != values[:-1]
    new = new_key.copy()
    new[1:] |= rows[1:] != rows[:-1]
    rows, values, new_key = rows[new], values[new], new_key[new]
    starts = np.flatnonzero(new_key)
    sizes = np.diff(np.append(starts, len(values)))
    left = np.diff(np.append(0, np.cumsum(rows < n_left))[np.append(starts, len(values))])
    right = left if dirty else sizes - left
    paired = left > 1 if dirty else (left > 0) & (right > 0)
    numbers = np.repeat(np.cumsum(paired) - 1, sizes)
    used = np.repeat(paired, sizes)
    firsts = rows[starts[paired]]
    return _Family(values[starts[paired]], left[paired], right[paired], firsts, rows[used], numbers[used])


def _joined(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *parts])


def kept(found: Blocked, used: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return bounds and blocks of records without the blocks that are not used; numbers stay as they are."""
    mask = used[found.blocks]
    bounds = np.append(0, np.cumsum(mask))[found.bounds]
    return bounds, found.blocks[mask]


@kernel
def _by_row(rows: NDArray[np.int64], numbers: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Sort entries by row, counting; numbers of a row stay in order."""
    bounds = np.zeros(n + 1, np.int64)
    for row in rows:
        bounds[row + 1] += 1
    for i in range(n):
        bounds[i + 1] += bounds[i]
    ends = bounds[:-1].copy()
    blocks = np.empty(len(rows), np.int32)
    for j in range(len(rows)):
        blocks[ends[rows[j]]] = numbers[j]
        ends[rows[j]] += 1
    return bounds, blocks
