"""Sketches of parts, which merge, and signatures, which do not.

Sketches of two sets merge to the sketch of their union by taking the lesser value in each place, but only
before empty bins are filled: a filled bin holds a donor's value, and the least of two donors' values is not what the
union would have put there. So there are two types, and only one of them has ``merge``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError
from .kernel import kernel
from .oph import EMPTY
from .sketch import SketchPlan, complete, no_sketch_scratch, partial_sketch


@dataclass(frozen=True)
class Signatures:
    """Finished signatures of n texts, to compare and to band.

    Attributes:
        values: uint64 or uint32, shape (n, k), all ones for a text without tokens.
        plan: how they were made.
    """

    values: NDArray[np.uint64] | NDArray[np.uint32]
    plan: SketchPlan = field(repr=False)

    def __len__(self) -> int:
        return len(self.values)

    def similarity(self, other: "Signatures") -> NDArray[np.float64]:
        """Return the estimated similarity of each text to the one in the same place: float64, shape (n,).

        A text without tokens is like none, not even another one.

        Raises:
            ConfigError: if they were made in different ways, or are not equally many.
        """
        _check_alike(self.plan, other.plan)
        _check_lengths(self, other)
        equal = np.asarray((self.values == other.values).mean(axis=1), np.float64)
        nothing = (self.values == (1 << self.plan.bits) - 1).all(axis=1)
        return np.where(nothing, 0.0, equal)


@dataclass(frozen=True)
class PartialSketches:
    """Unfinished sketches of n texts, or of parts of them.

    Attributes:
        values: uint64, shape (n, k), with marks where an ``oph`` bin is empty.
        plan: how they were made.
    """

    values: NDArray[np.uint64]
    plan: SketchPlan = field(repr=False)

    def __len__(self) -> int:
        return len(self.values)

    def merge(self, *others: "PartialSketches") -> "PartialSketches":
        """Return the sketches of the unions: of each text's shingles here and in the same place of the others.

        The parts of a text share no shingles across their border unless they overlap by the shingle size less one.

        Raises:
            ConfigError: if they were made in different ways, or are signatures.
        """
        for other in others:
            if not isinstance(other, PartialSketches):
                raise ConfigError(
                    "only unfinished sketches merge",
                    value=type(other).__name__,
                    remedy="Merge first, then call `finish` once.",
                )
            _check_alike(self.plan, other.plan)
            _check_lengths(self, other)
        return PartialSketches(np.minimum.reduce([self.values, *(other.values for other in others)]), self.plan)

    def finish(self) -> Signatures:
        """Fill the empty bins and cut values to the bits of the plan."""
        values = _finish(self.values, self.plan)
        return Signatures(values.astype(np.uint32) if self.plan.bits == 32 else values, self.plan)


def sketch_parts(data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan) -> PartialSketches:
    """Sketch the texts ``data[offsets[i]:offsets[i + 1]]`` without finishing them.

    A text without words, or that is not UTF-8, has no values: callers validate (``fingerprint`` reports the offset).
    """
    return PartialSketches(_sketch(data, offsets, plan), plan)


def _check_alike(one: SketchPlan, other: SketchPlan) -> None:
    if one.identity != other.identity:
        raise ConfigError(
            "sketches are made in the same way",
            value=" and ".join(_differences(one, other)),
            remedy="Sketch both with one plan.",
        )


def _check_lengths(one: Signatures | PartialSketches, other: Signatures | PartialSketches) -> None:
    if len(one) != len(other):
        raise ConfigError(
            "texts are compared place by place",
            value=f"{len(one)} beside {len(other)}",
            remedy="Take equally many.",
        )


def _differences(one: SketchPlan, other: SketchPlan) -> Iterator[str]:
    names = ("sketch", "values", "bits", "unit", "shingle", "seed", "version")
    for name, a, b in zip(names, one.identity, other.identity, strict=True):
        if a != b:
            yield f"{name} {a} against {b}"


@kernel
def _sketch(data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan) -> NDArray[np.uint64]:
    out = np.empty((len(offsets) - 1, plan.values), np.uint64)
    scratch = no_sketch_scratch(plan)
    for i in range(len(offsets) - 1):
        words, error = partial_sketch(data, offsets[i], offsets[i + 1], plan, scratch, out[i])
        if words == 0 or error >= 0:
            out[i] = EMPTY
    return out


@kernel
def _finish(values: NDArray[np.uint64], plan: SketchPlan) -> NDArray[np.uint64]:
    out = np.full(values.shape, EMPTY)
    scratch = no_sketch_scratch(plan)
    for i in range(len(values)):
        if values[i].min() != EMPTY:
            complete(values[i], plan, scratch, out[i])
    return out
