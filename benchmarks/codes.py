"""Measure blocking by binary codes: time and memory on a million codes, and recall against what is scored.

    python benchmarks/codes.py --rows 1000000
    python benchmarks/codes.py --data DIR --vectors DIR --model MODEL

The first half joins uniform random codes of 64 bits with themselves in bands of 4 x 16, once more with 1 % of the rows
on one hot code, each in a process of its own; the bar is 60 s and 4 GB. Seconds of processors stand beside those of the
clock, for machines that do other things too.

The second half, with ``--data``, hashes the vectors of an encoder by random hyperplanes and by ITQ, over three seeds,
and re-ranks what shares a bucket by exact cosine. The bar: with K = 10 at least 95 % of the recall of exact nearest
neighbours, while at most 5 % of all pairs are scored. Vectors are read from ``--vectors``, ``NAME-left.npy`` and
``NAME-right.npy``; those that are not there are made with sentence-transformers, once.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from blocking_sets import RecordSet, record_sets
from end_to_end import machine, versions
from kernels_turns import table
from numpy.typing import NDArray
from tree_process import run

from tamis.hashing.codes import pack_signs
from tamis.hashing.hyperplanes import hyperplanes
from tamis.hashing.itq import fit_itq
from tamis.hashing.projections import project
from tamis.pipeline.blocking.codes import CodeSearch, code_search
from tamis.pipeline.blocking.records import Records
from tamis.pipeline.blocking.search import Found, found_pairs, ranges

Vectors = NDArray[np.float32]

BITS, K, SEEDS = 64, 10, (0, 1, 2)
JOBS = ("best 10", "best 10 as a table of pairs", "all pairs, counted")
HOT_SHARE = 0.01
MOST_SECONDS, MOST_BYTES = 60.0, 4 * 10**9
LEAST_RECALL, MOST_SCORED = 0.95, 0.05

SHAPES = {(8, 8): (0, 1, 2, 4), (5, 12): (0, 4, 8, 16, 22), (4, 16): (0, 16, 64, 128, 320)}
"""Bands and their bits, and the numbers of probes to try."""


def join(rows: int, hot: bool, job: str, threads: int) -> dict[str, Any]:
    """Join codes with themselves; runs in a process of its own."""
    rng = np.random.Generator(np.random.PCG64(0))
    codes = rng.integers(0, 2**64, (rows, 1), dtype=np.uint64)
    if hot:
        codes[rng.choice(rows, int(HOT_SHARE * rows), replace=False)] = 0x0123456789ABCDEF
    code_search(codes[:1000], None, K, bands=4, width=16)(0, 1)  # kernels are compiled for both kinds of index
    code_search(codes, None, K, bands=4, width=16)(0, 1)
    begun, busy = time.perf_counter(), time.process_time()
    search = code_search(codes, None, None if job == JOBS[2] else K, bands=4, width=16)
    with ThreadPoolExecutor(threads) as pool:
        if job == JOBS[0]:
            found = len(Found.of(list(pool.map(lambda part: search(*part), ranges(rows)))))
        elif job == JOBS[1]:
            ids = pa.array(np.arange(rows)).cast(pa.string())
            empty = pa.array([""], pa.large_string()).take(pa.array(np.zeros(rows, np.int64)))
            found = found_pairs(search, Records(ids, empty, empty, ()), None, threads=threads).num_rows
        else:
            found = sum(pool.map(lambda part: len(search(*part)), ranges(rows))) // 2  # from both of its ends
    seconds, cpu = time.perf_counter() - begun, time.process_time() - busy
    blocks = search.blocks
    return {"seconds": seconds, "cpu": cpu, "found": found, "purged": blocks.purged, "pairs": blocks.purged_pairs}


def joins(rows: int, threads: int) -> list[dict[str, Any]]:
    """Measure all joins."""
    measured = []
    for hot in (False, True):
        for job in JOBS:
            command = [sys.executable, __file__, "--join", job, "--rows", str(rows), "--threads", str(threads)]
            with tempfile.TemporaryDirectory() as logs:
                ran = run([*command, *(["--hot"] if hot else [])], os.environ, Path(logs), 3600.0)
            if ran.code:
                raise SystemExit(f"a join failed: {ran.stderr}")
            measured.append({"hot": hot, "job": job, "peak": ran.peak_bytes} | json.loads(ran.stdout))
            print(f"{job}{', hot' if hot else ''}: {measured[-1]['seconds']:.1f} s", file=sys.stderr)
    return measured


def vectors_of(name: str, side: str, records: Records, folder: Path, model: str | None) -> Vectors:
    """Return the vectors of records, scaled to length 1, from the folder, or made and kept there."""
    path = folder / f"{name}-{side}.npy"
    if not path.exists():
        if model is None:
            raise SystemExit(f"{path} is not there; name a `--model` to make it")
        from sentence_transformers import SentenceTransformer

        folder.mkdir(parents=True, exist_ok=True)
        encoder = SentenceTransformer(model, device="cpu")
        np.save(path, encoder.encode(records.texts.to_pylist(), batch_size=32).astype(np.float32))
    vectors: Vectors = np.load(path)
    if len(vectors) != len(records):
        raise SystemExit(f"{path} has {len(vectors):,} vectors for {len(records):,} records; delete it")
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def recall(search: CodeSearch, gold: set[tuple[int, int]]) -> tuple[float, int]:
    """Return the share of matches among what is found, and how much is found."""
    found = search(0, len(search))
    pairs = zip(found.queries.tolist(), found.rows.tolist(), strict=True)
    return len(gold & set(pairs)) / len(gold), len(found)


def curve(records: RecordSet, folder: Path, model: str | None) -> list[dict[str, Any]]:
    """Measure one set with all heads, shapes and probes."""
    if records.right is None:
        raise SystemExit("a curve needs two tables")
    left = vectors_of(records.name, "left", records.left, folder, model)
    right = vectors_of(records.name, "right", records.right, folder, model)
    places = [{one: i for i, one in enumerate(some.ids.to_pylist())} for some in (records.left, records.right)]
    matches = zip(records.gold["left_id"].to_pylist(), records.gold["right_id"].to_pylist(), strict=True)
    gold = {(places[0][a], places[1][b]) for a, b in matches}
    anything = np.zeros((len(left), 1), np.uint64), np.zeros((len(right), 1), np.uint64)
    exact, _ = recall(code_search(*anything, K, bands=1, width=1, max_bucket=len(right), vectors=(left, right)), gold)
    heads = {
        "random hyperplanes": [hyperplanes(left.shape[1], BITS, seed) for seed in SEEDS],
        "ITQ": [fit_itq(np.concatenate([left, right]), BITS, seed) for seed in SEEDS],
    }
    rows = []
    for head, projections in heads.items():
        values = [(project(left, one), project(right, one)) for one in projections]
        for (bands, width), tried in SHAPES.items():
            for probes in tried:
                each = []
                for asks, searched in values:
                    codes = pack_signs(asks), pack_signs(searched)
                    options: dict[str, Any] = {"bands": bands, "width": width, "probes": probes, "values": asks}
                    options["max_bucket"] = len(right)  # nothing is purged
                    among, scored = recall(code_search(*codes, None, **options), gold)
                    best, _ = recall(code_search(*codes, K, vectors=(left, right), **options), gold)
                    each.append((scored / (len(left) * len(right)), among, best, best / exact))
                row = {"set": records.name, "head": head, "shape": f"{bands} x {width}", "probes": probes}
                row |= {"exact": exact, "searched": len(right), "looks": bands * (1 + probes), "each": each}
                rows.append(row)
        print(f"{records.name}, {head}: done", file=sys.stderr)
    return rows


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return the tables as Markdown."""
    head = ["codes", "job", "time", "of processors", "peak memory", "pairs", "purged buckets", "their pairs", "bar"]
    rows = []
    for row in found["joins"]:
        met = row["seconds"] <= MOST_SECONDS and row["peak"] <= MOST_BYTES
        cells = ["1 % on one code" if row["hot"] else "uniform", row["job"], f"{row['seconds']:.1f} s"]
        cells += [f"{row['cpu']:.1f} s", f"{row['peak'] / 1e9:.2f} GB", f"{row['found']:,}", f"{row['purged']:,}"]
        rows.append([*cells, f"{row['pairs']:,}", "met" if met else "**missed**"])
    lines = table(head, rows, 2) if rows else []
    head = ["set", "codes", "bands", "probes", "buckets a query", "scored", "records a query", "recall of all"]
    head += ["recall of 10 best", "of exact neighbours'", "lowest", "bar"]
    rows = []
    for row in found["curves"]:
        scored, among, best, kept = (statistics.fmean(one[i] for one in row["each"]) for i in range(4))
        cells = [row["set"], row["head"], row["shape"], str(row["probes"]), f"{row['looks']:,}"]
        cells += [f"{100 * scored:.2f} %", f"{scored * row['searched']:.1f}", f"{100 * among:.1f} %"]
        cells += [f"{100 * best:.1f} %", f"{100 * kept:.1f} %", f"{100 * min(one[3] for one in row['each']):.1f} %"]
        rows.append([*cells, "met" if scored <= MOST_SCORED and kept >= LEAST_RECALL else ""])
    return [*lines, *(table(head, rows, 3) if rows else [])]


def curves(args: argparse.Namespace) -> Iterable[dict[str, Any]]:
    """Measure the curves of both sets."""
    for name in ("abt-buy", "dblp-acm"):
        for records in record_sets(args.data, name):
            yield from curve(records, args.vectors, args.model)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=0, help="random codes to join; default: none")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--data", type=Path, help="folder of real sets; default: no curves")
    parser.add_argument("--vectors", type=Path, default=Path("out/bench-vectors"), help="folder of their vectors")
    parser.add_argument("--model", help="what sentence-transformers makes missing vectors with")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    parser.add_argument("--join", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--hot", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.join:
        print(json.dumps(join(args.rows, args.hot, args.join, args.threads)))
        return
    found = {
        "machine": machine(),
        "versions": versions(),
        "joins": joins(args.rows, args.threads) if args.rows else [],
        "curves": list(curves(args)) if args.data else [],
    }
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines_of(found)) or "codes: nothing was asked for; see --help")


if __name__ == "__main__":
    main()
