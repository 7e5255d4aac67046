"""Scores of models on items by curves that are known."""

import numpy as np
from numpy.typing import NDArray


def made_scores(models: int, items: int, seed: int = 0) -> NDArray[np.float64]:
    """Return 0 or 1, shape (models, items): abler models are right more often, each by chance."""
    draw = np.random.Generator(np.random.PCG64(seed))
    ability, level, slope = draw.standard_normal(models), 1.5 * draw.standard_normal(items), 1 + draw.random(items)
    right = 1 / (1 + np.exp(-(level + slope * ability[:, None])))
    return (draw.random((models, items)) < right).astype(np.float64)
