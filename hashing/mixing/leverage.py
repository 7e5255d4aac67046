"""Weights by kernel ridge leverage: how much of a source's direction the others lack (Chameleon, ICML 2025)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, InputError
from .checks import normalised, one_of

FINETUNE, PRETRAIN = "finetune", "pretrain"
PURPOSES = (FINETUNE, PRETRAIN)
_TEMPERATURES = {FINETUNE: 0.2, PRETRAIN: 5.0}
_LEAST = 1e-12


def leverage(vectors: ArrayLike, *, ridge: float = 10.0) -> NDArray[np.float64]:
    """Return the ridge leverage scores of sources, divided by their sum (arXiv 2505.24844).

    With K the Gram matrix of the centred vectors of k sources, score i is entry (i, i) of K (K + ridge k I)^-1. Vectors
    that are all equal have equal scores.

    Args:
        vectors: shape (sources, dimensions): the mean embedding, or the histogram, of each.
        ridge: above 0; published: 10.

    Returns:
        float64, shape (sources,).

    Raises:
        InputError: vectors are no matrix of finite numbers.
        ConfigError: the ridge is not above 0.
    """
    rows = np.array(vectors, np.float64, ndmin=2)
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise InputError("vectors are a matrix of numbers", value=f"shape {rows.shape}", remedy="Mend the vectors.")
    if not 0 < ridge < np.inf:
        raise ConfigError("a ridge is above 0", value=ridge, remedy="Take 10.")
    centred = rows - rows.mean(axis=0)
    values, directions = np.linalg.eigh(centred @ centred.T)
    values = np.maximum(values, 0.0)
    kept = values / (values + ridge * len(rows))
    scores = np.maximum((directions * directions * kept).sum(axis=1), 0.0)
    return normalised(scores, "scores") if scores.max() > _LEAST else np.full(len(rows), 1.0 / len(rows))


def leverage_weights(scores: ArrayLike, purpose: str = PRETRAIN) -> NDArray[np.float64]:
    """Return weights from leverage scores: for fine-tuning distinct sources get more, for pre-training common ones.

    Fine-tuning: softmax(S / 0.2). Pre-training: softmax((1 / S) / 5), where a score of nearly 0 takes all; scores are
    no less than 1e-12, and the largest exponent is taken off, so that nothing overflows.

    Args:
        scores: shape (sources,): as ``leverage`` returns them.
        purpose: of ``PURPOSES``.

    Raises:
        InputError: scores are negative, all 0, or none.
        ConfigError: there is no such purpose.
    """
    shares = normalised(scores, "scores")
    own = 1.0 / np.maximum(shares, _LEAST) if one_of("purpose", purpose, PURPOSES) == PRETRAIN else shares
    exponent = own / _TEMPERATURES[purpose]
    return normalised(np.exp(exponent - exponent.max()))
