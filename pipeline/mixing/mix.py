"""From the texts of sources to weights: measured once, weighed by a method, told with its reasons."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...hashing.errors import InputError
from ...hashing.mixing.overlap import shared_mass
from ...hashing.mixing.proportions import proportional
from ...hashing.selection.dense_columns import dense_columns
from ...hashing.selection.greedy import greedy
from ...hashing.selection.optimum import Budget
from ...hashing.selection.pairwise import graph_cut
from .features import Measured
from .method import SMART, Weights, weights
from .settings import MixingSettings
from .sources import Sources

FORMAT, FORMAT_VERSION = "tamis-mix", 1
DYNAMIC = "dynamic"
ALIASES = {DYNAMIC: "coverage"}
"""``dynamic``: redundancy between sources by histograms, with feedback from the mixture."""

GRAPH_CUT = 0.4
"""Lambda of graph cut over sources, as SMART has it."""


def mixed(method: str, measured: Measured, settings: MixingSettings) -> Weights:
    """Return the weights of measured sources.

    For ``smart`` and ``order-free`` a source is the histogram of its hashed n-grams: there is no encoder here.

    Raises:
        ConfigError, InputError: as ``method.weights``.
    """
    name = ALIASES.get(method, method)
    sources = Sources.of(measured)
    if name in (SMART, "order-free"):
        sources = _with_similarity(sources, name)
    return weights(name, sources, settings)


def _with_similarity(sources: Sources, name: str) -> Sources:
    if sources.histograms is None:
        raise InputError("sources are measured", value="no histograms", remedy="Measure their texts.")
    there = np.flatnonzero(sources.available > 0)
    vectors = np.sqrt(sources.histograms[there].astype(np.float64))
    if name != SMART:
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        similarity = np.eye(len(sources.names))
        similarity[np.ix_(there, there)] = unit @ unit.T
        return replace(sources, similarity=similarity)
    chosen = greedy(graph_cut(dense_columns(vectors, clip=True), GRAPH_CUT), Budget(len(there)))
    items = zip(there[chosen.items].tolist(), chosen.gains.tolist(), strict=True)
    return replace(sources, gains=tuple((sources.names[i], gain) for i, gain in items))


def report_of(found: Weights, measured: Measured) -> dict[str, Any]:
    """Return what ``mix.json`` holds: all that the weights rest on."""
    plain = proportional(found.available)
    mass: NDArray[np.float64] = shared_mass(measured.samples)
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "method": found.method,
        "notes": found.notes,
        "sources": [
            {
                "source": name,
                "weight": float(found.weights[i]),
                "proportional": float(plain[i]),
                "budget": None if found.budgets is None else int(found.budgets[i]),
                "available": int(found.available[i]),
                "effective_unique": None if found.unique is None else float(found.unique[i]),
                "rows": int(measured.rows[i]),
                "reason": found.reasons[i],
            }
            for i, name in enumerate(found.names)
        ],
        "shared_mass": [[float(share) for share in row] for row in mass],
    }
