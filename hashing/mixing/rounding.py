"""Shares of a total as whole numbers that add up to it and are no larger than what there is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError
from .caps import capped
from .checks import normalised, same_length


def floor_and_deal(shares: ArrayLike, total: int, sizes: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return budgets as SMART rounds them (Renduchintala et al., Findings of ACL 2024).

    Each source gets its share of the total, rounded down. What is left is dealt one by one from the first source on;
    what is more than a source has is taken back, and dealt in rounds, one to each that has room, from the first on. A
    larger total may shrink a budget by one, as with every method that rounds down first.

    Args:
        shares: shape (sources,), in the order of selection.
        total: the sum of the budgets.
        sizes: int64, shape (sources,): what each source has.

    Returns:
        int64, shape (sources,).

    Raises:
        InputError: shares are no weights.
        ConfigError: the sources together have less.
    """
    parts, room = _ready(shares, total, sizes)
    budgets = np.floor(parts * total).astype(np.int64)
    dealt = np.flatnonzero(parts > 0)
    left = max(total - int(budgets.sum()), 0)
    budgets[dealt] += left // len(dealt)
    budgets[dealt[: left % len(dealt)]] += 1
    budgets = np.minimum(budgets, room)  # of very large totals, parts rounded down may be too much: the last give back
    return _in_rounds(budgets, room, total - int(budgets.sum()), np.arange(len(parts)))


def largest_remainder(
    shares: ArrayLike, total: int, sizes: Sequence[int] | NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Return budgets rounded down, and one more for the largest remainders; of equal ones the first comes first.

    A source that has less than its share gets all it has, and the others share the rest by their weights
    (``caps.capped``). Up to ties it does not matter in which order sources come.

    Args:
        shares: shape (sources,).
        total: the sum of the budgets.
        sizes: int64, shape (sources,): what each source has; None: enough.

    Returns:
        int64, shape (sources,).

    Raises:
        InputError: shares are no weights.
        ConfigError: the sources together have less.
    """
    count = len(np.atleast_1d(np.asarray(shares, np.float64)))
    parts, room = _ready(shares, total, np.full(count, total) if sizes is None else sizes)
    quotas = capped(parts, room / max(total, 1)) * total if total else np.zeros(count)
    budgets = np.minimum(np.floor(quotas).astype(np.int64), room)
    order = np.argsort(-(quotas - budgets), kind="stable")
    return _in_rounds(budgets, room, total - int(budgets.sum()), order)


def _ready(
    shares: ArrayLike, total: int, sizes: Sequence[int] | NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    parts, room = normalised(shares, "shares"), np.array(sizes, np.int64, ndmin=1)
    same_length("sizes", room, len(parts))
    if (room < 0).any():
        raise ConfigError("a source has 0 or more", value=int(room.min()), remedy="Mend the sizes.")
    room = np.where(parts > 0, room, 0)
    if not 0 <= total <= int(room.sum()):
        raise ConfigError(
            "a budget is no more than what its sources hold",
            value=f"a budget of {total:,}, where there are {int(room.sum()):,}",
            remedy="Lower the budget, or allow more passes.",
        )
    return parts, room


def _in_rounds(
    budgets: NDArray[np.int64], sizes: NDArray[np.int64], left: int, order: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Deal what is left, one to each that has room, round after round; a negative rest is taken back in that way."""
    if left < 0:
        return sizes - _in_rounds(sizes - budgets, sizes, -left, order[::-1])
    room = sizes - budgets
    least, most = 0, int(room.max())  # full rounds
    while least < most:
        rounds = (least + most + 1) // 2
        least, most = (rounds, most) if int(np.minimum(room, rounds).sum()) <= left else (least, rounds - 1)
    given = np.minimum(room, least)
    more = order[room[order] > least][: left - int(given.sum())]
    given[more] += 1
    return np.asarray(budgets + given, np.int64)
