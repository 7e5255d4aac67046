"""Time Tamis against a plain pyarrow read-and-write of the same Parquet files.

    python benchmarks/end_to_end.py --corpus out/bench-corpus --threads 2 --memory 8GB --rounds 3

Each measurement is a fresh process, the two take turns, and medians are compared. A round before the first is not
counted: it compiles Tamis's kernels and fills the page cache. Output goes to a temporary folder beside the corpus.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

Measurement = dict[str, Any]

PLAIN_ROWS = 8_192
"""Rows that the plain copy reads at a time: the fastest of those tried, a little ahead of whole row groups."""


def copy_plainly(corpus: Path, out: Path, args: argparse.Namespace) -> Measurement:
    """Read every file and write it again with pyarrow, files in parallel, in batches that stay in the cache."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_cpu_count(args.threads)
    files = sorted(corpus_files(corpus), key=lambda path: -path.stat().st_size)
    decode_in_parallel = len(files) < args.threads

    def copy(path: Path) -> None:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            with pq.ParquetWriter(out / path.name, schema, compression="zstd", write_page_index=True) as writer:
                for group in range(file.num_row_groups):
                    batches = file.iter_batches(PLAIN_ROWS, row_groups=[group], use_threads=decode_in_parallel)
                    rows = pa.Table.from_batches(batches, schema)
                    writer.write_table(rows, row_group_size=max(1, rows.num_rows))

    out.mkdir(parents=True)
    start = time.perf_counter()
    with ThreadPoolExecutor(args.threads) as pool:
        list(pool.map(copy, files))
    return {"seconds": time.perf_counter() - start}


def sift(corpus: Path, out: Path, args: argparse.Namespace) -> Measurement:
    """Run Tamis as the command line would."""
    start = time.perf_counter()
    from tamis.jobs.memory_pool import choose_memory_pool

    choose_memory_pool()  # as the command line does, and in its order
    import tamis
    from tamis.jobs.lean_imports import leave_out_what_is_not_used
    from tamis.jobs.seldom_garbage import search_seldom
    from tamis.pipeline.config import make_config

    leave_out_what_is_not_used()
    search_seldom()
    run = tamis.run
    imported = time.perf_counter() - start
    config = make_config(
        {
            "inputs": [{"path": str(corpus)}],
            "columns": {"text": args.text, "id": args.id or None, "source": args.source or None},
            "stages": [{"stage": "exact"}, {"stage": "near", **dict(args.near)}],
            "alarm": {"loss": 1.0},
            "memory": args.memory,
            "threads": args.threads,
            "out": str(out),
        }
    )
    start = time.perf_counter()
    result = run(config)
    seconds = time.perf_counter() - start
    total = result.ledger.total
    return {
        "seconds": seconds,
        "import_seconds": imported,
        "steps": result.seconds,
        "rows": total.read.rows,
        "kept": total.kept.rows,
        "dropped": {stage: amount.rows for stage, amount in total.dropped.items()},
        "pairs": result.pairs.num_rows,
        "capped_rows": result.ledger.capped_rows,
    }


WORKERS: dict[str, Callable[[Path, Path, argparse.Namespace], Measurement]] = {"plain": copy_plainly, "tamis": sift}


def work(args: argparse.Namespace) -> None:
    """Measure once, in this process, and print the result as JSON."""
    measured = WORKERS[args.worker](args.corpus, args.out, args)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    measured |= {"cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_rss_bytes": usage.ru_maxrss * 1024}
    measured["written_bytes"] = sum(path.stat().st_size for path in args.out.rglob("*") if path.is_file())
    print(json.dumps(measured))


def measure(worker: str, args: argparse.Namespace, arguments: Sequence[str]) -> Measurement:
    """Measure once in a fresh process; its output is deleted."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=args.corpus.resolve().parent))
    command = [sys.executable, __file__, *arguments, "--worker", worker, "--out", str(folder / "out")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if done.returncode:
        raise SystemExit(f"{worker} failed:\n{done.stderr}")
    measured: Measurement = json.loads(done.stdout.splitlines()[-1])
    return measured


def corpus_files(corpus: Path) -> list[Path]:
    """Return the input files of a corpus."""
    return sorted(path for path in corpus.glob("*.parquet") if not path.name.startswith(("_", ".")))


def text_bytes(corpus: Path, column: str) -> int:
    """Return the bytes of a corpus's text."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    total = 0
    for path in corpus_files(corpus):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=[column]):
                total += pc.sum(pc.binary_length(batch.column(0))).as_py() or 0
    return total


def machine() -> dict[str, Any]:
    """Describe the machine, without its name."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next((int(line.split()[1]) * 1024 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {"cores": len(os.sched_getaffinity(0)), "memory_bytes": memory, "processor": cpu}


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def versions() -> dict[str, str]:
    """Return the versions that matter, and the commit, if there is one."""
    from importlib.metadata import version

    found = {name: version(name) for name in ("tamis", "pyarrow", "duckdb", "numba", "numpy")}
    here = Path(__file__).resolve().parent
    git = partial(subprocess.run, cwd=here, capture_output=True, text=True, check=False)
    try:
        commit = git(["git", "describe", "--always", "--dirty", "--abbrev=10"]).stdout.strip()
    except OSError:
        commit = ""
    return {"python": platform.python_version(), **found, "commit": commit or "unknown"}


def compare(args: argparse.Namespace, arguments: Sequence[str]) -> dict[str, Any]:
    """Measure both, in turns."""
    size = text_bytes(args.corpus, args.text)
    rounds: dict[str, list[Measurement]] = {"plain": [], "tamis": []}
    for number in range(args.rounds + 1):
        for worker in rounds if number % 2 else reversed(rounds):
            measured = measure(worker, args, arguments)
            print(f"round {number} {worker}: {measured['seconds']:.2f} s", file=sys.stderr)
            if number:
                rounds[worker].append(measured)
    return {
        "machine": machine(),
        "versions": versions(),
        "corpus": {"text_bytes": size, "files": len(corpus_files(args.corpus)), **_facts(args.corpus)},
        "settings": {"threads": args.threads, "memory": args.memory, "near": dict(args.near), "rounds": args.rounds},
        "rounds": rounds,
        "summary": summary(rounds, size),
    }


def _facts(corpus: Path) -> dict[str, Any]:
    """Return what the maker of the corpus wrote about it."""
    path = corpus / "_corpus.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def summary(rounds: dict[str, list[Measurement]], size: int) -> dict[str, Any]:
    """Return medians and their ratio."""

    def middle(worker: str, name: str) -> float:
        return float(median(measured[name] for measured in rounds[worker]))

    found: dict[str, Any] = {}
    for worker in rounds:
        seconds = middle(worker, "seconds")
        found[worker] = {
            "seconds": seconds,
            "least_seconds": min(measured["seconds"] for measured in rounds[worker]),
            "most_seconds": max(measured["seconds"] for measured in rounds[worker]),
            "cpu_seconds": middle(worker, "cpu_seconds"),
            "text_mb_per_second": size / 1e6 / seconds,
            "peak_rss_bytes": max(measured["peak_rss_bytes"] for measured in rounds[worker]),
            "written_bytes": rounds[worker][0]["written_bytes"],
        }
    found["ratio"] = found["tamis"]["seconds"] / found["plain"]["seconds"]
    found["cpu_ratio"] = found["tamis"]["cpu_seconds"] / found["plain"]["cpu_seconds"]
    found["import_seconds"] = middle("tamis", "import_seconds")
    steps = rounds["tamis"][0]["steps"]
    found["steps"] = {step: median(measured["steps"][step] for measured in rounds["tamis"]) for step in steps}
    return found


def as_markdown(found: dict[str, Any]) -> str:
    """Return the report."""
    mine, about, total = found["machine"], found["summary"], found["summary"]["tamis"]["seconds"]
    settings, corpus, one = found["settings"], found["corpus"], found["rounds"]["tamis"][0]
    dropped = ", ".join(f"{rows:,} by {stage}" for stage, rows in sorted(one["dropped"].items())) or "none"
    lines = [
        f"{mine['cores']} cores, {mine['memory_bytes'] / 2**30:.1f} GiB, {mine['processor']}; "
        + ", ".join(f"{name} {version}" for name, version in found["versions"].items()),
        "",
        f"{corpus['text_bytes'] / 1e6:,.0f} MB of text, {one['rows']:,} rows, {corpus['files']} files; "
        f"{settings['threads']} threads, memory {settings['memory']}; medians of {settings['rounds']} rounds; "
        f"kept {one['kept']:,}, dropped {dropped}; {one['pairs']:,} pairs, {one['capped_rows']:,} rows capped",
        "",
        "| | wall s (least to most) | CPU s | MB of text / s | peak RSS MB | written MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for worker, name in (("plain", "pyarrow read and write"), ("tamis", "Tamis")):
        line = about[worker]
        spread = f"{line['seconds']:.2f} ({line['least_seconds']:.2f} to {line['most_seconds']:.2f})"
        lines.append(
            f"| {name} | {spread} | {line['cpu_seconds']:.1f} | {line['text_mb_per_second']:.1f} "
            f"| {line['peak_rss_bytes'] / 1e6:,.0f} | {line['written_bytes'] / 1e6:,.1f} |"
        )
    lines += [
        f"| ratio | **{about['ratio']:.2f}** | {about['cpu_ratio']:.2f} | | | |",
        "",
        f"Importing Tamis takes {about['import_seconds']:.2f} s more.",
        "",
        "| step | s | share |",
        "|---|---:|---:|",
    ]
    lines += [f"| {step} | {s:.2f} | {s / total:.0%} |" for step, s in about["steps"].items()]
    rest = total - sum(about["steps"].values())
    return "\n".join([*lines, f"| between steps | {rest:.2f} | {rest / total:.0%} |"])


def _option(value: str) -> tuple[str, Any]:
    """Read KEY=VALUE, the value as YAML."""
    import yaml

    key, _, rest = value.partition("=")
    return key, yaml.safe_load(rest)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of Parquet files, as corpus.py makes it")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--memory", default="8GB", help="memory limit of Tamis")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--text", default="text", metavar="COL")
    parser.add_argument("--id", default="id", metavar="COL", help="empty for none")
    parser.add_argument("--source", default="source", metavar="COL", help="empty for none")
    parser.add_argument("--near", type=_option, action="append", default=[], metavar="KEY=VALUE", help="near option")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    parser.add_argument("--worker", choices=WORKERS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args)
        return
    if args.rounds < 1 or not corpus_files(args.corpus):
        parser.error("a comparison has a round and a corpus with .parquet files")
    found = compare(args, sys.argv[1:])
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(as_markdown(found))


if __name__ == "__main__":
    main()
