"""Draw what ``accuracy.py`` measured.

    python benchmarks/accuracy_plots.py --json out/accuracy.json --out docs/images

The ground is white, so that drawings can be read on pages of any colour, and equal measurements make equal files.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tamis.hashing.lsh import hit_probability

STYLE: dict[str, dict[str, Any]] = {
    "oph": {"color": "#0072B2", "marker": "o"},
    "fss": {"color": "#D55E00", "marker": "s"},
    "minhash": {"color": "#009E73", "marker": "^"},
}
"""Colours that stay apart for colour-blind readers and in grey, each with a marker of its own."""

GREY = "#555555"

LOOK: Any = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "font.size": 10.5,
    "grid.alpha": 0.35,
    "legend.frameon": False,
    "lines.markersize": 5,
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "tamis",
}


def draw(parts: dict[str, Any], folder: Path) -> list[Path]:
    """Draw what the parts allow into a folder; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with plt.rc_context(LOOK):
        if "error" in parts:
            made.append(saved(errors(parts), folder / "sketch-error.svg"))
        if "curve" in parts:
            made.append(saved(curves(parts["curve"]), folder / "sketch-curve.svg"))
    return made


def saved(figure: Figure, path: Path) -> Path:
    """Write a drawing, without a date in it, and return the path."""
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return path


def errors(parts: dict[str, Any]) -> Figure:
    """Draw the error by document length, and the variance ratio of random sets where it was measured."""
    found = parts["error"]
    figure, axes = plt.subplots(
        1, 2 if "variance" in parts else 1, figsize=(9.6, 3.9), layout="constrained", squeeze=False
    )
    _real_errors(axes[0, 0], found["rows"], found["values"])
    if "variance" in parts:
        _ratios(axes[0, 1], parts["variance"]["rows"])
    return figure


def _real_errors(axes: Axes, rows: list[dict[str, Any]], values: int) -> None:
    lengths = [row["length"] for row in rows]
    axes.plot(lengths, [row["theory"] for row in rows], color=GREY, linestyle="--", label="$\\sqrt{J(1-J)/k}$")
    for kind, style in STYLE.items():
        axes.plot(lengths, [row[kind] for row in rows], label=kind, **style)
    axes.set(
        xscale="log",
        ylim=(0, None),
        xlabel="document length, distinct word 5-grams",
        ylabel="root mean square error",
        title=f"Real pairs, {values} values",
    )
    _plain_ticks(axes, [3, 10, 30, 100, 300, 1000, 5000])
    axes.legend(ncols=2, loc="lower left")


def _ratios(axes: Axes, rows: list[dict[str, Any]]) -> None:
    k = max(row["k"] for row in rows)
    rows = [row for row in rows if row["k"] == k and row["J"] == 0.5]
    unions = [row["f"] for row in rows]
    for kind, reference in (("oph", "oph_reference"), ("fss", "fss_ideal"), ("minhash", "minhash_reference")):
        style = STYLE[kind]
        axes.plot(unions, [row[reference] for row in rows], color=style["color"], linestyle="--", linewidth=1)
        axes.plot(unions, [row[kind] for row in rows], linestyle="none", label=kind, **style)
    axes.plot([], [], color=GREY, linestyle="--", linewidth=1, label="expected")
    axes.set(
        xscale="log",
        ylim=(0, None),
        xlabel="shingles of both documents together",
        ylabel="variance / variance of MinHash",
        title=f"Random sets, J = 0.5, {k} values",
    )
    _plain_ticks(axes, [4, 16, 64, 256, 2048])
    axes.legend(ncols=2, loc="lower left")


def _plain_ticks(axes: Axes, places: list[int]) -> None:
    axes.set_xticks(places, [f"{place:,}" for place in places])
    axes.minorticks_off()


def curves(found: dict[str, Any]) -> Figure:
    """Draw candidate rates by similarity, one set of texts beside the other, over the curve of the banding."""
    rows, (bands, depth) = found["rows"], found["banding"]
    names = list(dict.fromkeys(row["texts"] for row in rows))
    figure, axes = plt.subplots(1, len(names), figsize=(9.6, 3.5), layout="constrained", sharey=True, squeeze=False)
    similarity = np.linspace(0, 1, 201)
    theory = [hit_probability(float(s), bands, depth) for s in similarity]
    for place, name in zip(axes[0], names, strict=True):
        own = [row for row in rows if row["texts"] == name and row["sampled"] >= found["fewest_pairs"]]
        places = [row["similarity"] for row in own]
        place.plot(similarity, theory, color=GREY, linestyle="--", label=f"$1-(1-s^{{{depth}}})^{{{bands}}}$")
        hollow: dict[str, Any] = {"markersize": 9, "markerfacecolor": "none", "markeredgewidth": 1.5}
        place.plot(places, [row["oph"] for row in own], linestyle="none", label="oph", **STYLE["oph"], **hollow)
        place.plot(places, [row["fss"] for row in own], linestyle="none", label="fss", **STYLE["fss"])
        place.set(xlim=(0.15, 1.03), ylim=(-0.03, 1.05), xlabel="exact Jaccard similarity", title=name)
    axes[0, 0].set_ylabel(f"candidate rate, {bands} bands of {depth}")
    axes[0, 0].legend(loc="upper left")
    return figure


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="what accuracy.py measured")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the drawings")
    args = parser.parse_args()
    for path in draw(json.loads(args.json.read_text(encoding="utf-8"))["parts"], args.out):
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
