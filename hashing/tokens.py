"""UTF-8 bytes to token hashes: the tokeniser of profile ``words-v1``.

A word is a run of letters, marks, numbers and underscore, full case folding applied; characters of
scripts without spaces are tokens of their own. A token's hash is defined over its folded UTF-8 bytes,
eight at a time in little-endian order and zero-padded, so that a faster kernel can follow the same
definition with wide loads:

    h = TOKEN_SEED
    for each word w:  (but for the first one: h = h * M2;  h ^= h >> 29)   h = (h ^ w) * M1;  h ^= h >> 32
    h = (h ^ n_bytes) * M2;  h ^= h >> 29

For tokens of up to eight bytes this is a bijection for each length: they never collide among equals in length. Longer
ones need the second multiplication between words: with one alone, a change in the last byte of a word and two more in
the next cancel out, and serial numbers collide by the thousand. (The multipliers are those of Pelle Evensen's
``rrmxmx`` and ``moremur`` mixers.)
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import load64, trailing_zeros
from .unicode_table import FOLDED, LONE, SEPARATOR, CharacterTable

BLOCK_TOKENS = 4096
"""Tokens handed on at a time: 32 KiB of hashes stay in the first-level cache."""

_TOKEN_SEED = np.uint64(0x7461_6D69_735F_7631)  # the bytes "tamis_v1"
_M1 = np.uint64(0x9FB21C651E98DF25)
_M2 = np.uint64(0x3C79AC492BA7B653)
_32 = np.uint64(32)
_29 = np.uint64(29)
_0 = np.uint64(0)
_1 = np.uint64(1)
_2 = np.uint64(2)
_7 = np.uint64(7)
_56 = np.uint64(56)
_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)

# Eight bytes at a time: a constant in every byte of a word.
_HIGH_BITS = np.uint64(0x8080808080808080)
_LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_CASE = np.uint64(0x2020202020202020)
_UNDERSCORES = np.uint64(0x5F5F5F5F5F5F5F5F)
_FROM_A = np.uint64(0x1F1F1F1F1F1F1F1F)  # 128 - ord("a")
_PAST_Z = np.uint64(0x0505050505050505)  # 128 - ord("z") - 1
_FROM_CAPITAL_A = np.uint64(0x3F3F3F3F3F3F3F3F)
_PAST_CAPITAL_Z = np.uint64(0x2525252525252525)
_FROM_0 = np.uint64(0x5050505050505050)
_PAST_9 = np.uint64(0x4646464646464646)
_GATHER = np.uint64(0x0102040810204080)  # moves bit 0 of byte i to bit 56 + i


@kernel
def _absorb(h: np.uint64, word: np.uint64, size: int) -> np.uint64:
    """Mix in the word that brings a token to ``size`` bytes."""
    if size > 8:
        h *= _M2
        h ^= h >> _29
    h = (h ^ word) * _M1
    return h ^ (h >> _32)


@kernel
def _finish(h: np.uint64, word: np.uint64, size: int) -> np.uint64:
    """Close a token of ``size`` bytes whose last, incomplete word is ``word``."""
    if size & 7:
        h = _absorb(h, word, size)
    h = (h ^ np.uint64(size)) * _M2
    return h ^ (h >> _29)


@kernel
def _append(h: np.uint64, word: np.uint64, size: int, more: np.uint64, n: int) -> tuple[np.uint64, np.uint64, int]:
    """Append ``n`` bytes (first lowest in ``more``) to a token."""
    for _ in range(n):
        word |= (more & np.uint64(255)) << np.uint64(8 * (size & 7))
        more >>= np.uint64(8)
        size += 1
        if size & 7 == 0:
            h = _absorb(h, word, size)
            word = _0
    return h, word, size


@kernel
def decode(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Decode one non-ASCII character strictly.

    Returns (code point, bytes), or (-1, 0) where the bytes are not UTF-8: truncated, overlong, a
    surrogate, or above U+10FFFF (Unicode 15.0, table 3-7).
    """
    lead = int(data[at])
    if lead < 0xC2 or lead > 0xF4:
        return -1, 0
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if at + size > end:
        return -1, 0
    code = int(lead) & (0xFF >> (size + 1))
    for i in range(1, size):
        byte = int(data[at + i])
        if byte & 0xC0 != 0x80:
            return -1, 0
        code = code << 6 | (byte & 0x3F)
    if size == 3 and (code < 0x800 or 0xD800 <= code <= 0xDFFF):
        return -1, 0
    if size == 4 and (code < 0x10000 or code > 0x10FFFF):
        return -1, 0
    return code, size


@kernel
def _raw(data: NDArray[np.uint8], at: int, size: int) -> np.uint64:
    word = _0
    for i in range(size):
        word |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return word


@kernel
def _ascii_classes(word: np.uint64) -> np.uint64:
    """Return, for eight ASCII bytes, bit 7 of each byte that belongs to a word: a letter, a digit or an underscore.

    Sums of seven-bit values never carry into the next byte, so bit 7 of ``byte + (128 - x)`` says ``byte >= x``.
    """
    lower = word | _CASE
    letter = (lower + _FROM_A) & ~(lower + _PAST_Z)
    digit = (word + _FROM_0) & ~(word + _PAST_9)
    underscore = ~((word ^ _UNDERSCORES) + _LOW_BITS)
    return (letter | digit | underscore) & _HIGH_BITS


@kernel
def _ascii_fold(word: np.uint64) -> np.uint64:
    """Return eight ASCII bytes with capital letters made small."""
    capital = (word + _FROM_CAPITAL_A) & ~(word + _PAST_CAPITAL_Z) & _HIGH_BITS
    return word | (capital >> _2)


@kernel
def _ascii_token(data: NDArray[np.uint8], start: int, end: int) -> np.uint64:
    """Hash the ASCII word ``data[start:end]``; eight bytes from its last full word on must be readable."""
    h, at, left = _TOKEN_SEED, start, end - start
    while left > 8:
        h = _absorb(h, _ascii_fold(load64(data, at)), at + 8 - start)
        at += 8
        left -= 8
    word = _ascii_fold(load64(data, at)) & (_ONES >> np.uint64(64 - 8 * left))
    h = _absorb(h, word, end - start)
    h = (h ^ np.uint64(end - start)) * _M2
    return h ^ (h >> _29)


@kernel
def _ascii_tokens(data: NDArray[np.uint8], at: int, end: int, out: NDArray[np.uint64], room: int) -> tuple[int, int]:
    """Hash tokens while whole blocks of 64 bytes are ASCII.

    Returns:
        (tokens written, where to go on: a token boundary, before the word that is open where the ASCII ends).
    """
    n = 0
    start = -1  # of the word that is open, or -1
    block = at
    while block + 72 <= end and n + 33 <= room:
        high, members = _0, _0
        for i in range(8):
            word = load64(data, block + 8 * i)
            high |= word
            members |= ((_ascii_classes(word) >> _7) * _GATHER >> _56) << np.uint64(8 * i)
        if high & _HIGH_BITS:
            break
        # Bit i of ``edges`` is set where byte i differs in kind from the byte before.
        edges = members ^ (members << _1 | np.uint64(start >= 0))
        while edges:
            here = block + trailing_zeros(edges)
            edges &= edges - _1
            if start < 0:
                start = here
            else:
                out[n] = _ascii_token(data, start, here)
                n += 1
                start = -1
        block += 64
    return n, start if start >= 0 else block


@kernel
def next_tokens(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    table: CharacterTable,
    out: NDArray[np.uint64],
    room: int,
) -> tuple[int, int, int]:
    """Hash the tokens of ``data[at:end]`` into ``out`` until it is nearly full or the text ends.

    Args:
        data: uint8, the bytes; ``at`` must be a token boundary.
        table: the character table of the profile.
        out: uint64, where hashes go from index 0.
        room: how many hashes fit, at least 3.

    Returns:
        (tokens written, where to go on, offset of the first byte that is not UTF-8 or -1).
    """
    n = 0
    again = at  # where to look for ASCII blocks next: beyond one that had something else
    h, word, size = _TOKEN_SEED, _0, 0
    while at < end:
        if at >= again and size == 0:
            more_tokens, at = _ascii_tokens(data, at, end, out[n:], room - n)
            n += more_tokens
            again = at + 64
            if n > room - 3:
                return n, at, -1
        byte = data[at]
        if byte < 128:
            folded = table.ascii_fold[byte]
            at += 1
            if folded:
                word |= np.uint64(folded) << np.uint64(8 * (size & 7))
                size += 1
                if size & 7 == 0:
                    h = _absorb(h, word, size)
                    word = _0
                continue
            kind = SEPARATOR
        else:
            code, width = decode(data, at, end)
            if width == 0:
                return n, at, at
            entry = int(table.blocks[int(table.pages[code >> 8]) * 256 + (code & 255)])
            kind = entry & 3
            if kind != SEPARATOR and kind != LONE:
                if kind == FOLDED:
                    more, count = table.fold_bytes[entry >> 2], int(table.fold_size[entry >> 2])
                else:
                    more, count = _raw(data, at, width), width
                h, word, size = _append(h, word, size, more, count)
                at += width
                continue
            at += width
        if size:
            out[n] = _finish(h, word, size)
            n += 1
            h, word, size = _TOKEN_SEED, _0, 0
        if kind == LONE:
            out[n] = _finish(_TOKEN_SEED, _raw(data, at - width, width), width)
            n += 1
        if n > room - 3:
            return n, at, -1
    if size:
        out[n] = _finish(h, word, size)
        n += 1
    return n, at, -1
