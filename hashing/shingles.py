"""Token hashes to shingle hashes, and the shingle set of a text.

The hash of the shingle t_1 ... t_m is ``fmix64(sum t_i * B^(m-i) + m * GOLDEN_GAMMA)`` modulo 2^64: it
depends on the order and the number of tokens, and is rolled along the text. A text with fewer tokens
than the shingle size has one shingle made of all of them.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import GOLDEN_GAMMA, fmix64
from .tokens import BLOCK_TOKENS, next_tokens
from .unicode_table import CharacterTable

_BASE = np.uint64(0xD6E8FEB86659FD93)  # odd, so multiplication is a bijection
_0 = np.uint64(0)
MAX_BUCKET = 32
"""Values in one bucket above which bucket sort gives way."""


@kernel
def _power(n: int) -> np.uint64:
    power = np.uint64(1)
    for _ in range(n):
        power *= _BASE
    return power


@kernel
def shingle_block(tokens: NDArray[np.uint64], count: int, n: int, out: NDArray[np.uint64]) -> int:
    """Hash the ``count - n + 1`` shingles of ``n`` tokens each; return their number (0 if count < n)."""
    if count < n:
        return 0
    tag = np.uint64(n) * GOLDEN_GAMMA
    drop = _power(n)
    rolled = _0
    for i in range(n - 1):
        rolled = rolled * _BASE + tokens[i]
    leaving = _0
    for i in range(count - n + 1):
        rolled = rolled * _BASE + tokens[i + n - 1] - leaving * drop
        leaving = tokens[i]
        out[i] = fmix64(rolled + tag)
    return count - n + 1


@kernel
def next_shingles(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    n: int,
    carried: int,
    table: CharacterTable,
    tokens: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> tuple[int, int, int, int, int]:
    """Hash the next block of shingles of a text.

    Args:
        data, at, end: the bytes, where to go on, where the text ends.
        n: shingle size in tokens.
        carried: tokens of the last block that wait at the start of ``tokens`` (0 at the start of a text).
        table: the character table.
        tokens: uint64 scratch, ``BLOCK_TOKENS + n`` long, kept by the caller between calls.
        out: uint64, as long as ``tokens``.

    Returns:
        (shingles written, new tokens, tokens carried, where to go on, offset of an error or -1).
        The text is finished when "where to go on" is ``end``; a text shorter than n tokens yields its
        one shingle then.
    """
    read, at, error = next_tokens(data, at, end, table, tokens[carried:], BLOCK_TOKENS)
    count = carried + read
    made = shingle_block(tokens, count, n, out)
    if made > 0:
        keep = n - 1
        for i in range(keep):
            tokens[i] = tokens[count - keep + i]
        return made, read, keep, at, error
    return 0, read, count, at, error


@kernel
def short_shingle(tokens: NDArray[np.uint64], count: int, out: NDArray[np.uint64]) -> int:
    """Hash the one shingle of a text of ``count`` tokens, fewer than the shingle size; return 1, or 0 if none."""
    if count == 0:
        return 0
    return shingle_block(tokens, count, count, out)


@kernel
def shingle_sets(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    n: int,
    table: CharacterTable,
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the sorted, distinct shingle hashes of each text: (values, offsets into them).

    Bytes that are not UTF-8 end their text, and the token they stand in is left out: callers validate first
    (``fingerprint`` reports the offset).
    """
    tokens = np.empty(BLOCK_TOKENS + n, np.uint64)
    block = np.empty(BLOCK_TOKENS + n, np.uint64)
    values = np.empty(max(1024, (offsets[-1] - offsets[0]) // 4), np.uint64)
    bounds = np.zeros(len(offsets), np.int64)
    used = 0
    for i in range(len(offsets) - 1):
        first = used
        at, end, carried, made_any = offsets[i], offsets[i + 1], 0, False
        while at < end:
            made, _, carried, at, error = next_shingles(data, at, end, n, carried, table, tokens, block)
            if (at >= end or error >= 0) and made == 0 and not made_any:
                made = short_shingle(tokens, carried, block)
            made_any = made_any or made > 0
            if used + made > len(values):
                grown = np.empty(2 * (used + made), np.uint64)
                grown[:used] = values[:used]
                values = grown
            values[used : used + made] = block[:made]
            used += made
            if error >= 0:
                break
        used = first + sort_unique(values[first:used])
        bounds[i + 1] = used
    return values[:used].copy(), bounds


@kernel
def sort_unique(values: NDArray[np.uint64]) -> int:
    """Sort uniform hashes in place, move the distinct ones to the front, return their number.

    One bucket pass by the high bits leaves about one value a bucket, and insertion sort does the rest; where many
    values share a bucket, as repeated shingles do, the general sort is used.
    """
    _bucket_sort(values)
    distinct = 0
    for i in range(len(values)):
        if i == 0 or values[i] != values[i - 1]:
            values[distinct] = values[i]
            distinct += 1
    return distinct


@kernel
def _bucket_sort(values: NDArray[np.uint64]) -> None:
    n = len(values)
    bits = 1
    while 1 << bits < n:
        bits += 1
    shift = np.uint64(64 - bits)
    ends = np.zeros((1 << bits) + 1, np.int64)
    for i in range(n):
        ends[np.int64(values[i] >> shift) + 1] += 1
    if n and ends.max() > MAX_BUCKET:
        values.sort()
        return
    for b in range(1 << bits):
        ends[b + 1] += ends[b]
    unsorted = values.copy()
    for i in range(n):
        bucket = np.int64(unsorted[i] >> shift)
        values[ends[bucket]] = unsorted[i]
        ends[bucket] += 1
    for i in range(1, n):
        value, j = values[i], i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value
