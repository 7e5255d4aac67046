"""Similarity distribution calibration: codes use all of their range of similarities.

Ng et al., "Unsupervised Hashing with Similarity Distribution Calibration" (BMVC 2023, arXiv 2302.07669). Pairs of a
batch are put into the order of the similarity of their features; the similarities of their codes, in that order, are
drawn to the quantiles of a beta distribution stretched to -1..1: optimal transport in one dimension.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


def calibration_targets(n: int, alpha: float = 5.0, beta: float = 5.0) -> NDArray[np.float64]:
    """Return the similarities that n pairs in order should have: float64, shape (n,), strictly ascending in -1..1.

    Args:
        n: pairs, at least 1.
        alpha, beta: shape of the distribution, above 0.

    >>> calibration_targets(3).round(4).tolist()
    [-0.3037, 0.0, 0.3037]
    """
    from scipy.special import betaincinv

    shares = (2.0 * np.arange(1, n + 1) - 1.0) / (2.0 * n)
    targets: NDArray[np.float64] = 2.0 * betaincinv(alpha, beta, shares) - 1.0
    return targets


def calibration_loss(features: "Tensor", values: "Tensor", alpha: float = 5.0, beta: float = 5.0) -> "Tensor":
    """Return how far the similarities of codes are from their targets: a scalar, 0 where they meet them.

    Row i of the first half is paired with row i of the second; of an odd number the last is left out.

    Args:
        features: shape (2 n, dim): no gradient flows there.
        values: shape (2 n, bits): what the codes are the signs of.
        alpha, beta: as ``calibration_targets``.
    """
    import torch
    from torch.nn.functional import cosine_similarity

    n = len(features) // 2
    order = cosine_similarity(features[:n].detach(), features[n : 2 * n].detach()).argsort(stable=True)
    similar = cosine_similarity(values[:n], values[n : 2 * n])[order]
    targets = torch.as_tensor(calibration_targets(n, alpha, beta), dtype=similar.dtype, device=similar.device)
    return (similar - targets).abs().mean()
