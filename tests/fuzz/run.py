"""Feeds changed seeds to the targets until something breaks: ``python tests/fuzz/run.py --inputs 100000 --seed 1``.

Inputs go to a process of their own, with little memory and ten seconds for each. Where it ends, or a target raises
anything but ``TamisError``, the input is kept in the folder of failures, and the next one follows.
"""

import argparse
import collections
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

SECONDS = 10
MEMORY = 4 << 30
"""What a process may map beside what it has mapped before its first input."""


def main() -> int:
    """Run the command line; the exit code is 1 if there were failures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000, help="of each target")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", action="append", help="default: all")
    parser.add_argument("--failures", type=Path, default=Path("failures"), help="folder that they are written to")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long to work on a target at most")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    return _work(options) if options.worker else _lead(options)


def _lead(options: argparse.Namespace) -> int:
    from targets import TARGETS

    options.failures.mkdir(parents=True, exist_ok=True)
    failed = 0
    for target in options.target or TARGETS:
        started = time.monotonic()
        first, kinds, most = options.first, collections.Counter(), 0
        stop = options.first + options.inputs
        while first < stop and time.monotonic() - started < options.seconds:
            left = options.seconds - (time.monotonic() - started)
            first, most = _process(options, target, first, stop, left, kinds, most)
        seconds = time.monotonic() - started
        done = first - options.first
        failed += kinds.total()
        rate = f"{done / seconds:.0f} inputs/s"
        print(f"{target}: {done} inputs, {rate}, {kinds.total()} failures, max RSS {most >> 10} MiB", flush=True)
        for kind, count in kinds.most_common():
            print(f"    {count} x {kind}", flush=True)
    return 1 if failed else 0


def _process(
    options: argparse.Namespace,
    target: str,
    first: int,
    stop: int,
    seconds: float,
    kinds: collections.Counter,
    most: int,
) -> tuple[int, int]:
    """Work on inputs [first, stop) in a process; return where it came to, and the largest process so far in KiB."""
    arguments = [f"--inputs={stop - first}", f"--first={first}", f"--seed={options.seed}", f"--target={target}"]
    command = [
        sys.executable,
        __file__,
        "--worker",
        *arguments,
        f"--failures={options.failures}",
        f"--seconds={seconds}",
    ]
    number, ended = first - 1, False
    with (
        tempfile.TemporaryFile("w+", errors="replace") as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True) as process,
    ):
        for line in process.stdout:
            told = json.loads(line)
            number, most = told.get("begun", number), max(most, told.get("rss", 0))
            ended = ended or "end" in told
            kinds.update([told["failure"]] if "failure" in told else [])
        process.wait()
        complaints.seek(0)
        last_words = complaints.read()
    if ended:
        return number + 1, most
    if process.returncode >= 0:
        raise SystemExit(f"{target}, input {number}: exit code {process.returncode}\n{last_words}")
    kind = f"{signal.Signals(-process.returncode).name}: {last_words.strip()[-300:]}"
    kinds.update([kind])
    _keep(options, target, number, kind)
    return number + 1, most


def _work(options: argparse.Namespace) -> int:
    """Feed one target, and tell the leading process by lines of JSON."""
    from targets import TARGETS, seeds

    from tamis.hashing.errors import TamisError

    (target,) = options.target
    if Path("/dev/shm").is_dir():
        tempfile.tempdir = "/dev/shm"
    for data in seeds(target):  # kernels are compiled, and libraries loaded, outside all limits
        try:
            TARGETS[target](data)
        except (TamisError, Exception):  # noqa: BLE001  told when it is its turn
            continue
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process wherever it is, in a library's loop too
    started = time.monotonic()
    for number in range(options.first, options.first + options.inputs):
        if time.monotonic() - started > options.seconds:
            break
        _tell(begun=number)
        data = _input(options.seed, target, number, options)
        signal.alarm(SECONDS)
        try:
            TARGETS[target](data)
        except TamisError:
            pass
        except (Exception, RecursionError, MemoryError) as error:  # noqa: BLE001  whatever it is, it is a failure
            kind = f"{type(error).__name__}: {error}"[:300]
            _keep(options, target, number, traceback.format_exc())
            _tell(failure=f"{_place(error)} {kind}"[:400])
        finally:
            signal.alarm(0)
    _tell(end=True, rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return 0


_SEEDS: dict[str, list[bytes]] = {}


def _input(seed: int, target: str, number: int, options: argparse.Namespace) -> bytes:
    from mutate import mutated
    from targets import seeds

    if target not in _SEEDS:
        _SEEDS[target] = seeds(target)
    return mutated(target, _SEEDS[target], seed, number)


def _place(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _keep(options: argparse.Namespace, target: str, number: int, why: str) -> None:
    data = _input(options.seed, target, number, options)
    name = f"{target}-{hashlib.sha256(data).hexdigest()[:12]}"
    (options.failures / name).write_bytes(data)
    (options.failures / f"{name}.why").write_text(f"seed {options.seed}, input {number}\n{why}\n", errors="replace")


def _tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    sys.exit(main())
