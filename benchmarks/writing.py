"""Time the writing of shuffled shards against a bare pyarrow writer, and against a plain read-and-write.

    python benchmarks/writing.py --corpus out/bench-corpus --threads 2 --memory 8GB --rounds 3

Three workers take turns, each in a fresh process; medians are compared, and a first round is not counted.

* ``bare``: all rows are in memory, decoded; pyarrow writes them as they come, with the codec, the options and the row
  groups of the shards, as many files at a time as there are threads. Only the writing is timed.
* ``plain``: pyarrow reads every file and writes it again so.
* ``tamis``: ``tamis shard``. Its step "write shards" reads the inputs again, puts rows in their places, writes them and
  takes the sha256 of the files; the whole command also reads and hashes every text first.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from end_to_end import corpus_files, machine, text_bytes, versions

GROUP_ROWS = 8_192


def writer_of(path: Path, schema: Any, text: str) -> Any:
    """Open a writer with the options of shards."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=[f.name for f in schema if not pa.types.is_integer(f.type) and f.name != text],
        write_statistics=[f.name for f in schema if f.name != text],
        write_page_index=True,
        use_content_defined_chunking=True,
    )


def bare(args: argparse.Namespace) -> dict[str, float]:
    """Write rows that are in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.concat_tables(pq.read_table(path) for path in corpus_files(args.corpus)).combine_chunks()
    files = 2 * args.threads
    rows = -(-table.num_rows // files)
    args.out.mkdir(parents=True)

    def write(number: int) -> None:
        part = table.slice(number * rows, rows)
        with writer_of(args.out / f"{number}.parquet", table.schema, args.text) as writer:
            for start in range(0, part.num_rows, args.group_rows):
                group = part.slice(start, args.group_rows)
                writer.write_table(group, row_group_size=group.num_rows)

    start = time.perf_counter()
    with ThreadPoolExecutor(args.threads) as pool:
        list(pool.map(write, range(files)))
    return {"seconds": time.perf_counter() - start}


def plain(args: argparse.Namespace) -> dict[str, float]:
    """Read every file and write it again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_cpu_count(args.threads)
    args.out.mkdir(parents=True)

    def copy(path: Path) -> None:
        with pq.ParquetFile(path) as file, writer_of(args.out / path.name, file.schema_arrow, args.text) as writer:
            for batch in file.iter_batches(args.group_rows, use_threads=False):
                writer.write_batch(batch, row_group_size=max(1, batch.num_rows))

    start = time.perf_counter()
    with ThreadPoolExecutor(args.threads) as pool:
        list(pool.map(copy, corpus_files(args.corpus)))
    return {"seconds": time.perf_counter() - start}


def tamis(args: argparse.Namespace) -> dict[str, Any]:
    """Run ``tamis shard``."""
    from tamis.jobs.memory_pool import choose_memory_pool

    choose_memory_pool()
    from tamis.jobs.api import run
    from tamis.pipeline.config import make_config

    config = make_config(
        {
            "inputs": [{"path": str(args.corpus)}],
            "columns": {"text": args.text},
            "stages": [],
            "shards": {"group_size": args.group_size},
            "memory": args.memory,
            "threads": args.threads,
            "out": str(args.out),
        }
    )
    start = time.perf_counter()
    result = run(config)
    seconds = time.perf_counter() - start
    layout = result.manifest["sets"][0]["layout"]
    return {"seconds": seconds, "steps": result.seconds, "layout": layout}


WORKERS = {"bare": bare, "plain": plain, "tamis": tamis}


def measure(worker: str, args: argparse.Namespace) -> dict[str, Any]:
    """Measure once in a fresh process; its output is deleted."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=args.corpus.resolve().parent))
    command = [sys.executable, __file__, *sys.argv[1:], "--worker", worker, "--out", str(folder / "out")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if done.returncode:
        raise SystemExit(f"{worker} failed:\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{worker}: {measured['seconds']:.2f} s", file=sys.stderr)
    return measured


def report(rounds: dict[str, list[dict[str, Any]]], size: int, args: argparse.Namespace) -> str:
    """Return the table of medians and ratios."""
    about = machine()
    lines = [
        f"{about['cores']} cores, {about['memory_bytes'] / 2**30:.1f} GiB, {about['processor']}; "
        + ", ".join(f"{name} {version}" for name, version in versions().items()),
        "",
        f"{size / 1e6:,.0f} MB of text; {args.threads} threads, memory {args.memory}, groups of {args.group_rows:,} "
        f"rows (Tamis: {args.group_size} of text); medians of {args.rounds} rounds",
        "",
        "| | s (least to most) | MB of text / s | peak RSS MB |",
        "|---|---:|---:|---:|",
    ]
    middle: dict[str, float] = {}
    for name, worker, step in (
        ("bare pyarrow writer", "bare", None),
        ("plain read and write", "plain", None),
        ("Tamis, the step `write shards`", "tamis", "write shards"),
        ("Tamis, the whole command", "tamis", None),
    ):
        if worker not in rounds:
            continue
        seconds = [found["steps"][step] if step else found["seconds"] for found in rounds[worker]]
        middle[name] = median(seconds)
        peak = max(found["peak_rss_bytes"] for found in rounds[worker]) / 1e6
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        lines.append(f"| {name} | {middle[name]:.2f} ({spread}) | {size / 1e6 / middle[name]:.0f} | {peak:,.0f} |")
    names = list(middle)
    lines.append("")
    if "bare" in rounds:
        lines.append(f"Writing: {middle[names[0]] / middle[names[-2]]:.2f} of the speed of the bare writer.")
    lines.append(f"The whole command takes {middle[names[-1]] / middle['plain read and write']:.2f}x a plain copy.")
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of Parquet files")
    parser.add_argument("--text", default="text")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="8GB")
    parser.add_argument("--group-rows", type=int, default=GROUP_ROWS)
    parser.add_argument("--group-size", default="8MB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without-bare", action="store_true", help="for corpora that do not fit in memory")
    parser.add_argument("--worker", choices=WORKERS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        found = WORKERS[args.worker](args)
        print(json.dumps({**found, "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
        return
    rounds: dict[str, list[dict[str, Any]]] = {w: [] for w in WORKERS if w != "bare" or not args.without_bare}
    for number in range(args.rounds + 1):
        for worker in rounds if number % 2 else reversed(rounds):
            measured = measure(worker, args)
            if number:
                rounds[worker].append(measured)
    print(report(rounds, text_bytes(args.corpus, args.text), args))


if __name__ == "__main__":
    main()
