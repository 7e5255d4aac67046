"""What the parts of ``lakes.py`` share: turns of fresh processes, their medians, and what a scan reads of a lake."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import lakes_make
from lakes_pairs import Pair, Score
from lakes_scan import pairs_of, scan, traced
from tree_process import Ran

Found = dict[str, Any]
Contestants = dict[str, Callable[[], Found]]

TAMIS = "tamis"
MOST_READ = 1.5
"""Bar: bytes read over those of the lake."""


def in_turns(contestants: Contestants, rounds: int) -> dict[str, list[Found]]:
    """Return what each contestant said in each round; the order is reversed in every other one."""
    found: dict[str, list[Found]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in contestants if number % 2 == 0 else reversed(contestants):
            said = contestants[name]()
            print(f"round {number + 1} of {rounds}, {name}: {said['seconds']:.2f} s", file=sys.stderr)
            found[name].append(said)
    return found


def took(ran: Ran) -> Found:
    """Return what a process took, as JSON holds it."""
    return {"seconds": ran.seconds, "cpu_seconds": ran.cpu_seconds, "peak_bytes": ran.peak_bytes}


def summary(rounds: Sequence[Found]) -> Found:
    """Return the last round's answers with medians of the times and the largest peak."""
    times = {name: median(said[name] for said in rounds) for name in ("seconds", "cpu_seconds")}
    spread = {
        "least_seconds": min(said["seconds"] for said in rounds),
        "most_seconds": max(said["seconds"] for said in rounds),
    }
    return {**rounds[-1], **times, **spread, "peak_bytes": max(said["peak_bytes"] for said in rounds)}


def scan_options(args: argparse.Namespace, ignored: Sequence[str] = ()) -> list[str]:
    """Return options of the scan."""
    options = ["--threads", str(args.threads), "--memory", args.memory]
    return options + [text for name in ignored for text in ("--ignore-column", name)]


def scanned(lake: Path, place: Path, options: Sequence[str], true: set[Pair]) -> Found:
    """Scan a lake and look at how right that is."""
    ran = scan(lake, place / "found", options)
    steps = json.loads((place / "found" / "measured.json").read_text(encoding="utf-8"))["seconds"]
    return {**took(ran), "steps": steps, **Score.of(pairs_of(place / "found"), true).as_dict()}


def bytes_read(lake: Path, place: Path, options: Sequence[str]) -> Found:
    """Return bytes of a lake, and how many were read of it; None where that cannot be known."""
    found = traced(lake, place / "found", options)
    size = sum(path.stat().st_size for path in lake.rglob("*") if path.is_file())
    read, mapped = found or (None, None)
    return {"lake_bytes": size, "read_bytes": read, "mapped_bytes": mapped}


def read_lines(read: Found) -> list[str]:
    """Say what was read of the lake."""
    if not read:
        return []
    if read["read_bytes"] is None:
        return ["Bytes read: not measured, there is no `strace`."]
    share = (read["read_bytes"] + read["mapped_bytes"]) / read["lake_bytes"]
    told = "met" if share <= MOST_READ else "**missed**"
    return [
        f"Bytes read: {read['read_bytes'] / 1e6:,.1f} MB, and {read['mapped_bytes'] / 1e6:,.1f} MB mapped, of a lake of"
        f" {read['lake_bytes'] / 1e6:,.1f} MB: {share:.2f} times it; at most {MOST_READ}: {told}."
    ]


def warm(place: Path, args: argparse.Namespace) -> None:
    """Compile the kernels: a scan of a few tables."""
    lakes_make.make(place / "few", lakes_make.Settings(30, 100, 100))
    scan(place / "few" / "lake", place / "warm", scan_options(args))


def made(args: argparse.Namespace) -> tuple[Path, Found]:
    """Make the planted lake that the arguments ask for, unless it is there; return its folder and the facts."""
    settings = lakes_make.settings_of(args)
    name = f"planted-{settings.tables}-{settings.least_rows}-{settings.most_rows}-{settings.seed}"
    return args.work / name, lakes_make.make(args.work / name, settings)
