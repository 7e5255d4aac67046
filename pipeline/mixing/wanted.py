"""What a method asks for, before limits; and what limits make of it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...hashing.mixing.caps import capped, capped_phases, limits
from ...hashing.mixing.rounding import floor_and_deal, largest_remainder
from ..mixture import MOST
from .settings import MixingSettings

Step = tuple[int, NDArray[np.float64]]
"""A step, or how many it lasts, and float64 weights of shape (sources,)."""

_NEARLY = 1e-9

Notes = dict[str, float | str | bool]


@dataclass(frozen=True)
class Wanted:
    """What a method asks for.

    Attributes:
        weights: float64, shape (sources,), that add up to 1.
        reasons: a sentence for each source.
        notes: what it found out on its way.
        order: int64: the places of sources in the order in which they were chosen, if budgets are dealt in that order.
        path: (step, weights) on its way.
        phases: (steps it lasts, weights) of each stretch of the training; ``weights`` are then the mean of these.
    """

    weights: NDArray[np.float64]
    reasons: list[str]
    notes: Notes = field(default_factory=dict)
    order: NDArray[np.int64] | None = None
    path: tuple[Step, ...] = ()
    phases: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Limited:
    """Weights that no source exceeds.

    Attributes:
        weights: float64, shape (sources,).
        budgets: int64, shape (sources,), that add up to the budget; None without one.
        held: bool, shape (sources,): whether a source is held at what it holds, times the passes that are allowed.
        phases: (what it takes in all, or how many steps it lasts; its weights) of each phase.
    """

    weights: NDArray[np.float64]
    budgets: NDArray[np.int64] | None
    held: NDArray[np.bool_]
    phases: tuple[Step, ...] = ()


def limited(wanted: Wanted, available: NDArray[np.int64], settings: MixingSettings) -> Limited:
    """Return what is wanted within what there is; what a source lacks goes to the others in proportion.

    Of phases, what a source lacks is taken off all of them.

    Args:
        wanted: what a method asks for.
        available: int64, shape (sources,): one pass over each.
        settings: budget and passes.

    Raises:
        ConfigError: sources hold less than the budget.
    """
    if settings.budget is None:
        return Limited(wanted.weights, None, np.zeros(len(available), np.bool_), wanted.phases)
    passes = np.floor(np.minimum(available * settings.max_epochs, MOST)).astype(np.int64)
    if wanted.order is not None:
        budgets = np.zeros(len(passes), np.int64)
        budgets[wanted.order] = floor_and_deal(wanted.weights[wanted.order], settings.budget, passes[wanted.order])
        return Limited(budgets / settings.budget, budgets, budgets >= passes)
    found = capped(wanted.weights, limits(available, settings.budget, settings.max_epochs))
    if not wanted.phases:
        budgets = largest_remainder(found, settings.budget, passes)
        return Limited(found, budgets, budgets >= passes)
    left, phases = passes.copy(), []
    sizes = largest_remainder([steps for steps, _ in wanted.phases], settings.budget).tolist()
    amounts = capped_phases([row for _, row in wanted.phases], sizes, passes)
    for size, row in zip(sizes, amounts, strict=True):
        if size:
            taken = largest_remainder(row, size, left)
            left -= taken
            phases.append((size, taken / size))
    budgets = passes - left
    held = amounts.sum(axis=0) >= passes * (1.0 - _NEARLY)  # rounded by phase, budgets may be a little less
    return Limited(budgets / settings.budget, budgets, held, tuple(phases))
