"""Texts to shingle hashes, in order or as the set of a text.

The hash of the shingle t_1 ... t_m is ``fmix64(sum t_i * B^(m-i) + m * GOLDEN_GAMMA)`` modulo 2^64 over the hashes of
its tokens: it depends on their order and number. Tokens are the words of profile ``words-v1``; or the characters of
these words, with one space where there is something between two words; or the bytes of the text as they are. A text
with fewer tokens than the shingle size has one shingle made of all of them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .intrinsics import load64, store64
from .kernel import inner_kernel, kernel
from .mix import GOLDEN_GAMMA, fmix64, signed
from .tokens import (
    ELSEWHERE,
    NOWHERE,
    PADDING,
    TOKEN_SEED,
    absorb_bytes,
    hash_bytes,
    hash_characters,
    hash_words,
    padded,
)
from .unicode_table import CharacterTable
from .words import WINDOW, Words, cut_words, no_words

UNITS = ("word", "char", "byte")
WORD, CHAR, BYTE = 0, 1, 2

MAX_SHINGLE = 64
"""Most tokens of a shingle."""

ROOM = 2 * (WINDOW + 8) + 2 * MAX_SHINGLE + 2 * PADDING
"""Tokens that a window brings at most (a character of two bytes may fold to three), and those carried over; and
what loops write and read beyond."""

MAX_BUCKET = 32
"""Values in one bucket above which bucket sort gives way."""

POLYNOMIAL_BASE = np.uint64(0xD6E8FEB86659FD93)  # odd, so multiplication is a bijection
_0 = np.uint64(0)


class Scratch(NamedTuple):
    """What the kernels write on, made once for many texts.

    Attributes:
        words: the words of a window.
        tokens: uint64, shape (ROOM,): token hashes, first those carried over from the last window.
        shingles: uint64, shape (ROOM,): shingle hashes.
        work: uint64, shape (2, ROOM).
        longer: int32, shape (ROOM,).
    """

    words: Words
    tokens: NDArray[np.uint64]
    shingles: NDArray[np.uint64]
    work: NDArray[np.uint64]
    longer: NDArray[np.int32]


class Cursor(NamedTuple):
    """Where the reading of a text stands between two windows.

    Attributes:
        at: the next byte.
        waiting: tokens at the start of ``Scratch.tokens`` that shingles to come begin with.
        shingled: 1 if the text has a shingle already, else 0.
        opened: 1 if the last window ended inside a word, else 0.
        held: bytes of that word at the start of ``Words.folded``, fewer than 8.
        absorbed: bytes of it that are in ``state``.
        state: the unfinished hash of it.
        before: where the last character ended, as ``hash_characters`` wants it.
    """

    at: int
    waiting: int
    shingled: int
    opened: int
    held: int
    absorbed: int
    state: np.uint64
    before: int


@kernel
def no_scratch() -> Scratch:
    """Return what the kernels write on."""
    return Scratch(
        no_words(),
        np.zeros(ROOM, np.uint64),
        np.zeros(ROOM, np.uint64),
        np.zeros((2, ROOM), np.uint64),
        np.zeros(ROOM, np.int32),
    )


@inner_kernel
def start_of(at: int) -> Cursor:
    """Return the cursor of a text that starts at that byte."""
    return Cursor(at, 0, 0, 0, 0, 0, TOKEN_SEED, NOWHERE)


@inner_kernel
def next_tokens(
    data: NDArray[np.uint8], cursor: Cursor, end: int, unit: int, table: CharacterTable, scratch: Scratch
) -> tuple[Cursor, int, int, int]:
    """Hash the tokens of the next window of a text, to ``scratch.tokens`` behind those that wait there.

    Args:
        data: uint8, the bytes.
        cursor: where the text stands.
        end: where it ends.
        unit: ``WORD``, ``CHAR`` or ``BYTE``.
        table: the character table of the profile.
        scratch: kept between the windows of a text.

    Returns:
        (the cursor after the window, ``waiting`` and ``shingled`` as they were; tokens made; words that ended in the
        window; offset of the first byte that is not UTF-8 or -1).
    """
    words = scratch.words
    folded, edges, out = words.folded, words.edges, scratch.tokens[cursor.waiting :]
    n, opened, size, at, error = cut_words(data, cursor.at, end, table, words, cursor.held, cursor.opened)
    edges[n] = size  # closes the word that is open, if one is
    complete = (n + (opened & (at >= end))) // 2
    if unit == BYTE:
        hash_bytes(data, cursor.at, at, out)
        return (
            Cursor(at, cursor.waiting, cursor.shingled, opened, 0, 0, TOKEN_SEED, NOWHERE),
            at - cursor.at,
            complete,
            error,
        )
    if unit == CHAR:
        made, last = hash_characters(folded, edges, (n + opened) // 2, cursor.before, out)
        before = last if last == NOWHERE else 0 if last == size else ELSEWHERE
        return Cursor(at, cursor.waiting, cursor.shingled, opened, 0, 0, TOKEN_SEED, before), made, complete, error
    hash_words(words, cursor.opened, complete, out, scratch.work[0], scratch.longer)
    state, absorbed = TOKEN_SEED, 0
    if cursor.opened:
        state, absorbed = cursor.state, cursor.absorbed
        if complete > 0:
            out[0], _ = absorb_bytes(state, absorbed, folded, 0, edges[1], True)
            state, absorbed = TOKEN_SEED, 0
    held = 0
    if opened and at < end:
        start = signed(edges[2 * complete])
        held = (size - start) & 7
        state, absorbed = absorb_bytes(state, absorbed, folded, start, size, False)
        store64(folded, 0, load64(folded, size - held))
    return (
        Cursor(at, cursor.waiting, cursor.shingled, opened, held, absorbed, state, NOWHERE),
        complete,
        complete,
        error,
    )


@inner_kernel
def shingle_block(
    tokens: NDArray[np.uint64], count: int, n: int, work: NDArray[np.uint64], out: NDArray[np.uint64]
) -> int:
    """Hash the ``count - n + 1`` shingles of ``n`` tokens each into ``out``; return their number (0 if count < n).

    Polynomials over 2m tokens are made of two over m, and over 2m + 1 of one more token: each pass is independent from
    place to place, where a rolling hash would wait for its own last multiplication.
    """
    made = count - n + 1
    if made <= 0:
        return 0
    room = padded(count)
    source, target, spare = tokens, work[0], work[1]
    length, power = 1, POLYNOMIAL_BASE
    bit = 1
    while bit << 1 <= n:
        bit <<= 1
    while bit > 1:
        bit >>= 1
        ahead = source[length:]
        for i in range(room):
            target[i] = source[i] * power + ahead[i]
        source, target, spare = target, spare, target
        length, power = 2 * length, power * power
        if n & bit:
            ahead = tokens[length:]
            for i in range(room):
                target[i] = source[i] * POLYNOMIAL_BASE + ahead[i]
            source, target, spare = target, spare, target
            length, power = length + 1, power * POLYNOMIAL_BASE
    tag = np.uint64(n) * GOLDEN_GAMMA
    for i in range(padded(made)):
        out[i] = fmix64(source[i] + tag)
    return made


@inner_kernel
def next_shingles(
    data: NDArray[np.uint8], cursor: Cursor, end: int, unit: int, n: int, table: CharacterTable, scratch: Scratch
) -> tuple[Cursor, int, int, int]:
    """Hash the shingles that end in the next window of a text, to ``scratch.shingles``.

    A text is finished when ``cursor.at`` is ``end``. A text of fewer than ``n`` tokens yields its one shingle then.

    Args:
        data, cursor, end, unit, table, scratch: as in ``next_tokens``.
        n: tokens of a shingle.

    Returns:
        (the cursor after the window; shingles made; words that ended in the window; offset of an error or -1).
    """
    after, made, words, error = next_tokens(data, cursor, end, unit, table, scratch)
    tokens, count = scratch.tokens, cursor.waiting + made
    finished = after.at >= end or error >= 0
    size = min(n, count) if finished and not cursor.shingled else n
    shingles = shingle_block(tokens, count, size, scratch.work, scratch.shingles) if size > 0 else 0
    keep = min(count, n - 1)
    last = tokens[count - keep :]
    for i in range(keep):
        tokens[i] = last[i]
    shingled = cursor.shingled | signed(shingles > 0)
    moved = Cursor(after.at, keep, shingled, after.opened, after.held, after.absorbed, after.state, after.before)
    return moved, shingles, words, error


@kernel
def shingle_sets(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], unit: int, n: int, table: CharacterTable
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the sorted, distinct shingle hashes of each text: (values, offsets into them).

    Bytes that are not UTF-8 end their text, and the token they stand in is left out: callers validate first
    (``fingerprint`` reports the offset).
    """
    return _shingles(data, offsets, unit, n, table, True)


@kernel
def shingle_sequences(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], unit: int, n: int, table: CharacterTable
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the shingle hashes of each text as they follow one another: (values, offsets into them).

    Shingle i of a text begins with its token i. Else as ``shingle_sets``.
    """
    return _shingles(data, offsets, unit, n, table, False)


@kernel
def _shingles(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], unit: int, n: int, table: CharacterTable, as_sets: bool
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    scratch = no_scratch()
    values = np.empty(max(1024, (offsets[-1] - offsets[0]) // 4), np.uint64)
    bounds = np.zeros(len(offsets), np.int64)
    used = 0
    for i in range(len(offsets) - 1):
        first = used
        cursor, end, error = start_of(offsets[i]), offsets[i + 1], -1
        while cursor.at < end and error < 0:
            cursor, made, _, error = next_shingles(data, cursor, end, unit, n, table, scratch)
            if used + made > len(values):
                grown = np.empty(2 * (used + made), np.uint64)
                grown[:used] = values[:used]
                values = grown
            values[used : used + made] = scratch.shingles[:made]
            used += made
        if as_sets:
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
        ends[signed(values[i] >> shift) + 1] += 1
    if n and ends.max() > MAX_BUCKET:
        values.sort()
        return
    for b in range(1 << bits):
        ends[b + 1] += ends[b]
    unsorted = values.copy()
    for i in range(n):
        bucket = signed(unsorted[i] >> shift)
        values[ends[bucket]] = unsorted[i]
        ends[bucket] += 1
    for i in range(1, n):
        value, j = values[i], i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value
