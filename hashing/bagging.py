"""Samples and folds by a keyed hash of content: where a row goes depends on what it says alone.

The rule is that of hash bagging: no row moves when others come, go or change places, and copies stay together. Each
purpose, and each round of folds, has a random function of its own: rounds that shared one would cut the same folds
under other labels, as published code did with Python's hash of numbers, which is the number.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import GOLDEN_GAMMA, derive_seed, fmix64

_32 = np.uint64(32)


def draws(high: NDArray[np.int64], low: NDArray[np.int64], *, seed: int, purpose: str) -> NDArray[np.uint64]:
    """Return a uniform number for each content: uint64, shape (n,).

    Args:
        high, low: int64, shape (n,): the 128-bit hash of each content.
        seed: of the run.
        purpose: ``sample``, ``split`` or ``fold 0``, ``fold 1`` ...: another purpose, other numbers.

    >>> draws(np.array([1, 2]), np.array([3, 3]), seed=0, purpose="split").tolist()
    [9983988086583671065, 4896617252314194454]
    """
    return _draws(high.view(np.uint64), low.view(np.uint64), np.uint64(derive_seed(seed, purpose)))


@kernel
def _draws(high: NDArray[np.uint64], low: NDArray[np.uint64], seed: np.uint64) -> NDArray[np.uint64]:
    out = np.empty(len(high), np.uint64)
    for i in range(len(high)):
        out[i] = fmix64(fmix64((high[i] ^ seed) + GOLDEN_GAMMA) ^ low[i])
    return out


def below(numbers: NDArray[np.uint64], share: float) -> NDArray[np.bool_]:
    """Return which numbers are among the lowest share of all: bool, shape (n,); a larger share holds a smaller one.

    Args:
        numbers: uniform uint64.
        share: from 0 to 1.
    """
    if share >= 1:
        return np.ones(len(numbers), np.bool_)
    return np.asarray(numbers < np.uint64(int(share * 2.0**64)), np.bool_)


def part(numbers: NDArray[np.uint64], shares: list[float]) -> NDArray[np.int64]:
    """Return which part each number falls in, of parts of these shares one after another: int64, shape (n,).

    What is left after all shares is the part ``len(shares)``.
    """
    found = np.full(len(numbers), len(shares), np.int64)
    for number in range(len(shares) - 1, -1, -1):
        found[below(numbers, sum(shares[: number + 1]))] = number
    return found


def fold(numbers: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """Return the fold of each number, of ``count`` equal ones: int64, shape (n,), from 0."""
    return np.asarray(((numbers >> _32) * np.uint64(count)) >> _32, np.int64)
