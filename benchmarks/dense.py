"""Time the exact search of dense vectors beside FAISS's flat index, and what HNSW and IVF find.

    python benchmarks/dense.py --sizes 10000 100000

Vectors are drawn around centres, length 1, and are seen from within one table (no vector finds itself); 10 neighbours
under cosine. Both sides have the same threads, and rounds alternate; medians are compared. Without FAISS that part is
left out.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from end_to_end import machine, versions
from numpy.typing import NDArray

from tamis.hashing.errors import ConfigError
from tamis.pipeline.blocking.dense import DenseSearch, IndexKind, dense_search, import_faiss
from tamis.pipeline.blocking.search import Found, ranges

K = 10
BAR = 1.0
"""Of FAISS's queries a second, ours are at least so many."""


def vectors(n: int, d: int, seed: int) -> NDArray[np.float32]:
    """Return vectors of length 1 around one centre for every fifty of them."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(1, n // 50), d)).astype(np.float32)
    some = centres[rng.integers(0, len(centres), n)]
    some += rng.standard_normal((n, d), np.float32)
    some /= np.linalg.norm(some, axis=1, keepdims=True)
    return some


def answered(search: DenseSearch, queries: int, threads: int) -> Found:
    """Ask the first queries by threads."""
    with ThreadPoolExecutor(threads) as pool:
        return Found.of(list(pool.map(lambda part: search(*part), ranges(queries))))


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def faiss_flat(some: NDArray[np.float32], queries: int, threads: int) -> Callable[[], object]:
    """Return FAISS's search, ready to be timed."""
    faiss = import_faiss()
    index = faiss.IndexFlatIP(some.shape[1])
    index.add(some)

    def search() -> object:
        faiss.omp_set_num_threads(threads)
        return index.search(some[:queries], K + 1)

    return search


def compared(n: int, d: int, queries: int, threads: int, rounds: int) -> dict[str, Any]:
    """Time both sides in turn on one set of vectors."""
    some = vectors(n, d, seed=n)
    search = dense_search(some, None, K)
    answered(search, min(queries, 64), threads)
    row: dict[str, Any] = {"vectors": n, "components": d, "queries": queries, "threads": threads}
    try:
        other = faiss_flat(some, queries, threads)
    except ConfigError as error:
        return row | {"ours": seconds(lambda: answered(search, queries, threads)), "faiss": None, "why": str(error)}
    turns = [(seconds(lambda: answered(search, queries, threads)), seconds(other)) for _ in range(rounds)]
    ours, theirs = (statistics.median(side) for side in zip(*turns, strict=True))
    return row | {"ours": ours, "faiss": theirs, "ratio": theirs / ours, "rounds": turns}


def found_by(n: int, d: int, queries: int, threads: int) -> list[dict[str, Any]]:
    """Measure what indexes find of the true neighbours, and their time."""
    some = vectors(n, d, seed=n)
    truth = answered(dense_search(some, None, K), queries, threads)
    true = set(zip(truth.queries.tolist(), truth.rows.tolist(), strict=True))
    rows = []
    kinds: tuple[IndexKind, ...] = ("flat", "ivf", "hnsw")
    for kind in kinds:
        start = time.perf_counter()
        search = dense_search(some, None, K, index=kind)
        built = time.perf_counter() - start
        start = time.perf_counter()
        found = answered(search, queries, threads)
        asked = time.perf_counter() - start
        hits = len(true & set(zip(found.queries.tolist(), found.rows.tolist(), strict=True)))
        rows.append({"index": kind, "vectors": n, "recall": hits / len(true), "built": built, "asked": asked})
        print(f"{kind} {n:,}: recall {hits / len(true):.4f}, built {built:.1f} s, asked {asked:.2f} s", file=sys.stderr)
    return rows


def main() -> None:
    """Print both tables as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--components", type=int, default=384)
    parser.add_argument("--queries", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--indexes", type=int, default=20_000, help="vectors of the table of indexes; 0: leave it out")
    arguments = parser.parse_args()
    rows = []
    for n in arguments.sizes:
        queries = min(n, arguments.queries)
        rows.append(compared(n, arguments.components, queries, arguments.threads, arguments.rounds))
        print({key: value for key, value in rows[-1].items() if key != "rounds"}, file=sys.stderr)
    ratios = [row["ratio"] for row in rows if row.get("ratio")]
    if ratios:
        verdict = "met" if min(ratios) >= BAR else "missed"
        print(f"bar {BAR}: least ratio {min(ratios):.2f}, {verdict}", file=sys.stderr)
    indexes = []
    if arguments.indexes and ratios:
        n = arguments.indexes
        indexes = found_by(n, arguments.components, min(n, arguments.queries), arguments.threads)
    about = {"machine": machine(), "versions": versions(), "load": os.getloadavg()}
    print(json.dumps(about | {"exact": rows, "indexes": indexes}, indent=1))


if __name__ == "__main__":
    main()
