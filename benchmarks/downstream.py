"""Does mixing help? A small language model of its own for each method of ``tamis mix``, and what it loses on each task.

    python benchmarks/downstream.py --data DIR --out out/downstream
    python benchmarks/downstream.py --data DIR --out out/downstream --summary

Sources are the data sets of T0's mixture, and GSM8K. All methods weigh the same training texts by the command, get the
same number of words, drawn by keyed hash, and of these the model sees the same number of tokens, once. For one seed all
begin with the same weights, and rows that two methods draw come in the same order. A method that asks for the same
words as an earlier one is not trained again. Every finished model is a line of ``runs.jsonl``; what is there is not
done again. ``--summary`` writes what they show. Needs the extra ``neural``.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from downstream_material import Material, prepared
from downstream_model import Shape, losses, trained
from downstream_summary import BASE, summarise
from end_to_end import machine, versions

from tamis.hashing.mixing.caps import capped, limits
from tamis.hashing.mixing.rounding import largest_remainder

METHODS: dict[str, list[str]] = {
    "proportional": [],
    "uniform": [],
    "temperature": [],
    "unimax": [],
    "dynamic": [],
    "tilt": [],
    "smart": [],
    "order-free": [],
    "leverage": [],
    "leverage-finetune": ["--method", "leverage", "--set", "purpose=finetune"],
}
"""Methods, and what is said to the command instead of their names alone; the rest is by default."""

RANDOM = "random"
"""Weights that know nothing: uniform among all, anew for each seed."""


def budgets_of(method: str, pool: Path, out: Path, budget: int) -> dict[str, int]:
    """Return the words of each source that ``tamis mix`` asks for."""
    if not (out / "mixture.yaml").exists():
        how = METHODS[method] or ["--method", method]
        what = [str(pool), "--source", "source", "--budget", str(budget), "--out", str(out)]
        subprocess.run([sys.executable, "-m", "tamis", "mix", *what, *how, "--threads", "1", "--quiet"], check=True)
    found = yaml.safe_load((out / "mixture.yaml").read_text(encoding="utf-8"))
    return {name: source["wanted"] for name, source in found["sources"].items()}


def random_budgets(available: dict[str, int], budget: int, seed: int) -> dict[str, int]:
    """Return words of each source by weights drawn from the flat Dirichlet distribution, at most one pass over each."""
    sizes = np.array(list(available.values()), np.int64)
    weights = np.random.Generator(np.random.PCG64(seed)).dirichlet(np.ones(len(sizes)))
    amounts = largest_remainder(capped(weights, limits(sizes, budget, 1.0)), budget, sizes)
    return dict(zip(available, amounts.tolist(), strict=True))


def main() -> None:
    """Train what is not there, and write what it shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for runs and what they show")
    parser.add_argument("--budget", type=int, default=200_000, help="words that a method may ask for")
    parser.add_argument("--tokens", type=int, default=390_000, help="tokens that a model sees")
    parser.add_argument("--measured", type=int, default=3_500, help="held-out tokens of each task")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--methods", nargs="+", choices=[*METHODS, RANDOM], default=[*METHODS, RANDOM])
    parser.add_argument("--rate", type=float, default=Shape.rate, help="of learning, at its highest")
    parser.add_argument("--summary", action="store_true", help="only write what the runs show")
    parser.add_argument("--against", choices=[*METHODS, RANDOM], default=BASE, help="what others are compared with")
    options = parser.parse_args()
    if not options.summary:
        train(options)
    summarise(options.out, options.against)


def train(options: argparse.Namespace) -> None:
    """Train every model that is not there."""
    import torch

    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    shape, pool, path = Shape(rate=options.rate), options.out / "pool.parquet", options.out / "runs.jsonl"
    material = prepared(
        options.data, pool, vocabulary=shape.vocabulary, context=shape.context, measured=options.measured
    )
    asked = {
        name: budgets_of(name, pool, options.out / f"mix-{name}", options.budget)
        for name in options.methods
        if name != RANDOM
    }
    about = {
        "machine": machine(),
        "versions": {**versions(), "torch": torch.__version__},
        "rows": len(material.names),
        "told": material.told,
        "available": material.available,
        "measured": {name: measure.bytes.tolist() for name, measure in material.measures.items()},
    }
    (options.out / "about.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
    settings = {"budget": options.budget, "tokens": options.tokens, "rate": options.rate, "measured": options.measured}
    done = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    if any(run["settings"] != settings for run in done):
        raise SystemExit(f"{path} is of other settings: take another --out")
    for seed in options.seeds:
        for method in options.methods:
            if any((run["method"], run["seed"]) == (method, seed) for run in done):
                continue
            budgets = random_budgets(material.available, options.budget, seed) if method == RANDOM else asked[method]
            same = next((run for run in done if run["seed"] == seed and run["budgets"] == budgets), None)
            run = {"method": method, "seed": seed, "settings": settings, "budgets": budgets}
            if same is None:
                run |= one(material, shape, seed, budgets, options.tokens)
            else:
                run |= {"as": same["method"], **{key: same[key] for key in ("drawn", "seconds", "load", "bits")}}
            done.append(run)
            with path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(run) + "\n")
            mean = np.mean([bits[0] for bits in run["bits"].values()])
            told = f"{run['seconds']:.0f} s, load {run['load']:.1f}"
            print(f"seed {seed} {method:17} {mean:.4f} bits a byte, {run['drawn']:,} tokens drawn, {told}", flush=True)


def one(material: Material, shape: Shape, seed: int, budgets: dict[str, int], tokens: int) -> dict[str, Any]:
    """Train and measure one model.

    Raises:
        ValueError: fewer tokens were drawn.
    """
    stream = material.stream(seed, budgets)
    if len(stream) < tokens + 1:
        raise ValueError(f"{len(stream):,} tokens were drawn: set --tokens below that")
    started = time.perf_counter()
    model = trained(shape, seed, stream[: tokens + 1])
    bits: dict[str, list[float | None]] = {}
    for name, measure in material.measures.items():
        pairs = zip(losses(model, measure.pieces), measure.bytes, strict=True)
        bits[name] = [float(nats / np.log(2) / size) if size else None for nats, size in pairs]
    seconds = time.perf_counter() - started
    return {"drawn": len(stream), "seconds": seconds, "load": os.getloadavg()[0], "bits": bits}


if __name__ == "__main__":
    main()
