"""What the parts of ``lakes.py`` share: a scan in a fresh process, the pairs that it says, and how right they are."""

import json
import os
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tree_process import Ran, run

Pair = tuple[str, str]
"""(parent, child)."""

TIMEOUT_S = 24 * 3600
READS = "read,pread64,readv,preadv,preadv2,mmap"
_TRACED = re.compile(r"(?P<call>\w+)\((?P<arguments>.*)\)\s+= (?P<result>-?\d+|0x[0-9a-f]+)")
_PATH = re.compile(r"\d+<(?P<path>[^>]*)>")


@dataclass(frozen=True)
class Score:
    """How right some pairs are.

    Attributes:
        said: how many.
        true: how many there are.
        found: how many of the true ones were said.
    """

    said: int
    true: int
    found: int

    @classmethod
    def of(cls, said: Collection[Pair], true: Collection[Pair]) -> "Score":
        """Compare pairs that were said with the true ones."""
        return cls(len(said), len(true), len(set(said) & set(true)))

    @property
    def recall(self) -> float:
        """Share of the true pairs that were said; 1 if there is none."""
        return self.found / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        """Share of what was said that is true; 1 if nothing was."""
        return self.found / self.said if self.said else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Return all numbers."""
        return {
            "said": self.said,
            "true": self.true,
            "found": self.found,
            "missed": self.true - self.found,
            "invented": self.said - self.found,
            "recall": self.recall,
            "precision": self.precision,
        }


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


def closure(groups: Mapping[str, int], direct: Iterable[Pair]) -> set[Pair]:
    """Return all pairs of tables.

    Args:
        groups: the group of each table; equal tables have the same.
        direct: pairs of tables, one of each group at least.
    """
    members: dict[int, list[str]] = defaultdict(list)
    for table, group in groups.items():
        members[group].append(table)
    parents: dict[int, set[int]] = defaultdict(set)
    for parent, child in direct:
        parents[groups[child]].add(groups[parent])
    pairs: set[Pair] = set()
    for group, tables in members.items():
        above, left = {group}, [group]
        while left:
            more = parents.get(left.pop(), set()) - above
            above |= more
            left += more
        pairs |= {
            (parent, child)
            for other in above
            for parent in members.get(other, ())
            for child in tables
            if parent != child
        }
    return pairs


def compatible(columns: Mapping[str, frozenset[str]]) -> Iterator[tuple[frozenset[str], list[str], list[str]]]:
    """Yield (columns, tables with just these, tables with these and perhaps more) of classes where pairs can be."""
    classes: dict[frozenset[str], list[str]] = defaultdict(list)
    for table, names in columns.items():
        classes[names].append(table)
    for names, children in classes.items():
        parents = [table for wider, tables in classes.items() if names <= wider for table in tables]
        if names and len(parents) > 1:
            yield names, children, parents


def compatible_pairs(columns: Mapping[str, frozenset[str]]) -> Iterator[Pair]:
    """Yield every pair of different tables of which the parent has all columns of the child."""
    for _, children, parents in compatible(columns):
        yield from ((parent, child) for child in children for parent in parents if parent != child)


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
