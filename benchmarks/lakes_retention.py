"""``lakes.py retention``: plans of what to delete: how long they take, and how far they may be from the best.

    python benchmarks/lakes_retention.py                            # random graphs
    python benchmarks/lakes_retention.py --out out/lake-1000        # and the containment of a planted lake

Each graph is solved as Tamis does (trees by a program, parts of moderate size by HiGHS, larger ones greedily) and once
more with no part given to HiGHS. ``gap`` is the share of its cost by which a plan may be too dear, by the lower bound
that it gives itself; ``above best`` is by how much the greedy one is dearer than the first plan, where that one is
proven to be the best.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from kernels_turns import table
from lakes_make import truth_of
from lakes_scan import place_in, worker
from lakes_turns import Found, made, took
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tamis.pipeline.lake.retention import RetentionProblem

Edges = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(parent, child)."""
SIZES = (20, 50, 100, 200, 500, 1_000)
TREE_SIZES = (1_000, 10_000, 100_000)
DEGREE = 4
"""Parents that a table of a random graph has on average."""


def random_tree(tables: int, rng: np.random.Generator) -> Edges:
    """Return a tree in which the parent of each table is any of those before it."""
    child = np.arange(1, tables)
    return (rng.random(tables - 1) * child).astype(np.int64), child


def random_graph(tables: int, rng: np.random.Generator) -> Edges:
    """Return edges between random tables, from the one that comes first to the other; each once."""
    pairs = np.sort(rng.integers(0, tables, (DEGREE * tables, 2)), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    return pairs[:, 0], pairs[:, 1]


def random_problem(edges: Edges, tables: int, rng: np.random.Generator) -> "RetentionProblem":
    """Return costs for a graph: of keeping 1 to 10, of rebuilding up to 8, no limits."""
    from tamis.pipeline.lake.retention import RetentionProblem

    parent, child = edges
    return RetentionProblem(
        retain=rng.uniform(1, 10, tables),
        parent=parent,
        child=child,
        rebuild=rng.uniform(0, 8, len(parent)),
        latency=np.zeros(len(parent)),
        limit=np.full(tables, np.inf),
        must=np.zeros(tables, np.bool_),
    )


def planted_problem(out: Path) -> "RetentionProblem":
    """Return the default costs of a planted lake, edges being all that is contained."""
    import pyarrow.parquet as pq

    from tamis.pipeline.lake.costs import Costs, retention_problem

    tables = pq.read_table(out / "tables.parquet", columns=["table", "bytes"])
    names = tables["table"].to_pylist()
    number = {name: i for i, name in enumerate(names)}
    pairs = np.array(sorted((number[parent], number[child]) for parent, child in truth_of(out)), np.int64)
    parent, child = pairs.reshape(-1, 2).T
    codes = set(zip(parent.tolist(), child.tolist(), strict=True))
    group = np.arange(len(names))
    for one, other in sorted(codes):
        if (other, one) in codes:
            group[other] = min(group[one], group[other])
    return retention_problem(Costs(), names, tables["bytes"].to_pylist(), parent=parent, child=child, group=group)


def problems(args: argparse.Namespace) -> Iterator[tuple[str, "RetentionProblem"]]:
    """Yield what is solved, with a name."""
    if args.out:
        yield "planted lake", planted_problem(args.out)
    for kind, sizes, draw in (("tree", args.trees, random_tree), ("graph", args.sizes, random_graph)):
        for tables in sizes:
            rng = np.random.default_rng([args.seed, tables])
            yield f"random {kind}", random_problem(draw(tables, rng), tables, rng)


def solved(problem: "RetentionProblem", rounds: int) -> dict[str, Any]:
    """Solve a problem both ways; seconds are medians."""
    from tamis.pipeline.lake.retention import EXACT_UP_TO, solve

    found: dict[str, Any] = {"tables": len(problem.retain), "edges": len(problem.parent)}
    for name, limit in (("plan", EXACT_UP_TO), ("greedy", 0)):
        seconds = []
        for _ in range(rounds):
            begun = time.perf_counter()
            plan = solve(problem, exact_up_to=limit)
            seconds.append(time.perf_counter() - begun)
        methods = Counter(part.method for part in plan.parts)
        found[name] = {
            "seconds": float(np.median(seconds)),
            "cost": plan.cost,
            "gap": plan.gap,
            "deleted": int((~plan.kept).sum()),
            "largest_part": max((part.tables for part in plan.parts), default=0),
            "methods": dict(sorted(methods.items())),
        }
    best = found["plan"]["methods"].get("greedy", 0) == 0
    found["above_best"] = found["greedy"]["cost"] / found["plan"]["cost"] - 1 if best else None
    return found


def numbers(value: str) -> Sequence[int]:
    """Read numbers with commas between; none if empty.

    >>> numbers("20,50"), numbers("")
    ([20, 50], [])
    """
    return [int(part) for part in value.split(",") if part]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sizes of random graphs."""
    for name, sizes, what in (("--sizes", SIZES, "graphs"), ("--trees", TREE_SIZES, "trees")):
        parser.add_argument(name, type=numbers, default=sizes, metavar="N,N", help=f"tables of random {what}")


def measure(args: argparse.Namespace) -> Found:
    """Time plans for a planted lake and for random graphs."""
    told = ["--rounds", str(args.rounds), "--seed", str(args.seed)]
    told += ["--sizes", ",".join(map(str, args.sizes)), "--trees", ",".join(map(str, args.trees))]
    told += ["--out", str(made(args)[0])] if args.tables else []
    with place_in(args.work) as place:
        ran, said = worker("lakes_retention.py", told, place)
    return {"rows": said, **took(ran)}


def lines_of(found: Found) -> list[str]:
    """Return the plans as Markdown."""
    head = ["", "methods", "tables", "edges", "largest part", "plan s", "gap", "greedy s", "gap", "above best"]
    rows = []
    for row in found["rows"]:
        plan, greedy = row["plan"], row["greedy"]
        methods = ", ".join(f"{count:,} {name}" for name, count in plan["methods"].items())
        cells = [row["problem"], methods, f"{row['tables']:,}", f"{row['edges']:,}", f"{plan['largest_part']:,}"]
        cells += [text for one in (plan, greedy) for text in (f"{one['seconds']:.3f}", f"{one['gap']:.2%}")]
        rows.append([*cells, "" if row["above_best"] is None else f"{row['above_best']:.2%}"])
    return table(head, rows, words=2)


def main() -> None:
    """Solve all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="what lakes_make.py made")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    add_arguments(parser)
    args = parser.parse_args()
    print(json.dumps([{"problem": name, **solved(problem, args.rounds)} for name, problem in problems(args)]))


if __name__ == "__main__":
    main()
