"""Kill runs at random moments, run them again, and compare every byte with those of a run that nobody killed.

    python benchmarks/kills.py --count 100                    # the local engine, about ten minutes
    python benchmarks/kills.py --count 100 --engine spark     # an hour

The moment is uniform over the time that a whole run takes from its first step. Every kill is SIGKILL to the process and
all its children.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "src")]

from corpora import dealt, parquet_folder, random_rows  # noqa: E402  after the path is set
from runs import digests, pipeline  # noqa: E402

from tamis.pipeline.config import save_config  # noqa: E402


class Attempt:
    """A command in a process group of its own, which tells its steps."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "tamis", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=environment,
        )
        self.steps: list[str] = []
        self.lines: list[str] = []
        self.began = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.lines.append(line)
            if '"started"' in line:
                self.steps.append(json.loads(line)["step"])
                self.began.set()

    def end(self) -> None:
        """Wait for the end, which must be a good one."""
        status = self.process.wait()
        self._reader.join()
        if status:
            raise SystemExit("".join(self.lines[-30:]))

    def kill(self) -> None:
        """Kill the process and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()


def make_inputs(folder: Path, seed: int) -> Path:
    """Write a corpus with copies of all kinds."""
    rng = random.Random(seed)
    rows = dealt(rng, [row for _ in range(60) for row in random_rows(rng)], files=4)
    return parquet_folder(rows, folder, group_rows=400)


def main() -> None:
    """Kill and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--engine", choices=("local", "spark"), default="local")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        spark = {"master": "local[2,4]", "partitions": 5, "driver_tables": 20_000}
        spark["conf"] = {"spark.driver.memory": "1g"}
        config = pipeline(make_inputs(folder / "in", args.seed), folder / "out", engine=args.engine, spark=spark)
        save_config(config, folder / "pipeline.yaml")
        for out in ("warm", "whole"):  # the first compiles
            attempt = Attempt("run", folder / "pipeline.yaml", "--out", folder / out)
            attempt.began.wait()
            start = time.monotonic()
            attempt.end()
        seconds = time.monotonic() - start
        expected = digests(folder / "whole")
        print(f"a whole run: {seconds:.1f} s from its first step, {len(expected)} files", flush=True)
        struck: Counter[str] = Counter()
        equal = 0
        for number in range(args.count):
            out = folder / "killed"
            shutil.rmtree(out, ignore_errors=True)
            attempt = Attempt("run", folder / "pipeline.yaml", "--out", out)
            attempt.began.wait()
            time.sleep(rng.uniform(0, seconds))
            over = attempt.process.poll() is not None
            attempt.kill()
            struck["after the end" if over else attempt.steps[-1]] += 1
            Attempt("run", folder / "pipeline.yaml", "--out", out).end()
            same = digests(out) == expected and not list(out.rglob(".*")) and not (out / "_work").exists()
            equal += same
            print(f"{number + 1}: {'equal' if same else 'DIFFERENT'}", end="\r", flush=True)
        print(f"{equal} of {args.count} killed runs ended with equal bytes; killed in: {dict(struck.most_common())}")
    if equal < args.count:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
