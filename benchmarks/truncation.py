"""Measure how Tamis finds truncated copies, by the protocol of the LSHBloom paper.

    python benchmarks/truncation.py --data DIR --json out/book/truncation.json

From Khan et al., LSHBloom (arXiv 2411.04257): a stream of documents of which 10 to 90 % are duplicates; a duplicate is
a document with 1 to 20 % of its characters cut out around a place between its start and its end. The stream is
shuffled; the later one of two with the same original is the duplicate. The paper's other duplicates, the same article
read by another parser, need its articles; here every duplicate is a truncated one, so figures are not to be set beside
the paper's.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from end_to_end import machine, versions
from kernels_turns import table
from real_texts import real_sets, standard_library

import tamis
from tamis.connectors.address import record_of

CUT = (0.01, 0.02, 0.05, 0.07, 0.10, 0.15, 0.20)
"""Shares of the characters that are cut out."""

CENTRES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Where the cut is, as a share of the length."""

SHARES = tuple(i / 10 for i in range(1, 10))
THRESHOLDS = (0.5, 0.7, 0.8)
LEAST_CHARACTERS = 400


def truncated(text: str, share: float, centre: float) -> str:
    """Cut a share of the characters out around a place; at an end the cut is moved inside."""
    size = max(1, round(len(text) * share))
    start = min(max(0, round(len(text) * centre - size / 2)), len(text) - size)
    return text[:start] + text[start + size :]


def originals(data: Path | None) -> list[str]:
    """Return texts of a fair length, no two of which start or end alike: real copies would count as mistakes."""
    read = real_sets(data) if data else standard_library()
    texts = (text.decode(errors="replace") for _, text in read)
    found: dict[str, str] = {}
    ends: set[str] = set()
    for text in texts:
        if len(text) >= LEAST_CHARACTERS and text[:80] not in found and text[-80:] not in ends:
            found[text[:80]] = text
            ends.add(text[-80:])
    return list(found.values())


def stream(texts: Sequence[str], documents: int, share: float, seed: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Make a stream; return texts, the number of the original of each, and the share that was cut out (0: nothing)."""
    rng = np.random.default_rng([seed, round(share * 100)])
    copies = round(documents * share)
    chosen = rng.choice(len(texts), documents - copies, replace=False)
    sources = np.concatenate([chosen, rng.choice(chosen, copies, replace=copies > len(chosen))])
    cut = np.concatenate([np.zeros(len(chosen)), rng.choice(CUT, copies)])
    centres = rng.choice(CENTRES, documents)
    order = rng.permutation(documents)
    made = [
        truncated(texts[source], c, centre) if c else texts[source]
        for source, c, centre in zip(sources[order].tolist(), cut[order], centres[order], strict=True)
    ]
    return made, sources[order], cut[order]


def measure(texts: Sequence[str], documents: int, share: float, threshold: float, seed: int) -> dict[str, Any]:
    """Run Tamis on a stream and hold its decisions against what was made."""
    made, sources, _ = stream(texts, documents, share, seed)
    _, first = np.unique(sources, return_index=True)
    duplicate = np.ones(documents, np.bool_)
    duplicate[first] = False
    start = time.perf_counter()
    rows = pa.table({"text": made})
    removed = tamis.dedup(rows, threshold=threshold, threads=1, allow_loss=["input.parquet"]).removed
    seconds = time.perf_counter() - start
    said = np.zeros(documents, np.bool_)
    said[[record_of(address) for address in removed["address"].to_pylist()]] = True
    hits = int((said & duplicate).sum())
    precision, recall = hits / max(1, int(said.sum())), hits / int(duplicate.sum())
    return {
        "share": share,
        "threshold": threshold,
        "documents": documents,
        "duplicates": int(duplicate.sum()),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(1e-12, precision + recall),
        "seconds": seconds,
    }


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return the table as Markdown."""
    rows, settings = found["rows"], found["settings"]
    head = ["duplicates", *(f"{t}: {part}" for t in settings["thresholds"] for part in ("precision", "recall", "F1"))]
    lines = []
    for share in settings["shares"]:
        own = [row for row in rows if row["share"] == share]
        parts = ("precision", "recall", "f1")
        lines.append([f"{share:.0%}", *(f"{row[part]:.3f}" for row in own for part in parts)])
    return table(head, lines)


def main() -> None:
    """Read the arguments and measure."""
    data = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA, or none")
    parser.add_argument("--documents", type=int, default=10_000, help="of one stream")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    args = parser.parse_args()
    texts = originals(args.data)
    most = round(len(texts) / (1 - min(SHARES)))
    documents = min(args.documents, most)
    rows = []
    for share in SHARES:
        for threshold in THRESHOLDS:
            rows.append(measure(texts, documents, share, threshold, args.seed))
            print(f"{share:.0%} duplicates, threshold {threshold}: F1 {rows[-1]['f1']:.3f}", file=sys.stderr)
    found = {
        "machine": machine(),
        "versions": versions(),
        "settings": {
            "documents": documents,
            "originals": len(texts),
            "thresholds": THRESHOLDS,
            "shares": SHARES,
            "data": "newswire and articles" if args.data else "sources of Python's standard library",
        },
        "rows": rows,
    }
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines_of(found)))


if __name__ == "__main__":
    main()
