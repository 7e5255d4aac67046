"""Time the exact comparison of candidate pairs; and starting, in fresh processes."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from accuracy_random import ROOM
from kernels_turns import (
    BANDING,
    SHINGLE,
    VALUES,
    Contestants,
    Found,
    Texts,
    Times,
    hash_serially,
    medians,
    newswire_of,
    table,
    take_turns,
)
from numpy.typing import NDArray
from text_sets import merge_plainly, padded_sets, similar_pairs, sketch_sets

from tamis.hashing.fingerprint import fingerprint
from tamis.hashing.jaccard import compare_pairs
from tamis.hashing.shingles import shingle_sets
from tamis.hashing.sketch import SketchPlan, sketch_plan

Pairs = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""(values, bounds of the sets in them, first, second), as ``compare_pairs`` takes them."""

THRESHOLD = 0.8
"""The default: exact comparison ends where a pair cannot reach it any more; a plain merge goes to the end."""

COMPARISONS = ("compare_pairs", "plain merge", "sketches")

SET_SIZES, SIMILARITIES = (50, 150, 500, 2000), (0.05, 0.5, 0.9)
TOLERANCE = {0.05: 0.03, 0.5: 0.1, 0.9: 0.05}
"""How far from its column a real pair may be."""
LEAST_PAIRS, MOST_PAIRS, CELL_VALUES = 100, 1000, 2_000_000
"""Fewer real pairs than the first are not measured (branches would be learnt): pairs are made instead."""


def measure_verify(sets: Sequence[Texts], args: argparse.Namespace) -> Found:
    """Time exact comparison of pairs, by size and similarity, and making the sets."""
    texts, plan = newswire_of(sets), sketch_plan("oph", values=VALUES, shingle=SHINGLE)
    given = (texts.data, texts.offsets)
    values, bounds = padded_sets(*given, SHINGLE)
    known, pool = similar_pairs(*given, VALUES, SHINGLE), np.unique(values[: bounds[-1]])
    cells = []
    for size in SET_SIZES:
        for similarity in SIMILARITIES:
            real = choose_pairs(bounds, known, size, similarity)
            some = (values, bounds, *real) if len(real[0]) else make_pairs(pool, size, similarity)
            cell = compare_cell(some, plan, args.rounds, f"verify, {size} at {similarity}")
            cells.append({"are": "real" if len(real[0]) else "made", **cell})
    making: Contestants = {
        "shingle_sets": partial(shingle_sets, *given, plan.unit, plan.shingle, plan.table),
        "fingerprint, oph": partial(fingerprint, *given, plan, banding=BANDING, seed=0),
        "byte-serial loop": partial(hash_serially, *given),
    }
    times = take_turns(making, args.rounds, "verify, sets")
    about = {"bytes": texts.size, "shingles": int(bounds[-1]), "seconds": times, "median": medians(times)}
    return {"text": texts.name, "cells": cells, "making": about}


def compare_cell(some: Pairs, plan: SketchPlan, rounds: int, label: str) -> Found:
    """Time the comparison of some pairs in three ways."""
    values, bounds, first, second = some
    sketches = sketch_sets(values, bounds, np.arange(len(bounds) - 1), plan).reshape(-1)
    aligned = np.arange(len(bounds), dtype=np.int64) * VALUES
    calls: list[Callable[[], object]] = [
        partial(compare_pairs, values, bounds, first, second, False, THRESHOLD),
        partial(merge_plainly, values, bounds, first, second),
        partial(compare_pairs, sketches, aligned, first, second, True),
    ]
    times = take_turns(dict(zip(COMPARISONS, calls, strict=True)), rounds, label)
    sizes = np.diff(bounds)
    return {
        "pairs": len(first),
        "size": float((sizes[first] + sizes[second]).mean() / 2),
        "similarity": float(merge_plainly(values, bounds, first, second).mean()),
        "seconds": times,
        "median": medians(times),
    }


def choose_pairs(
    bounds: NDArray[np.int64],
    known: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    size: int,
    similarity: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose real pairs of about that size and similarity, none if there are fewer than ``LEAST_PAIRS``."""
    first, second, measured = known
    sizes = np.diff(bounds)
    least, most = np.minimum(sizes[first], sizes[second]), np.maximum(sizes[first], sizes[second])
    alike = np.abs(measured - similarity) <= TOLERANCE[similarity]
    found = np.flatnonzero(alike & (least * 1.5 >= size) & (most <= size * 1.5))
    found = np.random.default_rng(0).permutation(found)[: min(MOST_PAIRS, CELL_VALUES // size)]
    found = found if len(found) >= LEAST_PAIRS else found[:0]
    return first[found], second[found]


def make_pairs(pool: NDArray[np.uint64], size: int, similarity: float) -> Pairs:
    """Make pairs of sets of that size and similarity from shingles of real texts."""
    rng, sets = np.random.default_rng(0), []
    common = round(2 * size * similarity / (1 + similarity))
    count = min(MOST_PAIRS, CELL_VALUES // size)
    for _ in range(count):
        drawn = rng.choice(len(pool), 2 * size, replace=False)
        both = pool[drawn]
        sets.append(np.sort(both[:size]))
        sets.append(np.sort(np.concatenate([both[:common], both[size : 2 * size - common]])))
    values = np.concatenate([*sets, np.zeros(ROOM, np.uint64)])
    first = np.arange(0, 2 * count, 2, dtype=np.int64)
    return values, np.arange(2 * count + 1, dtype=np.int64) * size, first, first + 1


def show_verify(found: Found) -> list[str]:
    """Return the report on ``verify``."""
    rows = []
    for cell in found["cells"]:
        exact, plain, sketches = (cell["median"][name] / cell["pairs"] * 1e9 for name in COMPARISONS)
        rows.append(
            [
                f"{cell['size']:.0f}",
                f"{cell['similarity']:.3f}",
                f"{cell['pairs']:,}",
                cell["are"],
            ]
            + [f"{exact:,.0f}", f"{exact / 2 / cell['size']:.2f}", f"{plain:,.0f}", f"{plain / exact:.2f}x"]
            + [f"{sketches:,.0f}", f"{exact / sketches:.2f}"]
        )
    making = found["making"]
    size, middle = making["bytes"], making["median"]
    sets = [
        [name, f"{s / size * 1e9:,.2f}", f"{size / 1e6 / s:,.1f}", f"{s / making['shingles'] * 1e9:.1f}"]
        + [f"{middle['byte-serial loop'] / s:.3f}"]
        for name, s in middle.items()
    ]
    head = ["shingles", "similarity", "pairs", "pairs are", "exact ns", "ns a value", "plain merge ns", "gain"]
    return [
        f"Time of a pair. Pairs are real pairs of {found['text']}, or made of its shingles where it has fewer than"
        f" {LEAST_PAIRS} of a kind. Exact comparison looks for {THRESHOLD}"
        f" and more.\nThe last columns compare signatures of {VALUES} values.",
        *table([*head, "sketches ns", "exact over sketches"], rows),
        f"Making the sets that are compared, on {found['text']}:",
        *table(["", "ms a MB", "MB/s", "ns a shingle", "speed over byte-serial loop"], sets),
    ]


START = """
import json, time
start = time.perf_counter()
import tamis
imported = time.perf_counter()
import pyarrow
tamis.dedup
loaded = time.perf_counter()
rows = pyarrow.table({"text": ["the sieve lets the flour through and keeps the bran"] * 2})
tamis.dedup(rows)
first = time.perf_counter()
tamis.dedup(rows)
second = time.perf_counter()
print(json.dumps({
    "import tamis": imported - start, "load tamis.dedup": loaded - imported,
    "first call": first - loaded, "second call": second - first,
}))
"""
"""What a fresh process does and times."""


def measure_start(_: Sequence[Texts], args: argparse.Namespace) -> Found:
    """Time imports and first calls in fresh processes: kernels compiled, and kernels loaded."""
    found: dict[str, Times] = {"empty cache": {}, "warm cache": {}, "no Tamis": {}}
    for number in range(args.rounds):
        print(f"start: round {number + 1} of {args.rounds}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            own = {**os.environ, "NUMBA_CACHE_DIR": folder}
            for state, code in (("empty cache", START), ("warm cache", START), ("no Tamis", "print('{}')")):
                begin = time.perf_counter()
                command = [sys.executable, "-c", code]
                done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
                whole = time.perf_counter() - begin
                if done.returncode:
                    raise SystemExit(f"a process failed:\n{done.stderr}")
                steps = json.loads(done.stdout.splitlines()[-1])
                for step, seconds in {**steps, "whole process": whole}.items():
                    found[state].setdefault(step, []).append(seconds)
    return {"seconds": found, "median": {state: medians(times) for state, times in found.items()}}


def show_start(found: Found) -> list[str]:
    """Return the report on ``start``."""
    empty, warm = found["median"]["empty cache"], found["median"]["warm cache"]
    least = found["median"]["no Tamis"]["whole process"]
    rows = []
    for step in empty:
        cells = [f"{empty[step]:.3f}", f"{warm[step]:.3f}", f"{empty[step] / warm[step]:.1f}x"]
        rows.append([step, *cells, f"{warm[step] / least:.1f}"])
    head = ["", "empty kernel cache s", "warm kernel cache s", "ratio", "warm over an empty interpreter"]
    return [
        f"Fresh processes, one core; an empty interpreter takes {least:.3f} s. A call is `dedup` of two rows.",
        *table(head, rows),
    ]
