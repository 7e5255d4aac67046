"""How well predicted scores agree with full scores."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def rmse(predicted: Numbers, full: Numbers) -> float:
    """Return the root of the mean squared error, in points: scores times 100."""
    return float(100.0 * np.sqrt(np.mean((predicted - full) ** 2)))


def kendall_tau(one: Numbers, other: Numbers) -> float:
    """Return Kendall's tau-b of two rankings, -1 to 1; NaN where one ranks nothing (Kendall, Biometrika 1945)."""
    upper = np.triu_indices(len(one), 1)
    a, b = np.sign(one[:, None] - one)[upper], np.sign(other[:, None] - other)[upper]
    pairs = np.sqrt(float((a != 0).sum()) * float((b != 0).sum()))
    return float((a * b).sum() / pairs) if pairs else float("nan")
