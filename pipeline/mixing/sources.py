"""What a method may know of the sources it weighs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...hashing.errors import ConfigError, InputError
from ...hashing.mixing.checks import as_amounts
from ...hashing.mixing.overlap import effective_unique
from .features import Measured


@dataclass(frozen=True)
class Sources:
    """Sources to mix; arrays are in the order of ``names``, and what a method does not use may be None.

    Attributes:
        names: of the sources, all different.
        available: int64, shape (sources,): one pass over each, in the unit of the mixture.
        unique: float64, shape (sources,): effective unique tokens of each.
        histograms: int64, shape (sources, buckets): counts.
        loads: shape (sources, experts), or (sources, steps, experts): tokens that a router sends to each expert.
        vectors: float64, shape (sources, dimensions): the mean vector of each.
        similarity: float64, shape (sources, sources).
        gains: (source, gain) in the order in which a set function chose them; those it did not choose are not in it.
        taken: int64, shape (sources,): tokens that importance resampling took of each.
        load_steps: of the training, at which loads were measured.

    Raises:
        InputError: there is no source, or something is not of these sources.
    """

    names: tuple[str, ...]
    available: NDArray[np.int64]
    unique: NDArray[np.float64] | None = None
    histograms: NDArray[np.int64] | None = None
    loads: Sequence[ArrayLike] | NDArray[np.float64] | None = None
    vectors: NDArray[np.float64] | None = None
    similarity: NDArray[np.float64] | None = None
    gains: tuple[tuple[str, float], ...] | None = None
    taken: NDArray[np.int64] | None = None
    load_steps: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if not self.names or len(set(self.names)) < len(self.names):
            raise InputError(
                "sources have names of their own", value=", ".join(self.names) or "none", remedy="Name them."
            )
        for what in ("available", "unique", "histograms", "loads", "vectors", "similarity", "taken"):
            rows = getattr(self, what)
            if rows is not None and len(rows) != len(self.names):
                raise InputError(
                    f"`{what}` is of all sources", value=f"{len(rows)} of {len(self.names)}", remedy="Measure all."
                )
        as_amounts(self.available, "amounts")
        if self.unique is not None:
            as_amounts(self.unique, "effective unique tokens")
        known_names([name for name, _ in self.gains or ()], self.names, "gains")

    @classmethod
    def of(cls, measured: Measured) -> "Sources":
        """Return the sources of measured texts, with words as what is available.

        Raises:
            InputError: a source that has words has no sampled shingle.
        """
        some = measured.tokens > 0
        unique = np.zeros(len(measured.names))
        if some.any():
            samples = [sample for sample, there in zip(measured.samples, some, strict=True) if there]
            unique[some] = effective_unique(samples, measured.tokens[some])
        return cls(measured.names, measured.tokens, unique, measured.histograms.counts)

    def only(self, kept: NDArray[np.bool_]) -> "Sources":
        """Return some of the sources."""
        places = np.flatnonzero(kept).tolist()
        names = tuple(self.names[place] for place in places)
        return Sources(
            names,
            self.available[places],
            unique=None if self.unique is None else self.unique[places],
            histograms=None if self.histograms is None else self.histograms[places],
            loads=None if self.loads is None else [self.loads[place] for place in places],
            load_steps=self.load_steps,
            vectors=None if self.vectors is None else self.vectors[places],
            similarity=None if self.similarity is None else self.similarity[np.ix_(places, places)],
            gains=None if self.gains is None else tuple(pair for pair in self.gains if pair[0] in names),
            taken=None if self.taken is None else self.taken[places],
        )


def known_names(given: Sequence[str] | Mapping[str, float], names: Sequence[str], what: str) -> None:
    """Make sure that what is given by name is of sources that there are, once each.

    Raises:
        ConfigError: a name is unknown or repeated.
    """
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ConfigError(
            f"{what} are of sources that there are",
            value=f"{', '.join(map(repr, unknown))}, where there are {', '.join(map(repr, names))}",
            remedy="Correct the name, or take it out.",
        )
    if len(set(given)) < len(given):
        raise ConfigError(f"{what} name a source once", value=", ".join(given), remedy="Take one out.")
