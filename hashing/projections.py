"""Linear maps from vectors to the values of a code, with one way to round: whoever asks, in whatever batches."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .kernel import kernel


class Projection(NamedTuple):
    """A linear map: value i of x is ``offsets[i] + x @ weights[:, i]``.

    Attributes:
        weights: float32, shape (dim, bits).
        offsets: float64, shape (bits,).
    """

    weights: NDArray[np.float32]
    offsets: NDArray[np.float64]


def project(vectors: NDArray[np.float32], projection: Projection) -> NDArray[np.float32]:
    """Return the values of vectors; their signs are the codes (``codes.pack_signs``).

    Products are added up in float64 in the order of the dimensions, and rounded at the end. A library for matrices is
    faster, but gives one vector other last bits in other batches, and a value near 0 then another sign.

    Args:
        vectors: float32, shape (n, dim).

    Returns:
        float32, shape (n, bits).

    Raises:
        InputError: the vectors are of another dimension.
    """
    if vectors.ndim != 2 or vectors.shape[1] != len(projection.weights):
        raise InputError(
            f"vectors that are projected have {len(projection.weights)} dimensions",
            value=f"an array of shape {vectors.shape}",
            remedy="Project vectors of the encoder that the projection was made for.",
        )
    values = np.empty((len(vectors), len(projection.offsets)), np.float32)
    weights = np.ascontiguousarray(projection.weights, np.float32)
    _project(np.ascontiguousarray(vectors, np.float32), weights, projection.offsets, values)
    return values


@kernel
def _project(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    offsets: NDArray[np.float64],
    values: NDArray[np.float32],
) -> None:
    sums = np.empty(len(offsets), np.float64)
    for i in range(len(vectors)):
        sums[:] = offsets
        for d in range(len(weights)):
            x = np.float64(vectors[i, d])
            for bit in range(len(sums)):
                sums[bit] += x * np.float64(weights[d, bit])
        values[i] = sums
