"""Which tables of a folder of CSV files lie inside others, by brute force on one core.

    python benchmarks/lakes_csv.py FOLDER --ignore rownames --ignore ''

Every file is read with Python's ``csv``, and its rows become a set of tuples, columns in order of their names. For
every ordered pair of tables of which one has all columns of the other the rows of the child are looked for in those of
the parent, which are projected once for each class of columns; ``<=`` of two sets compares their sizes first and stops
at the first row that is missing. A file that is not UTF-8, or has a ragged line or a name twice, is left out.

With ``--frugal`` headers are read first, and rows only of tables that can be in a pair.
"""

import argparse
import csv
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakes_pairs import Pair, compatible

Rows = set[tuple[str, ...]]
csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class Read:
    """A file that was read.

    Attributes:
        header: names of its columns, as they are written.
        rows: its records.
    """

    header: list[str]
    rows: list[list[str]]

    def projected(self, names: Sequence[str]) -> Rows:
        """Return distinct rows in some columns."""
        places = [self.header.index(name) for name in names]
        columns = list(zip(*self.rows, strict=True)) if self.rows else [() for _ in self.header]
        return set(zip(*(columns[place] for place in places), strict=True))


def read(path: Path, *, header_only: bool = False) -> Read | None:
    """Read a file; None if it is no table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = csv.reader(stream)
            header = next(lines, [])
            rows = [] if header_only else [line for line in lines if line]
    except UnicodeDecodeError:
        return None
    whole = all(len(row) == len(header) for row in rows)
    return Read(header, rows) if whole and len(set(header)) == len(header) else None


def contained(folder: Path, ignore: Collection[str], *, frugal: bool = False) -> tuple[set[Pair], dict[str, int]]:
    """Return every (parent, child) of tables with rows, and counts of what was looked at."""
    paths = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*.csv"))}
    tables = {name: read(path, header_only=frugal) for name, path in paths.items()}
    columns = columns_of(tables, ignore)
    if frugal:
        wanted = {table for _, _, parents in compatible(columns) for table in parents}
        tables = {name: read(paths[name]) for name in wanted}
        columns = columns_of(tables, ignore)
    pairs, looked = set(), 0
    for names, children, parents in compatible(columns):
        order = sorted(names)
        sets: dict[str, Rows] = {}
        for table in parents:
            found = tables[table]
            if found:
                sets[table] = found.projected(order)
        for child in children:
            looked += len(parents) - 1
            pairs |= {(parent, child) for parent in parents if parent != child and sets[child] <= sets[parent]}
    rows = {name: len(found.rows) for name, found in tables.items() if found}
    counts = {"files": len(paths), "read": len(rows), "rows": sum(rows.values()), "pairs": looked}
    return {(parent, child) for parent, child in pairs if rows[child]}, counts


def columns_of(tables: Mapping[str, Read | None], ignore: Collection[str]) -> dict[str, frozenset[str]]:
    """Return the columns that each table is compared by."""
    return {name: frozenset(found.header) - frozenset(ignore) for name, found in tables.items() if found}


def main() -> None:
    """Compare the tables of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ignore", action="append", default=[], metavar="NAME", help="a column that does not count")
    parser.add_argument("--frugal", action="store_true", help="read rows only of tables that can be in a pair")
    args = parser.parse_args()
    begun = time.perf_counter()
    pairs, counts = contained(args.folder, args.ignore, frugal=args.frugal)
    said: dict[str, Any] = {"seconds": time.perf_counter() - begun, **counts, "said": sorted(pairs)}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
