"""Sources that were weighed, made up with all that the page of a mixture can show."""

from dataclasses import replace

import numpy as np

from tamis.hashing.mixing.histograms import Histograms
from tamis.hashing.mixing.overlap import sample_shingles
from tamis.pipeline.mixing.features import Measured
from tamis.pipeline.mixing.mix import mixed
from tamis.pipeline.mixing.report import report_of
from tamis.pipeline.mixing.settings import MixingSettings
from tamis.pipeline.mixing.shared_clusters import SharedClusters
from tamis.pipeline.mixing.sources import Sources

ODD = (
    "</script><script>alert(1)</script>",
    "<b>bold</b>",
    "a-rather-long-name-" * 6,
    "empty 7",
    "news=2.parquet",
    "漢字",
)


def measured(sources=6, seed=3):
    """Return sources with names out of ``ODD`` first; the fourth holds nothing."""
    rng = np.random.Generator(np.random.PCG64(seed))
    names = tuple(sorted([*ODD, *(f"source {i}" for i in range(sources))][:sources]))
    empty = names.index(ODD[3]) if ODD[3] in names else -1
    counts = rng.integers(0, 50, (sources, 64)) * (rng.random((sources, 64)) < 0.4)
    counts[:, 0] += 1
    values = [rng.integers(0, 400, int(rng.integers(50, 400))).astype(np.uint64) for _ in names]
    if empty >= 0:
        counts[empty], values[empty] = 0, values[empty][:0]
    tokens = np.array([len(row) * 100 for row in values])
    samples = tuple(sample_shingles(row, one_in=1) for row in values)
    return Measured(names, np.maximum(tokens // 40, 1), tokens, Histograms(names, counts), samples)


def found_and_report(method="dynamic", *, sources=6, clusters=False, loads=None, **settings):
    """Return (weights, what ``mix.json`` holds)."""
    known = measured(sources)
    asked = MixingSettings.model_validate(settings)
    rng = np.random.Generator(np.random.PCG64(8))
    more = {}
    if method == "router":
        more = {"loads": rng.integers(1, 99, (sources, loads, 4)).astype(float)}
        more["load_steps"] = tuple(100 * (i + 1) for i in range(loads))
    if method == "importance":
        more = {"taken": known.tokens // 3}
    found = mixed(method, replace(Sources.of(known), **more), asked)
    shared = None
    if clusters:
        table = rng.integers(0, 40, (sources, sources))
        table = np.minimum(table, table.T)
        np.fill_diagonal(table, 90)
        shared = SharedClusters(table, known.rows // 2, known.rows // 3)
    return found, report_of(found, known, asked, shared)
