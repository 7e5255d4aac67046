"""Compare Tamis with other tools: speed, memory and quality on one corpus in one run.

    python benchmarks/peers.py --size 100MB --threads 2 --rounds 3 --json out/book/peers.json
    python benchmarks/peers.py --size 500MB --only datatrove --rounds 5 --memory 8GB

Each tool runs in a virtual environment of its own, made under ``--environments`` from pinned versions, and each
measurement is a fresh process: wall time is that of the whole process, start-up and imports included. The tools take
turns. A run of each on a few rows before the first round brings files into the page cache and compiles what is compiled
once a machine; it is not counted. All read the same Parquet files, as many as threads, and write their kept rows.

What is to be found is found exactly at every size: all pairs of the corpus, not a sample of them. For 500 MB of text
that takes 0.7 GB of memory, besides pages of files, which the system can drop, and 1.3 GB of disk.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from end_to_end import corpus_files, machine, versions
from kernels_turns import table
from peers_contestants import ABSENT, CONTESTANTS, TAMIS, Contestant, Settings, environment, installed
from peers_quality import Truth, kept_ids
from tree_process import run

Measurement = dict[str, Any]

THRESHOLD = 0.8
WARM_ROWS = 400


def make_corpus(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Make the corpus unless it is there; return the facts."""
    facts, wanted = folder / "_corpus.json", {"size": args.size, "data": str(args.data or "")}
    mark = folder.parent / f"{folder.name}.made"
    if not facts.exists() or not mark.exists() or json.loads(mark.read_text(encoding="utf-8")) != wanted:
        maker = Path(__file__).with_name("corpus.py")
        command = [sys.executable, str(maker), "--out", str(folder), "--size", args.size, "--threads", "1"]
        subprocess.run(command + (["--data", str(args.data)] if args.data else []), check=True, stdout=sys.stderr)
        mark.write_text(json.dumps(wanted), encoding="utf-8")
    return dict(json.loads(facts.read_text(encoding="utf-8")))


def split(files: Sequence[Path], folder: Path, parts: int, most: int | None = None) -> Path:
    """Write the rows of a corpus, or the first of them, as equal Parquet files of one row group."""
    folder.mkdir(parents=True)
    rows = pa.concat_tables([pq.read_table(path) for path in files]).slice(0, most)
    size = -(-rows.num_rows // parts)
    for i in range(parts):
        pq.write_table(rows.slice(i * size, size), folder / f"part-{i:03d}.parquet", compression="zstd")
    return folder


def measure(contestant: Contestant, python: str, folder: Path, args: argparse.Namespace, truth: Truth | None) -> Any:
    """Run a contestant once in a fresh process; return what it took and, with ``truth``, how good it was."""
    place = Path(tempfile.mkdtemp(prefix="peers-", dir=args.work))
    try:
        (place / "out").mkdir()
        told = {
            "folder": str(folder.resolve()),
            "out": str(place / "out"),
            "threads": args.threads,
            "settings": settings_of(contestant, args),
        }
        command = [python, str(Path(__file__).with_name(contestant.script)), json.dumps(told)]
        ran = run(command, _environment(contestant, place, args.threads), place, args.timeout)
        if ran.code:
            lines = (ran.stderr.strip() or ran.stdout.strip()).splitlines() or ["no message"]
            return "took too long" if ran.timed_out else f"failed: {lines[-1][:200]}"
        measured: Measurement = {
            "seconds": ran.seconds,
            "cpu_seconds": ran.cpu_seconds,
            "peak_bytes": ran.peak_bytes,
            **json.loads(next(line for line in reversed(ran.stdout.splitlines()) if line.startswith("{"))),
        }
        if truth:
            measured["quality"] = truth.judge(kept_ids(place / "out" / ("data" if contestant is TAMIS else "kept")))
        return measured
    finally:
        shutil.rmtree(place, ignore_errors=True)


def settings_of(contestant: Contestant, args: argparse.Namespace) -> Settings:
    """Return the settings of a contestant: only Tamis has a limit of memory."""
    return {**contestant.settings, "memory": args.memory} if contestant is TAMIS else contestant.settings


def _environment(contestant: Contestant, place: Path, threads: int) -> Mapping[str, str]:
    """Return the variables of a contestant: threads, caches of its own, nothing fetched."""
    names = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS")
    found = {**os.environ, **dict.fromkeys(names, str(threads)), **contestant.env}
    found |= {"HF_HOME": str(place / "cache"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    if contestant is not TAMIS:
        found.pop("PYTHONPATH", None)
    return found


def ready(args: argparse.Namespace, warm: Path) -> tuple[dict[str, tuple[Contestant, str]], dict[str, str]]:
    """Make the environments and try each; return who can take part and who cannot, with the reason."""
    present, absent = {}, dict(ABSENT)
    for contestant in CONTESTANTS:
        if args.only and contestant is not TAMIS and contestant.name.lower() not in args.only:
            continue
        python, reason = environment(contestant, args.environments, args.newer_python)
        if python:
            tried = measure(contestant, python, warm, args, None)
            if isinstance(tried, str):
                python, reason = None, tried
        if python:
            present[contestant.name] = (contestant, python)
        else:
            absent[contestant.name] = reason
            print(f"{contestant.name}: {reason}", file=sys.stderr)
    return present, absent


def compare(args: argparse.Namespace) -> dict[str, Any]:
    """Measure all, in turns."""
    facts = make_corpus(args.corpus, args)
    files = corpus_files(args.corpus)
    begun = time.perf_counter()
    truth = Truth.of(files, pq.read_table(args.corpus / "_planted.parquet"), THRESHOLD, args.work)
    found_in = time.perf_counter() - begun
    print(
        f"{len(truth.ids):,} rows, {len(truth.pairs):,} pairs from {THRESHOLD} on, found in {found_in:.0f} s",
        file=sys.stderr,
    )
    folder = split(files, args.work / "rows", args.threads)
    warm = split(files[:1], args.work / "warm", args.threads, WARM_ROWS)
    os.sync()  # or what was written until here reaches the disk while the first round is measured
    present, absent = ready(args, warm)
    rounds: dict[str, list[Measurement]] = {name: [] for name in present}
    for number in range(args.rounds):
        for name in list(present) if number % 2 == 0 else list(reversed(present)):
            if name not in present or any(one["seconds"] > args.once_over for one in rounds[name]):
                continue
            measured = measure(*present[name], folder, args, truth)
            if isinstance(measured, str):
                print(f"{name}: {measured}", file=sys.stderr)
                absent[name] = measured
                del present[name], rounds[name]
                continue
            rounds[name].append(measured)
            quality = measured["quality"]
            print(
                f"round {number + 1} {name}: {measured['seconds']:.2f} s, planted pairs found "
                f"{quality['planted_found']} of {quality['planted']}, false removals {quality['false_removals']}",
                file=sys.stderr,
            )
    return {
        "machine": machine(),
        "versions": versions(),
        "corpus": facts,
        "settings": {"threads": args.threads, "rounds": args.rounds, "threshold": THRESHOLD},
        "contestants": {
            name: {
                "packages": contestant.packages,
                "installed": installed(python) if contestant.packages else [],
                "settings": settings_of(contestant, args),
                "about": contestant.about,
            }
            for name, (contestant, python) in present.items()
        },
        "absent": absent,
        "rounds": rounds,
        "summary": {name: summary(measured) for name, measured in rounds.items()},
    }


def summary(measured: Sequence[Measurement]) -> Measurement:
    """Return medians, and the quality of the last round."""
    found: Measurement = {
        name: median(one[name] for one in measured) for name in ("seconds", "inner_seconds", "cpu_seconds")
    }
    found |= {"least_seconds": min(one["seconds"] for one in measured)}
    found |= {"most_seconds": max(one["seconds"] for one in measured)}
    found |= {"peak_bytes": max(one["peak_bytes"] for one in measured), "quality": measured[-1]["quality"]}
    return found


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return the tables as Markdown."""
    return results_table(found) + settings_tables(found)


def results_table(found: dict[str, Any]) -> list[str]:
    """Return what was measured, a row a tool."""
    size, ours = found["corpus"]["text_bytes"], found["summary"]["Tamis"]
    head = ["", "wall s (least to most)", "after start-up", "over Tamis", "MB/s", "CPU s", "peak MB"]
    head += ["planted pairs found", "all pairs found", "removed", "false removals", "alike but for numbers"]
    rows = []
    for name, line in found["summary"].items():
        quality = line["quality"]
        spread = f"{line['seconds']:.1f} ({line['least_seconds']:.1f} to {line['most_seconds']:.1f})"
        rows.append(
            [
                name,
                spread,
                f"{line['inner_seconds']:.1f}",
                f"{line['seconds'] / ours['seconds']:.2f}x",
                f"{size / 1e6 / line['seconds']:.2f}",
                f"{line['cpu_seconds']:.1f}",
                f"{line['peak_bytes'] / 1e6:,.0f}",
                f"{quality['planted_found'] / max(1, quality['planted']):.2%}",
                f"{quality['pairs_found'] / max(1, quality['pairs']):.2%}",
                f"{quality['removed']:,}",
                f"{quality['false_removals']:,}",
                f"{quality['false_alike']:,}",
            ]
        )
    return table(head, rows)


def settings_tables(found: dict[str, Any]) -> list[str]:
    """Return how each tool is run, and who has no row and why."""
    rows = []
    for name, one in found["contestants"].items():
        settings = ", ".join(f"{key}={value}" for key, value in one["settings"].items())
        rows.append([name, ", ".join(one["packages"]) or "this commit", f"`{settings}`", one["about"]])
    lines = table(["", "versions", "settings", "how it is run"], rows, words=4)
    return lines + table(["no row", "why"], [[name, why] for name, why in found["absent"].items()], words=2)


def main() -> None:
    """Read the arguments and compare."""
    data = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("out/peers-corpus"), help="folder; made if need be")
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA, or none")
    parser.add_argument("--size", default="100MB", help="text of the corpus")
    parser.add_argument("--environments", type=Path, default=Path("out/peers"), metavar="DIR")
    parser.add_argument("--newer-python", metavar="PATH", help="Python 3.12 or later, for text-dedup")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--memory", default=TAMIS.settings["memory"], help="limit given to Tamis")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--once-over", type=float, default=300, metavar="SECONDS", help="tools that take longer than this run once"
    )
    parser.add_argument("--timeout", type=float, default=7200, metavar="SECONDS", help="of one run of one tool")
    parser.add_argument("--only", type=str.lower, action="append", metavar="NAME", help="Tamis and these")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    args = parser.parse_args()
    names = {contestant.name.lower() for contestant in CONTESTANTS}
    if args.only and set(args.only) - names:
        parser.error(f"--only takes {', '.join(sorted(names))}")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    args.environments = args.environments.absolute()
    args.corpus.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="peers-work-", dir=args.corpus.resolve().parent) as work:
        args.work = Path(work)
        found = compare(args)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines_of(found)))


if __name__ == "__main__":
    main()
