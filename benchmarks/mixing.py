"""Weigh real sources: what is redundant, what methods make of it, and whether copies and halves weigh as the whole.

    python benchmarks/mixing.py --data DIR

Sources are families of T0's templates, GSM8K, the seeds of Self-Instruct and the newswire of Reuters-21578. A source is
copied, and 10,000 rows of one are split in random halves: together they are to weigh by ``coverage`` what the source
weighs alone, copies within 1e-6 where they share its prior, halves within 3 points.
"""

import argparse
import gzip
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from end_to_end import machine

from tamis.hashing.mixing.overlap import shared_mass
from tamis.jobs.local import LocalEngine
from tamis.pipeline.mixing.features import Bucketing, Measured, measure
from tamis.pipeline.mixing.method import Weights, weights
from tamis.pipeline.mixing.settings import MixingSettings
from tamis.pipeline.mixing.sources import Sources

METHODS = ("proportional", "uniform", "temperature", "tilt", "coverage", "leverage")
HALVED, ROWS = "reuters", 10_000
LEAST_ROWS = 1000


def texts(data: Path) -> dict[str, list[str]]:
    """Return the texts of each source."""
    t0 = pq.read_table(data / "D-t0-mixture" / "t0_train_50k_per_template.parquet").to_pylist()
    found: dict[str, list[str]] = {}
    for row in t0:
        found.setdefault("t0-" + row["template"].split("_")[0], []).append(f"{row['prompt']}\n{row['completion']}")
    found = {name: rows for name, rows in found.items() if len(rows) >= LEAST_ROWS}
    with gzip.open(data / "D-gsm8k" / "train.jsonl.gz", "rt", encoding="utf-8") as stream:
        found["gsm8k"] = ["{question}\n{answer}".format(**json.loads(line)) for line in stream]
    with gzip.open(data / "D-self-instruct-seeds" / "seed_tasks.jsonl.gz", "rt", encoding="utf-8") as stream:
        found["seeds"] = [json.loads(line)["instruction"] for line in stream]
    bodies = pq.read_table(data / "C-reuters-21578" / "reuters21578.parquet", columns=["body"])["body"].to_pylist()
    found[HALVED] = [body for body in bodies if body][:ROWS]
    return found


def measured(found: dict[str, list[str]], bucketing: Bucketing) -> tuple[Measured, float]:
    """Return what there is of sources, and how many seconds that took."""
    table = pa.table(
        {
            "text": [text for rows in found.values() for text in rows],
            "source": [name for name, rows in found.items() for _ in rows],
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        engine = LocalEngine(Path(folder) / "work", threads=2)
        started = time.perf_counter()
        result = measure(engine.table(pa.Table.from_batches(table.to_batches(max_chunksize=4096))), bucketing=bucketing)
        seconds = time.perf_counter() - started
        engine.close()
    return result, seconds


def weighed(method: str, result: Measured, **settings: object) -> Weights:
    """Return the weights of sources by a method."""
    return weights(method, Sources.of(result), MixingSettings.model_validate(settings))


def together(found: Weights, prefix: str) -> float:
    """Return the weight of all sources whose names begin so."""
    return float(sum(w for name, w in zip(found.names, found.weights, strict=True) if name.startswith(prefix)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled sets")
    parser.add_argument("--kind", choices=["ngrams", "bands", "codes"], default="ngrams")
    parser.add_argument("--draws", type=int, help="thin histograms to so many draws")
    options = parser.parse_args()
    bucketing = Bucketing(kind=options.kind, buckets=1024 if options.kind == "codes" else 10_000)
    found = texts(options.data)
    print(json.dumps(machine()), "load", os.getloadavg()[0])
    measured({"seeds": found["seeds"]}, bucketing)  # compiles
    result, seconds = measured(found, bucketing)
    print(f"{sum(result.rows.tolist()):,} rows, {sum(result.tokens.tolist()):,} words in {seconds:.1f} s")
    sources = Sources.of(result)
    by_method = {method: weighed(method, result, draws=options.draws) for method in METHODS}
    print(f"{'source':16} {'words':>9} {'unique':>9} " + " ".join(f"{method[:9]:>9}" for method in METHODS))
    for place, name in enumerate(result.names):
        shares = " ".join(f"{by_method[method].weights[place]:9.4f}" for method in METHODS)
        print(f"{name[:16]:16} {result.tokens[place]:9,} {sources.unique[place]:9,.0f} {shares}")
    print("coverage:", by_method["coverage"].notes)
    print("shared mass, rows in columns")
    print(
        np.array2string(
            shared_mass(result.samples), precision=3, suppress_small=True, threshold=10**6, max_line_width=300
        )
    )
    copied, _ = measured({**found, f"{HALVED}-copy": found[HALVED]}, bucketing)
    side = np.random.Generator(np.random.PCG64(1)).random(len(found[HALVED])) < 0.5
    others = {name: rows for name, rows in found.items() if name != HALVED}
    halves = {
        f"{HALVED}-{half}": [text for text, there in zip(found[HALVED], side == bool(half), strict=True) if there]
        for half in (0, 1)
    }
    split, _ = measured({**others, **halves}, bucketing)
    for method in ("coverage", "tilt"):
        whole, copies, parts = (
            together(weighed(method, some, draws=options.draws), HALVED) for some in (result, copied, split)
        )
        print(f"{method}: alone {whole:.6f}, copies {copies:.6f} ({copies - whole:+.1e}), halves {parts:.6f}")


if __name__ == "__main__":
    main()
