"""How much of each source a mixture takes: weights become amounts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..hashing.errors import ConfigError
from .mixture import MOST, Mixture


@dataclass(frozen=True)
class Allocation:
    """How much of each source each phase takes; arrays are in the order of ``names``.

    Attributes:
        names: of the sources.
        available: int64, shape (sources,): one pass over each.
        limit: int64, shape (sources,): what repetition allows.
        bounds: int64, shape (sources, phases + 1): phase p takes [bounds[:, p], bounds[:, p + 1]) of each sequence.
        shares: float64, shape (sources,): of the budget, before rounding.
    """

    names: tuple[str, ...]
    available: NDArray[np.int64]
    limit: NDArray[np.int64]
    bounds: NDArray[np.int64]
    shares: NDArray[np.float64]

    @property
    def wanted(self) -> NDArray[np.int64]:
        """What is asked of each source: int64, shape (sources,)."""
        return np.asarray(self.bounds[:, -1], np.int64)

    @property
    def short(self) -> NDArray[np.int64]:
        """What each source lacks: int64, shape (sources,)."""
        return np.asarray(np.maximum(self.wanted - self.limit, 0), np.int64)


def allocate(mixture: Mixture, available: Mapping[str, int]) -> Allocation:
    """Turn weights into amounts.

    Args:
        mixture: what is wanted.
        available: what each source holds, in the mixture's unit.

    Raises:
        ConfigError: if the mixture lacks a source, names one that there is not, or nothing is there to take.
    """
    lacking, unknown = (
        sorted(available.keys() - mixture.sources.keys()),
        sorted(mixture.sources.keys() - available.keys()),
    )
    if lacking:
        raise ConfigError(
            "a mixture weights every source",
            value=f"no weight for {', '.join(map(repr, lacking))}",
            remedy=f"Add it; `{lacking[0]}: 0` leaves it out.",
        )
    if unknown:
        raise ConfigError(
            "a mixture names sources that have rows to train on",
            value=f"{', '.join(map(repr, unknown))}, where there are {', '.join(map(repr, sorted(available)))}",
            remedy="Correct the name, or take it out.",
        )
    names = tuple(sorted(available))
    amounts = np.array([available[name] for name in names], np.int64)
    passes = [mixture.sources[name].max_epochs or mixture.max_epochs for name in names]
    limit = np.array([round(min(n * p, MOST)) for n, p in zip(amounts.tolist(), passes, strict=True)], np.int64)
    parts = np.zeros((len(names), len(mixture.shares())))
    for phase, (share, weights) in enumerate(zip(mixture.shares(), mixture.weights(), strict=True)):
        total = sum(weights.values())
        parts[:, phase] = [share * weights[name] / total for name in names]
    whole = parts.sum(axis=1)
    budget = mixture.budget
    if budget is None:
        budget = int(min(n / part for n, part in zip(limit.tolist(), whole.tolist(), strict=True) if part > 0))
    bounds = np.zeros((len(names), parts.shape[1] + 1), np.int64)
    bounds[:, 1:] = np.rint(np.cumsum(parts, axis=1) * budget)
    return Allocation(names, amounts, limit, bounds, whole)
