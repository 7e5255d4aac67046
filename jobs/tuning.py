"""``tamis tune``: run a sample with a low threshold, and say from its pairs what settings would do."""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..hashing.errors import ConfigError
from ..hashing.fingerprint import fingerprint
from ..hashing.jaccard import compare_pairs
from ..hashing.lsh import Banding, hit_probabilities
from ..hashing.shingles import shingle_sets
from ..hashing.sketch import SketchPlan, sketch_plan
from ..pipeline.config import Near, Pipeline, make_config
from ..pipeline.engine import Progress
from ..pipeline.result import Result
from ..pipeline.text_column import text_buffers
from ..pipeline.tuning import (
    VALUES,
    Observed,
    Setting,
    best_threshold,
    by_threshold,
    prospect,
    recommended,
    settings_for,
)
from . import api
from .local import LocalEngine
from .memory_share import allowed_bytes
from .sampling import Corpus, Labelled, read_labelled

RANDOM_PAIRS = 200_000
TIMED_BYTES = 8 << 20
"""Bytes of text that kernels are timed on."""

TURNS = 3
MEASURED_VALUES = 512
ANCHORS = 64
THRESHOLD, FLOOR, LOWEST = 0.8, 0.4, 0.05
SAMPLE, RUN = "sample.parquet", "sample"

Fact = dict[str, Any]
Buffers = tuple[NDArray[np.uint8], NDArray[np.int64]]


@dataclass(frozen=True)
class Question:
    """What is to be found out.

    Attributes:
        inputs, format, text, id: the corpus.
        threshold: the one in question, or None: the best by labels, or 0.8.
        recall: wanted at the threshold.
        unit, shingle: what texts are cut into.
        floor: similarity from which pairs are looked at, or None: 0.4, or 0.2 below a low threshold.
        rows: most rows of the sample.
        pairs: a file of labelled pairs, or None.
        seed, memory, threads: as of a run.
    """

    inputs: tuple[str, ...]
    format: str | None = None
    text: str = "text"
    id: str | None = None
    threshold: float | None = None
    recall: float = 0.98
    unit: str = "word"
    shingle: int = 5
    floor: float | None = None
    rows: int = 20_000
    pairs: str | None = None
    seed: int = 0
    memory: str | None = None
    threads: int | None = None


def tune(question: Question, folder: Path, progress: Progress) -> Fact:
    """Return what was found out, as plain data.

    Args:
        question: what to find out.
        folder: where the sample and its run are left, as ``sample.parquet`` and ``sample/``.
        progress: told about steps.

    Raises:
        TamisError: one of its kinds.
    """
    progress.start("draw a sample")
    taken, seen, labelled = _draw(question, progress)
    pq.write_table(taken, folder / SAMPLE)
    progress.finish()
    lines = by_threshold(_similarities(labelled, question), labelled.labels) if labelled else []
    best = best_threshold(lines)
    threshold = question.threshold or (best["threshold"] if best else THRESHOLD)
    floor = question.floor or min(FLOOR, max(LOWEST, round(threshold - FLOOR / 2, 2)))
    _check_floor(floor, threshold)
    settings = _low_run(question, floor, folder)
    result = api.run(settings, progress=progress)
    progress.start("judge settings")
    texts = _distinct(result)
    observed, compare_seconds = _observe(result, texts, _plan(question, MEASURED_VALUES), floor, threshold)
    costs = _costs(texts, question, compare_seconds)
    prospects = [_priced(setting, observed, threshold, costs) for setting in settings_for(threshold, question.recall)]
    progress.finish()
    report = json.loads((result.out / "report.json").read_text(encoding="utf-8"))
    return {
        "format": "tamis-tune",
        "format_version": 1,
        "sample": _sample_facts(result, seen, question),
        "unit": question.unit,
        "shingle": question.shingle,
        "threshold": threshold,
        "threshold_by": "given" if question.threshold else ("labels" if best else "default"),
        "recall": question.recall,
        "from": floor,
        "similarity": report["similarity"],
        "removed": _removed(result, floor),
        "costs": costs,
        "settings": prospects,
        "recommended": recommended(prospects, question.recall),
        "labels": _label_facts(labelled, lines, best),
    }


def _low_run(question: Question, floor: float, folder: Path) -> Pipeline:
    """Return the run over the sample: threshold low, and every pair compared that shares a band."""
    near = {
        "threshold": floor,
        "shingle": {"unit": question.unit, "size": question.shingle},
        "values": MEASURED_VALUES,
        "max_anchors": ANCHORS,
    }
    return make_config(
        {
            "inputs": [{"path": str(folder / SAMPLE), "source": "sample"}],
            "columns": {"text": "text", "id": "id"},
            "stages": ["exact", {"near": near}],
            "allow_loss": ["sample"],
            "seed": question.seed,
            "memory": question.memory,
            "threads": question.threads,
            "out": str(folder / RUN),
        }
    )


def _draw(question: Question, progress: Progress) -> tuple[pa.Table, int, Labelled | None]:
    """Return the sample, how many records it was drawn from, and the labelled pairs."""
    with tempfile.TemporaryDirectory(prefix="tamis-") as name:
        work = Path(name)
        memory = allowed_bytes(question.memory)
        engine = LocalEngine(work / "work", memory_bytes=memory, threads=question.threads, progress=progress)
        try:
            corpus = Corpus(
                engine,
                work,
                question.inputs,
                format=question.format,
                text=question.text,
                id=question.id,
                seed=question.seed,
            )
            taken = corpus.sample(question.rows)
            known = corpus if question.id else None
            labelled = read_labelled(engine, work, question.pairs, known) if question.pairs else None
        finally:
            engine.close()
    return taken, corpus.seen, labelled


def _plan(question: Question, values: int) -> SketchPlan:
    return sketch_plan(Near().sketch, values=values, unit=question.unit, shingle=question.shingle, seed=question.seed)


def _check_floor(floor: float, threshold: float) -> None:
    if threshold < floor:
        raise ConfigError(
            "pairs are looked at from below the threshold on",
            value=f"from {floor:g}, threshold {threshold:g}",
            remedy=f"Use --from {max(0.05, round(threshold - 0.2, 2)):g}.",
        )


def _sets(texts: pa.Array, plan: SketchPlan) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    data, offsets = text_buffers(texts)
    values, bounds = shingle_sets(data, offsets, plan.unit, plan.shingle, plan.table)
    return values, bounds


def _similarities(labelled: Labelled, question: Question) -> NDArray[np.float64]:
    values, bounds = _sets(labelled.texts, _plan(question, MEASURED_VALUES))
    left = np.arange(0, len(labelled.texts), 2)
    return compare_pairs(values, bounds, left, left + 1, False)


def _distinct(result: Result) -> pa.Array:
    """Return the texts of the sample without its exact copies, in their order."""
    copies = result.removed.filter(pc.equal(result.removed["stage"], "exact"))["address"].to_numpy()
    texts = pq.read_table(result.out.parent / SAMPLE, columns=["text"])["text"].combine_chunks()
    kept = np.ones(len(texts), np.bool_)
    kept[copies] = False  # of the one input file, the address is the row
    return texts.filter(pa.array(kept))


def _observe(
    result: Result, texts: pa.Array, plan: SketchPlan, floor: float, threshold: float
) -> tuple[Observed, float]:
    """Return the similarities of the sample, and the seconds that comparing a pair takes on one core."""
    bands, rows = result.manifest["settings"]["banding"]
    found = result.pairs["similarity"].to_numpy()
    weights = 1 / hit_probabilities(found, bands, rows)
    values, bounds = _sets(texts, plan)
    generator = np.random.default_rng(plan.seed)
    first = generator.integers(0, len(texts), RANDOM_PAIRS)
    second = (first + generator.integers(1, max(2, len(texts)), RANDOM_PAIRS)) % len(texts)
    random = compare_pairs(values, bounds, first, second, False)
    few = slice(0, 20_000)
    seconds = _fastest(lambda: compare_pairs(values, bounds, first[few], second[few], False, threshold))
    below = random[random < floor]
    observed = Observed(len(texts), found, weights, below[below > 0], RANDOM_PAIRS)
    return observed, seconds / len(first[few])


def _costs(texts: pa.Array, question: Question, compare_seconds: float) -> Fact:
    """Return microseconds on one core: of sketching a row, by values; of its shingles; of comparing a pair."""
    ends = np.cumsum(pc.binary_length(texts).to_numpy())
    some = texts.slice(0, max(1, int(np.searchsorted(ends, TIMED_BYTES))))
    data, offsets = text_buffers(some)
    sketch = {}
    for values in VALUES:
        plan, banding = _plan(question, values), Banding(values // 8, 8)
        seconds = _fastest(partial(fingerprint, data, offsets, plan, banding=banding, seed=question.seed))
        sketch[str(values)] = round(seconds / len(some) * 1e6, 3)
    plan = _plan(question, MEASURED_VALUES)
    shingles = _fastest(lambda: shingle_sets(data, offsets, plan.unit, plan.shingle, plan.table))
    return {
        "sketch": sketch,
        "shingles": round(shingles / len(some) * 1e6, 3),
        "compare": round(compare_seconds * 1e6, 4),
        "bytes_per_row": round(float(ends[len(some) - 1]) / len(some), 1),
    }


def _fastest(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of some calls, after one that warms up."""
    work()
    seconds = []
    for _ in range(TURNS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _priced(setting: Setting, observed: Observed, threshold: float, costs: Fact) -> Fact:
    """Return what a setting would do, and what it takes: sketches, and shingles and comparisons of candidates."""
    line = prospect(setting, observed, threshold)
    per_row = line["candidates"] / observed.rows
    verify = min(1.0, 2 * per_row) * costs["shingles"] + per_row * costs["compare"]
    sketch = costs["sketch"][str(setting.values)]
    return line | {
        "candidates_per_row": round(per_row, 4),
        "microseconds_per_row": round(sketch + verify, 3),
        "megabytes_per_second": round(costs["bytes_per_row"] / (sketch + verify), 1),
    }


def _removed(result: Result, floor: float) -> list[Fact]:
    """Return how many rows would be removed as near copies, by threshold."""
    lines = []
    for threshold in np.round(np.arange(floor, 1.0001, 0.05), 4).tolist():
        decisions = result.at_threshold(max(threshold, floor))
        near = decisions.filter(pc.equal(decisions["stage"], "near"))
        amount = int(pc.sum(near["bytes"]).as_py() or 0)
        lines.append({"threshold": threshold, "rows": near.num_rows, "bytes": amount})
    return lines


def _sample_facts(result: Result, seen: int, question: Question) -> Fact:
    total = result.ledger.total
    exact = total.dropped["exact"].rows if "exact" in total.dropped else 0
    tokens = pq.read_table(result.out / "index.parquet", columns=["tokens"])["tokens"]
    short = int(pc.sum(pc.less(tokens, question.shingle)).as_py() or 0)
    return {
        "rows": total.read.rows,
        "of": seen,
        "bytes": total.read.bytes,
        "exact_copies": exact,
        "short": round(short / max(1, len(tokens)), 4) if question.unit == "word" else None,
    }


def _label_facts(labelled: Labelled | None, lines: list[Fact], best: Fact | None) -> Fact | None:
    if labelled is None:
        return None
    copies = int(labelled.labels.sum())
    return {
        "pairs": len(labelled.labels),
        "copies": copies,
        "missing": labelled.missing,
        "lines": lines,
        "best": best,
    }


def yaml_lines(found: Fact, question: Question) -> str:
    """Return the stages of a pipeline with the recommended settings, as YAML."""
    chosen = found["recommended"]
    columns = {"text": question.text} | ({"id": question.id} if question.id else {})
    near = [f"threshold: {found['threshold']:g}"]
    if (found["unit"], found["shingle"]) != ("word", 5):
        near.append(f"shingle: {{unit: {found['unit']}, size: {found['shingle']}}}")
    note = ""
    if chosen:
        near += [f"values: {chosen['values']}", f"recall: {chosen['target']:g}"]
        note = f"  # {chosen['bands']} bands of {chosen['rows']}"
    return (
        f"columns: {json.dumps(columns, ensure_ascii=False)}\n"
        "stages:\n"
        "  - exact\n"
        f"  - near: {{{', '.join(near)}}}{note}\n"
    )
