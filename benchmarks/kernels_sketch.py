"""Time bytes to band keys, and the stages on the way."""

import argparse
from collections.abc import Sequence
from functools import partial

import numpy as np
from kernels_turns import (
    BANDING,
    SHINGLE,
    VALUES,
    Contestants,
    Found,
    Texts,
    hash_serially,
    medians,
    newswire_of,
    table,
    take_turns,
    verdict,
)
from numba import njit
from numpy.typing import NDArray

from tamis.hashing.bands import band_keys
from tamis.hashing.fingerprint import band_seed, fingerprint
from tamis.hashing.shingles import next_shingles, next_tokens, no_scratch, start_of
from tamis.hashing.sketch import KINDS, SketchPlan, complete, no_sketch_scratch, partial_sketch, sketch_plan
from tamis.hashing.words import cut_words, no_words

SKETCH_BARS = {"English": 0.45, "Chinese poems": 0.17, "Arabic books": 0.17}
"""Least speed of ``oph``, as a share of the byte-serial loop's."""


@njit(nogil=True)
def only_keys(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan, bands: int, rows: int, seed: np.uint64
) -> NDArray[np.uint64]:
    """Return the band keys, as ``fingerprint`` does, without the identity hash."""
    keys = np.zeros((len(offsets) - 1, bands), np.uint64)
    scratch, partial = no_sketch_scratch(plan), np.empty(plan.values, np.uint64)
    signature = np.empty(bands * rows, np.uint64)
    for i in range(len(offsets) - 1):
        words, error = partial_sketch(data, offsets[i], offsets[i + 1], plan, scratch, partial)
        if error < 0 and words > 0:
            complete(partial, plan, scratch, signature)
            band_keys(signature, rows, seed, keys[i])
    return keys


@njit(nogil=True)
def until_words(data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan) -> int:
    """Cut texts into words."""
    words, total = no_words(), 0
    for i in range(len(offsets) - 1):
        at, end, opened, error = offsets[i], offsets[i + 1], 0, -1
        while at < end and error < 0:
            n, opened, _, at, error = cut_words(data, at, end, plan.table, words, 0, opened)
            total += n
    return total


@njit(nogil=True)
def until_tokens(data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan) -> int:
    """Cut texts into words and hash these."""
    scratch, total = no_scratch(), 0
    for i in range(len(offsets) - 1):
        cursor, end, error = start_of(offsets[i]), offsets[i + 1], -1
        while cursor.at < end and error < 0:
            cursor, made, _, error = next_tokens(data, cursor, end, plan.unit, plan.table, scratch)
            total += made
    return total


@njit(nogil=True)
def until_shingles(data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan) -> int:
    """Go as far as the hashes of shingles."""
    scratch, total = no_scratch(), 0
    for i in range(len(offsets) - 1):
        cursor, end, error = start_of(offsets[i]), offsets[i + 1], -1
        while cursor.at < end and error < 0:
            cursor, made, _, error = next_shingles(data, cursor, end, plan.unit, plan.shingle, plan.table, scratch)
            total += made
    return total


@njit(nogil=True)
def until_bins(data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan) -> int:
    """Go as far as the bins."""
    scratch, partial, total = no_sketch_scratch(plan), np.empty(plan.values, np.uint64), 0
    for i in range(len(offsets) - 1):
        words, _ = partial_sketch(data, offsets[i], offsets[i + 1], plan, scratch, partial)
        total += words
    return total


@njit(nogil=True)
def until_signature(data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan, used: int) -> int:
    """Go as far as the ``used`` values of a signature that bands need."""
    scratch, partial, total = no_sketch_scratch(plan), np.empty(plan.values, np.uint64), 0
    signature = np.empty(used, np.uint64)
    for i in range(len(offsets) - 1):
        words, error = partial_sketch(data, offsets[i], offsets[i + 1], plan, scratch, partial)
        total += words
        if error < 0 and words > 0:
            complete(partial, plan, scratch, signature)
    return total


def measure_sketch(sets: Sequence[Texts], args: argparse.Namespace) -> Found:
    """Time bytes to band keys, for all kinds and widths, with and without the identity hash."""
    found: Found = {}
    for texts in sets:
        contestants: Contestants = {"byte-serial": partial(hash_serially, texts.data, texts.offsets)}
        for kind in KINDS:
            for bits in (64, 32):
                plan = sketch_plan(kind, values=VALUES, bits=bits, shingle=SHINGLE)
                buffers = (texts.data, texts.offsets, plan)
                shape = (BANDING.bands, BANDING.rows, band_seed(0))
                contestants[f"{kind} {bits} sketch"] = partial(only_keys, *buffers, *shape)
                contestants[f"{kind} {bits} fingerprint"] = partial(fingerprint, *buffers, banding=BANDING, seed=0)
        times = take_turns(contestants, args.rounds, f"sketch {texts.name}")
        found[texts.name] = {"bytes": texts.size, "rows": texts.rows, "seconds": times, "median": medians(times)}
    return found


def show_sketch(found: Found) -> list[str]:
    """Return the report on ``sketch``."""
    rows, bars = [], []
    for name, line in found.items():
        size, middle = line["bytes"], line["median"]
        serial = middle["byte-serial"]
        about = [f"{size / 1e6:.1f}", f"{size / line['rows']:,.0f}"]
        rows.append([name, "byte-serial loop", *about, f"{size / 1e6 / serial:,.0f}", "1.00", "", ""])
        for kind in KINDS:
            for bits in (64, 32):
                cells = []
                for what in ("sketch", "fingerprint"):
                    seconds = middle[f"{kind} {bits} {what}"]
                    cells += [f"{size / 1e6 / seconds:,.1f}", f"{serial / seconds:.3f}"]
                rows.append([name, f"{kind}, {bits} bits", *about, *cells])
        if name in SKETCH_BARS:
            bar, both = SKETCH_BARS[name], [serial / middle[f"oph 64 {what}"] for what in ("sketch", "fingerprint")]
            cells = [cell for ratio in both for cell in (f"{ratio:.3f}", verdict(ratio, bar))]
            bars.append([name, f"{bar:.2f}", *cells])
    head = ["text", "kernel", "MB", "bytes a text", "sketch MB/s", "ratio", "with identity hash MB/s", "ratio"]
    return [
        f"Bytes to band keys: word {SHINGLE}-grams, {VALUES} values, {BANDING.bands} x {BANDING.rows} bands.",
        "Ratio: speed over that of the byte-serial loop (one multiplication a byte) on the same buffers.",
        *table(head, rows, 2),
        *table(["oph, 64 bits", "bar", "sketch", "", "with identity hash", ""], bars),
    ]


STAGES = {
    "cut_words": "words",
    "token hashes": "tokens",
    "shingles": "shingles",
    "bins": "bins",
    "densification": "signature",
    "band keys": "keys",
    "identity hash": "all",
}
"""Each stage and the loop that stops behind it."""


def measure_stages(sets: Sequence[Texts], args: argparse.Namespace) -> Found:
    """Time loops that stop earlier and earlier."""
    texts, plan = newswire_of(sets), sketch_plan("oph", values=VALUES, shingle=SHINGLE)
    given = (texts.data, texts.offsets, plan)
    contestants: Contestants = {
        "words": partial(until_words, *given),
        "tokens": partial(until_tokens, *given),
        "shingles": partial(until_shingles, *given),
        "bins": partial(until_bins, *given),
        "signature": partial(until_signature, *given, BANDING.values),
        "keys": partial(only_keys, *given, BANDING.bands, BANDING.rows, band_seed(0)),
        "all": partial(fingerprint, *given, banding=BANDING, seed=0),
        "byte-serial": partial(hash_serially, texts.data, texts.offsets),
    }
    times = take_turns(contestants, args.rounds, "stages")
    words = until_tokens(*given)
    about = {"text": texts.name, "bytes": texts.size, "rows": texts.rows, "words": words}
    return {**about, "seconds": times, "median": medians(times)}


def show_stages(found: Found) -> list[str]:
    """Return the report on ``stages``."""
    middle, n, size, words = found["median"], found["rows"], found["bytes"], found["words"]
    rows, before = [], 0.0
    for stage, name in STAGES.items():
        own, before = middle[name] - before, middle[name]
        rows.append(
            [stage, f"{own / n * 1e9:,.0f}", f"{own / words * 1e9:.2f}", f"{own / size * 1e9:.3f}"]
            + [f"{own / middle['all']:.1%}", f"{own / middle['byte-serial']:.3f}", f"{size / 1e6 / before:,.0f}"]
        )
    for label, seconds in (("together", middle["all"]), ("byte-serial loop", middle["byte-serial"])):
        rows.append(
            [label, f"{seconds / n * 1e9:,.0f}", f"{seconds / words * 1e9:.2f}", f"{seconds / size * 1e9:.3f}"]
            + [f"{seconds / middle['all']:.1%}", f"{seconds / middle['byte-serial']:.3f}"]
            + [f"{size / 1e6 / seconds:,.0f}"]
        )
    return [
        f"Stages of oph, 64 bits, on {found['text']}: {n:,} rows of {size / n:,.0f} bytes and {words / n:.0f} words.",
        "A stage is the difference between two loops, the second of which goes one stage further.",
        *table(["stage", "ns a row", "a word", "a byte", "share", "byte-serial loops", "MB/s up to here"], rows),
    ]
