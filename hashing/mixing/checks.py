"""What every method asks of its input: weights that add up, histograms that say something."""

from collections.abc import Sequence
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, InputError


def as_amounts(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Return one number for each source: float64, shape (sources,).

    Raises:
        InputError: there is no source, or a number is negative, infinite or none.
    """
    amounts = np.array(values, np.float64, ndmin=1)
    if amounts.ndim != 1 or not len(amounts):
        raise InputError(
            f"{what} are one number for each source", value=f"shape {amounts.shape}", remedy="Name a source."
        )
    if not (np.isfinite(amounts) & (amounts >= 0)).all():
        wrong = int(np.flatnonzero(~(np.isfinite(amounts) & (amounts >= 0)))[0])
        raise InputError(
            f"{what} are numbers from 0 on", value=f"{amounts[wrong]} in place {wrong}", remedy="Mend or leave it out."
        )
    return amounts


def normalised(values: ArrayLike, what: str = "weights") -> NDArray[np.float64]:
    """Return numbers divided by their sum: float64, shape (sources,); it does not depend on their order.

    Raises:
        InputError: as ``as_amounts``, or all are 0.
    """
    amounts = as_amounts(values, what)
    if not amounts.any():
        raise InputError(
            f"some of the {what.removeprefix('the ')} is above 0", value="zeros alone", remedy="Give one that is."
        )
    amounts = amounts / amounts.max()
    return np.asarray(amounts / fsum(amounts), np.float64)


def as_histograms(counts: Sequence[ArrayLike] | NDArray[Any], what: str = "loads") -> NDArray[np.float64]:
    """Return counts of each source as shares: float64, shape (sources, buckets), rows that add up to 1.

    Raises:
        InputError: rows are of unequal length, or a row has a number that is none, or nothing in it.
    """
    if not len(counts) or any(np.ndim(row) != 1 for row in counts):
        raise InputError(
            f"{what} are a row of numbers for each source", value=repr(counts)[:80], remedy="Name a source."
        )
    rows = [as_amounts(row, what) for row in counts]
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise InputError(
            f"{what} of all sources are equally long",
            value=f"lengths {lengths}",
            remedy="Count the same buckets in all.",
        )
    for number, row in enumerate(rows):
        if not row.any():
            raise InputError(
                f"{what} of a source are not all 0", value=f"source {number}", remedy="Leave out a source without text."
            )
    scaled = [row / row.max() for row in rows]
    return np.array([row / row.sum() for row in scaled])


def in_range(name: str, value: float, least: float, most: float) -> float:
    """Return a setting.

    Raises:
        ConfigError: it is not a number in that range.
    """
    if not least <= value <= most:
        raise ConfigError(f"`{name}` is {least:g} to {most:g}", value=value, remedy=f"Change `{name}`.")
    return float(value)


def one_of(name: str, value: str, choices: Sequence[str]) -> str:
    """Return a setting.

    Raises:
        ConfigError: it is none of these.
    """
    if value not in choices:
        raise ConfigError(f"`{name}` is one of {', '.join(choices)}", value=repr(value), remedy=f"Change `{name}`.")
    return value


def same_length(what: str, one: Sequence[object] | NDArray[np.generic], sources: int) -> None:
    """Make sure that there is one thing for each source.

    Raises:
        InputError: there are more or fewer.
    """
    if len(one) != sources:
        raise InputError(f"{what} are one for each source", value=f"{len(one)} for {sources}", remedy="Give all.")
