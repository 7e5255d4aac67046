"""Weights by the size of sources alone."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError
from .caps import capped, limits
from .checks import as_amounts, normalised


def proportional(sizes: ArrayLike) -> NDArray[np.float64]:
    """Return weights in proportion to sizes: float64, shape (sources,)."""
    return normalised(sizes, "sizes")


def uniform(sizes: ArrayLike) -> NDArray[np.float64]:
    """Return one weight for all sources that have something, and 0 for those that have nothing."""
    return normalised(as_amounts(sizes, "sizes") > 0, "sizes")


def temperature(sizes: ArrayLike, value: float) -> NDArray[np.float64]:
    """Return weights in proportion to size^(1 / temperature): 1 is by size, infinity uniform.

    Args:
        sizes: shape (sources,).
        value: of the temperature, above 0.

    Raises:
        ConfigError: it is not above 0.
    """
    if not value > 0:
        raise ConfigError("a temperature is above 0", value=value, remedy="Take 1 for weights by size.")
    shares = proportional(sizes)
    largest = shares / shares.max()
    return normalised(np.where(shares > 0, np.power(largest, 1.0 / value), 0.0), "sizes")


def unimax(sizes: ArrayLike, budget: float, max_epochs: float) -> NDArray[np.float64]:
    """Return weights by UniMax (Chung et al., ICLR 2023): as even as the passes over a source allow.

    From the least source on, each gets an even part of what is left of the budget, or all of its passes if that is
    less. (That is water filling of even weights.)

    Args:
        sizes: shape (sources,).
        budget: of all, in the unit of the sizes.
        max_epochs: passes over a source at most.

    Raises:
        ConfigError: all passes over all sources are less than the budget.
    """
    return capped(uniform(sizes), limits(sizes, budget, max_epochs))
