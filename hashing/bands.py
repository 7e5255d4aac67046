"""Band keys: one 64-bit key for each band of a signature.

The key mixes the band's number and its rows *in order*. A sum of the rows, as published for LSHBloom,
crowds near zero because minima are small, and makes unrelated documents collide (Khan et al., arXiv
2411.04257; why is in ``docs/architecture.md``).
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel
from .mix import GOLDEN_GAMMA, fmix64

_M = np.uint64(0x9FB21C651E98DF25)
_32 = np.uint64(32)


@inner_kernel
def band_keys(signature: NDArray[np.uint64], rows: int, seed: np.uint64, out: NDArray[np.uint64]) -> None:
    """Write the key of each of ``len(out)`` bands of ``rows`` values to ``out``."""
    for band in range(len(out)):
        out[band] = fmix64(seed ^ (np.uint64(band + 1) * GOLDEN_GAMMA))
    for row in range(rows):  # bands are independent: taken together, row by row, their chains overlap
        for band in range(len(out)):
            h = (out[band] ^ signature[band * rows + row]) * _M
            out[band] = h ^ (h >> _32)
    for band in range(len(out)):
        out[band] = fmix64(out[band])
