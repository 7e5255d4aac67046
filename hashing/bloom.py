"""Blocked Bloom filters over 64-bit keys.

A key sets ``hashes`` bits of one block, chosen by its hash (Putze, Sanders and Singler, *Cache-, Hash- and
Space-Efficient Bloom Filters*, 2007): a look-up touches one or two cache lines instead of one for each bit. Bits inside
a block are independent and uniform, so that what is expected of a filter can be computed exactly (``bloom_rate.py``).

A filter is a uint64 array of ``blocks * block_bits / 64`` words. A part of it, from some block on, is treated alike: so
filters can be stored, and worked on, in shards. Keys are worked on a few at a time, and their blocks asked for before
they are needed: memory then answers many at once.
"""

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError
from .intrinsics import prefetch
from .kernel import inner_kernel, kernel
from .mix import GOLDEN_GAMMA, fmix64, signed
from .read_only import read_only

BLOCK_BITS = (512, 1024, 4096)
MAX_BLOCKS = (1 << 32) - 1
LINE_WORDS = 8
"""Words of a cache line."""

_AHEAD = 32
"""Keys whose blocks are asked for together."""

_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@inner_kernel
def block_of(hashed: np.uint64, blocks: np.uint64) -> np.uint64:
    """Map a uniform uint64 to 0..blocks-1, monotonically and evenly: the high word of their product; blocks < 2^32."""
    return ((hashed >> _32) * blocks + (((hashed & _LOW) * blocks) >> _32)) >> _32


@inner_kernel
def _next_bit(
    state: np.uint64, bits: np.uint64, have: int, log_bits: int
) -> tuple[np.uint64, np.uint64, int, int, np.uint64]:
    """Return (state, bits, have) behind the next bit of a key, and its word in the block and mask in the word.

    ``bits`` holds ``have`` bits that are still to be cut into numbers of ``log_bits`` bits; where they run out, the
    next 64 are made.
    """
    if have < log_bits:
        state += GOLDEN_GAMMA
        bits, have = fmix64(state), 64
    bit = bits & np.uint64((1 << log_bits) - 1)
    word, mask = signed(bit >> np.uint64(6)), np.uint64(1) << (bit & np.uint64(63))
    return state, bits >> np.uint64(log_bits), have - log_bits, word, mask


@inner_kernel
def _test(words: NDArray[np.uint64], start: int, hashed: np.uint64, hashes: int, log_bits: int) -> bool:
    """Return whether all bits of a key are set in the block that starts at a word."""
    state, bits, have = hashed, np.uint64(0), 0
    for _ in range(hashes):
        state, bits, have, word, mask = _next_bit(state, bits, have, log_bits)
        if not words[start + word] & mask:
            return False
    return True


@inner_kernel
def _set(words: NDArray[np.uint64], start: int, hashed: np.uint64, hashes: int, log_bits: int) -> None:
    """Set all bits of a key in the block that starts at a word."""
    state, bits, have = hashed, np.uint64(0), 0
    for _ in range(hashes):
        state, bits, have, word, mask = _next_bit(state, bits, have, log_bits)
        words[start + word] |= mask


@inner_kernel
def _locate(
    words: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    begin: int,
    form: tuple[np.uint64, np.uint64, int, int],
    hashed: NDArray[np.uint64],
    starts: NDArray[np.int64],
) -> int:
    """Hash some keys, note where their blocks start, and ask for these; return how many keys there are."""
    salt, blocks, first, size = form
    count = min(_AHEAD, len(keys) - begin)
    for i in range(count):
        hashed[i] = fmix64(keys[begin + i] ^ salt)
        starts[i] = (np.int64(block_of(hashed[i], blocks)) - first) * size
        for line in range(0, size, LINE_WORDS):
            prefetch(words, starts[i] + line)
    return count


@kernel
def _ask(
    words: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    form: tuple[np.uint64, np.uint64, int, int],
    hashes: int,
    log_bits: int,
) -> NDArray[np.bool_]:
    """Return which keys may be in."""
    found = np.empty(len(keys), np.bool_)
    hashed, starts = np.empty(_AHEAD, np.uint64), np.empty(_AHEAD, np.int64)
    for begin in range(0, len(keys), _AHEAD):
        for i in range(_locate(words, keys, begin, form, hashed, starts)):
            found[begin + i] = _test(words, starts[i], hashed[i], hashes, log_bits)
    return found


@kernel
def _ask_and_insert(
    words: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    form: tuple[np.uint64, np.uint64, int, int],
    hashes: int,
    log_bits: int,
    asks: bool,
) -> NDArray[np.bool_]:
    """Insert one key after another; return which may have been in before."""
    found = np.empty(len(keys) if asks else 0, np.bool_)
    hashed, starts = np.empty(_AHEAD, np.uint64), np.empty(_AHEAD, np.int64)
    for begin in range(0, len(keys), _AHEAD):
        for i in range(_locate(words, keys, begin, form, hashed, starts)):
            if asks:
                found[begin + i] = _test(words, starts[i], hashed[i], hashes, log_bits)
            _set(words, starts[i], hashed[i], hashes, log_bits)
    return found


@kernel
def places(keys: NDArray[np.uint64], salt: np.uint64, blocks: np.uint64) -> NDArray[np.int64]:
    """Return the block of each key: int64, shape (n,)."""
    found = np.empty(len(keys), np.int64)
    for i in range(len(keys)):
        found[i] = np.int64(block_of(fmix64(keys[i] ^ salt), blocks))
    return found


class BloomFilter:
    """A blocked Bloom filter, or some of its blocks.

    Args:
        words: uint64, contiguous, shape ((stop - first) * block_bits / 64,): the blocks ``first`` to ``stop``.
        blocks: of the whole filter, below 2^32.
        block_bits: 512, 1024 or 4096.
        hashes: bits of a key.
        salt: of the hash of keys.
        first: the first block that is here. Keys of other blocks must not be given.

    >>> bloom = BloomFilter(empty_words(64, 1024), blocks=64, block_bits=1024, hashes=7, salt=1)
    >>> bloom.insert(np.array([1, 2, 3], np.uint64))
    >>> bloom.contains(np.array([2, 4], np.uint64)).tolist()
    [True, False]
    """

    def __init__(
        self, words: NDArray[np.uint64], *, blocks: int, block_bits: int, hashes: int, salt: int, first: int = 0
    ) -> None:
        if block_bits not in BLOCK_BITS:
            raise ConfigError("a block has 512, 1024 or 4096 bits", value=block_bits, remedy="Use 1024.")
        if not 1 <= blocks <= MAX_BLOCKS or len(words) % (block_bits // 64) or hashes < 1:
            raise ConfigError(
                "a filter has 1 to 2^32 - 1 whole blocks, and keys of one bit or more",
                value=f"{blocks} blocks in {len(words)} words, {hashes} bits",
                remedy="Use `bloom_rate.plan_filter`.",
            )
        self.words, self.blocks, self.block_bits = words, blocks, block_bits
        self.hashes, self.salt, self.first = hashes, salt, first
        self._form = (np.uint64(salt), np.uint64(blocks), first, block_bits // 64)
        self._log_bits = block_bits.bit_length() - 1

    def insert(self, keys: NDArray[np.uint64]) -> None:
        """Insert keys: uint64, shape (n,)."""
        _ask_and_insert(self.words, _in_a_row(keys), self._form, self.hashes, self._log_bits, False)

    def contains(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which keys may have been inserted: all that were, and a few that were not."""
        return _ask(read_only(self.words), _in_a_row(keys), self._form, self.hashes, self._log_bits)

    def contains_then_insert(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which keys may have been inserted before, earlier keys of this call included; then all are."""
        return _ask_and_insert(self.words, _in_a_row(keys), self._form, self.hashes, self._log_bits, True)

    def merge(self, other: "BloomFilter") -> None:
        """Insert all that another filter of the same form holds.

        Raises:
            ConfigError: if their forms differ.
        """
        mine, its = ((f.blocks, f.block_bits, f.hashes, f.salt, f.first, len(f.words)) for f in (self, other))
        if mine != its:
            raise ConfigError("merged filters have one form", value=f"{mine} and {its}", remedy="Build them alike.")
        np.bitwise_or(self.words, other.words, out=self.words)

    @property
    def fill(self) -> float:
        """The share of bits that are set."""
        return int(np.bitwise_count(self.words).sum(dtype=np.int64)) / max(1, 64 * len(self.words))


def _in_a_row(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return keys one after another, as kernels take them."""
    return read_only(np.ascontiguousarray(keys))


def empty_words(blocks: int, block_bits: int) -> NDArray[np.uint64]:
    """Return the words of an empty filter, the first at the start of a cache line."""
    count = blocks * block_bits // 64
    room = np.zeros(count + LINE_WORDS, np.uint64)
    start = -room.ctypes.data // 8 % LINE_WORDS
    return room[start : start + count]


@kernel
def check_then_insert(
    words: NDArray[np.uint64],
    starts: NDArray[np.int64],
    keys: NDArray[np.uint64],
    salts: NDArray[np.uint64],
    blocks: np.uint64,
    hashes: int,
    log_bits: int,
) -> NDArray[np.bool_]:
    """Take rows one after another: flag one that shares a key with a filter, insert all keys of the others.

    The pass of LSHBloom (Khan et al., arXiv 2411.04257), where a duplicate is never inserted.

    Args:
        words: uint64, the filters of all bands, one after another.
        starts: int64, shape (bands,): the first word of each.
        keys: uint64, shape (n, bands).
        salts: uint64, shape (bands,).
        blocks, hashes, log_bits: of each filter.

    Returns:
        bool, shape (n,): which rows were flagged.
    """
    size = (1 << log_bits) >> 6
    bands = len(starts)
    hashed, at = np.empty((2, bands), np.uint64), np.empty((2, bands), np.int64)
    flagged = np.zeros(len(keys), np.bool_)
    for row in range(len(keys) + 1):
        if row < len(keys):  # ask for the blocks of this row while the one before is worked on
            mine = row & 1
            for band in range(bands):
                h = fmix64(keys[row, band] ^ salts[band])
                hashed[mine, band] = h
                at[mine, band] = starts[band] + np.int64(block_of(h, blocks)) * size
                for line in range(0, size, LINE_WORDS):
                    prefetch(words, at[mine, band] + line)
        if row == 0:
            continue
        mine = (row - 1) & 1
        hit = False
        for band in range(bands):
            if _test(words, at[mine, band], hashed[mine, band], hashes, log_bits):
                hit = True
                break
        flagged[row - 1] = hit
        if not hit:
            for band in range(bands):
                _set(words, at[mine, band], hashed[mine, band], hashes, log_bits)
    return flagged
