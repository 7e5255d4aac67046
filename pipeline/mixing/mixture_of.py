"""Weights as ``mixture.yaml``, which ``tamis shard`` reads."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from ...hashing.errors import ConfigError
from ..mixture import WORDS, Mixture, Phase, SourceShare
from ..state import write_atomically
from .method import Weights


def as_mixture(
    found: Weights,
    *,
    unit: str = WORDS,
    max_epochs: float = 1.0,
    phases: Sequence[tuple[int, NDArray[np.float64]]] | None = None,
) -> Mixture:
    """Return weights as a mixture. Where there are budgets, these are the weights, so that shards get just that.

    Args:
        found: the weights.
        unit: in which available amounts and budgets are counted.
        max_epochs: passes over a source at most, as in the settings of the method.
        phases: (steps it lasts, weights in the order of the names) of each, as ``DynamicWeights.phases`` returns them;
            None: those that were found.

    Raises:
        ConfigError: weights of a phase are not one for each source.
    """
    asked = found.weights if found.budgets is None else found.budgets
    sources = {
        name: SourceShare(
            weight=asked[place].item(),
            max_epochs=None,
            available=int(found.available[place]),
            wanted=None if found.budgets is None else int(found.budgets[place]),
            emitted=None,
            rows=None,
            epochs=None,
            effective_unique=None if found.unique is None else round(float(found.unique[place]), 3),
        )
        for place, name in enumerate(found.names)
    }
    return Mixture(
        version=1,
        unit=unit,
        budget=None if found.budgets is None else int(found.budgets.sum()),
        max_epochs=max_epochs,
        sources=sources,
        phases=tuple(
            _phase(number, *phase, found.names)
            for number, phase in enumerate(found.phases if phases is None else phases)
        ),
    )


def _phase(number: int, steps: int, weights: NDArray[np.float64], names: tuple[str, ...]) -> Phase:
    if len(weights) != len(names):
        raise ConfigError("a phase weighs every source", value=f"{len(weights)} of {len(names)}", remedy="Weigh all.")
    return Phase(name=str(number), share=float(steps), weights=dict(zip(names, map(float, weights), strict=True)))


def write_weights(path: Path, found: Weights, mixture: Mixture) -> None:
    """Write a mixture, with the reason of each weight as a comment.

    Args:
        path: of the file.
        found: the weights.
        mixture: as ``as_mixture`` returns it.
    """
    body = yaml.safe_dump(mixture.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True)
    write_atomically(path, "".join(f"# {line}\n" for line in reasons_of(found)) + body)


def reasons_of(found: Weights) -> list[str]:
    """Return a line for the method, and one for each source: its name, weight and reason."""
    notes = ", ".join(f"{name} {json.dumps(value)}" for name, value in found.notes.items())
    lines = [f"method {found.method}" + (f": {notes}" if notes else "")]
    for place, (name, reason) in enumerate(zip(found.names, found.reasons, strict=True)):
        unique = "" if found.unique is None else f"; {found.unique[place]:,.0f} effective unique tokens"
        lines.append(f"{json.dumps(name, ensure_ascii=False)}: {found.weights[place]:.2%}: {reason}{unique}")
    return lines
