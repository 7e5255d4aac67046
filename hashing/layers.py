"""The arithmetic around an encoder: pooling, length one, and layers of a head, with equal bits wherever it runs.

Matrix products of libraries add up in an order that depends on the processor, on threads and on how many rows there
are. Here each sum runs over its terms in their order, in float64, and only the result is rounded to float32; what
takes long, the encoder itself, is not here.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel

GELU, RELU = "gelu", "relu"
ACTIVATIONS = (GELU, RELU)
"""What can stand between two layers: Hendrycks and Gimpel 2016 (arXiv 1606.08415) with the exact error function, and
the positive part."""


@kernel
def mean_of_tokens(tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean over the tokens of each text.

    Args:
        tokens: float32, shape (n, t, d), t at least 1: no token is padding.

    Returns:
        float32, shape (n, d).
    """
    n, t, d = tokens.shape
    means = np.empty((n, d), np.float32)
    sums = np.empty(d, np.float64)
    for i in range(n):
        sums[:] = 0.0
        for j in range(t):
            for k in range(d):
                sums[k] += np.float64(tokens[i, j, k])
        for k in range(d):
            means[i, k] = np.float32(sums[k] / t)
    return means


@kernel
def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors of length one in the direction of others; one of zeros stays as it is.

    Args:
        vectors: float32, shape (n, d).

    Returns:
        float32, shape (n, d).
    """
    n, d = vectors.shape
    units = np.zeros((n, d), np.float32)
    for i in range(n):
        square = 0.0
        for k in range(d):
            square += np.float64(vectors[i, k]) * np.float64(vectors[i, k])
        if square > 0.0:
            length = math.sqrt(square)
            for k in range(d):
                units[i, k] = np.float32(np.float64(vectors[i, k]) / length)
    return units


@kernel
def linear(
    vectors: NDArray[np.float32], weights: NDArray[np.float32], bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return ``vectors @ weights + bias``.

    Args:
        vectors: float32, shape (n, d).
        weights: float32, shape (d, m).
        bias: float32, shape (m,).

    Returns:
        float32, shape (n, m).
    """
    n, d = vectors.shape
    m = weights.shape[1]
    wide = weights.astype(np.float64)
    results = np.empty((n, m), np.float32)
    sums = np.empty(m, np.float64)
    for i in range(n):
        for k in range(m):
            sums[k] = np.float64(bias[k])
        for j in range(d):
            x = np.float64(vectors[i, j])
            for k in range(m):
                sums[k] += x * wide[j, k]
        for k in range(m):
            results[i, k] = np.float32(sums[k])
    return results


@kernel
def gelu(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return x times the share of a standard normal variable below x, for each of some values.

    Args:
        values: float32, shape (n, m).

    Returns:
        float32, shape (n, m).
    """
    results = np.empty(values.shape, np.float32)
    for i in range(values.shape[0]):
        for k in range(values.shape[1]):
            x = np.float64(values[i, k])
            results[i, k] = np.float32(0.5 * x * (1.0 + math.erf(x * math.sqrt(0.5))))
    return results


def relu(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the positive part of each of some values, float32 of any shape."""
    return np.maximum(values, np.float32(0))
