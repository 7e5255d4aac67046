"""MinHash with k independent hash functions (Broder 1997): the reference that other sketches are judged by.

Function i is ``fmix64(shingle ^ seed_i)``, a bijection of 64 bits, so distinct shingles never tie.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import derive_seed, fmix64


@lru_cache(maxsize=16)
def function_seeds(seed: int, k: int) -> NDArray[np.uint64]:
    """Return the seeds of the k hash functions: uint64, shape (k,)."""
    return np.array([derive_seed(seed, f"minhash {i}") for i in range(k)], np.uint64)


@kernel
def minhash_update(
    values: NDArray[np.uint64], shingles: NDArray[np.uint64], count: int, seeds: NDArray[np.uint64]
) -> None:
    """Lower ``values`` (uint64, shape (k,), all ones at the start) by the first ``count`` shingles, in place."""
    for j in range(len(values)):
        seed = seeds[j]
        least = values[j]
        for i in range(count):
            value = fmix64(shingles[i] ^ seed)
            if value < least:
                least = value
        values[j] = least
