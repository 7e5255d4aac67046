"""Benchmark items: read from test sets, and cut into the n-grams that documents are searched for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..connectors.address import ADDRESS, record_of
from ..connectors.batches import RULE
from ..connectors.corpus import InputSpec, open_corpus, plan_splits
from ..connectors.jsonl import BLANK_LINE
from ..connectors.split import SPLIT_BYTES
from ..hashing.errors import InputError
from ..hashing.fingerprint import fingerprint
from ..hashing.shingles import shingle_sets
from ..hashing.sketch import SketchPlan, sketch_plan
from .config import Benchmark, Decontaminate
from .counted import counted
from .engine import Engine
from .listed import listed
from .survey import survey
from .text_column import is_text, text_buffers


@dataclass(frozen=True)
class Items:
    """Benchmark items and their n-grams.

    Attributes:
        names: id of each item, or its number.
        benchmarks: name of the benchmark of each.
        unchecked: items with too few words.
        grams: uint64 by length, sorted and distinct.
        owners: (gram, item): which items hold which n-gram.
    """

    names: list[str]
    benchmarks: list[str]
    unchecked: list[int]
    grams: dict[int, NDArray[np.uint64]]
    owners: pa.Table

    @property
    def sizes(self) -> NDArray[np.int64]:
        """N-grams of each item: int64."""
        return np.bincount(self.owners["item"].to_numpy(), minlength=len(self.names)).astype(np.int64)


@dataclass
class _Gathered:
    names: list[str] = field(default_factory=list)
    benchmarks: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    items: list[int] = field(default_factory=list)


def read_items(engine: Engine, work: Path, stage: Decontaminate) -> Items:
    """Read the benchmarks of a stage; their records must all be good.

    Args:
        engine: reads them.
        work: a folder for what was found about their files.
        stage: which they are, and the lengths of n-grams.

    Raises:
        InputError: if a column is missing, or no item can be checked.
    """
    gathered = _Gathered()
    for number, benchmark in enumerate(stage.benchmarks):
        _gather(engine, work / f"benchmark-{number}.json", benchmark, gathered)
    return _items(gathered, stage)


def _gather(engine: Engine, memo: Path, benchmark: Benchmark, into: _Gathered) -> None:
    corpus = open_corpus([InputSpec(benchmark.path, format=benchmark.format)])
    splits = [split for file in corpus.files for split in plan_splits(file, split_bytes=SPLIT_BYTES)]
    full = survey(engine, splits, memo)
    names = [*benchmark.columns, *([benchmark.id] if benchmark.id else [])]
    lacking = [name for name in names if name not in full.names]
    if lacking:
        raise InputError(
            "benchmarks have the columns that the stage names",
            value=f"{', '.join(lacking)} among {listed(full.names)} of {benchmark.path}",
            remedy="Change `columns` or `id` of that benchmark.",
        )
    rows = engine.read(splits, pa.schema([full.field(name) for name in dict.fromkeys(names)]), full=full)
    table = rows.collect().sort_by(ADDRESS)
    bad = table.filter(pc.and_(pc.is_valid(table[RULE]), pc.not_equal(table[RULE], BLANK_LINE)))
    if bad.num_rows:
        raise InputError(
            "every record of a benchmark can be read",
            value=f"record {record_of(bad[ADDRESS][0].as_py())} of {benchmark.path}: {bad[RULE][0].as_py()}",
            remedy="Mend it, or leave it out: an item that is not searched for would pass for clean.",
        )
    table = table.filter(pc.is_null(table[RULE]))
    for name in benchmark.columns:
        if not is_text(table.schema.field(name).type):
            raise InputError(
                "columns of a benchmark hold strings",
                value=f"{name!r} of {benchmark.path}: {table.schema.field(name).type}",
                remedy="Write lists out as text, one column each or joined.",
            )
    ids = table[benchmark.id].cast(pa.string()).to_pylist() if benchmark.id else [None] * table.num_rows
    texts = [table[name].cast(pa.large_string()).to_pylist() for name in benchmark.columns]
    title = benchmark.title
    for number, (name, *parts) in enumerate(zip(ids, *texts, strict=True)):
        item = len(into.names)
        into.names.append(str(number) if name is None else name)
        into.benchmarks.append(title)
        for part in parts:
            if part:
                into.items.append(item)
                into.texts.append(part)


def _items(gathered: _Gathered, stage: Decontaminate) -> Items:
    plan = _plan(1)
    data, offsets = text_buffers(pa.array(gathered.texts, pa.large_string()))
    words = fingerprint(data, offsets, plan, banding=None, seed=0).tokens
    lengths = np.minimum(words, stage.ngram)
    owners = np.array(gathered.items, np.int64)
    grams, pairs = {}, []
    for length in range(stage.shortest, stage.ngram + 1):
        chosen = np.flatnonzero(lengths == length)
        if len(chosen):
            values, bounds = _grams([gathered.texts[i] for i in chosen], length)
            grams[length] = np.unique(values)
            pairs.append((values, np.repeat(owners[chosen], np.diff(bounds))))
    if not pairs:
        raise InputError(
            f"a benchmark item has {counted(stage.shortest, 'word')} or more, to be recognised",
            value=f"none of {len(gathered.names)} has",
            remedy="Name other columns, or lower `shortest`.",
        )
    checked = set(owners[lengths >= stage.shortest].tolist())
    table = pa.table(
        {
            "gram": pa.array(np.concatenate([values for values, _ in pairs]).view(np.int64)),
            "item": pa.array(np.concatenate([items for _, items in pairs])),
        }
    )
    unchecked = [item for item in range(len(gathered.names)) if item not in checked]
    distinct = table.group_by(["gram", "item"]).aggregate([]).sort_by([("gram", "ascending"), ("item", "ascending")])
    return Items(gathered.names, gathered.benchmarks, unchecked, grams, distinct)


def _plan(size: int) -> SketchPlan:
    return sketch_plan(values=8, unit="word", shingle=size)


def _grams(texts: Sequence[str], length: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    data, offsets = text_buffers(pa.array(texts, pa.large_string()))
    return shingles_of(data, offsets, length)


def shingles_of(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], length: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return (values, bounds) of the n-grams of texts: uint64, those of text i are ``values[bounds[i]:bounds[i + 1]]``.

    Args:
        data, offsets: the texts.
        length: words of an n-gram.
    """
    plan = _plan(length)
    values, bounds = shingle_sets(data, offsets, plan.unit, plan.shingle, plan.table)
    return values, bounds
