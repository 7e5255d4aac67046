"""Measure the choice of rows: against submodlib and apricot, and on a million vectors.

    python benchmarks/selection.py [--python INTERPRETER] [--large N]

Small: facility location over all pairs of ``--points`` vectors of 384 numbers, ``--k`` of them. Each side is a process
of its own that has the vectors in memory; rounds alternate, and medians are compared. The bar: ten times as fast as the
faster of both. Beside it stands the time of all processors together, which other work on the machine changes less.
``--python`` names an interpreter that has submodlib-py and apricot-select; a side that is not there is left out. Values
are computed here, with all similarities, for all sides alike. Where a side first chooses another item than Tamis, the
gains of both items are compared: sides that add up in float32 cannot tell nearer ones apart.

Large: vectors of 64 numbers, one in a hundred of them chosen on a graph of 64 near neighbours (faiss, where it is
installed) or on a sample; values are those of 50,000 rows drawn from all, with all similarities. The bars, for a
million: 8 GB, 15 minutes, and on 20,000 of the vectors, chosen in the same way, 98 % of the value of greedy over all
pairs.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from end_to_end import machine, versions
from kernels_turns import table, verdict
from numpy.typing import NDArray

from tamis.hashing.selection.dense_columns import DenseColumns, dense_columns
from tamis.hashing.selection.facility_location import FacilityLocation, coverage
from tamis.hashing.selection.greedy import greedy
from tamis.hashing.selection.optimum import Budget
from tamis.hashing.selection.samples import lowest, sampled_columns
from tamis.hashing.selection.sparse_columns import nearest_columns

FASTER, SHARE, SECONDS, BYTES = 10.0, 0.98, 900.0, 8e9
NEIGHBOURS, PER_CHOSEN = 64, 100
ROWS_PER_CHOSEN = 3
PROBE = 50_000
SIDES = ("tamis", "tamis-12", "submodlib", "apricot")


def made_vectors(n: int, width: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Return vectors around centres of very different sizes, as texts are around topics: float32, shape (n, width)."""
    made = np.random.Generator(np.random.PCG64(seed))
    centres = made.normal(size=(max(8, n // 4), width)).astype(np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors = centres[made.zipf(1.5, n) % len(centres)]
    vectors += made.normal(scale=1 / np.sqrt(width), size=(n, width)).astype(np.float32)
    return np.asarray(vectors, np.float32)


def small(python: str, points: int, k: int, rounds: int) -> list[dict[str, Any]]:
    """Time all sides in turn."""
    vectors = made_vectors(points, 384)
    times: dict[str, list[float]] = {}
    used: dict[str, list[float]] = {}
    items: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npy"
        np.save(path, vectors)
        for side in SIDES * rounds:
            answer = _asked(sys.executable if side.startswith("tamis") else python, side, path, k)
            if answer:
                times.setdefault(side, []).append(answer["seconds"])
                used.setdefault(side, []).append(answer["processor"])
                items[side] = answer["items"]
    columns = dense_columns(vectors)
    rows = []
    for side, found in items.items():
        seconds, ours = statistics.median(times[side]), items["tamis"]
        alike = next((i for i, pair in enumerate(zip(found, ours, strict=False)) if pair[0] != pair[1]), len(ours))
        rows.append(
            {
                "side": side,
                "seconds": seconds,
                "times": times[side],
                "processor": statistics.median(used[side]),
                "value": coverage(columns, np.array(found)),
                "first_alike": alike,
                "apart": _apart(columns, ours, found, alike),
                "in_common": len(set(found) & set(ours)),
                "chosen": len(found),
            }
        )
    theirs = [row for row in rows if not row["side"].startswith("tamis")]
    for row in rows:
        for part, name in (("seconds", "faster"), ("processor", "cheaper")):
            row[name] = min(one[part] for one in theirs) / row[part] if theirs else None
    return rows


def _apart(columns: DenseColumns, ours: list[int], found: list[int], alike: int) -> float:
    """Return how far the gains of the first two items that differ are apart, as a share of ours; 0.0 if none do."""
    if alike == len(ours):
        return 0.0
    function = FacilityLocation(columns)
    for item in ours[:alike]:
        function.add(item)
    one, other = function.gains(np.array([ours[alike], found[alike]]))
    return float((one - other) / one)


def _asked(python: str, side: str, path: Path, k: int) -> dict[str, Any] | None:
    """Return what a side answers, or None if it is not there."""
    command = [python, str(Path(__file__).with_name("selection_worker.py")), side, str(path), str(k)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{side} left out: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{side}: {answer['seconds']:.2f} s", file=sys.stderr)
    return answer


def on_graph(vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], dict[str, float]]:
    """Choose on a graph of near neighbours, which faiss finds among the nearest of many cells."""
    import faiss

    start = time.perf_counter()
    scaled = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cells = max(1, 2 * int(np.sqrt(len(vectors))))
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(vectors.shape[1]), vectors.shape[1], cells, faiss.METRIC_INNER_PRODUCT
    )  # fmt: skip
    index.cp.seed, index.cp.niter, index.cp.max_points_per_centroid, index.nprobe = 1, 8, 39, 8
    index.train(scaled)
    index.add(scaled)
    near, found = index.search(scaled, NEIGHBOURS)
    del index
    graphed = time.perf_counter()
    columns = nearest_columns(found, near, len(vectors), itself=1.0)
    choice = greedy(FacilityLocation(columns), Budget(k))
    seconds = {"graph": graphed - start, "choice": time.perf_counter() - graphed}
    return choice.items, seconds | {"bound_ratio": choice.ratio, "evaluations": choice.evaluations}


def on_sample(vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], dict[str, float]]:
    """Choose on a sample."""
    start = time.perf_counter()
    asked = ROWS_PER_CHOSEN * k
    sample = sampled_columns(vectors, rows=asked, candidates=asked, seed=1, bits=12, memory=5 << 30)
    choice = greedy(FacilityLocation(sample.columns), Budget(k))
    seconds = {"choice": time.perf_counter() - start, "bound_ratio": choice.ratio, "evaluations": choice.evaluations}
    return sample.candidates[choice.items], seconds


def large(n: int, some: int) -> list[dict[str, Any]]:
    """Choose on ``n`` vectors, and on some of them beside greedy over all pairs."""
    vectors = made_vectors(n, 64)
    k = n // PER_CHOSEN
    probe = lowest(np.arange(n), PROBE, seed=2, purpose="probe")
    every = dense_columns(vectors, vectors[probe], bits=12, memory=0)
    fixed = np.random.Generator(np.random.PCG64(9)).choice(n, k, replace=False)
    rows = [{"way": "at random", "n": n, "k": k, "value": coverage(every, fixed) / len(probe)}]
    ways = {"on a graph": on_graph, "on a sample": on_sample}
    if find_spec("faiss") is None:
        del ways["on a graph"]
    for name, way in ways.items():
        items, figures = way(vectors, k)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        rows.append(
            {"way": name, "n": n, "k": k, "value": coverage(every, items) / len(probe), "peak_so_far": peak} | figures
        )  # fmt: skip
        print(json.dumps(rows[-1]), file=sys.stderr)
    part = vectors[:some].copy()
    del vectors, every
    k = len(part) // PER_CHOSEN
    start = time.perf_counter()
    columns = dense_columns(part, bits=12)
    best = greedy(FacilityLocation(columns), Budget(k))
    rows.append(
        {"way": "over all pairs", "n": len(part), "k": k, "value": best.value / len(part), "share": 1.0}
        | {"choice": time.perf_counter() - start, "bound_ratio": best.ratio, "evaluations": best.evaluations}
    )
    for name, way in ways.items():
        items, figures = way(part, k)
        value = coverage(columns, items)
        row = {"way": name, "n": len(part), "k": k, "value": value / len(part), "share": value / best.value}
        rows.append(row | figures)
    return rows


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return the tables as Markdown."""
    rows = []
    for row in found["small"]:
        ours, faster = row["side"].startswith("tamis"), row["faster"]
        cells = [row["side"], f"{row['seconds']:.2f} s", f"{faster:.1f}x" if faster else "", f"{row['value']:,.3f}"]
        cells[3:3] = [f"{row['processor']:.2f} s", f"{row['cheaper']:.1f}x" if faster else ""]
        cells += [f"{row['first_alike']:,}", f"{row['apart']:.1e}", f"{row['in_common']:,} of {row['chosen']:,}"]
        rows.append([*cells, verdict(faster, FASTER) if ours and faster else ""])
    lines = table(
        [
            "side",
            "median",
            "faster",
            "processors",
            "less",
            "value",
            "alike from the first",
            "then apart",
            "in common",
            "bar",
        ],
        rows,
    )
    rows = []
    for row in found["large"]:
        cells = [row["way"], f"{row['n']:,}", f"{row['k']:,}", f"{row['value']:.4f}"]
        cells += [f"{row[part]:,.1f} s" if part in row else "" for part in ("graph", "choice")]
        cells += [f"{row['peak_so_far'] / 1e9:.1f} GB" if "peak_so_far" in row else ""]
        held = row.get("peak_so_far", np.inf) <= BYTES and row.get("graph", 0.0) + row.get("choice", np.inf) <= SECONDS
        cells += [verdict(held, 1.0) if "peak_so_far" in row and row["n"] >= 1_000_000 else ""]
        rows.append([*cells, f"{100 * row['share']:.1f} %, {verdict(row['share'], SHARE)}" if "share" in row else ""])
    head = [
        "way",
        "vectors",
        "chosen",
        "value a row",
        "graph",
        "choice",
        "memory so far",
        "time and memory",
        "share of all pairs, bar",
    ]
    return [*lines, "", *table(head, rows)]


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="interpreter that has submodlib and apricot")
    parser.add_argument("--points", type=int, default=10_000, help="vectors of the small part; 0 leaves it out")
    parser.add_argument("--k", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=1_000_000, help="vectors of the large part; 0 leaves it out")
    parser.add_argument("--part", type=int, default=20_000, help="so many of them are chosen from over all pairs too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    args = parser.parse_args()
    found = {
        "machine": machine(),
        "versions": versions(),
        "load": os.getloadavg()[0],
        "small": small(args.python, args.points, args.k, args.rounds) if args.points else [],
        "large": large(args.large, args.part) if args.large else [],
    }
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines_of(found)))


if __name__ == "__main__":
    main()
