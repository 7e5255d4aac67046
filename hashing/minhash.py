"""MinHash with k hash functions (Broder 1997): the reference that other sketches are judged by.

Function j is ``a_j * fmix(shingle) + b_j`` with odd a_j, modulo 2^64 or 2^32: a bijection, so distinct shingles tie
only where their 32-bit hashes are equal. These are, bit for bit, the schemes ``affine64`` and ``affine32`` of
datasketch 2.0 (``connectors/datasketch.py`` is the bridge), over shingle hashes instead of SHA-1.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import fmix32, fmix64


@lru_cache(maxsize=16)
def permutations(seed: int, k: int, bits: int) -> NDArray[np.uint64]:
    """Return the multipliers and addends of the k functions: uint64, shape (2, k).

    Drawn as datasketch draws them: by numpy's legacy generator, whose streams are frozen.
    """
    parts = [seed & 0xFFFFFFFF, seed >> 32]
    generator = np.random.RandomState(parts[0] if seed < 1 << 32 else parts)
    kind = np.uint64 if bits == 64 else np.uint32
    multipliers = generator.randint(0, 1 << (bits - 1), k, dtype=kind) * kind(2) + kind(1)
    addends = generator.randint(0, 1 << bits, k, dtype=kind)
    return np.array([multipliers, addends]).astype(np.uint64)


@kernel
def minhash_update(
    values: NDArray[np.uint64],
    shingles: NDArray[np.uint64],
    count: int,
    functions: NDArray[np.uint64],
    bits: int,
    work: NDArray[np.uint64],
) -> None:
    """Lower ``values`` (uint64, shape (k,), all ones at the start) by the first ``count`` shingles, in place.

    Args:
        functions: as ``permutations`` returns them.
        bits: of a value, 32 or 64.
        work: uint64 scratch, as long as ``count`` or longer.
    """
    multipliers, addends = functions[0], functions[1]
    if bits == 64:
        for i in range(count):
            work[i] = fmix64(shingles[i])
        for j in range(len(values)):
            least = values[j]
            for i in range(count):
                least = min(least, work[i] * multipliers[j] + addends[j])
            values[j] = least
        return
    narrow = np.empty(count, np.uint32)
    for i in range(count):
        narrow[i] = fmix32(np.uint32(shingles[i] & np.uint64(0xFFFFFFFF)))
    for j in range(len(values)):
        multiplier, addend = np.uint32(multipliers[j]), np.uint32(addends[j])
        low = np.uint32(0xFFFFFFFF)
        for i in range(count):
            low = min(low, np.uint32(narrow[i] * multiplier + addend))
        values[j] = min(values[j], np.uint64(low)) if count else values[j]
