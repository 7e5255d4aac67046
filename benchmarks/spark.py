"""Run a corpus on Spark and say where time and bytes went, beside the local engine or for one enormous bucket.

    python benchmarks/spark.py compare --corpus out/bench-corpus          # local[2] against the local engine
    python benchmarks/spark.py bucket --rows 5000000                      # all rows share most band keys

Numbers of stages come from Spark's own event log.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

FILES = 8
TEMPLATE_WORDS = 30


def one_bucket(folder: Path, rows: int) -> None:
    """Write rows that are one text but for their last word: any two have a similarity of 0.93."""
    head = " ".join(f"word{i}" for i in range(TEMPLATE_WORDS - 1))
    folder.mkdir(parents=True)
    for number in range(FILES):
        start, stop = number * rows // FILES, (number + 1) * rows // FILES
        texts = pa.array([f"{head} last{i}" for i in range(start, stop)], pa.string())
        pq.write_table(pa.table({"text": texts}), folder / f"part-{number}.parquet", row_group_size=100_000)


def tamis(corpus: Path, out: Path, *options: str) -> tuple[float, dict[str, float]]:
    """Run the command line; return (seconds, seconds by step)."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "tamis", "dedup", str(corpus), "--out", str(out), *options]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(ended.stderr[-4000:])
    return time.perf_counter() - start, json.loads((out / "report.json").read_text())["seconds"]


def on_spark(corpus: Path, out: Path, log: Path, master: str, **conf: str) -> tuple[float, dict[str, float]]:
    """Run a corpus on Spark with an event log."""
    log.mkdir(parents=True)
    settings = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": str(log), "spark.eventLog.compress": "false"}
    config = {
        "inputs": [{"path": str(corpus)}],
        "out": str(out),
        "engine": "spark",
        "allow_loss": [corpus.name],
        "spark": {"master": master, "conf": settings | conf},
    }
    path = log.parent / "pipeline.yaml"
    path.write_text(json.dumps(config))  # JSON is YAML
    start = time.perf_counter()
    ended = subprocess.run([sys.executable, "-m", "tamis", "run", str(path)], capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(ended.stderr[-4000:])
    return time.perf_counter() - start, json.loads((out / "report.json").read_text())["seconds"]


def stages(log: Path) -> dict[int, dict[str, Any]]:
    """Return of each stage its name, seconds, and for each task the bytes of shuffles read and written."""
    found: dict[int, dict[str, Any]] = defaultdict(lambda: {"read": [], "written": [], "records": 0, "seconds": 0.0})
    for path in sorted(path for path in log.rglob("*") if path.is_file()):
        for line in path.read_text().splitlines():
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("Event") == "SparkListenerTaskEnd" and event.get("Task Metrics"):
                metrics, stage = event["Task Metrics"], found[event["Stage ID"]]
                read, written = metrics["Shuffle Read Metrics"], metrics["Shuffle Write Metrics"]
                stage["read"].append(read["Remote Bytes Read"] + read["Local Bytes Read"])
                stage["written"].append(written["Shuffle Bytes Written"])
                stage["records"] += written["Shuffle Records Written"]
            elif event.get("Event") == "SparkListenerStageCompleted":
                info = event["Stage Info"]
                seconds = (info["Completion Time"] - info["Submission Time"]) / 1000
                found[info["Stage ID"]]["seconds"] = seconds
    return dict(found)


def print_stages(log: Path, least_bytes: int) -> float:
    """Print the stages that shuffle much, and return the greatest ratio of a partition to the median of its stage."""
    print(
        "\n| stage | s | tasks | read MB | largest / median partition | written MB |\n|---:|---:|---:|---:|---:|---:|"
    )
    worst = 0.0
    for number, stage in sorted(stages(log).items()):
        read = [size for size in stage["read"] if size]
        if sum(stage["read"]) + sum(stage["written"]) < least_bytes:
            continue
        skew = max(read) / median(read) if len(read) > 2 and sum(read) >= least_bytes else 0.0
        worst = max(worst, skew)
        sizes = f"{sum(read) / 1e6:.1f} | {skew:.2f} | {sum(stage['written']) / 1e6:.1f}"
        print(f"| {number} | {stage['seconds']:.1f} | {len(stage['read'])} | {sizes} |")
    return worst


def print_steps(local: dict[str, float], spark: dict[str, float]) -> None:
    """Print seconds by step."""
    print("\n| step | local s | Spark s |\n|---|---:|---:|")
    for step in spark:
        print(f"| {step} | {local.get(step, 0):.2f} | {spark[step]:.2f} |")


def compare(args: argparse.Namespace, folder: Path) -> None:
    """Time both engines by turns."""
    ours, theirs, by_step = [], [], ({}, {})
    for turn in range(args.rounds + 1):  # the first compiles and fills the page cache
        for name in ("local", "spark"):
            shutil.rmtree(folder / name, ignore_errors=True)
        shutil.rmtree(folder / "log", ignore_errors=True)
        _, local = tamis(args.corpus, folder / "local", "--threads", "2", "--memory", "8GB")
        _, spark = on_spark(args.corpus, folder / "spark", folder / "log", "local[2]", **{"spark.driver.memory": "4g"})
        print(f"round {turn}: local {sum(local.values()):.2f} s, Spark {sum(spark.values()):.2f} s", file=sys.stderr)
        if turn:
            ours.append(sum(local.values()))
            theirs.append(sum(spark.values()))
            by_step = (local, spark)
    manifests = [json.loads((folder / name / "manifest.json").read_text()) for name in ("local", "spark")]
    print(f"manifests equal, checksums of all files among them: {manifests[0] == manifests[1]}")
    print(
        f"local {median(ours):.2f} s, Spark {median(theirs):.2f} s after the JVM: {median(theirs) / median(ours):.2f}x"
    )
    print_steps(*by_step)
    print_stages(folder / "log", 1 << 20)


def bucket(args: argparse.Namespace, folder: Path) -> None:
    """Run the enormous bucket on executors of 1 GB."""
    one_bucket(folder / "bucket", args.rows)
    start = time.perf_counter()
    _, steps = on_spark(folder / "bucket", folder / "spark", folder / "log", "local-cluster[2,1,1024]")
    ledger = json.loads((folder / "spark" / "manifest.json").read_text())["ledger"]
    print(f"{args.rows:,} rows in one bucket, two executors of 1 GB: {time.perf_counter() - start:.0f} s")
    print(f"kept {ledger['total']['kept']['rows']}, capped {ledger['capped_rows']:,}")
    print_steps({}, steps)
    worst = print_stages(folder / "log", 4 << 20)
    print(f"\nlargest shuffle partition of any stage: {worst:.2f} times the median")


def main() -> None:
    """Parse arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("compare", "bucket"))
    parser.add_argument("--corpus", type=Path, default=Path("out/bench-corpus"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5_000_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-spark-", dir="out") as folder:
        (compare if args.what == "compare" else bucket)(args, Path(folder).resolve())


if __name__ == "__main__":
    main()
