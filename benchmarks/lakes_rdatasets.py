"""``lakes.py rdatasets``: a scan of the tables of R packages, against brute force on one core."""

import argparse
import csv
import tarfile
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa
from kernels_turns import table, verdict
from lakes_pairs import Pair, Score
from lakes_scan import place_in, worker
from lakes_turns import (
    TAMIS,
    Contestants,
    Found,
    bytes_read,
    in_turns,
    read_lines,
    scan_options,
    scanned,
    summary,
    took,
    warm,
)

LEAST_RATIO = 2.5
"""Bar: seconds of brute force over those of Tamis."""
IGNORED = ("rownames", "")
"""Columns that number the rows."""
LABELS = {
    TAMIS: "`tamis lake scan`",
    "brute": "Python `csv` and hash sets, one core",
    "frugal": "the same, but reading only tables that can be in a pair",
}


def unpacked(data: Path, work: Path) -> tuple[Path, set[Pair]]:
    """Unpack the tables of `F-rdatasets`; return their folder, and the pairs that are known."""
    source, lake = data / "F-rdatasets", work / "rdatasets"
    if not lake.exists():
        partly = work / "rdatasets.partly"
        with (
            pa.input_stream(source / "csv.tar.zst", compression="zstd") as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            tar.extractall(partly, filter="data")
        partly.rename(lake)
    with (source / "derived_exact_containment.csv").open(encoding="utf-8", newline="") as stream:
        return lake, whole_pairs(csv.DictReader(stream))


def whole_pairs(rows: Iterable[Mapping[str, str]]) -> set[Pair]:
    """Return the pairs of which every distinct row of the child is in the parent."""
    return {(row["parent"], row["child"]) for row in rows if row["rows_in_parent"] == row["child_distinct_rows"]}


def measure(args: argparse.Namespace) -> Found:
    """Compare on the tables of R packages."""
    lake, true = unpacked(args.data, args.work)
    options = scan_options(args, IGNORED)
    told = [str(lake), *(text for name in IGNORED for text in ("--ignore", name))]
    with place_in(args.work) as place:
        warm(place, args)

        def brute(*more: str) -> Found:
            ran, said = worker("lakes_csv.py", [*told, *more], place)
            pairs = {(parent, child) for parent, child in said.pop("said")}
            return {**said, **took(ran), **Score.of(pairs, true).as_dict()}

        contestants: Contestants = {
            TAMIS: partial(scanned, lake, place, options, true),
            "brute": brute,
            "frugal": partial(brute, "--frugal"),
        }
        rounds = in_turns(contestants, args.rounds)
        read = bytes_read(lake, place, options)
    return {"rounds": rounds, "bytes": read, "rows": rows_of(rounds)}


def rows_of(rounds: dict[str, list[Found]]) -> list[Found]:
    """Return a row for each contestant."""
    rows = {name: summary(every) for name, every in rounds.items()}
    mine = rows[TAMIS]["seconds"]
    return [{**row, "name": name, "label": LABELS[name], "ratio": row["seconds"] / mine} for name, row in rows.items()]


def lines_of(found: Found) -> list[str]:
    """Return the comparison as Markdown."""
    head = ["", "s (least to most)", "CPU s", "times Tamis", "found", "missed", "invented", "peak RSS MB"]
    rows = [
        [
            row["label"],
            f"{row['seconds']:.2f} ({row['least_seconds']:.2f} to {row['most_seconds']:.2f})",
            f"{row['cpu_seconds']:.2f}",
            f"{row['ratio']:.2f}",
            *(f"{row[name]:,}" for name in ("found", "missed", "invented")),
            f"{row['peak_bytes'] / 1e6:,.0f}",
        ]
        for row in found["rows"]
    ]
    ratio = next(row["ratio"] for row in found["rows"] if row["name"] == "brute")
    told = f"{LABELS['brute']}: {ratio:.2f} times as long; at least {LEAST_RATIO}: {verdict(ratio, LEAST_RATIO)}."
    return [*table(head, rows), told, *read_lines(found["bytes"])]
