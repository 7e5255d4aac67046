"""What the parts of ``lakes.py`` share: a scan in a fresh process, the pairs that it says, and how right they are."""

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from lakes_pairs import Pair, closure
from tree_process import Ran, run

TIMEOUT_S = 24 * 3600
READS = "read,pread64,readv,preadv,preadv2,mmap"
_TRACED = re.compile(r"(?P<call>\w+)\((?P<arguments>.*)\)\s+= (?P<result>-?\d+|0x[0-9a-f]+)")
_PATH = re.compile(r"\d+<(?P<path>[^>]*)>")


@contextmanager
def place_in(work: Path) -> Iterator[Path]:
    """Give a folder that is deleted after use."""
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lakes-", dir=work) as folder:
        yield Path(folder).resolve()


def scan(lake: Path, out: Path, options: Sequence[str], *, under: Sequence[str] = ()) -> Ran:
    """Run ``tamis lake scan`` in a fresh process.

    Args:
        lake: its folder.
        out: for what is found; what is there goes.
        options: more of the command's.
        under: a command that runs it, as ``strace``.
    """
    shutil.rmtree(out, ignore_errors=True)
    command = [*under, sys.executable, "-m", "tamis", "lake", "scan", str(lake), "--out", str(out), "--quiet", *options]
    return checked(command, out.parent)


def checked(command: Sequence[str], logs: Path) -> Ran:
    """Run a command; stop if it fails."""
    ran = run(command, os.environ, logs, TIMEOUT_S)
    if ran.code:
        raise SystemExit(f"{' '.join(command)} failed:\n{ran.stderr[-3000:]}")
    return ran


def worker(script: str, arguments: Sequence[str], logs: Path) -> tuple[Ran, dict[str, Any]]:
    """Run a script of this folder in a fresh process; return what it took, and what it said last, as JSON."""
    ran = checked([sys.executable, str(Path(__file__).with_name(script)), *arguments], logs)
    said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return ran, said


def pairs_of(out: Path) -> set[Pair]:
    """Return every pair of tables that a scan calls verified, and those that follow.

    The output has pairs of groups of equal tables, without those that others say; here all are made of them again.
    """
    groups = pq.read_table(out / "groups.parquet", columns=["table", "group"])
    found = pq.read_table(out / "containment.parquet", columns=["parent", "child", "status"])
    rows = zip(*(found[name].to_pylist() for name in ("parent", "child", "status")), strict=True)
    direct = [(parent, child) for parent, child, status in rows if status == "verified"]
    return closure(dict(zip(groups["table"].to_pylist(), groups["group"].to_pylist(), strict=True)), direct)


def source_bytes(trace: Iterable[str], lake: str) -> tuple[int, int]:
    """Return bytes of a lake's files that a traced command read, and that it mapped.

    Args:
        trace: lines of ``strace -f -y -e trace=read,...``.
        lake: its folder; absolute.
    """
    read = mapped = 0
    begun: dict[str, str] = {}
    for line in trace:
        process, _, rest = line.strip().partition(" ")
        rest = rest.lstrip()
        if rest.endswith("<unfinished ...>"):
            begun[process] = rest.removesuffix("<unfinished ...>")
            continue
        if rest.startswith("<... "):
            rest = begun.pop(process, "") + rest.partition("resumed>")[2]
        found = _TRACED.match(rest)
        path = _PATH.search(found["arguments"]) if found else None
        if not found or not path or not path["path"].startswith(lake.rstrip("/") + "/"):
            continue
        if found["call"] == "mmap":
            mapped += int(found["arguments"].split(", ")[1])
        else:
            read += max(0, int(found["result"]))
    return read, mapped


def traced(lake: Path, out: Path, options: Sequence[str]) -> tuple[int, int] | None:
    """Scan a lake once more, slowly; return bytes of its files that were read and mapped; None without ``strace``."""
    if shutil.which("strace") is None:
        return None
    trace = out.parent / "trace"
    under = ["strace", "-f", "-y", "-s", "0", "--seccomp-bpf", "-e", f"trace={READS}", "-e", "signal=none", "-o"]
    scan(lake.resolve(), out, options, under=[*under, str(trace)])
    with trace.open(encoding="utf-8", errors="replace") as lines:
        found = source_bytes(lines, str(lake.resolve()))
    trace.unlink()
    return found
