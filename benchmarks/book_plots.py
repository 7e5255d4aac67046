"""Draw what the benchmarks of the book measured; ``book.py`` calls this."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from accuracy_plots import GREY, LOOK, saved
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
"""Colours that stay apart for colour-blind readers."""

MARKS: dict[int, dict[str, Any]] = {
    0: {"color": BLUE, "marker": "o"},
    1: {"color": ORANGE, "marker": "s"},
    2: {"color": GREEN, "marker": "^"},
    3: {"color": PINK, "marker": "D"},
}


def draw(name: str, found: dict[str, Any], folder: Path) -> Path:
    """Draw one benchmark into a folder and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings: dict[str, Callable[[dict[str, Any]], Figure]] = {
        "peers": peers,
        "labelled": labelled,
        "truncation": truncation,
        "scaling": scaling,
    }
    with plt.rc_context(LOOK):
        return saved(drawings[name](found), folder / f"bench-{name}.svg")


def peers(found: dict[str, Any]) -> Figure:
    """Draw time, memory and false removals of every tool, side by side."""
    summary = dict(sorted(found["summary"].items(), key=lambda pair: -pair[1]["seconds"]))
    names = list(summary)
    colours = [BLUE if name == "Tamis" else GREY for name in names]
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 0.9 + 0.42 * len(names)), layout="constrained", sharey=True)
    wrong = [line["quality"]["false_removals"] / max(1, line["quality"]["removed"]) * 100 for line in summary.values()]
    panels = (
        ("seconds, whole process", [line["seconds"] for line in summary.values()], "{:,.1f}", True),
        ("peak memory, MB", [line["peak_bytes"] / 1e6 for line in summary.values()], "{:,.0f}", False),
        ("removed wrongly, %", wrong, "{:.1f}", False),
    )
    for place, (title, values, form, log) in zip(axes, panels, strict=True):
        bars = place.barh(names, values, color=colours, height=0.62)
        place.bar_label(bars, [form.format(value) for value in values], padding=3, fontsize=9)
        place.set(title=title, xscale="log" if log else "linear")
        place.title.set_fontsize(10.5)
        place.margins(x=0.28)
        place.grid(axis="y", visible=False)
        if log:
            _plain(place.xaxis.set_major_formatter)
    return figure


def _plain(set_formatter: Callable[[FuncFormatter], None]) -> None:
    set_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def labelled(found: dict[str, Any]) -> Figure:
    """Draw F1 of pairs by threshold, one set beside the other."""
    rows = found["rows"]
    sets, tools = (list(dict.fromkeys(row[part] for row in rows)) for part in ("set", "tool"))
    figure, axes = plt.subplots(1, len(sets), figsize=(9.6, 2.9), layout="constrained", sharey=True, squeeze=False)
    for place, name in zip(axes[0], sets, strict=True):
        for i, tool in enumerate(tools):
            own = sorted(
                (row["threshold"], row["pairwise"]["f1"]) for row in rows if (row["set"], row["tool"]) == (name, tool)
            )
            place.plot(*zip(*own, strict=True), label=tool, **MARKS[i])
        place.set(title=name, ylim=(-0.03, 1.05), xlabel="threshold")
    axes[0, 0].set_ylabel("F1 of pairs")
    axes[0, 0].legend(loc="lower left")
    return figure


def truncation(found: dict[str, Any]) -> Figure:
    """Draw precision, recall and F1 by the share of duplicates, a line for each threshold."""
    rows = found["rows"]
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 3.2), layout="constrained", sharey=True)
    for place, part in zip(axes, ("precision", "recall", "f1"), strict=True):
        for i, threshold in enumerate(found["settings"]["thresholds"]):
            own = [row for row in rows if row["threshold"] == threshold]
            shares = [row["share"] * 100 for row in own]
            place.plot(shares, [row[part] for row in own], label=f"threshold {threshold}", **MARKS[i])
        place.set(title="F1" if part == "f1" else part, xlabel="duplicates, % of documents", ylim=(0.45, 1.02))
    axes[0].legend(loc="lower left")
    return figure


def scaling(found: dict[str, Any]) -> Figure:
    """Draw time and memory by size, a line for each number of threads."""
    rows = found["rows"]
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.5), layout="constrained")
    parts = (("seconds", 1.0, "wall time, s"), ("peak_bytes", 1e6, "peak memory, MB"))
    for place, (part, unit, label) in zip(axes, parts, strict=True):
        for i, threads in enumerate(sorted({row["threads"] for row in rows})):
            own = [row for row in rows if row["threads"] == threads]
            name = "1 thread" if threads == 1 else f"{threads} threads"
            place.plot(
                [row["text_bytes"] / 1e9 for row in own], [row[part] / unit for row in own], label=name, **MARKS[i]
            )
        place.set(xscale="log", xlabel="text, GB", ylabel=label)
        sizes = sorted({row["text_bytes"] / 1e9 for row in rows})
        place.set_xticks(sizes, [f"{size:.2g}" for size in sizes])
        place.xaxis.minorticks_off()
    axes[0].set_yscale("log")
    axes[0].yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    _plain(axes[0].yaxis.set_major_formatter)
    _plain(axes[0].yaxis.set_minor_formatter)
    axes[1].set_ylim(0, None)
    axes[0].legend()
    return figure
