"""Measure learned blockers: networks trained here, from labels and without any, against their bars.

    python benchmarks/blocking_neural.py --data DIR --model FOLDER [--seeds 3] [--json FILE]

Three tasks, each with several seeds:

``labels``: trained with matches of the training split of ``A-ditto-pairs``; no record of a match of the other splits is
in it. Queried are the test split's records: once those in a match, once all but those in a match of another split,
whose true match would count as an error. The first fits the published figures (Wang et al. 2024, Table 2: F1 91.6 at a
recall of .89 on Abt-Buy, 65.0 at .99 on DBLP-ACM, where K = 2 gives at most 66.7). Pairs are the nearest K = 1 or 2, or
those that are each other's nearest; beside them what the untrained encoder and the lexical blocker find.

``silver``: trained with pairs that the lexical blocker is sure of, no label; full tables of Abt-Buy. The bar: at the
smallest K with PC of 90 % a PQ above 31.5 %.

``buckets``: the 64-bit codes of that network as bands; pairs share a band. For each of 5, 10 and 20 candidates a record
the best of all bandings that make no more. The bar: 1.5 times the recall of random hyperplanes over the vectors of
the encoder as it was, and more than that of ITQ over them.
"""

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from blocking_sets import record_sets
from blocking_splits import split_set
from end_to_end import machine, versions
from kernels_turns import table, verdict
from numpy.typing import NDArray

from tamis.hashing.hyperplanes import hyperplanes
from tamis.hashing.itq import fit_itq
from tamis.hashing.neural.network import Network
from tamis.hashing.neural.settings import TrainSettings
from tamis.hashing.neural.train import Progress, Trained, train_hasher
from tamis.hashing.projections import project
from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.records import Records
from tamis.pipeline.blocking.training import pairs_from_labels, silver_pairs
from tamis.pipeline.blocking.training_pairs import Split

BARS = {"abt-buy": (0.89, 0.916), "dblp-acm": (0.99, 0.65)}
SILVER_PQ = 0.315
BUDGETS = (5, 10, 20)
MORE = 1.5
BITS = 64


def settings_of(args: argparse.Namespace, seed: int) -> TrainSettings:
    """Return how networks are trained here: what two slow cores can do in minutes."""
    return TrainSettings(
        encoder=str(args.model),
        text="texts",
        max_tokens=args.max_tokens,
        layers=args.layers,
        bits=BITS,
        epochs=args.epochs,
        patience=args.epochs,
        rate=args.rate,
        seed=seed,
        threads=args.threads,
        precision=args.precision,
        device=args.device,
    )


def trained(data: Any, settings: TrainSettings, what: str) -> tuple[Trained, float]:
    """Train and say how it goes; return the seconds too."""
    start = time.perf_counter()

    def tell(progress: Progress) -> None:
        if progress.measures is not None:
            passed = time.perf_counter() - start
            print(f"{what} epoch {progress.epoch} {passed:.0f} s {progress.measures}", file=sys.stderr, flush=True)

    found = train_hasher(data, settings, tell)
    return found, time.perf_counter() - start


def places(gold: pa.Table, left: Records, right: Records) -> NDArray[np.int64]:
    """Return matches as places of records: int64, shape (m, 2)."""
    sides = [{one: i for i, one in enumerate(side.ids.to_pylist())} for side in (left, right)]
    rows = zip(gold["left_id"].to_pylist(), gold["right_id"].to_pylist(), strict=True)
    return np.array([(sides[0][a], sides[1][b]) for a, b in rows])


def shares(chosen: NDArray[np.bool_], gold: NDArray[np.int64]) -> dict[str, float]:
    """Return PC, PQ and F1 of some of all pairs."""
    found, pairs = int(chosen[gold[:, 0], gold[:, 1]].sum()), int(chosen.sum())
    return {"pc": found / len(gold), "pq": found / max(1, pairs), "f1": 2 * found / (pairs + len(gold)), "pairs": pairs}


def nearest(scores: NDArray[np.float32], k: int) -> NDArray[np.bool_]:
    """Return which pairs are the k best of their row; of equal ones the first."""
    chosen = np.zeros(scores.shape, np.bool_)
    np.put_along_axis(chosen, np.argsort(-scores, axis=1, kind="stable")[:, :k], True, axis=1)
    return chosen


def scores_of(network: Network, left: Records, right: Records) -> NDArray[np.float32]:
    """Return the inner products of all pairs."""
    return network.encode(left.texts.to_pylist()) @ network.encode(right.texts.to_pylist()).T


def by_labels(args: argparse.Namespace, name: str, seed: int) -> list[dict[str, Any]]:
    """Train from labels and measure the test split."""
    sets = split_set(args.data, name)
    known = sets.gold("train")
    drawn = np.random.Generator(np.random.PCG64(seed)).permutation(len(known))[: args.pairs]
    data = pairs_from_labels(
        sets.left,
        sets.right,
        known.take(np.sort(drawn)),
        test=pa.concat_tables([sets.labels["valid"], sets.labels["test"]]),
        text="texts",
        split=Split(distractors=args.distractors, seed=seed),
        hard=args.hard,
    )
    settings = settings_of(args, seed)
    found, seconds = trained(data, settings, f"labels {name} seed {seed}")
    rows = []
    for matched in (True, False):
        left, right = sets.side("test", matched)
        gold, scores = places(sets.gold("test"), left, right), scores_of(found.network, left, right)
        first = nearest(scores, 1)
        ways = {
            "K 1": first,
            "K 2": nearest(scores, 2),
            "mutual nearest": first & nearest(scores.T, 1).T,
            "K 1, untrained": nearest(untrained_scores(settings, left, right), 1),
            "K 1, lexical": lexical_nearest(left, right),
        }
        for way, chosen in ways.items():
            who = "in a match" if matched else "in no other match"
            row = {"task": "labels", "set": name, "seed": seed, "records": f"{who}, {len(left)} x {len(right)}"}
            rows.append(row | {"way": way, "matches": len(gold), "seconds": seconds} | shares(chosen, gold))
    return [row | {"card": found.card()} if i == 0 else row for i, row in enumerate(rows)]


def without_labels(args: argparse.Namespace, seed: int) -> list[dict[str, Any]]:
    """Train from silver pairs and measure the full tables: neighbours, then buckets."""
    sets = next(record_sets(args.data, "abt-buy"))
    left, right = sets.left, sets.right
    if right is None:
        raise SystemExit("there are two tables")
    split = Split(distractors=args.distractors, seed=seed)
    data = silver_pairs(left, right, text="texts", split=split, quantile=args.quantile, hard=args.hard)
    settings = settings_of(args, seed)
    gold = places(sets.gold, left, right)
    found, seconds = trained(data, settings, f"silver seed {seed}")
    one, other = (found.network.encode(side.texts.to_pylist()) for side in (left, right))
    scores = one @ other.T
    rows = []
    base = {"task": "silver", "set": "abt-buy", "seed": seed, "matches": len(gold), "seconds": seconds}
    silver = (data.first, data.second - len(left))
    ids = [np.argsort(np.array(side.ids.to_pylist()), kind="stable") for side in (left, right)]
    true = {tuple(pair) for pair in gold.tolist()}
    pure = statistics.fmean((int(ids[0][a]), int(ids[1][b])) in true for a, b in zip(*silver, strict=True))
    for k in range(1, 11):
        rows.append(base | {"way": f"K {k}", "k": k, "silver_precision": pure} | shares(nearest(scores, k), gold))
    mutual = nearest(scores, 1) & nearest(scores.T, 1).T
    rows.append(base | {"way": "mutual nearest", "k": 0} | shares(mutual, gold))
    plain = untrained(replace(settings, seed=0), *(tuple(side.texts.to_pylist()) for side in (left, right)))
    rows.append(base | {"way": "K 3, untrained", "k": 0} | shares(nearest(plain[0] @ plain[1].T, 3), gold))
    rows.append(base | {"way": "K 2, lexical", "k": 0} | shares(lexical_nearest(left, right, 2), gold))
    together = np.concatenate(plain)
    planes, rotation = hyperplanes(together.shape[1], BITS, seed), fit_itq(together, BITS, seed)
    kinds = {
        "trained": [found.network.project(side) for side in (one, other)],
        "random hyperplanes": [project(side, planes) for side in plain],
        "ITQ": [project(side, rotation) for side in plain],
    }
    for kind, values in kinds.items():
        for budget, best in banded(values[0] >= 0, values[1] >= 0, gold).items():
            rows.append({"task": "buckets", "seed": seed, "kind": kind, "budget": budget} | best)
    rows[0]["card"] = found.card()
    return rows


def lexical_nearest(left: Records, right: Records, k: int = 1) -> NDArray[np.bool_]:
    """Return which pairs the lexical blocker finds."""
    chosen = np.zeros((len(left), len(right)), np.bool_)
    found = lexical_search(left, right, k)(0, len(left))
    chosen[found.queries, found.rows] = True
    return chosen


def untrained_scores(settings: TrainSettings, left: Records, right: Records) -> NDArray[np.float32]:
    """Return the inner products of all pairs by the encoder as it was."""
    one, other = untrained(replace(settings, seed=0), *(tuple(side.texts.to_pylist()) for side in (left, right)))
    return one @ other.T


@cache
def untrained(settings: TrainSettings, *sides: tuple[str, ...]) -> list[NDArray[np.float32]]:
    """Return the vectors of texts by the encoder as it was."""
    network = Network(settings)
    return [network.encode(texts) for texts in sides]


def banded(left: NDArray[np.bool_], right: NDArray[np.bool_], gold: NDArray[np.int64]) -> dict[int, dict[str, Any]]:
    """Return for each budget the banding with the best recall that makes no more candidates."""
    best: dict[int, dict[str, Any]] = {budget: {"recall": 0.0} for budget in BUDGETS}
    a, b = (np.where(side, 1, -1).astype(np.float32) for side in (left, right))
    for width in range(5, 25):
        hit = np.zeros((len(a), len(b)), np.bool_)
        for band in range(BITS // width):
            bits = slice(band * width, (band + 1) * width)
            hit |= a[:, bits] @ b[:, bits].T == width
            candidates, recall = hit.sum() / len(a), float(hit[gold[:, 0], gold[:, 1]].mean())
            for budget in BUDGETS:
                if candidates <= budget and recall > best[budget]["recall"]:
                    shape = f"{band + 1} x {width}"
                    best[budget] = {"recall": recall, "candidates": float(candidates), "bands": shape}
    return best


def mean_and_spread(values: list[float]) -> str:
    """Return the mean of shares, and the least and the most."""
    return f"{100 * statistics.fmean(values):.1f} % ({100 * min(values):.1f} to {100 * max(values):.1f})"


def grouped(rows: list[dict[str, Any]], *names: str) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Return rows by the values of some of their names."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return found


def lines_of(rows: list[dict[str, Any]]) -> list[str]:
    """Return the tables as Markdown."""
    cells = []
    for (name, records, way), some in grouped(
        [row for row in rows if row["task"] == "labels"], "set", "records", "way"
    ).items():
        recall, bar = BARS[name]
        pc, pq, f1 = ([row[part] for row in some] for part in ("pc", "pq", "f1"))
        enough = statistics.fmean(pc) >= recall
        judged = verdict(statistics.fmean(f1), bar) if enough else f"recall below {recall}"
        cells.append([name, records, way, str(len(some)), *map(mean_and_spread, (pc, pq, f1)), judged])
    lines = table(["labels", "test records", "pairs", "seeds", "PC", "PQ", "F1", "bar"], cells)
    cells = []
    reached = False
    for (way, k), some in grouped([row for row in rows if row["task"] == "silver"], "way", "k").items():
        pc, pq, f1 = ([row[part] for row in some] for part in ("pc", "pq", "f1"))
        enough = k > 0 and not reached and statistics.fmean(pc) >= 0.9
        reached |= enough
        judged = verdict(statistics.fmean(pq), SILVER_PQ) if enough else ""
        cells.append([way, str(len(some)), *map(mean_and_spread, (pc, pq, f1)), judged])
    lines += ["", *table(["silver, full tables of Abt-Buy", "seeds", "PC", "PQ", "F1", "bar"], cells)]
    cells = []
    found = grouped([row for row in rows if row["task"] == "buckets"], "budget", "kind")
    for (budget, kind), some in sorted(found.items()):
        recall = [row["recall"] for row in some]
        against = {rival: statistics.fmean(row["recall"] for row in found[budget, rival]) for _, rival in found}
        mine = statistics.fmean(recall)
        judged = ""
        if kind == "trained":
            judged = verdict(mine / against["random hyperplanes"], MORE) + ", ITQ: " + verdict(mine, against["ITQ"])
        bands = ", ".join(sorted({row["bands"] for row in some}))
        ratio = f"{mine / against['random hyperplanes']:.2f}x"
        cells.append([str(budget), kind, str(len(some)), mean_and_spread(recall), ratio, bands, judged])
    head = ["candidates a record", "codes", "seeds", "recall", "of random", "bands x bits", "bar"]
    return [*lines, "", *table(head, cells)]


def main() -> None:
    """Read the arguments and measure."""
    data = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA")
    parser.add_argument("--model", required=True, help="encoder: name or folder of a sentence-transformers model")
    parser.add_argument("--tasks", nargs="+", default=["silver", "abt-buy", "dblp-acm"], help="which, in this order")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--hard", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=400, help="at most so many labelled matches are trained with")
    parser.add_argument("--quantile", type=float, default=0.2)
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--distractors", type=int, default=150)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here after each training")
    args = parser.parse_args()
    if not args.data:
        print("blocking_neural: left out without --data; the sets are not shipped with this project")
        return
    rows: list[dict[str, Any]] = []
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for task in args.tasks:
            rows += without_labels(args, seed) if task == "silver" else by_labels(args, task, seed)
            if args.json:
                found = {"machine": machine(), "versions": versions(), "load": os.getloadavg(), "rows": rows}
                args.json.parent.mkdir(parents=True, exist_ok=True)
                args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines_of(rows)))


if __name__ == "__main__":
    main()
