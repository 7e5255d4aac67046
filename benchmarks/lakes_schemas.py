"""``lakes.py schema-graph``: the graph of very many schemas, and snapshots of one growing table.

    python benchmarks/lakes_schemas.py --schemas 100000 --seed 0        # one fresh process of lakes.py

Schemas are planted: roots of 5 to 60 columns from a vocabulary whose word of rank r is drawn with weight 1 / r, so that
some columns are nearly everywhere; and for each root tables with some of its columns, or some of those of such a table,
or the same in another order. Every planted pair has to be in the graph; a sample of tables is compared with all others
by brute force.
"""

import argparse
import json
import random
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lakes_scan import place_in, scan, worker
from lakes_turns import Found, scan_options, summary, took, warm
from numpy.typing import NDArray

VOCABULARY = 20_000
FAMILY = 10
"""Tables of a root and what is made of it."""

Planted = tuple[int, int]
"""(parent, child): numbers of tables; the parent has all columns of the child."""


def planted_schemas(tables: int, seed: int) -> tuple[list[tuple[str, ...]], list[Planted]]:
    """Return the columns of tables, and pairs of which one has all of the other's."""
    rng = random.Random(seed)
    weights = np.cumsum(1 / np.arange(1, VOCABULARY + 1))
    draws = np.random.default_rng(seed)
    schemas: list[tuple[str, ...]] = []
    planted: list[Planted] = []
    while len(schemas) < tables:
        root = len(schemas)
        ranks = np.searchsorted(weights, draws.random(rng.randint(5, 60)) * weights[-1])
        schemas.append(tuple(f"column_{rank}" for rank in sorted(set(ranks.tolist()))))
        for _ in range(min(FAMILY - 1, tables - len(schemas))):
            parent = root + rng.randrange(len(schemas) - root)
            of = schemas[parent]
            planted.append((parent, len(schemas)))
            schemas.append(tuple(rng.sample(of, rng.randint(max(1, len(of) // 2), len(of)))))
    return schemas, planted


def wrong(
    schemas: Sequence[Sequence[str]], of: NDArray[np.int64], parents: Sequence[Any], sample: Sequence[int]
) -> int:
    """Return for how many tables the graph says other parents than a comparison with all tables does."""
    sets = [frozenset(names) for names in schemas]
    bad = 0
    for child in sample:
        above = {int(of[child]), *(int(one) for one in parents[of[child]])}
        bad += {i for i, names in enumerate(sets) if sets[child] <= names} != {
            i for i, number in enumerate(of.tolist()) if number in above
        }
    return bad


def graph(tables: int, seed: int, sample: int) -> dict[str, Any]:
    """Time the graph of planted schemas and look at it."""
    from tamis.pipeline.lake.schema_graph import schema_graph

    schemas, planted = planted_schemas(tables, seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    begun = time.perf_counter()
    found = schema_graph(schemas)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    above = [set(some.tolist()) | {i} for i, some in enumerate(found.parents)]
    missed = sum(int(found.of[parent]) not in above[found.of[child]] for parent, child in planted)
    chosen = random.Random(seed).sample(range(tables), min(sample, tables))
    return {
        "tables": tables,
        "classes": len(found.classes),
        "edges": found.edges,
        "table_pairs": found.table_pairs(),
        "seconds": seconds,
        "peak_rss_bytes": peak,
        "rss_before_bytes": before,
        "planted": len(planted),
        "planted_missed": missed,
        "sampled": len(chosen),
        "sampled_wrong": wrong(schemas, found.of, found.parents, chosen),
    }


def write_snapshots(lake: Path, snapshots: int, first_rows: int, step: int) -> int:
    """Write snapshots of a growing table, ``step`` rows more in each; return their bytes."""
    lake.mkdir(parents=True)
    rows = first_rows + step * (snapshots - 1)
    rng = np.random.default_rng(0)
    whole = pa.table(
        {
            "id": pa.array(np.arange(rows)),
            "amount": pa.array(rng.integers(0, 10_000, rows)),
            "city": pa.array([f"city {i}" for i in range(100)]).take(pa.array(rng.integers(0, 100, rows))),
        }
    )
    size = 0
    for number in range(snapshots):
        path = lake / f"{number // 1_000:03d}" / f"{number:06d}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(whole.slice(0, first_rows + step * number), path)
        size += path.stat().st_size
    return size


def measure(args: argparse.Namespace) -> Found:
    """Time the graph of many schemas, and a scan of snapshots of one growing table."""
    found: Found = {}
    with place_in(args.work) as place:
        if args.schemas:
            told = ["--schemas", str(args.schemas), "--seed", str(args.seed)]
            rounds = [worker("lakes_schemas.py", told, place)[1] for _ in range(args.rounds)]
            found["graph"] = {**rounds[-1], "seconds": median(one["seconds"] for one in rounds)}
        if args.snapshots:
            warm(place, args)
            size = write_snapshots(place / "lake", args.snapshots, args.first_rows, args.step)
            found["snapshots"] = {**snapshots(args, place), "lake_bytes": size}
    return found


def snapshots(args: argparse.Namespace, place: Path) -> Found:
    """Scan snapshots, each of which is inside all that come after it."""
    names = [path.relative_to(place / "lake").as_posix() for path in sorted((place / "lake").rglob("*.parquet"))]
    rounds = []
    for _ in range(args.rounds):
        ran = scan(place / "lake", place / "found", scan_options(args))
        rounds.append(took(ran))
    facts = json.loads((place / "found" / "lake.json").read_text(encoding="utf-8"))
    lines = pq.read_table(place / "found" / "containment.parquet", columns=["parent", "child", "status"]).to_pylist()
    said = {(line["parent"], line["child"]) for line in lines if line["status"] == "verified"}
    return {
        **summary(rounds),
        "snapshots": len(names),
        "lines": len(lines),
        "chain": said == set(zip(names[1:], names[:-1], strict=True)),
        "pairs": facts["pairs"]["verified"],
    }


def lines_of(found: Found) -> list[str]:
    """Return what was found as text."""
    lines = []
    if "graph" in found:
        one = found["graph"]
        lines.append(
            f"Graph of {one['tables']:,} schemas: {one['seconds']:.2f} s, peak RSS"
            f" {one['peak_rss_bytes'] / 1e6:,.0f} MB ({one['rss_before_bytes'] / 1e6:,.0f} MB before);"
            f" {one['classes']:,} classes, {one['edges']:,} edges, {one['table_pairs']:,} pairs of tables."
            f" Planted pairs missed: {one['planted_missed']:,} of {one['planted']:,};"
            f" tables with other parents than by brute force: {one['sampled_wrong']} of {one['sampled']}."
        )
    if "snapshots" in found:
        one = found["snapshots"]
        lines.append(
            f"{one['snapshots']:,} snapshots, {one['lake_bytes'] / 1e6:,.0f} MB: {one['seconds']:.1f} s, peak RSS"
            f" {one['peak_bytes'] / 1e6:,.0f} MB; {one['lines']:,} lines say {one['pairs']:,} pairs;"
            f" {'each in the next, and nothing else' if one['chain'] else '**not** each in the next alone'}."
        )
    return lines


def main() -> None:
    """Time one graph."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schemas", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample", type=int, default=100, help="tables that are compared with all others")
    args = parser.parse_args()
    print(json.dumps(graph(args.schemas, args.seed, args.sample)))


if __name__ == "__main__":
    main()
