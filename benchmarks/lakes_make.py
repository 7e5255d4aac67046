"""Make large lakes of tables that lie inside others, quickly, with the truth known by construction.

    python benchmarks/lakes_make.py --out out/lake-1000 --tables 1000

``--out`` gets ``lake/`` with the tables, ``truth.parquet`` (every pair of which the rows of the child are all in the
parent, as sets), ``tables.parquet`` (what each table is) and ``facts.json``. Equal settings make equal lakes; a lake
that is there is not made again.

A family is a root and what is made of it: children with some rows, some columns or both, a chain of five, copies that
are equal as sets, and decoys that miss by one cell, one row, a null or a NaN. Families share names of columns, so that
many pairs have to be looked at that come to nothing. Every table has a column ``id``, which no two families share: so
nothing of one family lies inside another, and within a family a row is told by its id and by whether a cell of it was
edited. That is what the truth is computed from; no value is compared.
"""

import argparse
import itertools
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

Pair = tuple[str, str]
Rng = np.random.Generator

FORMAT = 1
"""Of a lake: it is made again where the format of the one that is there is another."""
ID = "id"
PLAIN = ("count", "cents", "city", "code", "flag", "day")
"""Kinds of columns that CSV holds: no nulls, no fractions."""
RICH = ("price", "score", "comment", "seen", "rate", "weight")
"""Kinds that only Parquet holds."""
SAME_KIND = 6
"""Columns of each kind that there are."""
CSV_EVERY = 4
"""Of so many palettes, the families of one have tables in CSV."""
PER_PALETTE = 8
"""Families that share their columns."""
CHANGED, NULL, NAN = 1, 2, 3
"""What a cell was edited to."""
EDITED: dict[str, Any] = {
    "count": -7,
    "cents": -7,
    "city": "Elsewhere",
    "code": "edited",
    "day": date(1900, 1, 1),
    "price": -7.5,
    "score": -7,
    "comment": "edited",
    "seen": datetime(1900, 1, 1),
    "rate": Decimal("-7.50"),
    "weight": -7.5,
}
"""By kind: a value that no cell has. Flags are not edited."""


@dataclass(frozen=True)
class Settings:
    """What a lake is made from.

    Attributes:
        tables: how many.
        least_rows, most_rows: of a root: the logarithm is uniform between these.
        seed: of all random choices.
    """

    tables: int
    least_rows: int
    most_rows: int
    seed: int = 0


@dataclass(frozen=True)
class Edit:
    """Some cells of a column that were edited.

    Attributes:
        column: its name.
        version: to what: ``CHANGED``, ``NULL`` or ``NAN``.
        rows: int64: numbers of rows.
    """

    column: str
    version: int
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Planted:
    """A table, as what it has of its family's rows.

    A family of n has 3 n rows: those of the root; the same with odd ids, between those of the root; and the same with
    ids above all of the root's.

    Attributes:
        variant: what was done to the root.
        rows: bool, shape (3 n,): which it has.
        columns: in the order they are written.
        edit: cells that are not as in the root.
        format: ``parquet`` or ``csv``.
        parts: files in a folder of its own; 0 for one file.
        shuffled: whether rows are in random order.
        twice: whether every row is there twice.
        group_rows: rows of a row group at most.
    """

    variant: str
    rows: NDArray[np.bool_]
    columns: tuple[str, ...]
    edit: Edit | None = None
    format: str = "parquet"
    parts: int = 0
    shuffled: bool = False
    twice: bool = False
    group_rows: int = 65_536

    def name(self, family: int) -> str:
        """Return its path in the lake."""
        ending = "" if self.parts else f".{self.format}"
        return f"{family // 256:03d}/{family:06d}-{self.variant}{ending}"


def inside(child: Planted, parent: Planted) -> bool:
    """Return whether all rows of one table of a family are in another one, in the columns of the child."""
    if not set(child.columns) <= set(parent.columns) or np.any(child.rows & ~parent.rows):
        return False
    seen = [edit if edit and edit.column in child.columns else None for edit in (child.edit, parent.edit)]
    mine, others = (edit.rows if edit else np.zeros(0, np.int64) for edit in seen)
    alike = seen[0] and seen[1] and (seen[0].column, seen[0].version) == (seen[1].column, seen[1].version)
    differing = np.setxor1d(mine, others) if alike else np.union1d(mine, others)
    return not np.any(child.rows[differing])


def kind_of(column: str) -> str:
    """Return the kind of a column: ``city_3`` is a city."""
    return column.rpartition("_")[0]


def palette_of(settings: Settings, family: int) -> tuple[str, ...]:
    """Return the columns of a root besides its id: families of one palette have the same."""
    number = family // PER_PALETTE
    rng = np.random.default_rng([settings.seed, 1, number])
    kinds = PLAIN if number % CSV_EVERY == 0 else PLAIN + RICH
    pool = [f"{kind}_{i}" for kind in kinds for i in range(SAME_KIND)]
    must = ["code_0"] if kinds is PLAIN else ["price_0", "comment_0"]
    wanted = int(rng.integers(4, 11)) - len(must)
    others = [name for name in pool if name not in must]
    chosen = must + [others[i] for i in rng.choice(len(others), wanted, replace=False)]
    return tuple(chosen)


def base_columns(names: Sequence[str], rows: int, rng: Rng) -> dict[str, pa.Array]:
    """Return random values of some columns."""
    return {name: _values(kind_of(name), rows, rng) for name in names}


def _values(kind: str, rows: int, rng: Rng) -> pa.Array:
    whole = rng.integers(0, 1 << 30, rows)
    missing = rng.random(rows) < 0.05
    match kind:
        case "count":
            return pa.array((whole % 1000).astype(np.int32))
        case "cents":
            return pa.array(whole)
        case "city":
            return pa.array([f"City {i}, district {i % 7}" for i in range(200)]).take(pa.array(whole % 200))
        case "code":
            return pc.binary_join_element_wise("A", pc.cast(pa.array(whole % 50_000), pa.string()), "-")
        case "flag":
            return pa.array(whole % 2 == 0)
        case "day":
            return pa.array((whole % 20_000).astype(np.int32)).cast(pa.date32())
        case "price":
            values = np.where(rng.random(rows) < 0.02, np.nan, whole / 1024)
            return pa.array(values, mask=missing)
        case "score":
            return pa.array(whole % 100, mask=missing)
        case "comment":
            texts = pc.binary_join_element_wise("order", pc.cast(pa.array(whole), pa.string()), "was late", " ")
            return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), texts)
        case "seen":
            return pa.array(whole * 1_000_003).cast(pa.timestamp("us"))
        case "rate":
            quarters = pa.array((whole % 10_000).astype(np.int32)).cast(pa.decimal128(10, 0))
            return pc.multiply(quarters, pa.scalar(Decimal("0.25")))
        case "weight":
            return pa.array((whole % 4_000 / 8).astype(np.float32))
    raise ValueError(f"there is no kind {kind}")


def family_of(names: tuple[str, ...], base: dict[str, pa.Array], rows: int, rng: Rng) -> list[Planted]:
    """Return the tables of a family: the root and what is made of it."""
    columns = (ID, *names)
    none = np.zeros(3 * rows, np.bool_)
    root = Planted("root", _mask(none, np.arange(rows)), columns)
    half = _mask(none, rng.choice(rows, rows // 2, replace=False))
    middle = _mask(none, np.arange(rows // 4, 3 * rows // 4))
    fewer = (ID, *names[: max(1, len(names) // 2)])
    changed, odd = int(rng.integers(rows)), rows + int(rng.integers(rows))
    of_half = int(np.flatnonzero(half)[0])
    plain = next(name for name in names if kind_of(name) != "flag")
    cell = Edit(plain, CHANGED, np.array([changed]))
    kept = _mask(half, [changed])
    tables = [
        root,
        replace(root, variant="rows", rows=half),
        replace(root, variant="range", rows=middle),
        replace(root, variant="columns", columns=fewer),
        replace(root, variant="rows-columns", rows=half, columns=fewer),
        replace(root, variant="copy"),
        replace(root, variant="copy-rows", shuffled=True),
        replace(root, variant="copy-columns", columns=tuple(rng.permutation(columns).tolist())),
        replace(root, variant="copy-groups", group_rows=max(1, rows // 7)),
        replace(root, variant="copy-parts", parts=3),
        replace(root, variant="twice", twice=True),
        *_chain(root, rng),
        # decoys, and what is inside these
        replace(root, variant="cell", edit=cell),
        replace(root, variant="cell-rows", rows=kept, edit=cell),
        replace(root, variant="rows-cell", rows=half, edit=Edit(plain, CHANGED, np.array([of_half]))),
        replace(root, variant="row-more", rows=_mask(root.rows, [odd])),
        replace(root, variant="rows-row-more", rows=_mask(half, [odd])),
        replace(root, variant="inside-range", rows=_mask(none, rows + np.flatnonzero(middle))),
        replace(root, variant="disjoint", rows=_mask(none, np.arange(2 * rows, 3 * rows))),
    ]
    nullable = next((name for name in names if kind_of(name) in ("price", "comment", "score")), None)
    if nullable:
        there = np.flatnonzero(base[nullable].is_valid().to_numpy(zero_copy_only=False))
        tables.append(replace(root, variant="null", edit=Edit(nullable, NULL, there[:1])))
    price = next((name for name in names if kind_of(name) == "price"), None)
    if price:
        missing = np.flatnonzero(base[price].is_null().to_numpy(zero_copy_only=False))
        tables.append(replace(root, variant="nan-for-null", edit=Edit(price, NAN, missing)))
    if all(kind_of(name) in PLAIN for name in names):
        tables += [
            replace(root, variant="copy-csv", format="csv"),
            replace(root, variant="rows-csv", rows=half, format="csv"),
            replace(root, variant="cell-csv", edit=cell, format="csv"),
        ]
    return tables


def _mask(of: NDArray[np.bool_], more: Sequence[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask with more rows in it."""
    mask = of.copy()
    mask[np.asarray(more, np.int64)] = True
    return mask


def _chain(root: Planted, rng: Rng) -> Iterator[Planted]:
    """Yield five tables, each inside the one before: a fifth of the rows less, every other with a column less."""
    link = root
    for number in range(1, 6):
        there = np.flatnonzero(link.rows)
        kept = rng.choice(there, max(1, 4 * len(there) // 5), replace=False)
        columns = link.columns[:-1] if number % 2 == 0 and len(link.columns) > 2 else link.columns
        link = replace(link, variant=f"chain-{number}", rows=_mask(np.zeros_like(root.rows), kept), columns=columns)
        yield link


def arrow_of(table: Planted, family: int, base: dict[str, pa.Array], rng: Rng) -> pa.Table:
    """Return the rows of a table as they are written."""
    numbers = np.flatnonzero(table.rows)
    numbers = np.concatenate([numbers, numbers]) if table.twice else numbers
    numbers = rng.permutation(numbers) if table.shuffled else numbers
    rows = len(table.rows) // 3
    place, third = numbers % rows, numbers // rows
    ids = (family + 1) * 10_000_000 + 2 * place + np.array([0, 1, 5_000_000])[third]
    taken = pa.array(place)
    columns = {name: pa.array(ids) if name == ID else base[name].take(taken) for name in table.columns}
    edit = table.edit
    if edit and edit.column in columns:
        column = columns[edit.column]
        edited = pa.array(np.isin(numbers, edit.rows))
        columns[edit.column] = pc.if_else(edited, _edited(edit, column.type), column)
    return pa.table(columns)


def _edited(edit: Edit, kind: pa.DataType) -> pa.Scalar:
    value = {CHANGED: EDITED[kind_of(edit.column)], NULL: None, NAN: float("nan")}[edit.version]
    return pa.scalar(value, kind)


def write(table: Planted, rows: pa.Table, path: Path) -> None:
    """Write a table."""
    if table.format == "csv":
        pa.csv.write_csv(rows, path)
    elif table.parts:
        path.mkdir()
        size = -(-rows.num_rows // table.parts)
        for part in range(table.parts):
            pq.write_table(rows.slice(part * size, size), path / f"part-{part}.parquet")
    else:
        pq.write_table(rows, path, row_group_size=table.group_rows)


def make(out: Path, settings: Settings) -> dict[str, Any]:
    """Make a lake, unless it is there; return the facts about it."""
    wanted = asdict(settings) | {"format": FORMAT}
    place = out / "facts.json"
    if place.exists():
        facts: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        if all(facts.get(key) == value for key, value in wanted.items()):
            return facts
    shutil.rmtree(out, ignore_errors=True)
    lake = out / "lake"
    lake.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    pairs: list[Pair] = []
    for family in itertools.count():
        if len(rows) >= settings.tables:
            break
        rng = np.random.default_rng([settings.seed, 2, family])
        size = round(np.exp(rng.uniform(np.log(settings.least_rows), np.log(settings.most_rows))))
        names = palette_of(settings, family)
        base = base_columns(names, size, rng)
        tables = family_of(names, base, size, rng)[: settings.tables - len(rows)]
        for table in tables:
            path = lake / table.name(family)
            path.parent.mkdir(exist_ok=True)
            content = arrow_of(table, family, base, rng)
            write(table, content, path)
            rows.append(
                {
                    "table": table.name(family),
                    "family": family,
                    "variant": table.variant,
                    "format": table.format,
                    "columns": list(table.columns),
                    "rows": content.num_rows,
                    "bytes": sum(file.stat().st_size for file in files_of(path)),
                }
            )
        pairs += [
            (parent.name(family), child.name(family))
            for parent, child in itertools.permutations(tables, 2)
            if inside(child, parent)
        ]
    pq.write_table(pa.Table.from_pylist(rows), out / "tables.parquet")
    parents, children = (list(names) for names in zip(*pairs, strict=True)) if pairs else ([], [])
    truth = {"parent": pa.array(parents, pa.string()), "child": pa.array(children, pa.string())}
    pq.write_table(pa.table(truth), out / "truth.parquet")
    facts = wanted | {
        "families": rows[-1]["family"] + 1,
        "rows": sum(row["rows"] for row in rows),
        "bytes": sum(row["bytes"] for row in rows),
        "csv_tables": sum(row["format"] == "csv" for row in rows),
        "pairs": len(pairs),
    }
    place.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return facts


def files_of(path: Path) -> list[Path]:
    """Return the files of a table."""
    return sorted(path.iterdir()) if path.is_dir() else [path]


def truth_of(out: Path) -> set[Pair]:
    """Return every (parent, child) of a lake that was made."""
    table = pq.read_table(out / "truth.parquet")
    return set(zip(table["parent"].to_pylist(), table["child"].to_pylist(), strict=True))


def columns_of(out: Path) -> dict[str, frozenset[str]]:
    """Return the columns of every table of a lake that was made."""
    table = pq.read_table(out / "tables.parquet", columns=["table", "columns"])
    return {row["table"]: frozenset(row["columns"]) for row in table.to_pylist()}


def rows_range(tables: int) -> tuple[int, int]:
    """Return how many rows roots have, unless told otherwise: of lakes of very many tables, few."""
    return (1_000, 100_000) if tables <= 2_000 else (20, 200)


def settings_of(args: argparse.Namespace) -> Settings:
    """Return what arguments ask for."""
    least, most = args.rows or rows_range(args.tables)
    return Settings(args.tables, least, most, args.seed)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a lake is made from."""
    parser.add_argument("--tables", type=int, default=1_000)
    parser.add_argument(
        "--rows", type=row_range, metavar="LEAST-MOST", help="of a root; 1000-100000, or 20-200 over 2,000 tables"
    )
    parser.add_argument("--seed", type=int, default=0)


def row_range(value: str) -> tuple[int, int]:
    """Read LEAST-MOST.

    >>> row_range("1000-100000")
    (1000, 100000)
    """
    least, _, most = value.partition("-")
    if not (least.isdigit() and most.isdigit() and 8 <= int(least) <= int(most) <= 2_000_000):
        raise argparse.ArgumentTypeError(f"{value!r} is not LEAST-MOST, two numbers from 8 to 2000000")
    return int(least), int(most)


def main() -> None:
    """Make a lake."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the lake and what is known about it")
    add_arguments(parser)
    args = parser.parse_args()
    print(json.dumps(make(args.out, settings_of(args)), indent=1))


if __name__ == "__main__":
    main()
