"""Groups: rows that are chosen from together, apart from others, and how much of each."""

import json
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.bagging import draws, fold
from ...hashing.errors import ConfigError
from ...hashing.mixing.rounding import largest_remainder
from ..allocation import allocate
from ..engine import Table
from ..mixture import ROWS, WORDS, Mixture
from .settings import Select
from .shared_budget import by_rows

PART_ROWS = 8192
"""Rows of a part, about: all of their similarities take 256 MiB."""

NAMED = pa.schema(
    [
        ("row", pa.int64()),
        ("tokens", pa.int64()),
        ("hash_high", pa.int64()),
        ("hash_low", pa.int64()),
        ("source", pa.string()),
        ("group", pa.string()),
    ]
)
"""A row and the name of its group: JSON of a list, of the source and of the values of columns."""

DEALT = pa.schema(
    [
        *((name, pa.int64()) for name in ("row", "tokens", "group", "part")),
        ("features", pa.binary()),
        ("covered", pa.int64()),
    ]
)
"""A row, the number of its group, and that of its part, which is different for parts of different groups; features of
its text, as ``features.py`` packs them, where the set function rests on them; and what old rows stand for of it, in
units of 2^-30 (``against.py``)."""

_PURPOSE = "parts of a selection"


@dataclass(frozen=True)
class Naming:
    """Names the group of each row; plain data.

    Attributes:
        source: whether sources are chosen from apart.
    """

    source: bool

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``NAMED`` of rows, perhaps with ``values``."""
        names = [[source] for source in batch.column("source").to_pylist()] if self.source else [[]] * batch.num_rows
        if "values" in batch.schema.names:
            own = batch.column("values").to_pylist()
            names = [name + json.loads(values) for name, values in zip(names, own, strict=True)]
        told = pa.array([json.dumps(name, ensure_ascii=False) for name in names], pa.string())
        return pa.RecordBatch.from_arrays([*(batch.column(name) for name in NAMED.names[:-1]), told], schema=NAMED)


@dataclass(frozen=True)
class Groups:
    """Groups of rows; arrays are in the order of ``names``.

    Attributes:
        names: ascending.
        sources: the source of each; "" where rows of several are chosen from together.
        rows: int64: rows of each.
        tokens: int64: words of each.
        limits: int64: how much may be chosen, in rows or words.
        words: whether limits are in words.
        parts: int64: in how many parts each is chosen from first.
        asked: how much was asked for in all, in rows or words.
    """

    names: tuple[str, ...]
    sources: tuple[str, ...]
    rows: NDArray[np.int64]
    tokens: NDArray[np.int64]
    limits: NDArray[np.int64]
    words: bool
    parts: NDArray[np.int64]
    asked: int

    @property
    def first_part(self) -> NDArray[np.int64]:
        """The number of the first part of each group: int64."""
        return np.asarray(np.cumsum(self.parts) - self.parts, np.int64)


def groups_of(named: Table, stage: Select, sources: Collection[str]) -> Groups:
    """Return the groups of some rows.

    Args:
        named: ``NAMED``.
        stage: says how much of each.
        sources: all that the run read, those included whose rows are all gone by now.

    Raises:
        ConfigError: a mixture lacks a source, or names one that there is not.
    """
    by = ["group", "source"] if stage.apart else ["group"]
    found = named.aggregate(by=by, rows=("count", "row"), tokens=("sum", "tokens")).collect()
    lines = sorted(found.to_pylist(), key=lambda line: line["group"].encode())
    names = tuple(line["group"] for line in lines)
    of = tuple(line.get("source", "") for line in lines)
    rows, tokens = (np.array([line[what] for line in lines], np.int64) for what in ("rows", "tokens"))
    parts = np.full(len(names), stage.parts or 0, np.int64)
    if stage.parts is None:
        parts = np.asarray(-(-rows // PART_ROWS), np.int64)
    words = stage.tokens is not None or (stage.mixture is not None and stage.mixture.unit == WORDS)
    limits, asked = _limits(stage, of, tokens if words else rows, rows, sources)
    return Groups(names, of, rows, tokens, limits, words, np.minimum(parts, rows), asked)


def _limits(
    stage: Select,
    of: tuple[str, ...],
    held: NDArray[np.int64],
    rows: NDArray[np.int64],
    sources: Collection[str],
) -> tuple[NDArray[np.int64], int]:
    """Return how much may be chosen of each group, given what it holds, and how much was asked for in all."""
    if stage.mixture is not None:
        return _by_mixture(stage.mixture, of, held, rows, sources)
    if stage.share is not None:
        limits = np.asarray(np.maximum(1, np.floor(held * stage.share)), np.int64)
        return limits, int(limits.sum())
    each = stage.rows or stage.tokens or 0
    return np.asarray(np.minimum(held, each), np.int64), each * len(held)


def _by_mixture(
    mixture: Mixture, of: tuple[str, ...], held: NDArray[np.int64], rows: NDArray[np.int64], sources: Collection[str]
) -> tuple[NDArray[np.int64], int]:
    """Return what a mixture asks of each group: of a source with several, in proportion to what they hold."""
    if mixture.unit not in (ROWS, WORDS):
        raise ConfigError(
            "a selection counts rows or words",
            value=f"unit: {mixture.unit}",
            remedy="Make the mixture in words: tamis mix does.",
        )
    places = np.array(of)
    available = {name: int(held[places == name].sum()) for name in sorted(sources)}
    shares = allocate(mixture, available).shares
    budget = mixture.budget or 0  # settings see to it that there is one
    limits = np.zeros(len(held), np.int64)
    for name, amount in zip(sorted(sources), largest_remainder(shares, budget).tolist(), strict=True):
        mine = np.flatnonzero(places == name)
        if available[name]:  # what a source lacks is not made up for
            limits[mine] = by_rows(held[mine], rows[mine], min(amount, available[name]))
    return limits, budget


@dataclass(frozen=True)
class Dealing:
    """Deals rows to the parts of their groups, by a keyed hash of the text; plain data.

    Attributes:
        groups: the groups.
        seed: of the run.
    """

    groups: Groups
    seed: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``DEALT`` of ``NAMED``, perhaps with ``features`` and ``covered``."""
        numbers = {name: number for number, name in enumerate(self.groups.names)}
        group = np.array([numbers[name] for name in batch.column("group").to_pylist()], np.int64)
        high, low = (np.ascontiguousarray(batch.column(name).to_numpy()) for name in ("hash_high", "hash_low"))
        drawn = draws(high, low, seed=self.seed, purpose=_PURPOSE)
        part = np.zeros(len(group), np.int64)
        for count in np.unique(self.groups.parts[group]).tolist():
            here = self.groups.parts[group] == count
            part[here] = fold(drawn[here], count)
        part += self.groups.first_part[group]
        features = pa.nulls(len(group), pa.binary())
        if "features" in batch.schema.names:
            features = batch.column("features")
        covered = pa.array(np.zeros(len(group), np.int64))
        if "covered" in batch.schema.names:
            covered = batch.column("covered")
        columns = [batch.column("row"), batch.column("tokens"), pa.array(group), pa.array(part), features, covered]
        return pa.RecordBatch.from_arrays(columns, schema=DEALT)
