"""Other ways to find which tables of a planted lake lie inside others; each in a fresh process of ``lakes.py``.

* ``anti-join``: DuckDB, one query for every ordered pair of tables of which one has all columns of the other: rows of
  the child that are not among those of the parent, null-safe, stopping at the first. A random share of the pairs is
  timed. ``--distinct`` makes the rows of the parent distinct first, which answers the same and takes longer.
* ``hash-sets``: Python sets of rows, one core. Of each class of columns, every table that has these is read once and
  kept as a set while the pairs of the class are compared; ``<=`` looks at the sizes first and stops at the first row
  that is missing.
* ``ensemble``: datasketch's ``MinHashLSHEnsemble``, which is approximate: for each class of columns an index of all
  tables that have these. Rows are hashed by DuckDB, all at once, the quickest way there is.

Each reads the files itself and prints JSON: seconds, pairs that it looked at or says, and how right they are. A CSV
file has no types; where one is compared, values are compared as text, as Tamis does.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakes_make import columns_of, truth_of
from lakes_pairs import Numbered, Pair, Score, compatible

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

Rows = set[tuple[str | None, ...]]
HASHED_AT_ONCE = 16_384
THRESHOLDS = ((0.8, 0.5), (0.95, 0.9))
"""Containment that ensemble is asked for, and what missing a pair weighs, unless told otherwise: the best that were
tried. The library's own weight is 0.5, with which 0.95 finds hardly anything but equal tables."""


def source(lake: Path, table: str) -> str:
    """Return the SQL that reads a table."""
    path = lake / table
    if path.suffix == ".csv":
        return f"read_csv('{path}', header = true, all_varchar = true)"
    return f"read_parquet('{path / '*.parquet' if path.is_dir() else path}')"


def selected(names: Sequence[str], *, as_text: bool) -> str:
    """Return the SQL of some columns."""
    return ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' if as_text else f'"{name}"' for name in names)


def query(lake: Path, pair: Pair, names: Sequence[str], *, distinct: bool = False) -> str:
    """Return the SQL that gives a row if one of the child is not in the parent."""
    parent, child = pair
    columns = selected(names, as_text=parent.endswith(".csv") != child.endswith(".csv"))
    kept = f"{'DISTINCT ' if distinct else ''}{columns}"
    same = " AND ".join(f'c."{name}" IS NOT DISTINCT FROM p."{name}"' for name in names)
    return (
        f"SELECT 1 FROM (SELECT {columns} FROM {source(lake, child)}) c"
        f" ANTI JOIN (SELECT {kept} FROM {source(lake, parent)}) p ON {same} LIMIT 1"
    )


def connect(args: argparse.Namespace) -> "duckdb.DuckDBPyConnection":
    """Return a connection with the threads and the memory that Tamis has too."""
    import duckdb

    return duckdb.connect(config={"threads": args.threads, "memory_limit": args.memory})


def anti_join(args: argparse.Namespace) -> dict[str, Any]:
    """Ask DuckDB about a random share of the pairs."""
    columns, true = columns_of(args.out), truth_of(args.out)
    of_pairs = Numbered(columns)
    pairs = len(of_pairs)
    wanted = min(pairs, args.most_pairs, max(1, round(args.share * pairs)))
    chosen = [of_pairs[place] for place in random.Random(args.seed).sample(range(pairs), wanted)]
    connection = connect(args)
    said = set()
    begun = time.perf_counter()
    for pair in chosen:
        asked = query(args.out / "lake", pair, sorted(columns[pair[1]]), distinct=args.distinct)
        if not connection.execute(asked).fetchall():
            said.add(pair)
    seconds = time.perf_counter() - begun
    return {
        "timed_pairs": wanted,
        "pairs": pairs,
        "timed_seconds": seconds,
        "all_pairs_seconds": seconds * pairs / wanted,
        **Score.of(said, true & set(chosen)).as_dict(),
    }


def rows_of(lake: Path, table: str, names: Sequence[str]) -> Rows:
    """Return the rows of a table as texts, null being none."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    path = lake / table
    if path.suffix == ".csv":
        kinds = {name: pa.string() for name in names}
        convert = pa.csv.ConvertOptions(include_columns=names, column_types=kinds, strings_can_be_null=False)
        read = pa.csv.read_csv(path, pa.csv.ReadOptions(use_threads=False), convert_options=convert)
    else:
        read = pq.read_table(path, columns=names, use_threads=False)
    return set(zip(*(read[name].cast(pa.string()).to_pylist() for name in names), strict=True))


def hash_sets(args: argparse.Namespace) -> dict[str, Any]:
    """Compare Python sets."""
    lake, columns = args.out / "lake", columns_of(args.out)
    said, looked = set(), 0
    begun = time.perf_counter()
    for names, children, parents in compatible(columns):
        order = sorted(names)
        sets = {table: rows_of(lake, table, order) for table in parents}
        for child in children:
            looked += len(parents) - 1
            said |= {(parent, child) for parent in parents if parent != child and sets[child] <= sets[parent]}
    seconds = time.perf_counter() - begun
    return {"pairs": looked, "all_pairs_seconds": seconds, **Score.of(said, truth_of(args.out)).as_dict()}


def hashes_of(
    connection: "duckdb.DuckDBPyConnection", lake: Path, table: str, names: Sequence[str], *, as_text: bool
) -> "NDArray[np.uint64]":
    """Return 32 bits of the hash of each distinct row."""
    columns = ", ".join(f'CAST("{name}" AS VARCHAR)' if as_text else f'"{name}"' for name in names)
    found = connection.execute(f"SELECT DISTINCT hash({columns}) >> 32 AS h FROM {source(lake, table)}")
    return found.fetchnumpy()["h"]


def sketches(args: argparse.Namespace) -> Iterator[tuple[list[str], list[tuple[str, Any, int]]]]:
    """Yield the children of each class, and (table, sketch, rows) of all tables that have its columns."""
    import numpy as np
    from datasketch import MinHash

    lake, connection = args.out / "lake", connect(args)
    for names, children, parents in compatible(columns_of(args.out)):
        order, as_text = sorted(names), any(table.endswith(".csv") for table in parents)
        entries = []
        for table in parents:
            hashes = hashes_of(connection, lake, table, order, as_text=as_text)
            sketch = MinHash(num_perm=args.permutations, seed=1, hashfunc=int)
            for part in np.array_split(hashes, max(1, -(-len(hashes) // HASHED_AT_ONCE))):
                sketch.update_batch(part.tolist())
            entries.append((table, sketch, len(hashes)))
        yield children, entries


def ensemble(args: argparse.Namespace) -> dict[str, Any]:
    """Ask indexes of sketches, one for each threshold."""
    from datasketch import MinHashLSHEnsemble

    true = truth_of(args.out)
    begun = time.perf_counter()
    made = list(sketches(args))
    sketching = time.perf_counter() - begun
    found = []
    for threshold, missing in args.threshold or THRESHOLDS:
        begun, said = time.perf_counter(), set()
        for children, entries in made:
            index = MinHashLSHEnsemble(
                threshold, args.permutations, args.partitions, weights=(round(1 - missing, 6), missing)
            )
            index.index(entries)
            known = {table: (sketch, size) for table, sketch, size in entries}
            for child in children:
                said |= {(parent, child) for parent in index.query(*known[child]) if parent != child}
        seconds = sketching + time.perf_counter() - begun
        about = {"threshold": threshold, "missing_weight": missing, "all_pairs_seconds": seconds}
        found.append(about | Score.of(said, true).as_dict())
    return {"sketch_seconds": sketching, "thresholds": found}


RIVALS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "anti-join": anti_join,
    "hash-sets": hash_sets,
    "ensemble": ensemble,
}


def threshold_of(value: str) -> tuple[float, float]:
    """Read SHARE or SHARE:WEIGHT.

    >>> threshold_of("0.8"), threshold_of("0.95:0.9")
    ((0.8, 0.5), (0.95, 0.9))
    """
    share, _, weight = value.partition(":")
    return float(share), float(weight or 0.5)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the rivals are told."""
    parser.add_argument("--share", type=float, default=0.01, help="of the pairs that anti-join is timed on")
    parser.add_argument("--most-pairs", type=int, default=20_000, help="that anti-join is timed on")
    parser.add_argument("--distinct", action="store_true", help="anti-join with distinct rows of the parent")
    parser.add_argument(
        "--threshold",
        type=threshold_of,
        action="append",
        metavar="SHARE[:WEIGHT]",
        help="containment that ensemble looks for, and what missing a pair weighs",
    )
    parser.add_argument("--permutations", type=int, default=128, help="of a sketch")
    parser.add_argument("--partitions", type=int, default=16, help="of an index of sketches")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="4GB")


def arguments_of(args: argparse.Namespace) -> list[str]:
    """Return the same arguments as text."""
    names = ("share", "most_pairs", "permutations", "partitions", "threads", "memory", "seed")
    told = [(name, getattr(args, name)) for name in names]
    told += [("threshold", f"{share}:{weight}") for share, weight in args.threshold or THRESHOLDS]
    texts = [text for name, value in told for text in (f"--{name.replace('_', '-')}", str(value))]
    return texts + (["--distinct"] if args.distinct else [])


def main() -> None:
    """Run one rival."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rival", choices=RIVALS)
    parser.add_argument("--out", type=Path, required=True, help="what lakes_make.py made")
    parser.add_argument("--seed", type=int, default=0, help="of the pairs that are chosen")
    add_arguments(parser)
    args = parser.parse_args()
    print(json.dumps(RIVALS[args.rival](args)))


if __name__ == "__main__":
    main()
