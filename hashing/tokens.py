"""Token hashes: 64 bits of a word, a character or a byte.

The hash is defined over the token's UTF-8 bytes, eight at a time in little-endian order and zero-padded, so that a
kernel can follow the definition with wide loads:

    h = TOKEN_SEED
    for each word w of eight bytes:  (but for the first: h = h * M2;  h ^= h >> 29)   h = (h ^ w) * M1;  h ^= h >> 32
    h = (h ^ n_bytes) * M2;  h ^= h >> 29

For tokens of up to eight bytes this is a bijection for each length: they never collide among equals in length. Longer
ones need the second multiplication between words: with one alone, a change in the last byte of a word and two more in
the next cancel out, and serial numbers collide by the thousand. (The multipliers are those of Pelle Evensen's
``rrmxmx`` and ``moremur`` mixers.)
"""

import numpy as np
from numpy.typing import NDArray

from .intrinsics import load64
from .kernel import inner_kernel
from .mix import signed
from .words import Words, low_bytes

TOKEN_SEED = np.uint64(0x7461_6D69_735F_7631)  # the bytes "tamis_v1"
_M1 = np.uint64(0x9FB21C651E98DF25)
_M2 = np.uint64(0x3C79AC492BA7B653)
_32 = np.uint64(32)
_29 = np.uint64(29)
SPACE = np.uint64(0x20)

PADDING = 32
"""Loops over a window's hashes run on to a multiple of this: what the last of them make is never read, and it takes
less time than the odd elements behind a loop of vectors."""

ELSEWHERE, NOWHERE = -1, -2
"""Where the character before the first of a window ends: not right there, with something between; or there is none."""


@inner_kernel
def padded(count: int) -> int:
    """Return ``count`` rounded up to a multiple of ``PADDING``."""
    return (count + PADDING - 1) & ~(PADDING - 1)


@inner_kernel
def finish(h: np.uint64, size: int) -> np.uint64:
    """Close a token of ``size`` bytes that are all mixed in."""
    h = (h ^ np.uint64(size)) * _M2
    return h ^ (h >> _29)


@inner_kernel
def absorb(h: np.uint64, word: np.uint64, first: bool) -> np.uint64:
    """Mix in the next eight bytes of a token, or its last few."""
    if not first:
        h *= _M2
        h ^= h >> _29
    h = (h ^ word) * _M1
    return h ^ (h >> _32)


@inner_kernel
def hash_short(word: np.uint64, size: int) -> np.uint64:
    """Return the hash of a token of 1 to 8 bytes, the first lowest in ``word``."""
    return finish(absorb(TOKEN_SEED, word, True), size)


@inner_kernel
def absorb_bytes(
    h: np.uint64, absorbed: int, folded: NDArray[np.uint8], start: int, end: int, close: bool
) -> tuple[np.uint64, int]:
    """Mix ``folded[start:end]`` into a token of which ``absorbed`` bytes, a multiple of 8, are in ``h``.

    Eight bytes from the last full word on must be readable. Unless ``close``, the last few bytes that make no full word
    are left.

    Returns:
        (the hash, or its state; bytes of the token that are in it now).
    """
    while end - start >= 8:
        h = absorb(h, load64(folded, start), absorbed == 0)
        start += 8
        absorbed += 8
    if not close:
        return h, absorbed
    if end > start:
        h = absorb(h, load64(folded, start) & low_bytes(end - start), absorbed == 0)
    return finish(h, absorbed + end - start), absorbed + end - start


@inner_kernel
def hash_words(
    words: Words, first: int, count: int, out: NDArray[np.uint64], sizes: NDArray[np.uint64], longer: NDArray[np.int32]
) -> None:
    """Hash words ``first`` to ``count - 1`` of a window, none of them empty, to their places in ``out``.

    All are hashed as if they had at most eight bytes, without a branch on the length; the rest of the long ones
    is seen to afterwards.

    Args:
        words: the window.
        first, count: which words.
        out: uint64, with room for ``padded(count)`` hashes; what is behind the words' own is written over.
        sizes: uint64 scratch, as long.
        longer: int32 scratch, shape (count + 1,) or more.
    """
    folded, edges = words.folded, words.edges
    more = 0
    for i in range(first, count):
        start = signed(edges[2 * i])
        size = signed(edges[2 * i + 1]) - start
        longer[more] = i
        more += size > 8
        sizes[i] = size
        out[i] = load64(folded, start) & low_bytes(min(size, 8))
    for i in range(padded(count)):
        out[i] = finish(absorb(TOKEN_SEED, out[i], True), sizes[i])
    for j in range(more):
        i = longer[j]
        out[i], _ = absorb_bytes(TOKEN_SEED, 0, folded, edges[2 * i], edges[2 * i + 1], True)


@inner_kernel
def hash_characters(
    folded: NDArray[np.uint8], edges: NDArray[np.int32], count: int, before: int, out: NDArray[np.uint64]
) -> tuple[int, int]:
    """Hash the characters of words into ``out``, with one space where there is something between two words.

    Args:
        folded, edges: as in ``words.Words``.
        count: number of words.
        before: where in the window the character before ends: 0, ``ELSEWHERE`` or ``NOWHERE``.
        out: uint64, room for all.

    Returns:
        (number of hashes, where the last character ends).
    """
    n = 0
    for i in range(count):
        at, end = signed(edges[2 * i]), signed(edges[2 * i + 1])
        if at == end:  # of a word that the window before left open, and this one ends
            continue
        out[n] = hash_short(SPACE, 1)
        n += (at != before) & (before != NOWHERE)
        before = end
        while at < end:
            lead = folded[at]
            size = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            out[n] = hash_short(load64(folded, at) & low_bytes(size), size)
            n += 1
            at += size
    return n, before


@inner_kernel
def hash_bytes(data: NDArray[np.uint8], start: int, end: int, out: NDArray[np.uint64]) -> None:
    """Hash each byte of ``data[start:end]`` into ``out``."""
    for i in range(end - start):
        out[i] = hash_short(np.uint64(data[start + i]), 1)
