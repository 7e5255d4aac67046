"""Redundancy between and within sources, from a sample of their shingles.

A sample holds the shingles whose hash is in the lowest 1 / ``one_in`` of all, with how often each occurs. Which
shingles these are depends on nothing else: so samples of parts merge by adding, and whether another source has a
sampled shingle is known, however large or small it is. (Of a bottom-k sketch this is known only up to the lower of two
thresholds, and a small source beside a large one is then compared by a handful of shingles.)

Each word of a text begins about one shingle, so shares of shingles that occur are shares of tokens.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, InputError
from ..kernel import kernel
from .checks import as_amounts, in_range, same_length

ONE_IN = 64


@dataclass(frozen=True)
class ShingleSample:
    """Sampled shingles of a source, or of a part of it.

    Attributes:
        hashes: uint64, shape (n,), ascending, all different.
        counts: int64, shape (n,): how often each occurs.
        one_in: one of how many distinct shingles is sampled.
    """

    hashes: NDArray[np.uint64]
    counts: NDArray[np.int64]
    one_in: int

    def merge(self, *others: "ShingleSample") -> "ShingleSample":
        """Return the sample of all parts together.

        Raises:
            ConfigError: they are sampled at different rates; ``thinned`` brings them to one.
        """
        rates = sorted({self.one_in, *(other.one_in for other in others)})
        if len(rates) > 1:
            raise ConfigError("samples have one rate", value=rates, remedy=f"Thin them to one in {rates[-1]}.")
        parts = (self, *others)
        return _added(
            np.concatenate([part.hashes for part in parts]), np.concatenate([p.counts for p in parts]), rates[0]
        )

    def thinned(self, one_in: int) -> "ShingleSample":
        """Return the sample that a lower rate would have taken.

        Raises:
            ConfigError: the rate is higher.
        """
        in_range("one_in", one_in, self.one_in, 2**32)
        kept = self.hashes <= _highest(one_in)
        return ShingleSample(self.hashes[kept], self.counts[kept], one_in)


def sample_shingles(values: NDArray[np.uint64], *, one_in: int = ONE_IN) -> ShingleSample:
    """Return the sample of a sequence of shingle hashes (``shingles.shingle_sequences``).

    Args:
        values: uint64, shape (n,).
        one_in: one of how many distinct shingles to sample, 1 to 2^32.

    Raises:
        ConfigError: the rate is out of range.
    """
    in_range("one_in", one_in, 1, 2**32)
    low = values[values <= _highest(one_in)]
    return _added(low, np.ones(len(low), np.int64), one_in)


def sample_by_source(
    values: NDArray[np.uint64], owners: NDArray[np.int64], *, one_in: int = ONE_IN
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]:
    """Return the samples of all sources of a sequence of shingle hashes at once, as ``sample_shingles`` makes each.

    Args:
        values: uint64, shape (n,).
        owners: int64, shape (n,): the source of each.
        one_in: one of how many distinct shingles to sample, 1 to 2^32.

    Returns:
        (sources, hashes, counts) of each different (source, hash), ascending.

    Raises:
        ConfigError: the rate is out of range.
    """
    in_range("one_in", one_in, 1, 2**32)
    low = values <= _highest(one_in)
    hashes, sources = values[low], owners[low]
    order = np.lexsort((hashes, sources))
    hashes, sources = hashes[order], sources[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (hashes[1:] != hashes[:-1]) | (sources[1:] != sources[:-1])
    starts = np.flatnonzero(first)
    return sources[starts], hashes[starts], np.diff(np.append(starts, len(order))).astype(np.int64)


def _highest(one_in: int) -> np.uint64:
    return np.uint64((1 << 64) // one_in - 1)


def _added(hashes: NDArray[np.uint64], counts: NDArray[np.int64], one_in: int) -> ShingleSample:
    distinct, place = np.unique(hashes, return_inverse=True)
    sums = np.zeros(len(distinct), np.int64)
    np.add.at(sums, place, counts)
    return ShingleSample(distinct, sums, one_in)


def shared_mass(samples: Sequence[ShingleSample]) -> NDArray[np.float64]:
    """Return which share of each source's text another has, too: float64, shape (sources, sources), for a heat map.

    Entry (i, j) is the share of the shingles that occur in i, repeated ones as often, that j has as well. It is not
    symmetric: a small source may be within a large one. Diagonals are 1.

    Args:
        samples: of each source, at one rate.

    Raises:
        ConfigError: rates differ.
        InputError: a source has no sampled shingle.
    """
    _check(samples)
    hashes = np.concatenate([sample.hashes for sample in samples])
    order = np.argsort(hashes, kind="stable")
    sources = np.repeat(np.arange(len(samples)), [len(sample.hashes) for sample in samples])[order]
    counts = np.concatenate([sample.counts for sample in samples])[order]
    held = np.zeros((len(samples), len(samples)), np.int64)
    _add_held(hashes[order], sources, counts, held)
    return np.asarray(held / np.diagonal(held)[:, None], np.float64)


@kernel
def _add_held(
    hashes: NDArray[np.uint64], sources: NDArray[np.int64], counts: NDArray[np.int64], held: NDArray[np.int64]
) -> None:
    """Add the count of each hash of a source to its line, at every source that has it; equal hashes stand together."""
    start = 0
    while start < len(hashes):
        stop = start + 1
        while stop < len(hashes) and hashes[stop] == hashes[start]:
            stop += 1
        for one in range(start, stop):
            for other in range(start, stop):
                held[sources[one], sources[other]] += counts[one]
        start = stop


def effective_unique(samples: Sequence[ShingleSample], tokens: ArrayLike) -> NDArray[np.float64]:
    """Return the effective unique tokens of each source: float64, shape (sources,).

    Its tokens times the share of its shingles that are new. Of a shingle that occurs c times in a source, and in m
    sources, 1 / m of one occurrence is new there: repeats within a source count nothing, and what several have is
    shared evenly, so that it does not matter in which order sources come. Sources with the very same sampled shingles
    are one among the m, and share its part. So all add up to the distinct text of all, and copies of a source have
    together what one has alone.

    Args:
        samples: of each source, at one rate.
        tokens: shape (sources,).

    Raises:
        ConfigError: rates differ.
        InputError: a source has no sampled shingle, or tokens are not one number for each.
    """
    _check(samples)
    held = as_amounts(tokens, "tokens")
    same_length("tokens", held, len(samples))
    copies = Counter(sample.hashes.tobytes() for sample in samples)
    different = {sample.hashes.tobytes(): sample.hashes for sample in samples}
    every, sources = np.unique(np.concatenate(list(different.values())), return_counts=True)
    new = []
    for sample in samples:
        distinct = float((1.0 / sources[np.searchsorted(every, sample.hashes)]).sum())
        new.append(distinct / copies[sample.hashes.tobytes()] / int(sample.counts.sum()))
    return np.asarray(held * np.array(new), np.float64)


def _check(samples: Sequence[ShingleSample]) -> None:
    if not samples:
        raise InputError("a mixture has a source", value="none", remedy="Name one.")
    rates = sorted({sample.one_in for sample in samples})
    if len(rates) > 1:
        raise ConfigError("samples have one rate", value=rates, remedy=f"Thin them to one in {rates[-1]}.")
    empty = [number for number, sample in enumerate(samples) if not len(sample.hashes)]
    if empty:
        raise InputError(
            "every source has a sampled shingle",
            value=f"none in source {empty[0]}",
            remedy="Lower `one_in`, or leave it out.",
        )
