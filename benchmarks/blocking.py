"""Measure blockers: what they find of known matches; and the time of the lexical one beside scikit-learn's.

    python benchmarks/blocking.py --data DIR

Table A is queried. The bars: PC of at least 92.5 % on Abt-Buy with K = 3 and of 98 % on DBLP-ACM with K = 1; on both,
five times as fast as TF-IDF and a sparse product in scikit-learn, which does the same with n-grams of the same sizes.
Each side is one process that has the texts in memory; rounds alternate, and medians are compared. Without scikit-learn
(``--python`` may name an interpreter that has it) that part is left out.

Beside it stand, without bars: rules, which say that two records share a word of a column, whichever; rules made for a
set, where there are some; and MinHash as it is by default.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from blocking_sets import NAMES, RecordSet, record_sets
from end_to_end import machine, versions
from kernels_turns import table, verdict

from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.measures import measure_pairs
from tamis.pipeline.blocking.minhash import minhash_search
from tamis.pipeline.blocking.rules import rule_search
from tamis.pipeline.blocking.search import Search, found_pairs

KS = (1, 3, 5, 10)
MADE = {
    "abt-buy": ["words(name)"],
    "dblp-acm": ["words(title) & year"],
    "febrl4": ["soundex(surname) & year(date_of_birth)", "soundex(given_name) & postcode", "date_of_birth"],
}
"""Rules made for a set."""
BARS = {("abt-buy", 3): 0.925, ("dblp-acm", 1): 0.98}
FASTER = 5.0


def searches(records: RecordSet, k: int, ngrams: tuple[int, int]) -> Iterator[tuple[str, Search]]:
    """Yield what each blocker prepares of a set."""
    left, right = records.left, records.right
    yield "lexical", lexical_search(left, right, k, ngrams=ngrams)
    shared = [name for name in left.columns if name and (right is None or name in right.columns)]
    if shared:
        quoted = ["`" + name.replace("`", "``") + "`" for name in shared]
        yield "rules: words", rule_search(left, right, [f"words({name})" for name in quoted], k)
    if records.name in MADE:
        yield "rules: made", rule_search(left, right, MADE[records.name], k)
    yield "minhash", minhash_search(left, right, k)


def measured(records: RecordSet, k: int, ngrams: tuple[int, int]) -> list[dict[str, Any]]:
    """Block a set with each blocker and measure the pairs."""
    rows = []
    for blocker, search in searches(records, k, ngrams):
        pairs = found_pairs(search, records.left, records.right)
        right = None if records.right is None else records.right.ids
        m = measure_pairs(pairs, records.gold, records.left.ids, right, "score")
        rows.append(
            {
                "set": records.name,
                "blocker": blocker,
                "k": k,
                "pairs": m.pairs,
                "matches": m.matches,
                "pc": m.pc,
                "low": m.pc_low,
                "high": m.pc_high,
                "pq": m.pq,
                "f1": m.f1,
                "cssr": m.cssr,
                "recall_at": m.recall_at,
                "blocks": search.blocks and {"count": search.blocks.count, "purged": search.blocks.purged},
            }
        )
    return rows


def quality(data: Path, names: Sequence[str], ngrams: tuple[int, int]) -> list[dict[str, Any]]:
    """Measure all sets; of ``autofj`` the means over its sets, and the lowest PC of them."""
    rows = []
    for name in names:
        sets = list(record_sets(data, name))
        for k in KS:
            by_blocker: dict[str, list[dict[str, Any]]] = {}
            for records in sets:
                for row in measured(records, k, ngrams):
                    by_blocker.setdefault(row["blocker"], []).append(row)
            for found in by_blocker.values():
                row = found[0] if len(found) == 1 else _mean(name, found)
                print(f"{row['set']} {row['blocker']} K {k}: PC {row['pc']:.4f}", file=sys.stderr)
                rows.append(row)
    return rows


def _mean(name: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the means of several sets."""
    row: dict[str, Any] = {part: statistics.fmean(one[part] for one in found) for part in ("pc", "pq", "f1", "cssr")}
    row |= {part: sum(one[part] for one in found) for part in ("pairs", "matches")}
    row |= {"set": f"{name}, mean of {len(found)}", "blocker": found[0]["blocker"], "k": found[0]["k"], "each": found}
    row |= {"low": min(one["pc"] for one in found), "high": max(one["pc"] for one in found)}
    row["recall_at"] = {n: statistics.fmean(one["recall_at"][n] for one in found) for n in (1, 3, 10)}
    return row


def speed(data: Path, python: str, rounds: int, ngrams: tuple[int, int]) -> list[dict[str, Any]]:
    """Time both sides in turn."""
    path = os.pathsep.join(filter(None, [*sys.path, os.environ.get("PYTHONPATH")]))
    sides = {}
    for side in ("tamis", "scikit-learn"):
        command = [python, str(Path(__file__).with_name("blocking_worker.py")), side, str(data)]
        sides[side] = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
        )
    rows = []
    for name, k in BARS:
        asked = {"set": name, "k": k, "ngrams": ngrams}
        turns = [("tamis", os.cpu_count() or 1), ("scikit-learn", 1), ("tamis", 1)]
        times: dict[tuple[str, int], list[float]] = {turn: [] for turn in turns}
        answers = {}
        for turn in turns * (rounds + 1):
            answers[turn] = _answer(sides[turn[0]], asked | {"threads": turn[1]})
            times[turn].append(answers[turn]["seconds"])
        theirs = statistics.median(times[turns[1]][1:])  # the first of each warms up
        for turn in turns:
            seconds = statistics.median(times[turn][1:])
            row = answers[turn] | {"set": name, "k": k, "side": turn[0], "threads": turn[1], "times": times[turn]}
            rows.append(row | {"seconds": seconds, "faster": theirs / seconds})
    for process in sides.values():
        process.communicate()
    return rows


def _answer(process: "subprocess.Popen[str]", asked: dict[str, Any]) -> dict[str, Any]:
    if process.stdin is None or process.stdout is None:
        raise SystemExit("a side has no pipes")
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit("a side ended early")
    answer: dict[str, Any] = json.loads(line)
    return answer


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return the tables as Markdown."""
    head = ["set", "blocker", "K", "pairs", "matches", "PC", "from", "to", "PQ", "F1", "CSSR"]
    head += ["recall at 1x", "3x", "10x", "bar"]
    rows = []
    for row in found["quality"]:
        bar = BARS.get((row["set"], row["k"])) if row["blocker"] == "lexical" else None
        shares = [row[part] for part in ("pc", "low", "high", "pq", "f1")]
        cells = [row["set"], row["blocker"], str(row["k"]), f"{row['pairs']:,}", f"{row['matches']:,}"]
        cells += [f"{100 * share:.1f} %" for share in shares] + [f"{100 * row['cssr']:.3f} %"]
        cells += [f"{100 * share:.1f} %" for share in row["recall_at"].values()]
        rows.append([*cells, verdict(row["pc"], bar) if bar else ""])
    lines = table(head, rows)
    rows = []
    for row in found["speed"]:
        ours = row["side"] == "tamis"
        cells = [row["set"], str(row["k"]), row["side"], str(row["threads"]), f"{1000 * row['seconds']:,.0f} ms"]
        cells += [f"{row['faster']:.1f}x", f"{row['found']:,}", verdict(row["faster"], FASTER) if ours else ""]
        rows.append(cells)
    return [*lines, "", *table(["set", "K", "side", "threads", "median", "", "matches found", "bar"], rows)]


def main() -> None:
    """Read the arguments and measure."""
    data = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has scikit-learn too")
    parser.add_argument("--sets", nargs="+", choices=NAMES, default=NAMES, help="measure the quality on these")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--ngrams", type=int, nargs=2, default=(3, 4), metavar=("LEAST", "MOST"))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    args = parser.parse_args()
    if not args.data:
        print("blocking: left out without --data; the sets are not shipped with this project")
        return
    ngrams = tuple(args.ngrams)
    there = subprocess.run([args.python, "-c", "import sklearn; print(sklearn.__version__)"], capture_output=True)
    found = {
        "machine": machine(),
        "versions": versions() | {"scikit-learn": there.stdout.decode().strip()},
        "ngrams": ngrams,
        "speed": [] if there.returncode else speed(args.data, args.python, args.rounds, ngrams),
        "quality": quality(args.data, args.sets, ngrams),
    }
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines_of(found)))


if __name__ == "__main__":
    main()
