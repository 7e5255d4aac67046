"""Dynamic data mixing from the loads of a router (Zhu et al., 2024, arXiv 2406.11256): weights, or phases of them."""

import numpy as np
from numpy.typing import NDArray

from ...hashing.errors import ConfigError
from ...hashing.mixing.checks import as_histograms
from ...hashing.mixing.distances import L2, pairwise
from ...hashing.mixing.dynamic import router_update, trajectory
from ...hashing.mixing.tilt import mean_distances
from ..counted import counted
from .settings import MixingSettings
from .wanted import Step, Wanted

ETA = 10.0
"""Published."""


def by_router(loads: NDArray[np.float64], steps: tuple[int, ...], settings: MixingSettings) -> Wanted:
    """Return what the published update asks for; it starts with even weights.

    With loads of one step, the weights after ``updates`` updates with loads that stay. With those of several, one
    update at each of them: the weights of now hold up to the first step, those after an update up to the next, and the
    last ones up to ``steps`` of the settings, or as long as the ones before.

    Args:
        loads: float64, shape (sources, steps, experts).
        steps: of the training, ascending, at which loads were measured.
        settings: eta, smoothing, sign, updates, steps.

    Raises:
        InputError: loads say nothing.
        ConfigError: there are no steps after the last loads, or several updates are asked for with several loads.
    """
    eta = ETA if settings.eta is None else settings.eta
    start = np.ones(loads.shape[0])
    if len(steps) == 1:
        path = trajectory(
            start, loads[:, 0], settings.updates, eta=eta, smoothing=settings.smoothing, sign=settings.sign
        )
        return Wanted(path[-1], _told(loads[:, 0]), {"eta": eta}, path=tuple(enumerate(path)))
    if settings.updates != 1:
        raise ConfigError(
            "loads of several steps make one update each", value=f"updates {settings.updates}", remedy="Take it out."
        )
    rows = [start / len(start)]
    for number in range(len(steps)):
        rows.append(
            router_update(rows[-1], loads[:, number], eta=eta, smoothing=settings.smoothing, sign=settings.sign)
        )
    starts = (0, *steps)
    end = 2 * starts[-1] - starts[-2] if settings.steps is None else settings.steps
    if end <= starts[-1]:
        raise ConfigError(
            "a training goes on after its last loads",
            value=f"{counted(end, 'step')}, loads at step {starts[-1]}",
            remedy="Raise `steps`, or leave these loads out.",
        )
    lasts = np.diff([*starts, end]).tolist()
    phases: tuple[Step, ...] = tuple((n, row) for n, row in zip(lasts, rows, strict=True) if n)  # loads at 0: no start
    mean = (np.array([row for _, row in phases]) * np.array([[n] for n, _ in phases])).sum(axis=0) / end
    known = [*zip(starts, rows, strict=True), (end, rows[-1])]
    notes = {"eta": eta, "steps": end, "phases": len(phases)}
    return Wanted(
        mean, _told(loads[:, -1], " at last"), dict(notes), path=tuple(known if steps[0] else known[1:]), phases=phases
    )


def _told(loads: NDArray[np.float64], when: str = "") -> list[str]:
    return [f"loads {far:.4f} from the others{when}" for far in mean_distances(pairwise(as_histograms(loads), L2))]
