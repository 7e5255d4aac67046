"""64-bit mixing: the small bijections that every hash here is made of.

``fmix64`` is the finaliser of MurmurHash3 (Austin Appleby, public domain): a bijection on 64 bits in
which every input bit reaches every output bit. Seeds of different purposes are derived from the one
seed of a run, so that no two steps share a random function.
"""

from typing import Any

import numpy as np

from .kernel import inner_kernel

U64 = (1 << 64) - 1
GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: increments of splitmix64
_FMIX_1 = np.uint64(0xFF51AFD7ED558CCD)
_FMIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_33 = np.uint64(33)
_32 = np.uint64(32)


@inner_kernel
def fmix64(x: np.uint64) -> np.uint64:
    """Return the MurmurHash3 finaliser of a uint64."""
    x ^= x >> _33
    x *= _FMIX_1
    x ^= x >> _33
    x *= _FMIX_2
    return x ^ (x >> _33)


@inner_kernel
def fmix32(x: np.uint32) -> np.uint32:
    """Return the 32-bit finaliser of MurmurHash3 of a uint32."""
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x85EBCA6B))
    x = np.uint32(x ^ (x >> np.uint32(13)))
    x = np.uint32(x * np.uint32(0xC2B2AE35))
    return np.uint32(x ^ (x >> np.uint32(16)))


@inner_kernel
def signed(x: "float | np.integer[Any] | np.floating[Any] | np.bool_") -> int:
    """Return an integer of any width as int64: an unsigned one beside a signed one would become a float."""
    return int(np.int64(x))


@inner_kernel
def scale(x: np.uint64, n: np.uint64) -> np.uint64:
    """Map a uniform uint64 to 0..n-1 by its high bits, monotonically; n < 2^32."""
    return ((x >> _32) * n) >> _32


def derive_seed(seed: int, purpose: str) -> int:
    """Return the 64-bit seed of one purpose, derived from the seed of the run.

    The seed is mixed before the first byte and the length after the last, so that no purpose continues another.

    >>> derive_seed(0, "sketch") != derive_seed(0, "band") != derive_seed(1, "band")
    True
    """
    name = purpose.encode()
    state = _fmix64_int((seed + int(GOLDEN_GAMMA)) & U64)
    for byte in name:
        state = _fmix64_int((state + int(GOLDEN_GAMMA) + byte) & U64)
    return _fmix64_int(state ^ len(name))


def _fmix64_int(x: int) -> int:
    x ^= x >> 33
    x = x * int(_FMIX_1) & U64
    x ^= x >> 33
    x = x * int(_FMIX_2) & U64
    return x ^ x >> 33
