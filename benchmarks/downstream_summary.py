"""What the runs of ``downstream.py`` show: means over tasks, and their differences by seed, with intervals."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accuracy_plots import GREY, LOOK, saved
from book_plots import BLUE, ORANGE
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import NDArray

BASE = "proportional"

MEASURES = {
    "macro": "bits a byte, the mean over tasks",
    "micro": "bits a byte, the mean over tasks weighted by the words that each has",
    "worst": "bits a byte of the task on which they are most",
    "completion": "bits a byte of completions, the mean over tasks that have some",
}


@dataclass(frozen=True)
class Spread:
    """A mean over seeds.

    Attributes:
        mean: of all seeds.
        half: half of the 95 % interval by Student's t; NaN for one seed.
        seeds: how many.
    """

    mean: float
    half: float
    seeds: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return abs(self.mean) > self.half


def spread(values: Sequence[float]) -> Spread:
    """Return the mean of values, one a seed, and its interval."""
    from scipy.stats import t

    many = len(values)
    if many < 2:
        return Spread(float(np.mean(values)), float("nan"), many)
    half = float(t.ppf(0.975, many - 1) * np.std(values, ddof=1) / np.sqrt(many))
    return Spread(float(np.mean(values)), half, many)


def measured(bits: Mapping[str, Sequence[float | None]], available: Mapping[str, int]) -> dict[str, float]:
    """Return the ``MEASURES`` of one model.

    Args:
        bits: (of all, of the completions or None) a byte, of each task.
        available: words of each task.
    """
    names = sorted(bits)
    of_all = np.array([bits[name][0] for name in names], np.float64)
    sizes = np.array([available[name] for name in names], np.float64)
    completions = [bits[name][1] for name in names if bits[name][1] is not None]
    return {
        "macro": float(of_all.mean()),
        "micro": float(of_all @ sizes / sizes.sum()),
        "worst": float(of_all.max()),
        "completion": float(np.mean(np.array(completions, np.float64))),
    }


def compared(
    runs: Sequence[Mapping[str, Any]], available: Mapping[str, int], base: str = BASE
) -> dict[str, dict[str, Any]]:
    """Compare methods over the seeds that all of them have.

    Returns:
        For each method: the ``Spread`` of each measure, that of its difference from the base of the same seed as
        ``against_...``, and on how many tasks its mean is below that of the base as ``better``.
    """
    by = {(run["method"], run["seed"]): run["bits"] for run in runs}
    methods = list(dict.fromkeys(run["method"] for run in runs))
    seeds = [seed for seed in sorted({seed for _, seed in by}) if all((method, seed) in by for method in methods)]
    found: dict[str, dict[str, Any]] = {}
    for method in methods:
        ours = [measured(by[method, seed], available) for seed in seeds]
        others = [measured(by[base, seed], available) for seed in seeds]
        line: dict[str, Any] = {what: spread([one[what] for one in ours]) for what in MEASURES}
        for what in MEASURES:
            line[f"against_{what}"] = spread([one[what] - other[what] for one, other in zip(ours, others, strict=True)])
        less = by_task(by, method, seeds) - by_task(by, base, seeds)
        line["better"] = int(np.sum(less.mean(axis=0) < 0))
        found[method] = line
    return found


def by_task(by: Mapping[tuple[str, int], Any], method: str, seeds: Sequence[int]) -> NDArray[np.float64]:
    """Return bits a byte: float64, shape (seeds, tasks), tasks in the order of their names."""
    return np.array([[by[method, seed][name][0] for name in sorted(by[method, seed])] for seed in seeds], np.float64)


def summarise(out: Path, base: str = BASE) -> None:
    """Print what the runs of a folder show, and write it beside them: ``summary.json``, ``tasks.csv``, a drawing."""
    runs = [json.loads(line) for line in (out / "runs.jsonl").read_text(encoding="utf-8").splitlines()]
    about = json.loads((out / "about.json").read_text(encoding="utf-8"))
    found = compared(runs, about["available"], base)
    seconds = [run["seconds"] for run in runs if "as" not in run]
    loads = [run["load"] for run in runs if "as" not in run]
    own = found[base]["macro"]
    print(f"{base} alone: {own.mean:.4f} ± {own.half:.4f}")
    print(f"{own.seeds} seeds; a model {np.median(seconds):.0f} s, load {np.median(loads):.1f}")
    print("| method | " + " | ".join(f"{what} | against {base}" for what in MEASURES) + " | tasks better |")
    print("|---|" + "---:|" * (2 * len(MEASURES) + 1))
    for method, line in sorted(found.items(), key=lambda pair: pair[1]["macro"].mean):
        cells = [f"{line[what].mean:.4f} | {told(line[f'against_{what}'])}" for what in MEASURES]
        print(f"| {method} | " + " | ".join(cells) + f" | {line['better']} of {len(about['available'])} |")
    plain = {
        method: {key: vars(value) if isinstance(value, Spread) else value for key, value in line.items()}
        for method, line in found.items()
    }
    if base != BASE:
        return
    (out / "summary.json").write_text(json.dumps(plain, indent=1), encoding="utf-8")
    write_tasks(out / "tasks.csv", runs, about)
    if own.seeds > 1:
        with plt.rc_context(LOOK):
            saved(drawing(found), out / "bench-mixing.svg")


def told(difference: Spread) -> str:
    """Write a difference, in bold where it is beyond the noise of seeds."""
    text = f"{difference.mean:+.4f} ± {difference.half:.4f}"
    return f"**{text}**" if difference.clear else text


def write_tasks(path: Path, runs: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> None:
    """Write a line for each run and task: what it was given of the task and what it loses on it."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream, lineterminator="\n")
        lines.writerow(
            ["method", "seed", "task", "available_words", "words", "bits_per_byte", "completion_bits_per_byte"]
        )
        for run in runs:
            for name, (bits, completion) in sorted(run["bits"].items()):
                words = run["budgets"].get(name, 0)
                lines.writerow([run["method"], run["seed"], name, about["available"][name], words, bits, completion])


def drawing(found: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw how far each method is from ``BASE``, with intervals."""
    order = sorted((name for name in found if name != BASE), key=lambda name: -found[name]["macro"].mean)
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 0.9 + 0.36 * len(order)), layout="constrained", sharey=True)
    panels = (("macro", "every task counts alike"), ("micro", "tasks count by size"))
    for axis, (what, title) in zip(axes, panels, strict=True):
        percent = 100 / found[BASE][what].mean
        for row, name in enumerate(order):
            line: Spread = found[name][f"against_{what}"]
            colour = GREY if not line.clear else BLUE if line.mean < 0 else ORANGE
            axis.errorbar(line.mean * percent, row, xerr=line.half * percent, fmt="o", color=colour, capsize=3)
        axis.axvline(0, color=GREY, linewidth=0.9)
        axis.set(title=title, xlabel=f"held-out loss against {BASE}, %", ylim=(-0.5, len(order) - 0.5))
        axis.title.set_fontsize(10.5)
        axis.set_yticks(range(len(order)), order)
    return figure
