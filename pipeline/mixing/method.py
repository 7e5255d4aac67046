"""Methods that weigh sources, under one name each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...hashing.errors import ConfigError, InputError
from ...hashing.mixing.budgets import order_free, taylor_softmax
from ...hashing.mixing.checks import as_histograms, normalised, one_of
from ...hashing.mixing.distances import pairwise, to_mix
from ...hashing.mixing.dynamic import coverage, one_shot
from ...hashing.mixing.histograms import equal_draws
from ...hashing.mixing.leverage import leverage, leverage_weights
from ...hashing.mixing.proportions import proportional, temperature, uniform
from ...hashing.mixing.tilt import mean_distances
from ..counted import counted
from .router import by_router
from .settings import MixingSettings
from .sources import Sources, known_names
from .wanted import Notes, Step, Wanted, limited

NOTHING = "holds nothing"

_UNIQUE = "its effective unique words"
_PASSES = {"all": ("all it holds", "what it holds"), "unique": (_UNIQUE, _UNIQUE)}
"""What one pass is over, and several."""


@dataclass(frozen=True)
class Weights:
    """How much of each source, and why; arrays are in the order of ``names``.

    Attributes:
        method: of ``METHODS``.
        names: of the sources.
        weights: float64, shape (sources,), that add up to 1.
        budgets: int64, shape (sources,), that add up to the budget; None without one.
        available: int64, shape (sources,): one pass over each.
        unique: float64, shape (sources,): effective unique tokens, or None.
        reasons: a sentence for each source.
        notes: what the method found out on its way, as eta, or whether it settled.
        wanted: float64, shape (sources,): weights before limits; None: those that there are.
        path: (step, weights) of the method on its way, before limits.
        phases: (what it takes, or how many steps it lasts; weights) of each stretch; ``weights`` are of all together.
        gains: (source, gain) in the order of a set function.
        held: bool, shape (sources,): whether it is held at what it holds, times the passes that are allowed.
    """

    method: str
    names: tuple[str, ...]
    weights: NDArray[np.float64]
    budgets: NDArray[np.int64] | None
    available: NDArray[np.int64]
    unique: NDArray[np.float64] | None
    reasons: tuple[str, ...]
    notes: Notes = field(default_factory=dict)
    wanted: NDArray[np.float64] | None = None
    path: tuple[Step, ...] = ()
    phases: tuple[Step, ...] = ()
    gains: tuple[tuple[str, float], ...] = ()
    held: NDArray[np.bool_] | None = None


def weights(method: str, sources: Sources, settings: MixingSettings | None = None) -> Weights:
    """Weigh sources.

    A source that holds nothing has weight 0, whatever the method. With a budget, no source is asked for more than
    ``max_epochs`` passes, and what it lacks goes to the others in proportion.

    Args:
        method: of ``METHODS``.
        sources: with what the method needs to know.
        settings: None: the defaults.

    Raises:
        ConfigError: there is no such method, or sources hold less than the budget.
        InputError: sources hold nothing, or what the method needs is lacking or no numbers.
    """
    one_of("method", method, tuple(METHODS))
    settings = settings or MixingSettings.model_validate({})
    if isinstance(settings.prior, dict):
        known_names(settings.prior, sources.names, "the prior's weights")
    there = np.asarray(sources.available) > 0
    if not there.any():
        raise InputError("some source holds something", value="none", remedy="Give texts.")
    some = sources.only(there)
    wanted = METHODS[method](some, settings)
    found = limited(wanted, once_through(some, settings), settings)
    once, many = _PASSES[settings.passes_of]
    most = once if settings.max_epochs == 1 else f"{settings.max_epochs:g} times {many}"
    reasons = iter(
        f"{reason}; held at {most}" if held else reason for reason, held in zip(wanted.reasons, found.held, strict=True)
    )

    def spread(row: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = np.zeros(len(there))
        whole[there] = row
        return whole

    def spread_all(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple((step, spread(row)) for step, row in steps)

    held = np.zeros(len(there), np.bool_)
    held[there] = found.held
    amounts = None
    if found.budgets is not None:
        amounts = np.zeros(len(there), np.int64)
        amounts[there] = found.budgets
    return Weights(
        method,
        sources.names,
        spread(found.weights),
        amounts,
        np.asarray(sources.available, np.int64),
        sources.unique,
        tuple(next(reasons) if here else NOTHING for here in there),
        wanted.notes,
        spread(wanted.weights),
        spread_all(wanted.path),
        spread_all(found.phases),
        (some.gains or ()) if method == SMART else (),
        held,
    )


def once_through(sources: Sources, settings: MixingSettings) -> NDArray[np.int64]:
    """Return what one pass takes of each source: int64, shape (sources,); of one that holds something, 1 or more.

    Raises:
        InputError: passes are over effective unique tokens, and these are not known.
    """
    available = np.asarray(sources.available, np.int64)
    if settings.passes_of == "all":
        return available
    unique = np.asarray(_needed(sources, "unique"), np.float64)
    return np.minimum(available, np.maximum(1, np.floor(unique))).astype(np.int64)


def _by_size(sources: Sources, settings: MixingSettings) -> Wanted:
    return Wanted(proportional(sources.available), [f"holds {size:,}" for size in sources.available.tolist()])


def _uniform(sources: Sources, settings: MixingSettings) -> Wanted:
    return Wanted(uniform(sources.available), ["one weight for all"] * len(sources.names))


def _temperature(sources: Sources, settings: MixingSettings) -> Wanted:
    told = [f"holds {size:,}, at temperature {settings.temperature:g}" for size in sources.available.tolist()]
    return Wanted(temperature(sources.available, settings.temperature), told)


def _unimax(sources: Sources, settings: MixingSettings) -> Wanted:
    if settings.budget is None:
        raise ConfigError("UniMax deals out a budget", value="none", remedy="Set `budget`.")
    return Wanted(uniform(sources.available), ["as even as passes allow"] * len(sources.names))


def _tilt(sources: Sources, settings: MixingSettings) -> Wanted:
    counts, prior = _counts(sources, settings), _prior(sources, settings)
    shares, samples = as_histograms(counts, "histograms"), counts.sum(axis=1)
    apart = mean_distances(pairwise(shares, settings.distance, samples), prior)
    found = one_shot(shares, prior=prior, tilt=settings.tilt, distance=settings.distance, samples=samples)
    told = [f"{far:.4f} from the others, prior {part:.2%}" for far, part in zip(apart, prior, strict=True)]
    return Wanted(found, told)


def _coverage(sources: Sources, settings: MixingSettings) -> Wanted:
    counts, prior = _counts(sources, settings), _prior(sources, settings)
    shares, samples = as_histograms(counts, "histograms"), counts.sum(axis=1)
    found = coverage(shares, prior=prior, tilt=settings.tilt, distance=settings.distance, samples=samples)
    before = to_mix(shares, prior, settings.distance, samples)
    told = [
        f"{far:.4f} from the mixture, {first:.4f} at its prior of {part:.2%}"
        for far, first, part in zip(found.distances, before, prior, strict=True)
    ]
    notes: Notes = {"eta": found.eta, "steps": found.steps, "settled": found.settled}
    return Wanted(found.weights, told, notes, path=found.path)


def _router(sources: Sources, settings: MixingSettings) -> Wanted:
    loads = _needed(sources, "loads")
    if np.ndim(loads[0]) == 1:
        loads = as_histograms(loads)[:, None, :]
    return by_router(np.asarray(loads, np.float64), sources.load_steps, settings)


def _leverage(sources: Sources, settings: MixingSettings) -> Wanted:
    vectors = sources.vectors
    if vectors is None:
        vectors = np.sqrt(as_histograms(_needed(sources, "histograms"), "histograms"))  # of length 1
    scores = leverage(vectors, ridge=settings.ridge)
    return Wanted(leverage_weights(scores, settings.purpose), [f"leverage {score:.4f}" for score in scores])


def _smart(sources: Sources, settings: MixingSettings) -> Wanted:
    gains = _needed(sources, "gains")
    order = np.array([sources.names.index(name) for name, _ in gains], np.int64)
    found = np.zeros(len(sources.names))
    found[order] = taylor_softmax([gain for _, gain in gains], normalise=settings.normalise)
    told = ["not chosen"] * len(sources.names)
    for rank, (place, (_, gain)) in enumerate(zip(order.tolist(), gains, strict=True)):
        told[place] = f"chosen as number {rank + 1}, gain {gain:.4f}"
    return Wanted(found, told, order=order)


def _order_free(sources: Sources, settings: MixingSettings) -> Wanted:
    similarity = _needed(sources, "similarity")
    told = [f"like {float(row.sum()):.4f} sources, itself among them" for row in similarity]
    return Wanted(order_free(similarity), told)


def _importance(sources: Sources, settings: MixingSettings) -> Wanted:
    taken = _needed(sources, "taken")
    return Wanted(
        normalised(taken, "tokens taken"), [f"{counted(size, 'token')} taken by importance" for size in taken.tolist()]
    )


def _counts(sources: Sources, settings: MixingSettings) -> NDArray[np.int64]:
    counts = np.asarray(_needed(sources, "histograms"), np.int64)
    return counts if settings.draws is None else equal_draws(counts, settings.draws, settings.seed)


def _prior(sources: Sources, settings: MixingSettings) -> NDArray[np.float64]:
    """Return the prior: float64, shape (sources,); sources that are not named have none."""
    if isinstance(settings.prior, dict):
        named = settings.prior
        return normalised([named.get(name, 0.0) for name in sources.names], "the prior")
    if settings.prior == "unique":
        return normalised(_needed(sources, "unique"), "effective unique tokens")
    return proportional(sources.available) if settings.prior == "size" else uniform(sources.available)


def _needed(sources: Sources, what: str) -> Any:
    found = getattr(sources, what)
    if found is None or not len(found):
        raise InputError(f"this method knows the {what} of sources", value="none", remedy=f"Give `{what}`.")
    return found


SMART = "smart"

METHODS: dict[str, Callable[[Sources, MixingSettings], Wanted]] = {
    "proportional": _by_size,
    "uniform": _uniform,
    "temperature": _temperature,
    "unimax": _unimax,
    "tilt": _tilt,
    "coverage": _coverage,
    "router": _router,
    "leverage": _leverage,
    SMART: _smart,
    "order-free": _order_free,
    "importance": _importance,
}
