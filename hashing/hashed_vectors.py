"""Vectors of texts without a model: signed feature hashing of character n-grams (Weinberger et al., ICML 2009).

Each distinct n-gram of a text (profile ``words-v1``: case folded, one space between words) adds 1 or -1 to one place of
its vector; its hash says which. The vector is then scaled to length 1. Products of two vectors estimate the cosine of
the sets of n-grams without bias, with an error of about the square root of 1 / dimensions.
"""

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError
from .kernel import kernel
from .shingles import CHAR, shingle_sets
from .unicode_table import words_v1

DIMENSIONS = 256
NGRAM = 4
MOST_DIMENSIONS = 1 << 16


def hashed_vectors(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], *, dimensions: int = DIMENSIONS, ngram: int = NGRAM
) -> NDArray[np.float32]:
    """Return the vectors of texts; one without letters, marks or numbers has a vector of zeros.

    Args:
        data: uint8, UTF-8 of all texts.
        offsets: int64, shape (n + 1,): text i is ``data[offsets[i]:offsets[i + 1]]``.
        dimensions: a power of two, up to ``MOST_DIMENSIONS``.
        ngram: characters of an n-gram; a shorter text is one n-gram.

    Returns:
        float32, shape (n, dimensions).

    Raises:
        ConfigError: dimensions are no power of two.
    """
    if not 1 <= dimensions <= MOST_DIMENSIONS or dimensions & (dimensions - 1):
        raise ConfigError(
            f"hashed vectors have a power of two of dimensions, up to {MOST_DIMENSIONS:,}",
            value=dimensions,
            remedy="Take 256.",
        )
    values, bounds = shingle_sets(data, offsets, CHAR, ngram, words_v1())
    return _folded(values, bounds, dimensions)


@kernel
def _folded(values: NDArray[np.uint64], bounds: NDArray[np.int64], dimensions: int) -> NDArray[np.float32]:
    vectors = np.zeros((len(bounds) - 1, dimensions), np.float32)
    sums = np.zeros(dimensions, np.int64)
    mask, top = np.uint64(dimensions - 1), np.uint64(63)
    for i in range(len(vectors)):
        sums[:] = 0
        for j in range(bounds[i], bounds[i + 1]):
            sums[values[j] & mask] += 1 if values[j] >> top == 0 else -1
        square = 0.0  # of whole numbers, and exact
        for x in sums:
            square += np.float64(x) * np.float64(x)
        if square > 0.0:
            length = np.sqrt(square)
            for place in range(dimensions):
                vectors[i, place] = np.float32(np.float64(sums[place]) / length)
    return vectors
