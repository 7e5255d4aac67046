"""Measure blockers together: is what they find in order no less, at any number of pairs, than what the best one finds?

    python benchmarks/blocking_combined.py --data DIR --hasher FOLDER [--json FILE]

The lexical blocker (columns ``auto``) and vectors of a hasher (`tamis block encoder`), 40 neighbours each; PC at 1 to
40 pairs for each record that asks, and at a CSSR of 1 %. Both in order may be behind a single blocker at none of these.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
from blocking_sets import RecordSet, record_sets
from end_to_end import machine, versions
from kernels_turns import table, verdict

from tamis.jobs.local import LocalEngine
from tamis.pipeline.blocking.curves import curve_of
from tamis.pipeline.blocking.dense import dense_search
from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.pairs import fused, in_order
from tamis.pipeline.blocking.search import found_pairs
from tamis.pipeline.blocking.vectors import encoded

TWO_TABLES = ("abt-buy", "dblp-acm", "imdb-tmdb", "imdb-tvdb", "tmdb-tvdb", "restaurants")
SETS = (*TWO_TABLES, "febrl1", "febrl2", "febrl3", "febrl4")
K = 40
SHOWN = (1, 2, 3, 5, 10, 20, 40)
CSSR, PC = 0.01, 0.98


def measured(records: RecordSet, hasher: Path, engine: LocalEngine, cache: Path) -> dict[str, Any]:
    """Return PC of each blocker and of both at all budgets."""
    left, right = records.left, records.right
    texts = [side.texts for side in (left, right) if side is not None]
    vectors = encoded(engine, pa.concat_arrays(texts), hasher, cache=cache)
    both = vectors[: len(left)], None if right is None else vectors[len(left) :]
    found = {
        "lexical": found_pairs(lexical_search(left, right, K, columns="auto"), left, right),
        "dense": found_pairs(dense_search(*both, K), left, right),
    }
    found |= {"in order": in_order(list(found.values())), "fusion": fused(list(found.values()))}
    n = len(left)
    possible = n * (n - 1) // 2 if right is None else n * len(right)
    ids = left.ids, None if right is None else right.ids
    curves = {name: curve_of(pairs, records.gold, *ids, "rank") for name, pairs in found.items()}
    at = {name: [curve.recall_of(k * n) for k in range(1, K + 1)] for name, curve in curves.items()}
    lead = max(max(at[one][k] for one in ("lexical", "dense")) - at["in order"][k] for k in range(K))
    return {
        "set": records.name,
        "recall_at": at,
        "worst": lead,
        "at_cssr": curves["in order"].recall_of(int(CSSR * possible)),
    }


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("TAMIS_DATA"), help="folder of real sets")
    parser.add_argument("--hasher", type=Path, required=True, help="folder of a hasher that reads `texts`")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--cache", type=Path, help="folder where vectors are kept")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    rows, found = [], []
    with tempfile.TemporaryDirectory() as work:
        engine = LocalEngine(Path(work) / "work")
        for name in args.sets:
            one = measured(next(record_sets(args.data, name)), args.hasher, engine, args.cache or Path(work) / "cache")
            found.append(one)
            for side, at in one["recall_at"].items():
                cells = [one["set"], side, *(f"{100 * at[k - 1]:.2f}" for k in SHOWN)]
                last = side == "in order"
                cells += [verdict(-one["worst"], 0.0), verdict(one["at_cssr"], PC)] if last else ["", ""]
                rows.append(cells)
        engine.close()
    print("\n".join(table(["set", "", *(f"{k}x" for k in SHOWN), "no less than each", "PC at CSSR 1 %"], rows)))
    if args.json:
        args.json.write_text(json.dumps({"machine": machine(), "versions": versions(), "sets": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
