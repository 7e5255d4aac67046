"""Texts made of texts: folded ones, their words, and sequences of their characters.

Where ``ngrams`` and ``shingles`` give hashes, these give bytes, for keys that people are to read.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel
from .mix import signed
from .ngrams import folded_character
from .unicode_table import LONE, SEPARATOR, CharacterTable

_GROWTH = 3
"""No character is folded to more than so many times its bytes."""


class Parts(NamedTuple):
    """Texts that were made of each text.

    Attributes:
        data: uint8: the bytes of all of them, one after another.
        offsets: int64, shape (n_parts + 1,): part j is ``data[offsets[j]:offsets[j + 1]]``.
        bounds: int64, shape (n_texts + 1,): text i became the parts ``bounds[i]:bounds[i + 1]``.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    bounds: NDArray[np.int64]


@kernel
def folded_texts(data: NDArray[np.uint8], offsets: NDArray[np.int64], table: CharacterTable) -> Parts:
    """Return each text with its letters folded and all else as it is: one part a text. Other bytes than UTF-8 end it.

    Args:
        data: uint8, UTF-8 texts one after another.
        offsets: int64, shape (n + 1,).
        table: the character table of the profile.
    """
    n = len(offsets) - 1
    out = np.empty(_GROWTH * (offsets[n] - offsets[0]), np.uint8)
    ends = np.zeros(n + 1, np.int64)
    used = 0
    for i in range(n):
        at, end = offsets[i], offsets[i + 1]
        while at < end:
            kind, more, count, width = folded_character(data, at, end, table)
            if kind == SEPARATOR:
                out[used : used + width] = data[at : at + width]
                used += width
            else:
                used = _put(more, count, out, used)
            at += width
        ends[i + 1] = used
    return Parts(out[:used].copy(), ends, np.arange(n + 1))


@kernel
def folded_words(data: NDArray[np.uint8], offsets: NDArray[np.int64], table: CharacterTable) -> Parts:
    """Return the words of each text, folded, in order; arguments as ``folded_texts``."""
    n = len(offsets) - 1
    size = offsets[n] - offsets[0]
    out, ends = np.empty(_GROWTH * size, np.uint8), np.zeros(size + 1, np.int64)
    bounds = np.zeros(n + 1, np.int64)
    used = words = 0
    for i in range(n):
        at, end = offsets[i], offsets[i + 1]
        while at < end:
            kind, more, count, width = folded_character(data, at, end, table)
            if kind in (SEPARATOR, LONE) and used > ends[words]:
                words += 1
                ends[words] = used
            if kind != SEPARATOR:
                used = _put(more, count, out, used)
            if kind == LONE:
                words += 1
                ends[words] = used
            at += width
        if used > ends[words]:
            words += 1
            ends[words] = used
        bounds[i + 1] = words
    return Parts(out[:used].copy(), ends[: words + 1].copy(), bounds)


@inner_kernel
def _put(more: np.uint64, count: int, out: NDArray[np.uint8], used: int) -> int:
    for _ in range(count):
        out[used] = more & np.uint64(0xFF)
        more >>= np.uint64(8)
        used += 1
    return used


@kernel
def character_ngrams(data: NDArray[np.uint8], offsets: NDArray[np.int64], n: int) -> Parts:
    """Return all sequences of n characters of each text, in order; a shorter text is one by itself, unless empty.

    Args:
        data: uint8, UTF-8 texts one after another.
        offsets: int64, shape (n_texts + 1,).
        n: at least 1.
    """
    texts = len(offsets) - 1
    size = offsets[texts] - offsets[0]
    out, ends = np.empty(n * size, np.uint8), np.zeros(size + 1, np.int64)  # a byte is in n of them at most
    bounds = np.zeros(texts + 1, np.int64)
    used = grams = 0
    for i in range(texts):
        first, end = offsets[i], offsets[i + 1]
        stop, held = first, 0  # the characters first .. stop - 1 are the last ones read
        while stop < end:
            stop += 1
            while stop < end and signed(data[stop]) & 0xC0 == 0x80:
                stop += 1
            held += 1
            if held < n and stop < end:
                continue
            out[used : used + stop - first] = data[first:stop]
            used += stop - first
            grams += 1
            ends[grams] = used
            first += 1
            while first < end and signed(data[first]) & 0xC0 == 0x80:
                first += 1
            held -= 1
        bounds[i + 1] = grams
    return Parts(out[:used].copy(), ends[: grams + 1].copy(), bounds)
