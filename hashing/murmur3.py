"""MurmurHash3 x64-128 (Austin Appleby, public domain), bit-equal to the ``mmh3`` package.

The identity of a text: equal UTF-8 bytes, equal hash and length. Reference:
https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
"""

import numpy as np
from numpy.typing import NDArray

from .intrinsics import load64
from .kernel import inner_kernel, kernel
from .mix import fmix64

_C1 = np.uint64(0x87C37B91114253D5)
_C2 = np.uint64(0x4CF5AD432745937F)
_FIVE = np.uint64(5)
_N1 = np.uint64(0x52DCE729)
_N2 = np.uint64(0x38495AB5)


@inner_kernel
def _rotl(x: np.uint64, r: int) -> np.uint64:
    return (x << np.uint64(r)) | (x >> np.uint64(64 - r))


@inner_kernel
def _finished(h1: np.uint64, h2: np.uint64, length: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Mix the state after the last block, and the length, into the hash."""
    h1 ^= length
    h2 ^= length
    h1 += h2
    h2 += h1
    h1 = fmix64(h1)
    h2 = fmix64(h2)
    h1 += h2
    h2 += h1
    return h1, h2


@inner_kernel
def murmur3_pair(
    first: np.uint64, second: np.uint64, length: np.uint64, seed: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Return the hash of one block of two words; ``length`` sets it apart from those of texts."""
    h1 = seed ^ (_rotl(first * _C1, 31) * _C2)
    h1 = (_rotl(h1, 27) + seed) * _FIVE + _N1
    h2 = seed ^ (_rotl(second * _C2, 33) * _C1)
    h2 = (_rotl(h2, 31) + h1) * _FIVE + _N2
    return _finished(h1, h2, length)


@kernel
def _tail(data: NDArray[np.uint8], start: int, end: int) -> np.uint64:
    """Read fewer than eight bytes as a little-endian uint64."""
    word = np.uint64(0)
    for i in range(end - start):
        word |= np.uint64(data[start + i]) << np.uint64(8 * i)
    return word


@inner_kernel
def murmur3(data: NDArray[np.uint8], start: int, end: int, seed: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the 128-bit hash of ``data[start:end]`` as (first, second) uint64."""
    h1 = seed
    h2 = seed
    length = np.uint64(end - start)
    while start + 16 <= end:
        k1 = load64(data, start)
        k2 = load64(data, start + 8)
        h1 ^= _rotl(k1 * _C1, 31) * _C2
        h1 = (_rotl(h1, 27) + h2) * _FIVE + _N1
        h2 ^= _rotl(k2 * _C2, 33) * _C1
        h2 = (_rotl(h2, 31) + h1) * _FIVE + _N2
        start += 16
    if end - start > 8:
        h2 ^= _rotl(_tail(data, start + 8, end) * _C2, 33) * _C1
    if end > start:
        h1 ^= _rotl(_tail(data, start, min(end, start + 8)) * _C1, 31) * _C2
    return _finished(h1, h2, length)


@kernel
def murmur3_all(data: NDArray[np.uint8], offsets: NDArray[np.int64], seed: np.uint64) -> NDArray[np.uint64]:
    """Return the hashes of texts ``data[offsets[i]:offsets[i + 1]]``: uint64, shape (n, 2)."""
    hashes = np.empty((len(offsets) - 1, 2), np.uint64)
    for i in range(len(offsets) - 1):
        first, second = murmur3(data, offsets[i], offsets[i + 1], seed)
        hashes[i, 0] = first
        hashes[i, 1] = second
    return hashes


def murmur3_bytes(data: bytes, *, seed: int = 0) -> tuple[int, int]:
    """Return the 128-bit hash of some bytes as two unsigned integers.

    >>> murmur3_bytes(b"tamis") == murmur3_bytes(b"tamis", seed=0)
    True
    """
    first, second = murmur3(np.frombuffer(data, np.uint8), 0, len(data), np.uint64(seed))
    return int(first), int(second)
