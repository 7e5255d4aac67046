"""Weights while a model trains: a function of the step, which stops and goes on.

    schedule = DynamicWeights(["web", "code"], measure=router_loads, every=100)
    for step in range(2_000):
        batch = draw(schedule(step))

State is JSON; numbers in it are exact, so what goes on from a state gives the weights of a run that never stopped.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ArtefactError, ConfigError
from .checks import as_histograms, in_range, normalised, same_length
from .distances import L2, pairwise, to_mix
from .tilt import Tilt, mean_distances, scaled_eta, tilted

FORMAT, VERSION = "tamis-dynamic-weights", 1

Measure = Callable[[int], Sequence[ArrayLike] | NDArray[Any]]
"""Given a step, the loads of all sources: shape (sources, experts or buckets)."""

PUBLISHED = Tilt(eta=10.0, smoothing=0.05)


@dataclass(frozen=True)
class Updating:
    """How a schedule updates.

    Attributes:
        every: steps between two updates; the first is at step ``every``.
        tilt: how far an update goes; published: eta 10, smoothing 0.05.
        distance: of ``distances.DISTANCES`` but the corrected one; published: ``l2``.
        feedback: measure distances to the mixture of now, as ``dynamic.coverage`` does, not to one another. Updates are
            made whole: with an eta far above 1 weights may swing.
    """

    every: int = 100
    tilt: Tilt = PUBLISHED
    distance: str = L2
    feedback: bool = False


class DynamicWeights:
    """Weights of sources as a function of the step.

    Between updates weights stay. A step that lies several updates ahead makes all of them: weights at a step do not
    depend on which steps were asked for, if ``measure`` depends on its step alone.

    Attributes:
        names: of the sources; weights are in this order.
        history: (step, weights) of each update, and of the start at step 0: the phases so far.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        measure: Measure,
        updating: Updating | None = None,
        prior: ArrayLike | None = None,
        start: ArrayLike | None = None,
    ) -> None:
        """Begin at step 0.

        Args:
            names: of the sources, all different.
            measure: what loads are at a step.
            updating: how to update; None: as published, every 100 steps.
            prior: shape (sources,): what smoothing mixes in; None: all alike.
            start: shape (sources,): the weights of step 0; None: the prior.

        Raises:
            ConfigError: names repeat, or ``every`` is no positive number.
            InputError: prior or start are no weights.
        """
        self.names, self._measure, self._updating = tuple(names), measure, updating or Updating()
        if len(set(self.names)) < len(self.names):
            raise ConfigError("sources have names of their own", value=", ".join(self.names), remedy="Rename one.")
        in_range("every", self._updating.every, 1, 2**53)
        self._prior = normalised(np.ones(len(self.names)) if prior is None else prior, "the prior")
        weights = self._prior if start is None else normalised(start)
        for what, row in (("the prior", self._prior), ("weights", weights)):
            same_length(what, row, len(self.names))
        self.history: list[tuple[int, NDArray[np.float64]]] = [(0, weights)]

    def __call__(self, step: int) -> NDArray[np.float64]:
        """Return the weights at a step: float64, shape (sources,).

        Raises:
            ConfigError: the step is negative.
            InputError: loads are not one row for each source, or say nothing.
        """
        if step < 0:
            raise ConfigError("steps count from 0", value=step, remedy="Give the step of the trainer.")
        while (due := self.history[-1][0] + self._updating.every) <= step:
            self.history.append((due, self._updated(due)))
        return self.history[min(step // self._updating.every, len(self.history) - 1)][1].copy()

    def _updated(self, step: int) -> NDArray[np.float64]:
        tilt, kind = self._updating.tilt, self._updating.distance
        shares = as_histograms(self._measure(step))
        same_length("loads", shares, len(self.names))
        weights = self.history[-1][1]
        apart = to_mix(shares, weights, kind) if self._updating.feedback else mean_distances(pairwise(shares, kind))
        eta = scaled_eta(tilt, apart, kind=kind, buckets=shares.shape[1])
        return tilted(weights, apart, eta=eta, smoothing=tilt.smoothing, prior=self._prior, sign=tilt.sign)

    def phases(self, steps: int) -> list[tuple[int, NDArray[np.float64]]]:
        """Return (steps it lasts, weights) of each phase of a training of so many steps."""
        self(max(steps - 1, 0))
        starts = [step for step, _ in self.history if step < steps]
        ends = [*starts[1:], steps]
        return [(end - at, self.history[i][1].copy()) for i, (at, end) in enumerate(zip(starts, ends, strict=True))]

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, as JSON takes it."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "names": list(self.names),
            "updating": asdict(self._updating),
            "prior": self._prior.tolist(),
            "history": [[step, weights.tolist()] for step, weights in self.history],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state, of the same sources and settings.

        Raises:
            ArtefactError: it is no such state, or of other sources or settings.
        """
        own = self.state_dict()
        for key in ("format", "version", "names", "updating", "prior"):
            if not isinstance(state, dict) or state.get(key) != own[key]:
                found = state.get(key) if isinstance(state, dict) else state
                raise ArtefactError(
                    f"a state goes on with the same {key}",
                    value=f"{found!r} for {own[key]!r}",
                    remedy="Take its own settings.",
                )
        self.history = _history(state.get("history"), len(self.names), self._updating.every)

    def dumps(self) -> str:
        """Return the state as a text."""
        return json.dumps(self.state_dict())

    def loads(self, text: str) -> None:
        """Go on from the text of a state.

        Raises:
            ArtefactError: it is no JSON, or no state of these sources and settings.
        """
        try:
            state = json.loads(text)
        except json.JSONDecodeError as error:
            raise ArtefactError("a state is JSON", value=str(error), remedy="Take another copy of it.") from error
        self.load_state_dict(state)


def _history(found: object, sources: int, every: int) -> list[tuple[int, NDArray[np.float64]]]:
    try:
        rows = np.array([weights for _, weights in found], np.float64)  # type: ignore[attr-defined]
        steps = [step for step, _ in found]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise _damaged(error) from error
    if rows.shape != (len(steps), sources) or not steps or steps != [every * i for i in range(len(steps))]:
        raise _damaged(f"{len(steps)} updates, of shape {rows.shape}")
    if not (np.isfinite(rows).all() and (rows >= 0).all() and (np.abs(rows.sum(axis=1) - 1.0) < 1e-9).all()):
        raise _damaged("weights that do not add up to 1")
    return list(zip(steps, rows, strict=True))


def _damaged(what: object) -> ArtefactError:
    return ArtefactError("the history of a state is whole", value=str(what), remedy="Take another copy of it.")
