"""Random hyperplanes (Charikar, STOC 2002): two vectors at an angle a differ in a bit with probability a / pi.

The normals are ours, not those of a library whose streams may change: each entry is made of (seed, dimension, bit)
alone, so that a code of 64 bits is the start of one of 128.
"""

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError
from .kernel import kernel
from .mix import GOLDEN_GAMMA, U64, derive_seed, fmix64
from .projections import Projection

_2_53 = 2.0**-53
_11 = np.uint64(11)
_32 = np.uint64(32)


def hyperplanes(dim: int, bits: int, seed: int) -> Projection:
    """Return random hyperplanes through the origin.

    Args:
        dim: of the vectors.
        bits: how many hyperplanes.
        seed: any integer.

    Raises:
        ConfigError: there is no dimension or no bit.
    """
    return Projection(standard_normals(dim, bits, derive_seed(seed & U64, "hyperplanes")), np.zeros(bits))


def standard_normals(rows: int, columns: int, seed: int) -> NDArray[np.float32]:
    """Return independent standard normal numbers, by the method of Box and Muller (1958) from mixed counters.

    Args:
        rows, columns: 1 to 2^32 - 1; an entry does not depend on how many there are.
        seed: 64 bits.

    Returns:
        float32, shape (rows, columns).

    Raises:
        ConfigError: there are no rows or no columns.
    """
    if min(rows, columns) < 1:
        raise ConfigError(
            "a projection has at least one dimension and one bit",
            value=f"{rows} dimensions, {columns} bits",
            remedy="Mend these numbers.",
        )
    return _normals(rows, columns, np.uint64(seed))


@kernel
def _normals(rows: int, columns: int, seed: np.uint64) -> NDArray[np.float32]:
    out = np.empty((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            word = fmix64(seed + (np.uint64(row) << _32 | np.uint64(column)) * GOLDEN_GAMMA)
            above_0 = (np.float64(word >> _11) + 1.0) * _2_53
            turn = np.float64(fmix64(word ^ seed ^ GOLDEN_GAMMA) >> _11) * _2_53
            out[row, column] = np.sqrt(-2.0 * np.log(above_0)) * np.cos(2.0 * np.pi * turn)
    return out
