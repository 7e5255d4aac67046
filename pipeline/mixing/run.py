"""From sources to weights: what is asked for is read, measured, weighed, and told."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...connectors.corpus import InputSpec
from ...hashing.errors import ConfigError, InputError
from ...hashing.mixing.importance import log_ratios
from ..engine import Engine, Progress, Table
from ..own_names import check_own_names
from .corpus import texts_of
from .features import Measured, measure, measure_all
from .importance import taken_by_source
from .loads import read_loads
from .method import Weights
from .mix import mixed
from .report import report_of
from .settings import MixingSettings
from .shared_clusters import shared_clusters
from .sources import Sources

ROUTER, IMPORTANCE = "router", "importance"


@dataclass(frozen=True)
class Question:
    """What to weigh, and how.

    Attributes:
        inputs: files, folders, globs or URLs.
        method: of ``method.METHODS``, or ``dynamic``.
        settings: of the method.
        text: the column of texts.
        source: the column of sources; None: each input is one.
        format: of the inputs; None: by ending.
        loads: file of a router's loads, for ``router``.
        target: files, folders, globs or URLs of texts that ``importance`` looks for.
        clusters: output folder of a run over the same inputs that removed duplicates.

    Raises:
        ConfigError: a method lacks what it needs, or is given what it has no use for.
    """

    inputs: tuple[str, ...]
    method: str
    settings: MixingSettings
    text: str = "text"
    source: str | None = None
    format: str | None = None
    loads: Path | None = None
    target: tuple[str, ...] = ()
    clusters: Path | None = None

    def __post_init__(self) -> None:
        for method, what, given in ((ROUTER, "loads", self.loads), (IMPORTANCE, "target", self.target)):
            if (self.method == method) != bool(given):
                raise ConfigError(
                    f"`{method}`, and it alone, has --{what}",
                    value=f"{self.method} {'with' if given else 'without'} --{what}",
                    remedy=f"Give --method {method} --{what} FILE.",
                )


def weigh(engine: Engine, asked: Question, memo: Path, progress: Progress) -> tuple[Weights, dict[str, Any]]:
    """Return the weights of sources, and what ``mix.json`` holds.

    Args:
        engine: what reads the texts.
        asked: what to weigh, and how.
        memo: a folder for what is known of columns.
        progress: told about steps.

    Raises:
        InputError: something cannot be read, or does not fit the sources.
        ConfigError: sources hold less than the budget.
    """
    _own_names(asked)
    loads = None if asked.loads is None else read_loads(asked.loads)
    progress.start("measure")
    texts = _texts(engine, asked, asked.inputs, memo / "columns.json")
    measured = measure_all(texts, one_in=asked.settings.one_in)
    progress.finish()
    _all_there(asked, measured)
    sources = Sources.of(measured)
    notes: dict[str, float | str | bool] = {}
    if loads is not None:
        there = np.asarray(sources.available) > 0
        sources = replace(sources, loads=loads.of(sources.names, there), load_steps=loads.steps)
    if asked.target:
        progress.start("resample")
        target = measure(_texts(engine, asked, asked.target, memo / "target.json"), one_in=asked.settings.one_in)
        sources, notes = _resampled(texts, target, measured, sources, asked.settings)
        progress.finish()
    found = mixed(asked.method, sources, asked.settings)
    found = replace(found, notes=found.notes | notes)
    clusters = None if asked.clusters is None else shared_clusters(asked.clusters, found.names)
    return found, report_of(found, measured, asked.settings, clusters)


def _own_names(asked: Question) -> None:
    """Make sure that inputs which are sources have names of their own."""
    if asked.source is None:
        check_own_names(
            [InputSpec(path) for path in asked.inputs],
            remedy="Name a column of sources (--source), rename a folder, or leave out what is there twice.",
        )


def _all_there(asked: Question, measured: Measured) -> None:
    """Make sure that each input that is a source has a record: shards know no source without."""
    if asked.source is None:
        empty = sorted({InputSpec(path).name for path in asked.inputs} - set(measured.names))
        if empty:
            raise InputError("every source has a record", value=", ".join(empty), remedy="Leave it out.")


def _texts(engine: Engine, asked: Question, inputs: tuple[str, ...], memo: Path) -> Table:
    source = asked.source if inputs is asked.inputs else None  # of a target, the source does not matter
    return texts_of(engine, inputs, memo, text=asked.text, source=source, format=asked.format)


def _resampled(
    texts: Table, target: Measured, measured: Measured, sources: Sources, settings: MixingSettings
) -> tuple[Sources, dict[str, float | str | bool]]:
    """Return sources with what a sample takes of each, and how large it is."""
    if not target.tokens.any():
        raise InputError("a target has words", value="none", remedy="Give other files as --target.")
    ratios = log_ratios(target.histograms.counts.sum(axis=0), measured.histograms.counts.sum(axis=0))
    there = int(measured.tokens.sum())
    wanted = settings.budget or max(1, round(there * settings.share))
    sample = taken_by_source(texts, ratios, wanted, seed=settings.seed)
    taken = dict(zip(sample["source"].to_pylist(), sample["tokens"].to_pylist(), strict=True))
    amounts = np.array([taken.get(name, 0) for name in sources.names], np.int64)
    rows = sum(sample["rows"].to_pylist())
    return replace(sources, taken=amounts), {"sampled_rows": rows, "sampled_words": int(amounts.sum())}
