"""``tamis tune``: what was found out, on a terminal and as a page."""

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..hashing.errors import ConfigError
from ..hashing.redaction import redacted
from ..pipeline.counted import counted
from ..pipeline.engine import Progress
from ..pipeline.report.page import tune_page
from ..pipeline.state import make_folder, write_atomically
from .tuning import Question, tune, yaml_lines

SHORT_SHARE = 0.05
"""Share of texts shorter than a shingle from which a smaller shingle is offered."""

STEPS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def tune_command(question: Question, out: str | None, *, as_json: bool, progress: Progress, console: Console) -> None:
    """Run the command; see its help."""
    with ExitStack() as stack:
        if out is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tamis-")))
        else:
            folder = _new_folder(out)
        found = tune(question, folder, progress)
    yaml = yaml_lines(found, question)
    if out is not None:
        title = ", ".join(redacted(path) for path in question.inputs)
        write_atomically(folder / "tune.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        write_atomically(folder / "near.yaml", yaml)
        write_atomically(folder / "tune.html", tune_page(found, title=title, yaml=yaml))
    if as_json:
        console.file.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        return
    show(found, yaml, console)
    if out is not None:
        name = escape(out)
        console.print(
            f"\nLook at it: {name}/tune.html, and at the pairs: {name}/sample/report.html", style="dim", soft_wrap=True
        )


def _new_folder(out: str) -> Path:
    folder = Path(out).expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError("an output folder is empty or new", value=out, remedy="Name another --out, or remove it.")
    make_folder(folder)
    return folder


def show(found: dict[str, Any], yaml: str, console: Console) -> None:
    """Print it; ``yaml`` are the recommended settings."""
    sample = found["sample"]
    console.print(
        f"A sample of {counted(sample['rows'], 'text')} ({sample['bytes'] / 1e6:,.1f} MB) drawn from "
        f"{counted(sample['of'], 'record')}; "
        f"{counted(sample['exact_copies'], 'is an exact copy', 'are exact copies')} of others. "
        f"{found['unit'].capitalize()} shingles of "
        f"{found['shingle']}.",
        soft_wrap=True,
    )
    if sample["short"] is not None and sample["short"] >= SHORT_SHARE:
        console.print(
            f"[bold]{sample['short']:.0%} of the texts have fewer than {counted(found['shingle'], 'word')}[/bold]: "
            "they are like others only as a whole. Try --shingle 2, or --unit char --shingle 8.",
            soft_wrap=True,
        )
    console.print(_removed(found))
    if found["labels"]:
        _labels(found, console)
    console.print(_settings(found))
    origin = {"given": "as given", "labels": "where F1 by the labels is best", "default": "the default"}
    console.print(
        "found: the probability to find a pair at the threshold; of all: the share found of all pairs above it; "
        "pairs/row: candidates to compare; in vain: those less alike than the threshold; *: recommended. "
        f"The threshold is {found['threshold']:g}, {origin[found['threshold_by']]}.",
        style="dim",
        soft_wrap=True,
    )
    if found["recommended"] is None:
        console.print(
            f"No setting reaches a recall of {found['recall']:g} at the threshold: ask for less, as --recall 0.9."
        )
    console.print(f"\n{yaml}", end="", markup=False, highlight=False)


def _table(*columns: str, title: str) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _removed(found: dict[str, Any]) -> Table:
    table = _table("threshold", "rows", "share", "MB of text", title="Near copies that would go, by threshold")
    for line in found["removed"]:
        if any(abs(line["threshold"] - step) < 1e-9 for step in STEPS):
            share = line["rows"] / found["sample"]["rows"]
            table.add_row(
                f"{line['threshold']:.2f}", f"{line['rows']:,}", f"{share:.2%}", f"{line['bytes'] / 1e6:,.2f}"
            )
    return table


def _labels(found: dict[str, Any], console: Console) -> None:
    labels = found["labels"]
    console.print(f"{counted(labels['pairs'], 'labelled pair')}, {labels['copies']:,} of them copies.", end=" ")
    console.print(
        f"{labels['missing']:,} were left out: without a text, or their ids are nowhere." if labels["missing"] else ""
    )
    table = _table("threshold", "precision", "recall", "F1", title="What the labels say")
    best = labels["best"]
    for line in labels["lines"]:
        chosen = best is not None and line["threshold"] == best["threshold"]
        if chosen or round(line["threshold"] * 100) % 10 == 0:
            shown = ["-" if line[name] is None else f"{line[name]:.4f}" for name in ("precision", "recall", "f1")]
            table.add_row(f"{line['threshold']:.2f}", *shown, style="bold" if chosen else "")
    console.print(table)


def _settings(found: dict[str, Any]) -> Table:
    columns = ("bands x rows", "values", "found", "of all", "pairs/row", "in vain", "us/row", "MB/s", "")
    table = _table(*columns, title=f"Settings for a threshold of {found['threshold']:g} (costs on one core)")
    for line in found["settings"]:
        table.add_row(
            f"{line['bands']} x {line['rows']}",
            f"{line['values']}",
            f"{line['recall_at_threshold']:.2%}",
            "-" if line["recall"] is None else f"{line['recall']:.2%}",
            f"{line['candidates_per_row']:.4g}",
            "-" if line["wasted"] is None else f"{line['wasted']:.0%}",
            f"{line['microseconds_per_row']:.2f}",
            f"{line['megabytes_per_second']:,.0f}",
            "*" if line == found["recommended"] else "",
            style="bold" if line == found["recommended"] else "",
        )
    return table
