"""What a source may take, dealt to its groups so that small ones get whole rows, and all together get all of it.

A group of a hundredth of its source, of which the source takes 20 words, has no use for a fifth of a word, nor for 7
words where a row has 25. So each group gets its share in whole rows of its own mean length, rounded down, and what is
left goes to the largest remainders, a row each: the method of largest remainders, with rows as its unit.
"""

import numpy as np
from numpy.typing import NDArray


def by_rows(held: NDArray[np.int64], rows: NDArray[np.int64], amount: int) -> NDArray[np.int64]:
    """Return what each group may take: in proportion to what it holds, never more than that, ``amount`` in all.

    Of equal remainders the first group comes first. What is less than a row goes to the next ones in that order.

    Args:
        held: int64, shape (groups,): rows or words of each; some.
        rows: int64, shape (groups,): rows of each, 1 or more.
        amount: 0 to the sum of ``held``.

    Returns:
        int64, shape (groups,).

    >>> by_rows(np.array([50, 25, 25]), np.array([2, 1, 1]), 75).tolist()
    [25, 25, 25]
    """
    total, sizes, counts = int(held.sum()), held.tolist(), rows.tolist()
    whole = [amount * count // total for count in counts]
    remainders = [amount * count % total for count in counts]
    limits = [_words(number, size, count) for number, size, count in zip(whole, sizes, counts, strict=True)]
    left = amount - sum(limits)
    order = sorted(range(len(sizes)), key=lambda group: -remainders[group])
    passed = []
    for group in order:
        row = _words(whole[group] + 1, sizes[group], counts[group]) - limits[group]
        if remainders[group] and row <= left:
            limits[group] += row
            left -= row
        else:
            passed.append(group)
    for group in [*passed, *order]:
        more = min(left, sizes[group] - limits[group])
        limits[group] += more
        left -= more
    return np.array(limits, np.int64)


def _words(number: int, size: int, count: int) -> int:
    """Return about how much so many rows hold, of a group of ``count`` rows that hold ``size``; never more than it."""
    return size * min(number, count) // count
