"""Measure what becomes of pairs: how good clusters are by rule, score and threshold, and what they and their ids cost.

    python benchmarks/resolving.py --data DIR
    python benchmarks/resolving.py --records 300000

Quality: pairs of the lexical blocker with k = 10 are scored, and all pairs of records within a cluster (of two tables:
one of each) are held against the known matches. Printed is the best F1 of a grid of thresholds, and the threshold that
gave it: as good as a threshold chosen with labels can be. Cost: random matches of many records; each step as a multiple
of the time in which networkx finds the components.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
from blocking_sets import NAMES, RecordSet, record_sets
from end_to_end import machine
from numpy.typing import NDArray

from tamis.pipeline.blocking.clusters import RULES, Clustering, clustered, decisions
from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.pairs import pairs_of_one_table, pairs_table
from tamis.pipeline.blocking.ranked_records import RIGHT, RankedRecords, ranked_records
from tamis.pipeline.blocking.scores import matched, ngram_scores, rescored
from tamis.pipeline.blocking.search import found_pairs
from tamis.pipeline.blocking.stable_ids import Identified, stable_clusters

THRESHOLDS = [round(0.05 * i, 2) for i in range(2, 20)]
K = 10


def quality(records: RecordSet) -> list[dict[str, Any]]:
    """Return a row for each score and rule: the best F1, and where it is."""
    left, right = records.left, records.right
    pairs = found_pairs(lexical_search(left, right, K), left, right)
    ranked = ranked_records(left.ids, None if right is None else right.ids)
    gold = gold_rows(records, ranked)
    rows = []
    for score in ("jaccard", "cosine"):
        scored = rescored(pairs, ngram_scores(pairs, left, right, score))
        for rule in RULES[: 2 if right is None else 4]:
            best: dict[str, Any] = {"f1": -1.0}
            for threshold in THRESHOLDS:
                found = clustered(matched(scored, threshold), ranked, rule)
                together, both = pairs_of_clusters(found), int(np.sum(found.keeper[gold[0]] == found.keeper[gold[1]]))
                f1 = 2 * both / (together + gold.shape[1])
                if f1 > best["f1"]:
                    precision = both / together if together else 0.0
                    best = {"f1": f1, "precision": precision, "recall": both / gold.shape[1], "threshold": threshold}
            rows.append({"set": records.name, "score": score, "rule": rule, **best})
            print(
                f"{records.name:12} {score:8} {rule:11} F1 {best['f1']:.3f}  precision {best['precision']:.3f}"
                f"  recall {best['recall']:.3f}  at {best['threshold']:.2f}"
            )
    return rows


def gold_rows(records: RecordSet, ranked: RankedRecords) -> NDArray[np.int64]:
    """Return the rows of the known matches, each once: int64, shape (2, n)."""
    known = zip(records.gold["left_id"].to_pylist(), records.gold["right_id"].to_pylist(), strict=True)
    pairs = {pair if records.right is not None else tuple(sorted(pair)) for pair in known}
    left, right = (pa.array([pair[side] for pair in sorted(pairs)], pa.string()) for side in (0, 1))
    return np.stack(ranked.rows_of(pairs_table(left, right, np.ones(len(left)), "x", np.ones(len(left), np.int64))))


def pairs_of_clusters(found: Clustering) -> int:
    """Return how many pairs are in one cluster: of two tables, of one record of each."""
    right = np.array(found.records.sides.to_pylist()) == RIGHT
    some, others = (np.bincount(found.keeper[side], minlength=len(right)) for side in (~right, right))
    return int(np.sum(some * others)) if right.any() else int(np.sum(some * (some - 1) // 2))


def cost(n: int, seed: int) -> list[dict[str, Any]]:
    """Return a row for each step, on n records with n / 2 random matches, and as many again in a second run."""
    rng = np.random.Generator(np.random.PCG64(seed))
    ids = pa.array([f"record-{i:09}" for i in range(n)])
    ends = rng.integers(0, n, (n // 2, 2))
    ends = ends[ends[:, 0] != ends[:, 1]]
    scores, ranks = rng.random(len(ends)), np.ones(len(ends), np.int64)
    matches = pairs_of_one_table(ids.take(pa.array(ends[:, 0])), ids.take(pa.array(ends[:, 1])), scores, "x", ranks)
    records = ranked_records(ids, None)
    for rule in RULES[:2]:  # compiles
        clustered(matches.slice(0, 10), records, rule)

    def by_networkx() -> int:
        graph = nx.Graph(zip(matches["left_id"].to_pylist(), matches["right_id"].to_pylist(), strict=True))
        graph.add_nodes_from(ids.to_pylist())
        return sum(1 for _ in nx.connected_components(graph))

    rows: list[dict[str, Any]] = []

    def timed(step: str, run: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = run()
        rows.append({"step": step, "seconds": time.perf_counter() - start})
        return result

    components = timed("components by networkx", by_networkx)
    found = timed("components", lambda: clustered(matches, records, "components"))
    if components != int(found.kept.sum()):
        raise SystemExit(f"{components} components by networkx, {int(found.kept.sum())} here")
    timed("greedy", lambda: clustered(matches, records, "greedy"))
    timed("decisions", lambda: decisions(found, matches))
    first: Identified = timed("ids of a first run", lambda: stable_clusters(found, None))
    timed("ids of a second run", lambda: stable_clusters(found, first))
    for row in rows:
        row["ratio"] = row["seconds"] / rows[0]["seconds"]
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the labelled sets")
    parser.add_argument("--sets", nargs="*", default=[name for name in NAMES if name != "autofj"], help="their names")
    parser.add_argument("--records", type=int, default=0, help="records of the measure of cost; 0: leave it out")
    parser.add_argument("--seed", type=int, default=1, help="of the random matches")
    parser.add_argument("--json", type=Path, help="write the rows there")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "load": os.getloadavg()[0]}
    print(json.dumps(result))
    if options.data:
        result["quality"] = [
            row for name in options.sets for records in record_sets(options.data, name) for row in quality(records)
        ]
    if options.records:
        result["cost"] = cost(options.records, options.seed)
        for row in result["cost"]:
            print(f"{row['step']:24} {row['seconds']:8.2f} s  {row['ratio']:6.2f}x")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
