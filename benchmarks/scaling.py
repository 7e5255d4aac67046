"""Measure time and memory of Tamis by the size of the data and the number of threads.

    python benchmarks/scaling.py --size 100MB --size 1GB --threads 1 --threads 2 --json out/book/scaling.json
    python benchmarks/scaling.py --corpus out/corpus-5GB --threads 2 --rounds 1

Each measurement is the command line in a fresh process, its wall time from start to end; medians of ``--rounds``. A run
on a few rows comes first: it compiles the kernels. The corpora are those of ``corpus.py``, made one after another and
deleted again unless ``--keep`` is given; or those that ``--corpus`` names, which stay. A corpus larger than memory
measures the disk too.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq
from end_to_end import corpus_files, machine, versions
from kernels_turns import table
from tree_process import Ran, run

SIZES = ("100MB", "300MB", "1GB", "3GB", "10GB")
THREADS = (1, 2)
TIMEOUT_S = 24 * 3600


def corpora(args: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Yield (name, folder) of the corpora that are there, then of those that are made."""
    yield from ((corpus.name, corpus) for corpus in args.corpus)
    for size in args.size:
        corpus = args.corpora / f"scaling-{size}"
        make(corpus, size, args.data)
        yield size, corpus
        if not args.keep:
            shutil.rmtree(corpus)


def make(folder: Path, size: str, data: Path | None) -> None:
    """Make a corpus."""
    maker = Path(__file__).with_name("corpus.py")
    command = [sys.executable, str(maker), "--out", str(folder), "--size", size]
    subprocess.run(command + (["--data", str(data)] if data else []), check=True, stdout=sys.stderr)


def sift(corpus: Path, work: Path, threads: int, memory: str) -> tuple[Ran, int]:
    """Run the command line once; return what it took and the bytes that it left. Its output is deleted."""
    place = Path(tempfile.mkdtemp(prefix="scaling-", dir=work))
    options = {"--out": place / "out", "--threads": threads, "--memory": memory, "--id": "id", "--source": "source"}
    command = [sys.executable, "-m", "tamis", "dedup", str(corpus), "--quiet"]
    command += [str(part) for pair in options.items() for part in pair]
    try:
        ran = run(command, os.environ, place, TIMEOUT_S)
        if ran.code:
            raise SystemExit(f"tamis failed on {corpus}:\n{ran.stderr[-2000:]}")
        return ran, sum(path.stat().st_size for path in (place / "out").rglob("*") if path.is_file())
    finally:
        shutil.rmtree(place, ignore_errors=True)


def warm(corpus: Path, work: Path) -> None:
    """Compile the kernels and read the libraries: a run on a few rows."""
    few = work / "few"
    few.mkdir()
    pq.write_table(pq.read_table(corpus_files(corpus)[0]).slice(0, 400), few / "part-0.parquet")
    sift(few, work, 1, "2GB")


def measure(args: argparse.Namespace, work: Path) -> list[dict[str, Any]]:
    """Measure every size with every number of threads, in turns."""
    rows = []
    for n, (size, corpus) in enumerate(corpora(args)):
        facts = json.loads((corpus / "_corpus.json").read_text(encoding="utf-8"))
        if n == 0:
            warm(corpus, work)
        found: dict[int, list[Ran]] = {threads: [] for threads in args.threads}
        written = 0
        for number in range(args.rounds):
            for threads in args.threads if number % 2 == 0 else reversed(args.threads):
                ran, written = sift(corpus, work, threads, args.memory)
                found[threads].append(ran)
                print(f"{size}, {threads} threads: {ran.seconds:.1f} s", file=sys.stderr)
        rows += [summary(size, facts, threads, ran, written) for threads, ran in found.items()]
    return rows


def summary(size: str, facts: dict[str, Any], threads: int, found: Sequence[Ran], written: int) -> dict[str, Any]:
    """Return medians."""
    return {
        "size": size,
        "text_bytes": facts["text_bytes"],
        "rows": facts["rows"],
        "threads": threads,
        "seconds": median(ran.seconds for ran in found),
        "all_seconds": [ran.seconds for ran in found],
        "cpu_seconds": median(ran.cpu_seconds for ran in found),
        "peak_bytes": max(ran.peak_bytes for ran in found),
        "written_bytes": written,
    }


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return the table as Markdown."""
    head = ["MB of text", "rows", "threads", "wall s", "MB/s", "CPU s", "peak MB", "written MB"]
    return table(
        head,
        [
            [
                f"{row['text_bytes'] / 1e6:,.0f}",
                f"{row['rows']:,}",
                str(row["threads"]),
                f"{row['seconds']:.1f}",
                f"{row['text_bytes'] / 1e6 / row['seconds']:.1f}",
                f"{row['cpu_seconds']:.1f}",
                f"{row['peak_bytes'] / 1e6:,.0f}",
                f"{row['written_bytes'] / 1e6:,.0f}",
            ]
            for row in found["rows"]
        ],
        words=0,
    )


def main() -> None:
    """Read the arguments and measure."""
    data = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA, or none")
    parser.add_argument("--corpora", type=Path, default=Path("out"), help="folder that the corpora are made in")
    parser.add_argument("--size", action="append", metavar="SIZE", help=f"default: {', '.join(SIZES)}")
    parser.add_argument("--corpus", type=Path, action="append", default=[], help="a corpus that is there, and stays")
    parser.add_argument("--threads", type=int, action="append", help="default: 1 and 2")
    parser.add_argument("--memory", default="2GB", help="limit given to Tamis")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="keep the corpora")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    args = parser.parse_args()
    args.size = args.size or ([] if args.corpus else list(SIZES))
    args.threads = args.threads or list(THREADS)
    args.corpora.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="scaling-work-", dir=args.corpora.resolve()) as work:
        rows = measure(args, Path(work))
    found = {
        "machine": machine(),
        "versions": versions(),
        "settings": {"memory": args.memory, "rounds": args.rounds},
        "rows": rows,
    }
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines_of(found)))


if __name__ == "__main__":
    main()
