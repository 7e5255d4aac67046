"""Measure accuracy on sets whose duplicates people have labelled.

    python benchmarks/labelled.py --data DIR --json out/book/labelled.json

Every tool makes clusters: Tamis of a row and the rows that went in its favour, datasketch of what ``MinHashLSH`` joins,
without verification. Two measures: pairs of one cluster against labelled pairs; and, by document, the measure of
text-dedup's benchmarks (``benchmarks/utils.py`` there).
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
from end_to_end import machine, versions
from kernels_turns import table
from labelled_sets import SETS, Labelled

import tamis
from tamis.connectors.address import record_of

THRESHOLDS = (0.3, 0.5, 0.7, 0.8)
VALUES = 256

Clusters = list[int]
"""For each text the number of its cluster: that of one of its members."""

Tool = Callable[[Sequence[str], int, float], Clusters]


def by_tamis(texts: Sequence[str], shingle: int, threshold: float) -> Clusters:
    """Return each row's witness, or itself."""
    near = {"shingle": {"unit": "word", "size": shingle}, "values": VALUES}
    rows = pa.table({"text": texts})
    removed = tamis.dedup(rows, threshold=threshold, near=near, threads=1, allow_loss=["input.parquet"]).removed
    found = list(range(len(texts)))
    for line in removed.select(["address", "keeper_address"]).to_pylist():
        found[record_of(line["address"])] = record_of(line["keeper_address"])
    return [_root(found, i) for i in range(len(found))]


def by_datasketch(texts: Sequence[str], shingle: int, threshold: float) -> Clusters:
    """Join every text with the texts that the index returns for it."""
    from datasketch import MinHash, MinHashLSH

    words = [re.findall(r"\w+", text.lower()) for text in texts]
    sets = [[" ".join(w[i : i + shingle]).encode() for i in range(max(1, len(w) - shingle + 1))] for w in words]
    index = MinHashLSH(threshold=threshold, num_perm=VALUES)
    found = list(range(len(texts)))
    for i, sketch in enumerate(MinHash.generator(sets, num_perm=VALUES)):
        for other in index.query(sketch):
            one, two = _root(found, i), _root(found, other)
            found[max(one, two)] = min(one, two)
        index.insert(i, sketch)
    return [_root(found, i) for i in range(len(found))]


def _root(parents: Clusters, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


def tools() -> dict[str, Tool]:
    """Return the tools that are installed."""
    found: dict[str, Tool] = {"Tamis": by_tamis}
    if find_spec("datasketch"):
        found["datasketch"] = by_datasketch
    return found


def members(clusters: Clusters) -> dict[int, list[int]]:
    """Return the texts of each cluster."""
    found: dict[int, list[int]] = {}
    for i, cluster in enumerate(clusters):
        found.setdefault(cluster, []).append(i)
    return found


def pairwise(labelled: Labelled, clusters: Clusters) -> dict[str, float]:
    """Return precision, recall and F1 of pairs; where only some pairs have a label, of these."""
    if labelled.judged is not None:
        said = {pair for pair in labelled.judged if clusters[pair[0]] == clusters[pair[1]]}
        found, right = len(said), len(said & labelled.pairs)
    else:
        found = sum(len(some) * (len(some) - 1) // 2 for some in members(clusters).values())
        right = sum(clusters[a] == clusters[b] for a, b in labelled.pairs)
    precision, recall = right / found if found else 0.0, right / len(labelled.pairs)
    total = precision + recall
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / total if total else 0.0}


def by_document(labelled: Labelled, clusters: Clusters) -> dict[str, float]:
    """Return the measure of text-dedup's benchmarks.

    A document with predictions counts as a hit if it has labelled duplicates and all of them are predicted, whatever
    else is; as a false alarm otherwise. What text-dedup prints as macro F1 is the mean of the two precisions, and is
    here too; ``macro_f1`` is what the name says. ``accuracy``: both sets are equal.
    """
    truth: dict[int, set[int]] = {}
    for a, b in labelled.pairs:
        truth.setdefault(a, set()).add(b)
        truth.setdefault(b, set()).add(a)
    counts, equal = dict.fromkeys(("TP", "FP", "TN", "FN"), 0), 0
    groups = {i: set(some) for some in members(clusters).values() for i in some}
    for i in range(len(clusters)):
        wanted, said = truth.get(i, set()), groups[i] - {i}
        equal += wanted == said
        if said:
            counts["TP" if wanted and wanted <= said else "FP"] += 1
        else:
            counts["FN" if wanted else "TN"] += 1

    def share(part: str, other: str) -> float:
        return counts[part] / max(1, counts[part] + counts[other])

    precisions = share("TP", "FP"), share("TN", "FN")
    recalls = share("TP", "FN"), share("TN", "FP")
    f1 = [2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(precisions, recalls, strict=True)]
    return {
        "precision_duplicates": precisions[0],
        "recall_duplicates": recalls[0],
        "precision_others": precisions[1],
        "recall_others": recalls[1],
        "printed_macro_f1": sum(precisions) / 2,
        "macro_f1": sum(f1) / 2,
        "accuracy": equal / len(clusters),
    }


def measure(data: Path, thresholds: Sequence[float]) -> list[dict[str, Any]]:
    """Run every tool on every set at every threshold."""
    found = []
    for name, kind in SETS.items():
        labelled = kind.read(data)
        for tool, clusters_of in tools().items():
            for threshold in thresholds:
                start = time.perf_counter()
                clusters = clusters_of(labelled.texts, kind.shingle, threshold)
                row: dict[str, Any] = {
                    "set": name,
                    "what": kind.what,
                    "texts": len(labelled.texts),
                    "labelled": len(labelled.pairs),
                    "shingle": kind.shingle,
                    "tool": tool,
                    "threshold": threshold,
                    "seconds": time.perf_counter() - start,
                    "pairwise": pairwise(labelled, clusters),
                    "by_document": None if labelled.judged else by_document(labelled, clusters),
                }
                print(f"{name} {tool} {threshold}: F1 {row['pairwise']['f1']:.3f}", file=sys.stderr)
                found.append(row)
    return found


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return the tables as Markdown."""
    head = ["set", "tool", "threshold", "pairs: precision", "recall", "F1", "by document: precision", "recall"]
    head += ["macro F1", "as text-dedup prints it", "accuracy"]
    rows = []
    for row in found["rows"]:
        pairs, documents = row["pairwise"], row["by_document"]
        names = ("precision_duplicates", "recall_duplicates", "macro_f1", "printed_macro_f1", "accuracy")
        cells = [row["set"], row["tool"], f"{row['threshold']:.1f}"]
        cells += [f"{pairs[part]:.3f}" for part in ("precision", "recall", "f1")]
        rows.append(cells + [f"{documents[part]:.3f}" if documents else "" for part in names])
    about: dict[str, list[str]] = {}
    for row in found["rows"]:
        cells = [row["set"], row["what"], f"{row['texts']:,}", f"{row['labelled']:,}", str(row["shingle"])]
        about.setdefault(row["set"], cells)
    lines = table(["set", "what", "texts", "labelled pairs", "words of a shingle"], about.values(), words=2)
    return lines + table(head, rows, words=2)


def main() -> None:
    """Read the arguments and measure."""
    data = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA")
    parser.add_argument("--threshold", type=float, action="append", help=f"default: {THRESHOLDS}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    args = parser.parse_args()
    if not args.data:
        print("labelled: left out without --data; the sets are not shipped with this project")
        return
    found = {
        "machine": machine(),
        "versions": versions(),
        "settings": {"values": VALUES},
        "rows": measure(args.data, args.threshold or THRESHOLDS),
    }
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines_of(found)))


if __name__ == "__main__":
    main()
