"""Measure the quality of the sketches: on random sets against theory, on real texts against brute force.

    python benchmarks/accuracy.py --data DIR --json out/accuracy.json --plots docs/images
    python benchmarks/accuracy.py --quick --only variance --only banding

Tables go to standard output as markdown, each part with the bars that it must clear. One thread is used. Parts:

    variance  variance of the estimate over that of ideal MinHash, for random sets
    banding   share of pairs that share a band, for short texts
    bugs      published mistakes, which the measures must tell from the right thing
    curve     candidate rate of brute-force pairs of real texts, by similarity        (needs --data)
    error     error of the estimate on real pairs, by document length                 (needs --data)
    greedy    what a run drops, against comparing all pairs                           (needs --data)
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import accuracy_plots
import accuracy_random as on_random
import accuracy_texts as on_texts
from end_to_end import machine, versions

from tamis.hashing.lsh import solve_for_recall
from tamis.hashing.sketch import KINDS

Row = dict[str, Any]

RATIO_BAR, RATE_BAR, SHARE_BAR = 0.10, 0.025, 0.02


class Bar(NamedTuple):
    """What a part must show."""

    what: str
    worst: str
    holds: bool


class Part(NamedTuple):
    """What a part measured."""

    data: dict[str, Any]
    tables: list[str]
    bars: list[Bar]


class Effort(NamedTuple):
    """How much to measure.

    Attributes:
        trials: of random sets.
        sizes, similarities: of the sketches and sets of ``variance``.
        slack: standard errors that bars are widened by: trials that are too few for a bar must not fail it by chance.
        seeds: of real texts in ``curve``.
        most: pairs of a bin.
        short: the texts of ``greedy``.
    """

    trials: int = 10_000
    sizes: Sequence[int] = (128, 256)
    similarities: Sequence[float] = (0.5, 0.75)
    slack: float = 0.0
    seeds: int = 200
    most: int = 300
    short: Sequence[str] = on_texts.SHORT


QUICK = Effort(trials=2_000, sizes=(128,), similarities=(0.5,), slack=3.0, seeds=20, most=50, short=("MRPC",))


def table(heads: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a markdown table; all but the first column are aligned to the right."""
    rule = "|---|" + "---:|" * (len(heads) - 1)
    return "\n".join(
        ["| " + " | ".join(heads) + " |", rule, *("| " + " | ".join(map(str, line)) + " |" for line in lines)]
    )


def _off(value: float, reference: float | None) -> str:
    return "" if reference is None else f"{value / reference - 1:+.1%}"


def _bias(row: Row, kind: str, trials: int) -> float:
    """Return how far the mean of the estimate is from J, in standard errors."""
    error = math.sqrt(row[kind] * row["J"] * (1 - row["J"]) / row["k"] / trials)
    return float(abs(row[f"{kind}_mean"] - row["J"])) / error


def variance(effort: Effort, data: Path | None) -> Part:
    """Measure variance ratios."""
    rows = on_random.variance(effort.trials, sizes=effort.sizes, similarities=effort.similarities)
    heads = ["k", "J", "f", "oph", "closed form", "off", "fss", "FSS 2017, simulated", "off", "ideal FSS", "off"]
    lines = [
        [
            row["k"],
            row["J"],
            row["f"],
            f"{row['oph']:.2f}",
            f"{row['oph_reference']:.2f}",
            _off(row["oph"], row["oph_reference"]),
            f"{row['fss']:.2f}",
            f"{row['fss_reference']:.2f}" if "fss_reference" in row else "",
            _off(row["fss"], row.get("fss_reference")),
            f"{row['fss_ideal']:.2f}",
            _off(row["fss"], row["fss_ideal"]),
            f"{row['minhash']:.2f}",
            _off(row["minhash"], 1.0),
        ]
        for row in rows
    ]
    bars = []
    for kind, reference, name in (
        ("oph", "oph_reference", "the closed form of optimal densification"),
        ("fss", "fss_reference", "the simulated table of Fast Similarity Sketch"),
        ("fss", "fss_ideal", "the same scheme with random numbers for hashes"),
        ("minhash", "minhash_reference", "1"),
    ):
        judged = [row for row in rows if reference in row]
        worst = max(judged, key=lambda row: abs(row[kind] / row[reference] - 1))
        holds = all(
            abs(row[kind] / row[reference] - 1) <= RATIO_BAR + effort.slack * row[f"{kind}_error"] / row[reference]
            for row in judged
        )
        text = f"{_off(worst[kind], worst[reference])} at k = {worst['k']}, J = {worst['J']}, f = {worst['f']}"
        bars.append(Bar(f"variance ratio of {kind} within 10 % of {name}", text, holds))
    biased = max(_bias(row, kind, effort.trials) for row in rows for kind in KINDS)
    bars.append(Bar("mean of the estimate within 4 standard errors of J", f"{biased:.1f}", biased <= 4))
    return Part({"rows": rows}, [table([*heads, "minhash", "off"], lines)], bars)


def banding(effort: Effort, data: Path | None) -> Part:
    """Measure candidate rates of short texts."""
    rows = on_random.banding(effort.trials)
    lines = [[row["f"], row["s"], *(f"{row[name]:.3f}" for name in ("theory", *KINDS))] for row in rows]
    bars = []
    for kind in KINDS:
        worst = max(rows, key=lambda row: abs(row[kind] - row["theory"]))
        text = f"{worst[kind] - worst['theory']:+.3f} at f = {worst['f']}, s = {worst['s']}"
        holds = all(abs(row[kind] - row["theory"]) <= RATE_BAR + effort.slack * row[f"{kind}_error"] for row in rows)
        bars.append(Bar(f"candidate rate of {kind}, 9 x 13 of 128, within 2.5 points of 1-(1-s^13)^9", text, holds))
    return Part({"rows": rows}, [table(["f", "s", "theory", *KINDS], lines)], bars)


def bugs(effort: Effort, data: Path | None) -> Part:
    """Measure mistakes beside the right thing."""
    ratios, rates = on_random.wrong_variances(effort.trials), on_random.sentinel_rates(effort.trials)
    merged, flags = on_random.merges(effort.trials // 10), on_random.false_flags(effort.trials // 2)
    tables = [
        table(
            [
                "variance ratio, k = 128, J = 0.5",
                "f",
                "wrong",
                "an earlier simulation",
                "ours",
                "closed form",
                "values left empty",
            ],
            [
                [
                    row["mistake"],
                    row["f"],
                    f"{row['wrong']:.2f}",
                    row["earlier"],
                    f"{row['ours']:.2f}",
                    f"{row['reference']:.2f}",
                    f"{row['left_empty']:.2%}",
                ]
                for row in ratios
            ],
        ),
        table(
            [
                "candidate rate, 9 x 13 of 128: f",
                "s",
                "empty bins keep their mark",
                "an earlier simulation",
                "ours",
                "theory",
            ],
            [[row["f"], row["s"], *(f"{row[n]:.3f}" for n in ("wrong", "earlier", "ours", "theory"))] for row in rates],
        ),
        table(
            ["two sets merged, k = 128", "shingles of each", "wrong values: finished sketches", "partial sketches"],
            [[row["kind"], row["size"], f"{row['finished']:.1%}", f"{row['partial']:.1%}"] for row in merged],
        ),
        table(
            [
                "unrelated sets, 42 x 6 of 256",
                "shingles of each",
                "flagged by summed keys",
                "expected of sums",
                "by ours",
            ],
            [[flags["sets"], flags["size"], flags["summed"], f"{flags['expected']:.1f}", flags["ours"]]],
        ),
    ]
    bars = []
    for mistake in dict.fromkeys(row["mistake"] for row in ratios):
        own = [row for row in ratios if row["mistake"] == mistake]
        least = min(row["wrong"] / row["reference"] - 1 for row in own)
        apart = all(
            row["wrong"] / row["reference"] > 1 + RATIO_BAR + 3 * row["wrong_error"] / row["reference"] for row in own
        )
        right = all(
            abs(row["ours"] / row["reference"] - 1) <= RATIO_BAR + effort.slack * row["ours_error"] / row["reference"]
            for row in own
        )
        bars.append(Bar(f"{mistake}: variance outside the bar, ours inside", f"at least {least:+.0%}", apart and right))
    least = min(row["wrong"] - row["theory"] for row in rates)
    right = all(abs(row["ours"] - row["theory"]) <= RATE_BAR * (2 if effort.slack else 1) for row in rates)
    bars.append(
        Bar(
            "marks left in empty bins: rate outside the bar, ours inside",
            f"at least {least:+.3f}",
            least > 0.1 and right,
        )
    )
    least = min(row["finished"] for row in merged if row["kind"] == "oph")
    right = all(row["partial"] == 0 for row in merged) and all(r["finished"] == 0 for r in merged if r["kind"] == "fss")
    text = f"at least {least:.1%} wrong; partial ones 0"
    bars.append(Bar("finished oph sketches do not merge; partial ones and fss do", text, least > 0 and right))
    text = f"{flags['summed']} and {flags['ours']}"
    apart = abs(flags["summed"] - flags["expected"]) <= 4 * max(1.0, flags["expected"]) ** 0.5
    bars.append(
        Bar("summed keys flag unrelated sets as often as theory says, ours none", text, apart and flags["ours"] == 0)
    )
    found = {"variances": ratios, "sentinels": rates, "merges": merged, "false_flags": flags}
    return Part(found, tables, bars)


def _points(row: Row, kind: str) -> str:
    """Return how far a rate is from theory, and its standard error, in points."""
    return f"{100 * (row[kind] - row['theory']):+z.1f} ± {100 * row[f'{kind}_error']:.1f}"


def curve(effort: Effort, data: Path | None) -> Part:
    """Measure candidate rates of real pairs."""
    rows = on_texts.curve(_needed(data), on_texts.LONG, seeds=effort.seeds, most=effort.most)
    lines, bars = [], []
    for row in rows:
        span = "1" if row["low"] == 1 else f"{row['low']:.2f} to {row['high']:.2f}"
        cells = [
            row["texts"],
            span,
            f"{row['pairs']:,}",
            row["sampled"],
            f"{row['shingles']:,.0f}",
            f"{row['theory']:.3f}",
        ]
        for kind in ("oph", "fss"):
            cells += [f"{row[kind]:.3f}", _points(row, kind)]
        lines.append(cells)
    for name in on_texts.LONG:
        judged = [row for row in rows if row["texts"] == name and row["sampled"] >= on_texts.FEWEST_PAIRS]
        for kind in ("oph", "fss"):
            worst = max(judged, key=lambda row: abs(row[kind] - row["theory"]))
            holds = all(abs(row[kind] - row["theory"]) <= RATE_BAR + 3 * row[f"{kind}_error"] for row in judged)
            text = f"{_points(worst, kind)} points at {worst['similarity']:.2f}"
            what = f"candidate rate of {kind} on {name}, {len(judged)} bins, within 2.5 points + 3 standard errors"
            bars.append(Bar(what, text, holds))
    heads = [
        "texts",
        "similarity",
        "pairs",
        "sampled",
        "shingles, median",
        "theory",
        "oph",
        "off, points",
        "fss",
        "off, points",
    ]
    chosen = solve_for_recall(on_texts.THRESHOLD, on_texts.VALUES)
    missed = sum(row[kind] < 1 for row in rows if row["low"] == 1 for kind in ("oph", "fss"))
    bars.append(Bar("pairs of equal sets are candidates in every run", f"{missed} bins with misses", missed == 0))
    found = {"rows": rows, "banding": [chosen.bands, chosen.rows], "fewest_pairs": on_texts.FEWEST_PAIRS}
    return Part(found, [table(heads, lines)], bars)


def error(effort: Effort, data: Path | None) -> Part:
    """Measure errors by document length."""
    rows = on_texts.error(_needed(data), list(on_texts.TEXTS), seeds=min(20, effort.seeds // 2), most=effort.most)
    lines = [
        [
            f"{row['low']:,} or more" if row["high"] is None else f"{row['low']:,} to {row['high']:,}",
            f"{row['pairs']:,}",
            f"{row['theory']:.4f}",
            *(f"{row[kind]:.4f}" for kind in KINDS),
            *(f"{row[f'{kind}_ratio']:.2f}" for kind in KINDS),
        ]
        for row in rows
    ]
    heads = ["distinct shingles", "pairs", "sqrt(J(1-J)/k)", *KINDS, *(f"{kind}, variance ratio" for kind in KINDS)]
    return Part({"rows": rows, "values": on_texts.VALUES}, [table(heads, lines)], [])


def greedy(effort: Effort, data: Path | None) -> Part:
    """Compare decisions with brute force."""
    rows = on_texts.greedy(_needed(data), effort.short)
    lines = [
        [
            row["texts"],
            row["threshold"],
            f"{row['rows']:,}",
            f"{row['exact']:,}",
            f"{row['pairs']:,}",
            f"{row['near_decisions']:,}",
            row["below_threshold"],
            f"{row['share']:.3%}",
            f"{row['brute_force_share']:.3%}",
            row["only_ours"],
            row["only_brute_force"],
        ]
        for row in rows
    ]
    heads = ["texts", "threshold", "rows", "exact copies", "pairs", "near decisions", "below threshold"]
    heads += ["dropped", "by brute force", "only by us", "only by brute force"]
    wrong = sum(row["below_threshold"] for row in rows)
    decided = sum(row["near_decisions"] for row in rows)
    far = max(rows, key=lambda row: abs(row["share"] - row["brute_force_share"]))
    off = far["share"] - far["brute_force_share"]
    return Part(
        {"rows": rows},
        [table(heads, lines)],
        [
            Bar(
                "every near decision has exact Jaccard of the threshold or more",
                f"{wrong} of {decided:,} less",
                wrong == 0,
            ),
            Bar(
                "share dropped within 2 points of brute force",
                f"{100 * off:+.2f} points: {far['texts']} at {far['threshold']}",
                abs(off) <= SHARE_BAR,
            ),
        ],
    )


def _needed(data: Path | None) -> Path:
    if data is None:
        raise SystemExit("This part needs the real sets: --data DIR or $TAMIS_DATA.")
    return data


PARTS: dict[str, Callable[[Effort, Path | None], Part]] = {
    "variance": variance,
    "banding": banding,
    "bugs": bugs,
    "curve": curve,
    "error": error,
    "greedy": greedy,
}
ON_TEXTS = ("curve", "error", "greedy")


def main() -> None:
    """Read the arguments and measure."""
    default = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=default, help="folder of real sets; default: $TAMIS_DATA, or none")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be given again")
    parser.add_argument("--quick", action="store_true", help="fewer trials, bars widened by three standard errors")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured to this file")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw what was measured into this folder, as SVG")
    args = parser.parse_args()

    chosen = args.only or [name for name in PARTS if args.data or name not in ON_TEXTS]
    if not args.only and not args.data:
        print(f"Without --data these are left out: {', '.join(ON_TEXTS)}.", file=sys.stderr)
    effort = QUICK if args.quick else Effort()
    found: dict[str, Any] = {"machine": machine(), "versions": versions(), "effort": effort._asdict()}
    found |= {"seconds": {}, "parts": {}, "bars": []}
    for name in dict.fromkeys(chosen):
        start = time.perf_counter()
        part = PARTS[name](effort, args.data)
        found["seconds"][name] = time.perf_counter() - start
        found["parts"][name] = part.data
        found["bars"] += [{"part": name, **bar._asdict()} for bar in part.bars]
        verdicts = table(
            ["bar", "worst", "holds"], ([b.what, b.worst, "yes" if b.holds else "**no**"] for b in part.bars)
        )
        print(f"## {name}", *part.tables, *([verdicts] if part.bars else []), sep="\n\n", end="\n\n", flush=True)
        print(f"{name}: {found['seconds'][name]:.1f} s", file=sys.stderr)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if args.plots:
        accuracy_plots.draw(found["parts"], args.plots)


if __name__ == "__main__":
    main()
