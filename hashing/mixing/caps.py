"""Weights that no source exceeds: what there is of it, times how often it may be repeated."""

from math import fsum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError
from .checks import as_amounts, normalised, same_length

_SLACK = 1e-12
"""How much less than 1 limits may add up to: the error of their division."""


def limits(available: ArrayLike, budget: float, max_epochs: ArrayLike) -> NDArray[np.float64]:
    """Return the most that each source can be of a budget: float64, shape (sources,); 1 is all of it.

    Args:
        available: shape (sources,): one pass over each, in the unit of the budget.
        budget: of all sources together.
        max_epochs: passes over a source at most; one number for all, or shape (sources,).

    Raises:
        InputError: a number is negative or none.
        ConfigError: the budget is not above 0.
    """
    if not 0 < budget < np.inf:
        raise ConfigError("a budget is above 0", value=budget, remedy="Give a budget.")
    held = as_amounts(available, "amounts")
    return np.minimum(held * as_amounts(np.broadcast_to(max_epochs, held.shape), "passes") / budget, 1.0)


def capped_phases(
    weights: ArrayLike, sizes: ArrayLike, most: ArrayLike, *, rounds: int = 10_000
) -> NDArray[np.float64]:
    """Return amounts of each source in each phase: of all that fill the phases and no source exceeds, the nearest ones.

    Nearest by Kullback and Leibler's divergence to the wanted weights, as ``capped`` is for one phase: sources that are
    short are scaled down, phases are filled up, in turns (Sinkhorn's algorithm with limits). So a source that is short
    has less in every phase, rather than nothing in the last one.

    Args:
        weights: shape (phases, sources): of each phase; they need not add up to 1.
        sizes: shape (phases,): what each phase takes in all.
        most: shape (sources,): what there is of each source for all phases.
        rounds: most turns; the amounts then may exceed what there is by what a turn still moves.

    Returns:
        float64, shape (phases, sources).

    Raises:
        InputError: a number is negative or none.
        ConfigError: the sources hold less than the phases take.
    """
    whole, there = as_amounts(sizes, "sizes of phases"), as_amounts(most, "amounts")
    wanted = np.array([normalised(row) for row in np.array(weights, np.float64, ndmin=2)]) * whole[:, None]
    same_length("amounts", there, wanted.shape[1])
    capped(wanted.sum(axis=0), np.minimum(there / fsum(whole), 1.0))  # refuses what cannot be
    filled, kept = np.ones(len(whole)), np.ones(len(there))
    for _ in range(rounds):
        before = kept
        in_all = np.array([fsum(column) for column in (wanted * filled[:, None]).T])
        kept = np.minimum(np.divide(there, in_all, out=np.ones_like(there), where=in_all > 0), 1.0)
        in_phase = np.array([fsum(row) for row in wanted * kept])
        filled = np.divide(whole, in_phase, out=np.zeros_like(whole), where=in_phase > 0)
        if np.abs(kept - before).max() < _SLACK:
            break
    return np.asarray(wanted * kept * filled[:, None], np.float64)


def capped(weights: ArrayLike, limit: ArrayLike) -> NDArray[np.float64]:
    """Return weights cut off at their limits; what is cut off goes to the others in proportion.

    This is water filling: weight i becomes min(limit i, level x weight i), with the one level at which all add up to 1.
    Of all weights within the limits these are the nearest to the wanted ones by Kullback and Leibler's divergence. A
    weight of 0 stays 0.

    Args:
        weights: shape (sources,); they need not add up to 1.
        limit: shape (sources,): as ``limits`` returns them.

    Returns:
        float64, shape (sources,), that add up to 1.

    Raises:
        InputError: weights or limits are negative or none.
        ConfigError: sources with a weight have less than the budget, all together.
    """
    wanted, most = normalised(weights), np.minimum(as_amounts(limit, "limits"), 1.0)
    same_length("limits", most, len(wanted))
    most = np.where(wanted > 0, most, 0.0)
    reach = fsum(most)
    if reach < 1.0 - _SLACK:
        raise ConfigError(
            "the sources hold the budget, with the passes that are allowed",
            value=f"enough for {reach:.6g} of it",
            remedy="Lower the budget, raise `max_epochs`, or give weight to more sources.",
        )
    full = np.zeros(len(wanted), np.bool_)
    while True:
        free = ~full & (wanted > 0)
        rest, share = 1.0 - fsum(most[full]), fsum(wanted[free])
        found = np.where(full, most, wanted * (rest / share) if share > 0 else 0.0)
        over = free & (found > most)
        if not over.any():
            return np.minimum(found, most) if full.any() else wanted
        full |= over
