"""From what a selection of tasks gained to how much of each to take."""

from math import fsum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from .checks import as_amounts, normalised


def taylor_softmax(gains: ArrayLike, *, normalise: bool = False) -> NDArray[np.float64]:
    """Return shares by the second-order Taylor softmax of SMART (Renduchintala et al., Findings of ACL 2024).

    The share of a task is 1 + g + g^2 / 2 over the sum of these. Gains grow with the number of tasks, and the softmax
    then is that of g^2 alone; divided by the largest they have one meaning for all collections. Greedy gains fall with
    rank, so identical tasks get unequal shares: ``order_free`` does not.

    Args:
        gains: shape (tasks,): what each added when it was chosen, in that order.
        normalise: divide by the largest gain first; the published method does not.

    Returns:
        float64, shape (tasks,).

    Raises:
        InputError: a gain is negative: below -1 the polynomial rises again.

    >>> taylor_softmax([1.0, 0.0]).round(6).tolist()
    [0.714286, 0.285714]
    """
    added = np.array(gains, np.float64, ndmin=1)
    if (added < 0).any():
        raise InputError(
            "gains are 0 or more",
            value=float(added.min()),
            remedy="Take a monotone function: a graph cut with lambda up to 0.5, similarities from 0 on.",
        )
    added = as_amounts(added, "gains")
    if normalise and added.any():
        added = added / added.max()
    return normalised(1.0 + added + added * added / 2.0, "shares")


def order_free(similarity: ArrayLike) -> NDArray[np.float64]:
    """Return shares by how little a task is like all others: 1 / (sum of its similarities), itself among them.

    Identical tasks have identical shares, and together about that of one of them.

    Args:
        similarity: shape (tasks, tasks), 0 or more, with a diagonal above 0.

    Returns:
        float64, shape (tasks,).

    Raises:
        InputError: it is no such matrix.
    """
    kernel = np.array(similarity, np.float64, ndmin=2)
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or not kernel.size:
        raise InputError("similarities are a square matrix", value=f"shape {kernel.shape}", remedy="Compare all.")
    if not (np.isfinite(kernel).all() and (kernel >= 0).all() and (np.diag(kernel) > 0).all()):
        raise InputError(
            "similarities are 0 or more, and above 0 to oneself", value=float(kernel.min()), remedy="Clip them at 0."
        )
    return normalised(np.array([1.0 / fsum(row) for row in kernel]), "shares")
