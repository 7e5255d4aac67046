"""``lakes.py planted``: a scan of a planted lake beside other ways to find the same."""

import argparse
from functools import partial
from statistics import median

import lakes_make
import lakes_rivals
from kernels_turns import table
from lakes_scan import place_in, worker
from lakes_turns import (
    TAMIS,
    Contestants,
    Found,
    bytes_read,
    in_turns,
    made,
    read_lines,
    scan_options,
    scanned,
    summary,
    took,
    warm,
)

HASH_SETS_ROWS = 30_000_000
"""Rows of a lake that are compared as Python sets, at most."""
CONTESTANTS = (TAMIS, *lakes_rivals.RIVALS)
LABELS = {
    TAMIS: "`tamis lake scan`",
    "anti-join": "DuckDB anti-join of every pair, extrapolated",
    "hash-sets": "Python hash sets, one core",
    "ensemble": "datasketch `MinHashLSHEnsemble`",
}


def measure(args: argparse.Namespace) -> Found:
    """Compare on a planted lake."""
    out, facts = made(args)
    lake, true, options = out / "lake", lakes_make.truth_of(out), scan_options(args)
    names = args.only or [name for name in CONTESTANTS if name != "hash-sets" or facts["rows"] <= HASH_SETS_ROWS]
    with place_in(args.work) as place:
        warm(place, args)

        def rival(name: str) -> Found:
            ran, said = worker("lakes_rivals.py", [name, "--out", str(out), *lakes_rivals.arguments_of(args)], place)
            return {**took(ran), **said}

        contestants: Contestants = {name: partial(rival, name) for name in names}
        if TAMIS in names:
            contestants[TAMIS] = partial(scanned, lake, place, options, true)
        rounds = in_turns(contestants, args.rounds)
        read = bytes_read(lake, place, options) if TAMIS in names else {}
    return {"lake": facts, "rounds": rounds, "bytes": read, "rows": rows_of(rounds)}


def rows_of(rounds: dict[str, list[Found]]) -> list[Found]:
    """Return a row for each contestant, and for each threshold of the approximate one.

    Seconds are those of whole processes; of what is extrapolated, and of each threshold, those that its process said.
    """
    rows: list[Found] = []
    for name, every in rounds.items():
        said = {**summary(every), "name": name, "label": LABELS[name]}
        if name == "anti-join":
            rows.append({**said, "seconds": median(one["all_pairs_seconds"] for one in every)})
        elif name == "ensemble":
            for place, one in enumerate(said["thresholds"]):
                seconds = median(turn["thresholds"][place]["all_pairs_seconds"] for turn in every)
                label = f"{LABELS[name]}, threshold {one['threshold']}, missing weighs {one['missing_weight']}"
                rows.append({**said, **one, "label": label, "seconds": seconds})
        else:
            rows.append(said)
    mine = next((row["seconds"] for row in rows if row["name"] == TAMIS), None)
    return [{**row, "ratio": row["seconds"] / mine if mine else None} for row in rows]


def lines_of(found: Found) -> list[str]:
    """Return the comparison as Markdown."""
    facts = found["lake"]
    lines = [
        f"{facts['tables']:,} tables, {facts['csv_tables']:,} of them CSV, {facts['rows']:,} rows,"
        f" {facts['bytes'] / 1e6:,.0f} MB; {facts['pairs']:,} pairs planted.",
        *table(["", "s", "CPU s", "times Tamis", "recall", "precision", "peak RSS MB"], map(_cells, found["rows"])),
    ]
    timed = next((row for row in found["rows"] if row["name"] == "anti-join"), None)
    if timed:
        lines += [
            f"Anti-join: {timed['timed_pairs']:,} of {timed['pairs']:,} pairs timed, {timed['timed_seconds']:.1f} s;"
            " recall and precision are of these.",
            "",
        ]
    return lines + read_lines(found["bytes"])


def _cells(row: Found) -> list[str]:
    ratio = f"{row['ratio']:.2f}" if row["ratio"] else ""
    whole = row["name"] in (TAMIS, "hash-sets")
    cpu = f"{row['cpu_seconds']:,.2f}" if whole else ""
    shares = [f"{row[name]:.3f}" for name in ("recall", "precision")]
    return [row["label"], f"{row['seconds']:,.2f}", cpu, ratio, *shares, f"{row['peak_bytes'] / 1e6:,.0f}"]
