"""Iterative quantisation: the rotation of the principal axes that makes signs lose least.

Gong and Lazebnik, "Iterative quantization: a procrustean approach to learning binary codes", CVPR 2011. Vectors are
centred and taken to their first ``bits`` principal axes; then a rotation and the signs after it are fitted to each
other by turns. It needs no labels, and is the baseline that a learned head must beat.
"""

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError, InputError
from .hyperplanes import standard_normals
from .mix import U64, derive_seed
from .projections import Projection

ITERATIONS = 50
"""Turns of the paper."""

Matrix = NDArray[np.float64]


def fit_itq(vectors: NDArray[np.float32], bits: int, seed: int, iterations: int = ITERATIONS) -> Projection:
    """Return the projection that is fitted to some vectors.

    The same vectors and seed give the same projection, on one machine, by one build and as many threads of its linear
    algebra; else its last digits may differ. So keep the projection, and make all codes with that one.

    Args:
        vectors: float32, shape (n, dim), finite.
        bits: of a code, at most dim.
        seed: any integer: of the first rotation.
        iterations: turns, 0 or more.

    Raises:
        ConfigError: there are no bits, more than dimensions, or fewer than 0 turns.
        InputError: there are fewer than two vectors, or a number is not finite.
    """
    if vectors.ndim != 2 or not 1 <= bits <= vectors.shape[1] or iterations < 0:
        raise ConfigError(
            "ITQ makes one bit or more, no more than there are dimensions, in 0 or more turns",
            value=f"{bits} bits, {iterations} turns for vectors of shape {vectors.shape}",
            remedy="Ask for fewer bits, or use random hyperplanes.",
        )
    if len(vectors) < 2 or not np.isfinite(vectors).all():
        raise InputError(
            "ITQ is fitted to two or more finite vectors",
            value=f"{len(vectors):,} vectors, {int((~np.isfinite(vectors)).sum()):,} numbers of them not finite",
            remedy="Give more vectors, without those that are broken.",
        )
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean
    axes = principal_axes(centred, bits)
    rotated = axes @ _fitted_rotation(centred @ axes, random_rotation(bits, seed), iterations)
    weights = rotated.astype(np.float32)
    return Projection(weights, -(mean @ weights.astype(np.float64)))


def principal_axes(centred: Matrix, count: int) -> Matrix:
    """Return the axes of the largest variances, largest first: float64, shape (dim, count), columns of length 1.

    The entry of an axis that is farthest from 0 is above 0; of several the first.
    """
    _, axes = np.linalg.eigh(centred.T @ centred)  # ascending variances
    found = axes[:, ::-1][:, :count]
    farthest = np.abs(found).argmax(axis=0)
    signs = np.where(found[farthest, np.arange(count)] < 0, -1.0, 1.0)
    return np.asarray(found * signs, np.float64)


def random_rotation(size: int, seed: int) -> Matrix:
    """Return a random orthogonal matrix: float64, shape (size, size), that of all equally likely (Mezzadri 2007)."""
    q, r = np.linalg.qr(standard_normals(size, size, derive_seed(seed & U64, "itq")).astype(np.float64))
    return np.asarray(q * np.where(np.diag(r) < 0, -1.0, 1.0), np.float64)


def _fitted_rotation(points: Matrix, rotation: Matrix, iterations: int) -> Matrix:
    for _ in range(iterations):
        signs = np.where(points @ rotation >= 0, 1.0, -1.0)
        left, _, right = np.linalg.svd(points.T @ signs)  # the rotation of points that is nearest to their signs
        rotation = left @ right
    return rotation
