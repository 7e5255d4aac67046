"""Sources weighed by a method, with what a method needs that can be made of their histograms."""

from dataclasses import replace

import numpy as np

from ...hashing.errors import InputError
from ...hashing.selection.dense_columns import dense_columns
from ...hashing.selection.greedy import greedy
from ...hashing.selection.optimum import Budget
from ...hashing.selection.pairwise import graph_cut
from .method import SMART, Weights, weights
from .settings import MixingSettings
from .sources import Sources

DYNAMIC = "dynamic"
ALIASES = {DYNAMIC: "coverage"}
"""``dynamic``: redundancy between sources by histograms, with feedback from the mixture."""

GRAPH_CUT = 0.4
"""Lambda of graph cut over sources, as SMART has it."""


def mixed(method: str, sources: Sources, settings: MixingSettings) -> Weights:
    """Return the weights of sources that were measured.

    For ``smart`` and ``order-free`` a source is the histogram of its hashed n-grams: there is no encoder here.

    Raises:
        ConfigError, InputError: as ``method.weights``.
    """
    name = ALIASES.get(method, method)
    if name in (SMART, "order-free"):
        sources = _with_similarity(sources, name)
    return replace(weights(name, sources, settings), method=method)


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
