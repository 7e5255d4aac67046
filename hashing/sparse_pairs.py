"""How alike named pairs of sparse rows are: cosine of their weights, and Jaccard similarity of their terms.

The products of a cosine are added up in the order of terms, as ``sparse_topk`` does: the same bits.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .sparse_topk import SparseRows


@kernel
def pair_cosines(rows: SparseRows, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sum of products of the weights that two rows share, for each pair: float64, shape (n_pairs,).

    Args:
        rows: vectors of length 1.
        first, second: int64, shape (n_pairs,): the rows of each pair.
    """
    scores = np.zeros(len(first), np.float64)
    for pair in range(len(first)):
        i, i_stop = rows.bounds[first[pair]], rows.bounds[first[pair] + 1]
        j, j_stop = rows.bounds[second[pair]], rows.bounds[second[pair] + 1]
        while i < i_stop and j < j_stop:
            one, other = rows.terms[i], rows.terms[j]
            if one == other:
                scores[pair] += rows.weights[i] * rows.weights[j]
            i += one <= other
            j += other <= one
    return scores


@kernel
def pair_jaccards(
    bounds: NDArray[np.int64], terms: NDArray[np.int32], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return |A ∩ B| / |A ∪ B| of the terms of two rows, for each pair: float64, shape (n_pairs,).

    Two rows without terms have 0.0.

    Args:
        bounds: int64, shape (n + 1,): row i has the terms ``bounds[i]:bounds[i + 1]``.
        terms: int32, ascending in a row.
        first, second: int64, shape (n_pairs,): the rows of each pair.
    """
    scores = np.zeros(len(first), np.float64)
    for pair in range(len(first)):
        i, i_stop = bounds[first[pair]], bounds[first[pair] + 1]
        j, j_stop = bounds[second[pair]], bounds[second[pair] + 1]
        total, common = i_stop - i + j_stop - j, 0
        while i < i_stop and j < j_stop:
            one, other = terms[i], terms[j]
            common += one == other
            i += one <= other
            j += other <= one
        if total > 0:
            scores[pair] = common / (total - common)
    return scores
