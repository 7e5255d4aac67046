"""``lakes.py funnel``: what each step of a scan leaves of the pairs, and how right it is.

    python benchmarks/lakes_funnel.py LAKE --truth truth.json      # one fresh process of lakes.py

The steps are those of the scan, in this process, asked about every pair of different tables, also those that the scan
need not look at, as they follow from others:

* ``schema``: the parent has all columns of the child;
* ``candidates``: it also has the child's row with the smallest fingerprint, and not fewer distinct rows;
* ``sample``: and as much of the child's sample as one that holds the child would; of a child that is no larger than the
  sample all rows are looked for in the last step;
* ``all rows``: and all rows.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernels_turns import table
from lakes_make import truth_of
from lakes_pairs import Pair, Score, compatible_pairs
from lakes_rdatasets import IGNORED, unpacked
from lakes_scan import place_in, worker
from lakes_turns import Found, made

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tamis.pipeline.lake.scan import Scan

ROWS_AT_ONCE = 20_000_000
"""Rows of children that are looked for at once."""
STEPS = ("schema", "candidates", "sample", "all rows")


def funnel(lake: Path, true: set[Pair], options: dict[str, Any], args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return what is left after each step, and how right it is."""
    from tamis.connectors.lake_tables import list_tables
    from tamis.jobs.local import LocalEngine
    from tamis.pipeline.config import bytes_of
    from tamis.pipeline.lake import scan as scanning
    from tamis.pipeline.lake.options import Options

    find_links, left = scanning.find_links, {}

    def asked(candidates: Any, projections: Any, sizes: Any, *more: Any) -> Any:
        """Ask the steps about every pair before the scan asks about those that it needs."""
        left.update(steps(candidates, projections, sizes, check=more[-1]))
        return find_links(candidates, projections, sizes, *more)

    with place_in(args.work) as work:
        engine = LocalEngine(work / "engine", memory_bytes=bytes_of(args.memory), threads=args.threads)
        scanning.find_links = asked
        try:
            found = scanning.scan(engine, list_tables([str(lake)])[0], Options(**options))
        finally:
            scanning.find_links = find_links
            engine.close()
    names = [table.name for table in found.tables]
    pairs = {step: {(names[parent], names[child]) for parent, child in some} for step, some in left.items()}
    pairs["schema"] = schema_pairs(found)
    return [{"step": step, **Score.of(pairs[step], true).as_dict()} for step in STEPS]


def schema_pairs(found: "Scan") -> set[Pair]:
    """Return the pairs of tables of which one has all columns of the other."""
    columns = {
        table.name: frozenset(found.graph.classes[found.graph.of[number]])
        for number, table in enumerate(found.tables)
        if number not in found.faults
    }
    return set(compatible_pairs(columns))


def steps(candidates: Any, projections: Any, sizes: Any, check: Any) -> dict[str, set[tuple[int, int]]]:
    """Return the pairs (parent, child) of numbers of tables that the later steps leave.

    Args:
        candidates, projections, sizes: of the scan.
        check: looks at pairs.
    """
    import numpy as np

    children = np.flatnonzero(sizes.distinct[: projections.own] > 0)
    every = np.ones(int(projections.table.max(initial=-1)) + 1, np.bool_)
    child, parent, _ = candidates.smallest(children, every, 1 << 62)
    whole, verified = np.zeros(len(child), np.bool_), np.zeros(len(child), np.bool_)
    for part in _parts(sizes.distinct[child]):
        checked = check(child[part], parent[part])
        whole[part], verified[part] = checked.whole, checked.verified
    of = projections.table
    return {
        step: set(zip(of[parent[kept]].tolist(), of[child[kept]].tolist(), strict=True))
        for step, kept in (("candidates", np.ones_like(whole)), ("sample", whole), ("all rows", verified))
    }


def _parts(sizes: "NDArray[np.int64]") -> Iterator[slice]:
    """Yield runs of pairs whose children have so many rows together."""
    import numpy as np

    number = np.cumsum(sizes) // ROWS_AT_ONCE
    ends = [*(np.flatnonzero(np.diff(number)) + 1).tolist(), len(sizes)]
    for start, stop in zip([0, *ends[:-1]], ends, strict=True):
        if stop > start:
            yield slice(start, stop)


def measure(args: argparse.Namespace) -> Found:
    """Look at every step of the scan, on a planted lake and on `rdatasets`."""
    out, _ = made(args)
    lakes: dict[str, tuple[Path, set[Pair], Sequence[str]]] = {"planted": (out / "lake", truth_of(out), ())}
    if args.data:
        lakes["rdatasets"] = (*unpacked(args.data, args.work), IGNORED)
    found = {}
    for name, (lake, true, ignored) in lakes.items():
        with place_in(args.work) as place:
            (place / "truth.json").write_text(json.dumps(sorted(true)), encoding="utf-8")
            told = [str(lake), "--truth", str(place / "truth.json"), "--work", str(place), "--memory", args.memory]
            told += ["--threads", str(args.threads), *(text for one in ignored for text in ("--ignore", one))]
            found[name] = worker("lakes_funnel.py", told, place)[1]["steps"]
    return {"lakes": found}


def lines_of(found: Found) -> list[str]:
    """Return a table for each lake."""
    lines = []
    for name, steps in found["lakes"].items():
        rows = [
            [one["step"], f"{one['said']:,}", f"{one['recall']:.3f}", f"{one['precision']:.3f}", f"{one['missed']:,}"]
            for one in steps
        ]
        lines += [
            f"{name}, {steps[0]['true']:,} true pairs:",
            *table(["left after", "pairs", "recall", "precision", "missed"], rows),
        ]
    return lines


def main() -> None:
    """Look at the steps for one lake."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=Path)
    parser.add_argument("--truth", type=Path, required=True, help="JSON: a list of [parent, child]")
    parser.add_argument("--ignore", action="append", default=[], metavar="NAME", help="a column that does not count")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--work", type=Path, required=True)
    args = parser.parse_args()
    true = {(parent, child) for parent, child in json.loads(args.truth.read_text(encoding="utf-8"))}
    print(json.dumps({"steps": funnel(args.lake, true, {"ignore": tuple(args.ignore)}, args)}))


if __name__ == "__main__":
    main()
