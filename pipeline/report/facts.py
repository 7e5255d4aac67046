"""The numbers of a report, from the ledger and the tables of a run alone, so that anybody can count them again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...connectors.row_groups import batches_of
from ...hashing.lsh import Banding, hit_probabilities
from ..config import Near, Pipeline
from ..ledger import Amount, Ledger, SourceLedger

FORMAT = "tamis-report"
FORMAT_VERSION = 1

BIN = 0.02
"""Width of the bins of similarities."""

CURVE_STEP = 0.01
STAGES = {
    "filter": "filters",
    "decontaminate": "benchmark items",
    "exact": "exact copies",
    "bloom": "known to the index",
    "near": "near copies",
    "contained": "inside others",
    "semantic": "alike in meaning",
    "balance": "in full leaves",
    "select": "represented by others",
    "paragraphs": "emptied by cuts",
}

Fact = dict[str, Any]


def run_facts(folder: Path, ledger: Ledger, config: Pipeline, banding: Banding | None) -> Fact:
    """Return what the tables of a run add up to.

    Args:
        folder: the output, with ``decisions/``, ``pairs/`` and ``clusters/``.
        ledger: balanced.
        config, banding: of the run.
    """
    alarming = set(ledger.alarms(config.alarm))
    similarity = similarities(folder, config.near)
    return {
        "funnel": funnel(ledger),
        "sources": [
            source_facts(name, source, rings=name in alarming) for name, source in sorted(ledger.sources.items())
        ],
        "clusters": clusters(folder),
        "similarity": similarity,
        "curve": curve(folder, config.near, banding),
        "capped_rows": ledger.capped_rows,
    }


def funnel(ledger: Ledger) -> list[Fact]:
    """Return what came in, what went at each stage, and what is left."""
    total = ledger.total
    lines = [("read", total.read)]
    if total.references.rows:
        lines.append(("there already", total.references))
    lines += [(name, total.dropped[stage]) for stage, name in STAGES.items() if stage in total.dropped]
    lines += [(f"quarantined: {rule}", amount) for rule, amount in sorted(total.quarantined.items())]
    if total.cut.bytes:
        lines.append(("cut out of kept rows", total.cut))
    lines.append(("kept", total.kept))
    if total.unsampled.rows or total.repeated.rows:
        lines += [("not sampled", total.unsampled), ("repeated", total.repeated), ("written", total.emitted)]
    return [{"name": name, **_amount(amount)} for name, amount in lines]


def _amount(amount: Amount) -> Fact:
    return {"rows": amount.rows, "bytes": amount.bytes, "tokens": amount.tokens}


def source_facts(name: str, source: SourceLedger, *, rings: bool) -> Fact:
    """Return what became of one source; ``share_lost`` is of its bytes."""
    aside = sum(source.quarantined.values(), Amount())
    return {
        "name": name,
        "read": _amount(source.read),
        "kept": _amount(source.kept),
        "dropped": {stage: _amount(amount) for stage, amount in sorted(source.dropped.items())},
        "lost": _amount(source.lost),
        "quarantined": _amount(aside),
        "references": _amount(source.references),
        "share_lost": round(source.lost.bytes / source.read.bytes, 4) if source.read.bytes else 0.0,
        "alarm": rings,
    }


def clusters(folder: Path) -> Fact:
    """Return how many clusters of copies there are, by size: 2, 3 to 4, 5 to 8, and so on."""
    counts, rows, largest = np.zeros(64, np.int64), np.zeros(64, np.int64), 0
    for sizes in _sizes(folder):
        places = np.frexp(sizes - 1)[1]  # 2 to 1, 3 and 4 to 2, 5 to 8 to 3
        counts += np.bincount(places, minlength=64)
        rows += np.bincount(places, weights=sizes, minlength=64).astype(np.int64)
        largest = max(largest, int(sizes.max(initial=0)))
    bins = [
        {"from": (1 << i - 1) + 1, "to": 1 << i, "clusters": int(counts[i]), "rows": int(rows[i])}
        for i in range(1, int(np.flatnonzero(counts).max(initial=0)) + 1)
    ]
    return {"count": int(counts.sum()), "rows": int(rows.sum()), "largest": largest, "sizes": bins}


def _sizes(folder: Path) -> Iterator[NDArray[np.int64]]:
    """Yield the size of each cluster: that of the member which names it."""
    for batch in _rows(folder / "clusters", ["cluster", "address", "size"]):
        cluster, address, size = (column.to_numpy() for column in batch.columns)
        yield size[cluster == address]


def similarities(folder: Path, near: Near | None) -> Fact | None:
    """Return verified pairs and removals by similarity, or None without a near stage or without similarities."""
    if near is None or near.verify == "none":
        return None
    first = int(near.threshold / BIN + 1e-9)
    edges = np.round(np.arange(first, round(1 / BIN) + 1) * BIN, 6)
    edges = edges if len(edges) > 1 else np.array([1 - BIN, 1.0])
    pairs = np.zeros(len(edges) - 1, np.int64)
    for batch in _rows(folder / "pairs", ["similarity"]):
        pairs += np.histogram(batch.column(0).to_numpy(zero_copy_only=False), edges)[0]
    removed = np.zeros(len(edges) - 1, np.int64)
    for batch in _rows(folder / "decisions", ["stage", "similarity"]):
        of_stage = batch.filter(pc.equal(batch.column(0), "near")).column(1)
        removed += np.histogram(of_stage.to_numpy(zero_copy_only=False), edges)[0]
    bins = [
        {"from": float(low), "to": float(high), "pairs": int(p), "removed": int(r)}
        for low, high, p, r in zip(edges, edges[1:], pairs, removed, strict=False)
    ]
    measured = {"exact": "exact Jaccard similarity", "sketch": "estimated from signatures"}[near.verify]
    return {"measured": measured, "pairs": int(pairs.sum()), "removed": int(removed.sum()), "bins": bins}


def curve(folder: Path, near: Near | None, banding: Banding | None) -> Fact | None:
    """Return the S-curve of the run, and how many pairs it is expected to have missed.

    A pair of similarity s is found with probability p(s), so that each one found stands for 1 / p(s) pairs
    (Horvitz and Thompson 1952); the estimated recall is what was found over the sum of these.
    """
    if near is None or banding is None:
        return None
    found, estimated = 0, 0.0
    for batch in _rows(folder / "pairs", ["similarity"]) if near.verify != "none" else ():
        p = hit_probabilities(batch.column(0).to_numpy(zero_copy_only=False), banding.bands, banding.rows)
        found += len(p)
        estimated += float(np.sum(1 / p))
    at = float(hit_probabilities(np.array([near.threshold]), banding.bands, banding.rows)[0])
    return {
        "bands": banding.bands,
        "rows": banding.rows,
        "threshold": near.threshold,
        "recall_at_threshold": round(at, 4),
        "estimated_recall": round(found / estimated, 4) if found else None,
        "points": curve_points(banding.bands, banding.rows),
    }


def curve_points(bands: int, rows: int) -> list[list[float]]:
    """Return (similarity, probability that a pair of it is found) along an S-curve."""
    xs = np.round(np.arange(0, 1 + CURVE_STEP / 2, CURVE_STEP), 6)
    ys = hit_probabilities(xs, bands, rows)
    return [[float(x), round(float(y), 4)] for x, y in zip(xs, ys, strict=True)]


def _rows(folder: Path, columns: list[str]) -> Iterator[Any]:
    for path in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            yield from batches_of(file, 131_072, columns=columns)
