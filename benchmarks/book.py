"""Write the tables and drawings of ``docs/benchmarks.md`` from what the benchmarks measured.

    python benchmarks/book.py                # render what is in out/book
    python benchmarks/book.py --measure      # measure all, then render: hours; nothing else should run
    python benchmarks/book.py --measure --quick --results out/quick --page out/quick/benchmarks.md    # a trial: minutes

Text between ``<!-- NAME -->`` and ``<!-- /NAME -->`` is replaced; all other text of the page is written by hand.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import labelled
import peers
import scaling
import truncation
from book_plots import draw

Found = dict[str, Any]

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
BAR = 150
"""How many times as fast as datatrove Tamis means to be."""

FULL = {
    "peers": ["--size", "100MB"],
    "peers-1GB": ["--size", "1GB", "--only", "datatrove", "--rounds", "1"],
    "labelled": [],
    "truncation": [],
    "scaling": [],
}
QUICK = {
    "peers": ["--size", "5MB", "--rounds", "1"],
    "labelled": ["--threshold", "0.5", "--threshold", "0.8"],
    "truncation": ["--documents", "2000"],
    "scaling": ["--size", "20MB", "--size", "60MB", "--rounds", "1"],
}


def measure(args: argparse.Namespace) -> None:
    """Run all benchmarks, one after another, or those that are named."""
    args.results.mkdir(parents=True, exist_ok=True)
    for name, options in (QUICK if args.quick else FULL).items():
        if args.only and name not in args.only:
            continue
        script = HERE / f"{name.partition('-')[0]}.py"
        command = [sys.executable, str(script), *options, "--json", str(args.results / f"{name}.json")]
        command += ["--data", str(args.data)] if args.data else []
        if script.stem == "peers":
            command += ["--corpus", str(args.results / f"{name}-corpus")]
            command += ["--newer-python", args.newer_python] if args.newer_python else []
        print(" ".join(command), file=sys.stderr)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def heading(found: Found) -> str:
    """Return one line: the machine, the commit, the versions."""
    mine, versions = found["machine"], dict(found["versions"])
    commit, python = versions.pop("commit"), versions.pop("python")
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items() if name != "tamis")
    memory = round(mine["memory_bytes"] / 2**30)
    return f"{mine['cores']} cores, {memory} GB, {mine['processor']}; commit {commit}; Python {python}, {libraries}."


def of_peers(found: Found) -> list[str]:
    """Return a comparison with peers: settings, table, and who does what better."""
    settings, corpus, summary = found["settings"], found["corpus"], found["summary"]
    rounds = "one round" if settings["rounds"] == 1 else f"medians of {settings['rounds']} rounds"
    once = [name for name, measured in found["rounds"].items() if len(measured) == 1 < settings["rounds"]]
    rounds += f" ({', '.join(once)}: one)" if once else ""
    size, quality = f"{corpus['text_bytes'] / 1e6:,.0f} MB of text", summary["Tamis"]["quality"]
    about = [
        f"{size}, {corpus['rows']:,} rows; {settings['threads']} threads; {rounds}.",
        f"Planted pairs at or above {settings['threshold']}: {quality['planted']:,};",
        f"all pairs at or above it: {quality['pairs']:,}.",
    ]
    return [f"### {size}", "", heading(found), "", *about, *peers.results_table(found), *_better(summary)]


def _better(summary: dict[str, Found]) -> list[str]:
    """Say in what which tool is better than Tamis, and by how much; and whether the bar is met."""
    ours = summary["Tamis"]
    words = []
    if "datatrove" in summary:
        ratio = summary["datatrove"]["seconds"] / ours["seconds"]
        inner = summary["datatrove"]["inner_seconds"] / ours["inner_seconds"]
        verdict = "met" if ratio >= BAR else "missed on this corpus"
        words.append(
            f"datatrove takes {ratio:.0f} times as long, {inner:.0f} times without start-up on both sides: "
            f"the bar of {BAR} is {verdict}."
        )

    def better(part: str, unit: float, form: str) -> str:
        return ", ".join(
            f"{name} ({form.format(line[part] / unit)} against {form.format(ours[part] / unit)})"
            for name, line in summary.items()
            if line[part] < ours[part]
        )

    faster, smaller = better("seconds", 1, "{:.1f} s"), better("peak_bytes", 1e6, "{:,.0f} MB")
    inner = better("inner_seconds", 1, "{:.1f} s")
    words.append(f"Faster than Tamis: {faster or 'none'}. Faster without start-up: {inner or 'none'}.")
    words.append(f"Less memory than Tamis: {smaller or 'none'}.")
    return [" ".join(words), ""]


def of_settings(found: Found) -> list[str]:
    """Return how each tool is run, and which have no row."""
    return peers.settings_tables(found)


def of_labelled(found: Found) -> list[str]:
    """Return the tables of labelled sets."""
    best = []
    names = dict.fromkeys((row["set"], row["tool"]) for row in found["rows"])
    for name, tool in names:
        own = [row for row in found["rows"] if (row["set"], row["tool"]) == (name, tool)]
        row = max(own, key=lambda row: row["pairwise"]["f1"])
        best.append((name, tool, row["threshold"], row["pairwise"]["f1"]))
    said = "; ".join(f"{name} {tool} {f1:.3f} at {threshold}" for name, tool, threshold, f1 in best)
    return [heading(found), *labelled.lines_of(found), f"Best F1 of pairs: {said}.", ""]


def of_truncation(found: Found) -> list[str]:
    """Return the table of truncated copies."""
    settings = found["settings"]
    about = f"{settings['documents']:,} documents a stream, drawn from {settings['originals']:,} ({settings['data']})."
    return [heading(found), "", about, *truncation.lines_of(found)]


def of_scaling(found: Found) -> list[str]:
    """Return the table of sizes and threads."""
    settings = found["settings"]
    rounds = "one round" if settings["rounds"] == 1 else f"medians of {settings['rounds']} rounds"
    return [heading(found), "", f"`--memory {settings['memory']}`; {rounds}.", *scaling.lines_of(found)]


def load(results: Path, name: str) -> list[Found]:
    """Return what was measured under a name or a name with a suffix, small corpora first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob(f"{name}*.json"))]
    return sorted(found, key=lambda one: one.get("corpus", {}).get("text_bytes", 0))


def fill(page: str, name: str, lines: Sequence[str]) -> str:
    """Replace what stands between the marks of a name."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(page):
        raise SystemExit(f"the page has no {start} ... {end}")
    return pattern.sub(lambda _: f"{start}\n{text}\n{end}", page)


def render(results: Path, page: Path, plots: Path) -> None:
    """Fill the page and draw, as far as there are measurements."""
    text = page.read_text(encoding="utf-8")
    compared = load(results, "peers")
    if compared:
        widest = max(compared, key=lambda one: (len(one["summary"]), one["corpus"]["text_bytes"]))
        text = fill(text, "peers", [line for found in compared for line in of_peers(found)])
        text = fill(text, "peers-settings", of_settings(widest))
        draw("peers", widest, plots)
    for name, lines_of in (("labelled", of_labelled), ("truncation", of_truncation), ("scaling", of_scaling)):
        for found in load(results, name)[-1:]:
            text = fill(text, name, lines_of(found))
            draw(name, found, plots)
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Read the arguments, measure if told to, and render."""
    data = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("out/book"), help="folder of the JSON files")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--plots", type=Path, help="folder of the drawings; default: images beside the page")
    parser.add_argument("--measure", action="store_true", help="run the benchmarks first")
    parser.add_argument("--quick", action="store_true", help="run them on little data")
    parser.add_argument("--only", choices=FULL, action="append", help="measure only these")
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA, or none")
    parser.add_argument("--newer-python", metavar="PATH", help="passed to peers.py")
    args = parser.parse_args()
    if args.measure:
        measure(args)
    if not args.page.exists():
        args.page.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PAGE, args.page)
    render(args.results, args.page, args.plots or args.page.parent / "images")


if __name__ == "__main__":
    main()
