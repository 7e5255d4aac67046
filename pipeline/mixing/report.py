"""What ``mix.json`` holds: all that weights rest on, and all numbers of their page."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...hashing.mixing.overlap import shared_mass
from ...hashing.mixing.proportions import proportional
from .features import Measured
from .method import Weights, once_through
from .settings import MixingSettings
from .shared_clusters import SharedClusters
from .sources import Sources

FORMAT, FORMAT_VERSION = "tamis-mix", 1


def report_of(
    found: Weights, measured: Measured, settings: MixingSettings, clusters: SharedClusters | None = None
) -> dict[str, Any]:
    """Return what ``mix.json`` holds.

    Args:
        found: the weights.
        measured: the sources.
        settings: with which they were weighed.
        clusters: what a run says of duplicates; None: nothing is known.
    """
    passes = once_through(Sources(found.names, found.available, unique=found.unique), settings).tolist()
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "method": found.method,
        "settings": settings.model_dump(mode="json", exclude_none=True),
        "notes": found.notes,
        "totals": {
            "sources": len(found.names),
            "rows": int(measured.rows.sum()),
            "available": int(found.available.sum()),
            "effective_unique": None if found.unique is None else float(found.unique.sum()),
            "budget": settings.budget,
            "held": 0 if found.held is None else int(found.held.sum()),
        },
        "sources": [_source(found, measured, i, passes[i], settings) for i in range(len(found.names))],
        "shared_mass": _shared_mass(measured),
        "clusters": None
        if clusters is None
        else {
            "shared": clusters.clusters.tolist(),
            "members": clusters.members.tolist(),
            "removed": clusters.removed.tolist(),
        },
        "gains": [{"source": name, "gain": gain} for name, gain in found.gains],
        "path": [{"step": step, "weights": row.tolist()} for step, row in found.path],
        "phases": [{"share": share, "weights": row.tolist()} for share, row in found.phases],
    }


def _source(found: Weights, measured: Measured, i: int, a_pass: int, settings: MixingSettings) -> dict[str, Any]:
    available, weight = int(found.available[i]), float(found.weights[i])
    plain = float(proportional(found.available)[i])
    budget = None if found.budgets is None else int(found.budgets[i])
    return {
        "source": found.names[i],
        "weight": weight,
        "proportional": plain,
        "change": weight / plain if plain else None,
        "wanted": weight if found.wanted is None else float(found.wanted[i]),
        "budget": budget,
        "most": None if budget is None else int(a_pass * settings.max_epochs),
        "epochs": budget / available if budget is not None and available else None,
        "held": found.held is not None and bool(found.held[i]),
        "available": available,
        "effective_unique": None if found.unique is None else float(found.unique[i]),
        "rows": int(measured.rows[i]),
        "reason": found.reasons[i],
    }


def _shared_mass(measured: Measured) -> list[list[float | None]]:
    """Return the shares; None of sources without text."""
    there = [place for place, sample in enumerate(measured.samples) if len(sample.hashes)]
    found: list[list[float | None]] = [[None] * len(measured.samples) for _ in measured.samples]
    if there:
        mass: NDArray[np.float64] = shared_mass([measured.samples[place] for place in there])
        for row, one in zip(mass.tolist(), there, strict=True):
            for share, other in zip(row, there, strict=True):
                found[one][other] = share
    return found
