"""Where the words of a text are: profile ``words-v1``, one window of the text at a time.

A word is a run of letters, marks, numbers and underscore, full case folding applied; characters of scripts without
spaces are words of their own. A window is cut into words by one pass that writes the folded bytes to a buffer and
the places where words start and end in it; everything after that (hashing words, characters, n-grams) reads the
buffer with wide loads and without looking at characters again.

Blocks of 64 bytes are classified at once as far as they are ASCII; other characters are decoded one by one, without a
branch that depends on what kind of character it is.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .intrinsics import BLOCK, load64, sift_block, store64, trailing_zeros
from .kernel import inner_kernel, kernel
from .mix import signed
from .unicode_table import FOLDED, LONE, SEPARATOR, WORD, CharacterTable

WINDOW = 2048
"""Bytes of text taken at a time: the folded bytes and all that is made of them stay in the first-level cache."""

FOLDED_BYTES = 3 * (WINDOW + 8) + BLOCK + 8
"""Room for the folded bytes of a window: no folding of Unicode 15.0 is more than three times as long."""

EDGES = WINDOW + 2 * BLOCK
"""Room for the edges of a window: at most one for each byte of text, and those of a block."""

_0 = np.uint64(0)
_1 = np.uint64(1)
_6 = np.uint64(6)
_8 = np.uint64(8)
_12 = np.uint64(12)
_16 = np.uint64(16)
_18 = np.uint64(18)
_24 = np.uint64(24)
_LOW_3 = np.uint64(0x07)
_LOW_4 = np.uint64(0x0F)
_LOW_5 = np.uint64(0x1F)
_LOW_6 = np.uint64(0x3F)
_BYTE = np.uint64(0xFF)
_ASCII = np.uint64(0x80)
_PAGE = np.uint64(256)
_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_HIGH_BITS = np.uint64(0x8080808080808080)


class Words(NamedTuple):
    """The words of a window; made once and used for window after window.

    Attributes:
        folded: uint8, shape (FOLDED_BYTES,): folded bytes. Bytes between words are no part of any.
        edges: int32, shape (EDGES,): word i is ``folded[edges[2 * i]:edges[2 * i + 1]]``.
        tail: uint8, shape (BLOCK,): copy of the last bytes of the data, where a block would reach beyond them.
    """

    folded: NDArray[np.uint8]
    edges: NDArray[np.int32]
    tail: NDArray[np.uint8]


@kernel
def no_words() -> Words:
    """Return room for the words of a window."""
    return Words(np.zeros(FOLDED_BYTES, np.uint8), np.zeros(EDGES, np.int32), np.zeros(BLOCK, np.uint8))


@inner_kernel
def low_bytes(n: int) -> np.uint64:
    """Return a mask of the ``n`` lowest bytes of a word, 1 to 8."""
    return _ONES >> np.uint64(64 - 8 * n)


@inner_kernel
def word_at(data: NDArray[np.uint8], at: int) -> np.uint64:
    """Read up to eight bytes, zeros beyond the end of the data."""
    if at + 8 <= len(data):
        return load64(data, at)
    word = _0
    for i in range(len(data) - at):
        word |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return word


@inner_kernel
def decode(word: np.uint64, left: int) -> tuple[int, int, bool]:
    """Decode one non-ASCII character strictly.

    The size follows from the first byte alone, so that the next character need not wait until this one is judged.

    Args:
        word: the bytes at the character, the first lowest.
        left: how many of them belong to the text.

    Returns:
        (code point, bytes, whether they are UTF-8: not truncated, overlong, a surrogate, or above U+10FFFF; Unicode
        15.0, table 3-7). Where they are not, the numbers mean nothing.
    """
    lead = word & _BYTE
    second = (word >> _8) & _LOW_6
    if lead < np.uint64(0xE0):
        valid = (lead >= np.uint64(0xC2)) & (word & np.uint64(0xC000) == np.uint64(0x8000)) & (left >= 2)
        return signed((word & _LOW_5) << _6 | second), 2, valid
    third = (word >> _16) & _LOW_6
    if lead < np.uint64(0xF0):
        code = signed((word & _LOW_4) << _12 | second << _6 | third)
        valid = (word & np.uint64(0xC0C000) == np.uint64(0x808000)) & (code >= 0x800) & (left >= 3)
        return code, 3, valid & ((code < 0xD800) | (code > 0xDFFF))
    fourth = (word >> _24) & _LOW_6
    code = signed((word & _LOW_3) << _18 | second << _12 | third << _6 | fourth)
    valid = (word & np.uint64(0xC0C0C000) == np.uint64(0x80808000)) & (lead < np.uint64(0xF8)) & (left >= 4)
    return code, 4, valid & (code >= 0x10000) & (code <= 0x10FFFF)


@inner_kernel
def cut_words(
    data: NDArray[np.uint8], at: int, end: int, table: CharacterTable, words: Words, held: int, opened: int
) -> tuple[int, int, int, int, int]:
    """Cut the next window of ``data[at:end]`` into words.

    Args:
        data: uint8, the bytes.
        at, end: where to go on, where the text ends.
        table: the character table of the profile.
        words: where the words go.
        held: bytes of a word that the last window left open, already at the start of ``words.folded``.
        opened: 1 if it left one open, else 0.

    Returns:
        (edges written, 1 if the last of them opens a word that the window does not close, bytes in ``words.folded``,
        where to go on, offset of the first byte that is not UTF-8 or -1).
    """
    folded, edges, tail = words.folded, words.edges, words.tail
    stop = min(end, at + WINDOW)
    size, n = held, opened
    edges[0] = 0
    while at < stop:
        if at + BLOCK <= len(data):
            members, high = sift_block(data, at, folded, size)
        else:
            for i in range(len(data) - at):
                tail[i] = data[at + i]
            members, high = sift_block(tail, 0, folded, size)
        take = min(stop - at, trailing_zeros(high), BLOCK)
        if take > 0:
            keep = _ONES >> np.uint64(BLOCK - take)
            members &= keep
            marks = (members ^ (members << _1 | np.uint64(opened))) & keep
            while marks:
                edges[n] = size + trailing_zeros(marks)
                n += 1
                marks &= marks - _1
            opened = signed((members >> np.uint64(take - 1)) & _1)
            size += take
            at += take
            if take == BLOCK:
                continue
        while at < stop:  # up to the next eight bytes of ASCII
            word = word_at(data, at)
            if word & _BYTE < _ASCII:
                if word & _HIGH_BITS == _0:
                    break
                more = np.uint64(table.ascii_fold[word & _BYTE])
                kind, width, count = WORD if more else SEPARATOR, 1, 1
            else:
                code, width, valid = decode(word, end - at)
                if not valid:
                    return n, opened, size, at, at
                entry = signed(table.blocks[np.uint64(table.pages[code >> 8]) * _PAGE + np.uint64(code & 255)])
                kind, more, count = entry & 3, word & low_bytes(width), width
                if kind == FOLDED:
                    more, count = table.fold_bytes[entry >> 2], signed(table.fold_size[entry >> 2])
            inside = signed((kind == WORD) | (kind == FOLDED))
            edges[n] = size
            n += opened ^ inside
            opened = inside
            edges[n] = size
            edges[n + 1] = size + count
            n += 2 * signed(kind == LONE)
            store64(folded, size, more)
            size += count
            at += width
    return n, opened, size, at, -1
