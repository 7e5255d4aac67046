"""Lakes of small tables, some of them inside others, with the truth about which.

``write_lake`` makes families: a root, children of it (some of its rows, some of its columns, both, a chain of five),
equal copies (rows or columns in another order, other row groups, types, file formats, a folder of part files), and
decoys that look contained and are not, or are only as sets. Every entry of the lake's folder is one table: a file, or a
folder of part files. Families share names of columns.

The truth is found by comparing all pairs, from the values that the generator wrote. Values are compared by the name of
their column and by canonical text:

- null is null, which differs from any text; also inside nested values;
- integers, and floats and decimals without a fraction, are decimal digits; so -0.0 is 0;
- other floats are their shortest repr, NaN being ``nan`` and infinities ``inf`` and ``-inf``;
- other decimals are plain digits without zeros at the end; none has more digits than a float holds;
- timestamps with a zone are the instant in UTC, ``2026-01-02T03:04:05.6Z``, without zeros at the end of the fraction;
  those without a zone are another kind, without ``Z``;
- booleans are ``true`` and ``false``; strings are as they are;
- lists and structs are JSON without spaces, keys sorted, of such values.

No string reads like a value of another kind, so it does not matter whether a comparison looks at types too: two values
of one text are equal under either rule, but for numbers, which compare across types. Tables that are also written as
CSV or JSON Lines have columns that those formats hold: no NaN, decimals or timestamps, in CSV no empty strings or
nested values. One table is the header line of a CSV file: columns without rows, whose types nobody can tell.

A child has some of the columns of its parent. As sets, each of its rows is among the parent's; as bags, at least as
often there. A table without rows is in every table that has its columns. Edges go from parent to child, both ways
between equal tables, and never from a table to itself.
"""

import csv
import datetime
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Pair = tuple[str, str]

ZONES = (datetime.UTC, datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
WORDS = ("ash", "birch", "cedar, red", 'the "oak"', "élan", "straße", "漢字", "𝛼β", "fig's", "x;y", "under_score")
LONG = "long " + "z" * 80
"""Longer than statistics that are cut to 16 or 64 bytes."""
HUGE = "huge " + "y" * 5000
"""So long that Arrow writes no statistics."""
TAGS, PLACE = pa.list_(pa.string()), pa.struct([("name", pa.string()), ("lat", pa.float64())])
ROWS = 24
ID = "id"


@dataclass(frozen=True)
class Column:
    """Values of a table's column, and the type they are written with."""

    type: pa.DataType
    values: list[Any]


@dataclass(frozen=True)
class Table:
    """A table of the lake.

    Attributes:
        name: of its entry in the folder.
        origin: name of the root that it was made from.
        variant: what was done to that.
        format: ``parquet``, ``csv`` or ``jsonl``.
        parts: files; 0 for one that is not in a folder of its own.
        group_rows: rows of a Parquet row group.
        columns: in the order they are written.
    """

    name: str
    origin: str
    variant: str
    format: str
    parts: int
    group_rows: int
    columns: dict[str, Column]

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())).values)


@dataclass(frozen=True)
class Truth:
    """What a lake holds.

    Attributes:
        tables: by name.
        with_columns: pairs (parent, child) in which the parent has all columns of the child.
        as_sets, as_bags: pairs of which the child is in the parent.
        equal_sets, equal_bags: names of equal tables, sorted, two or more together.
        empty: names of tables without rows.
    """

    tables: dict[str, Table]
    with_columns: frozenset[Pair]
    as_sets: frozenset[Pair]
    as_bags: frozenset[Pair]
    equal_sets: tuple[tuple[str, ...], ...]
    equal_bags: tuple[tuple[str, ...], ...]
    empty: frozenset[str]


def write_lake(folder: Path, seed: int, tables: int = 120, *, rows: int = ROWS) -> Truth:
    """Write a lake and return the truth about it.

    Args:
        folder: is made if need be.
        seed: the same one makes the same lake.
        tables: how many; 120 have every variant of every kind of family.
        rows: of a root; at least 12.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lake: dict[str, Table] = {}
    family = 0
    while len(lake) < tables:
        for table in make_family(Random(f"{seed} {family}"), family, rows)[: tables - len(lake)]:
            lake[table.name] = table
            write_table(folder, table)
        family += 1
    return truth_of(lake)


def truth_of(lake: Mapping[str, Table]) -> Truth:
    """Compare every table with every other."""
    texts = {name: {key: list(map(canonical, column.values)) for key, column in table.columns.items()}
             for name, table in lake.items()}  # fmt: skip
    by_columns: dict[frozenset[str], list[str]] = defaultdict(list)
    for name, table in lake.items():
        by_columns[frozenset(table.columns)].append(name)
    pairs: dict[str, set[Pair]] = {"columns": set(), "sets": set(), "bags": set()}
    for columns, children in by_columns.items():
        order = sorted(columns)
        bags = {child: _bag(texts[child], order) for child in children}
        for wider, parents in by_columns.items():
            for parent in parents if columns <= wider else ():
                held = bags[parent] if parent in bags else _bag(texts[parent], order)
                for child in children:
                    if child == parent:
                        continue
                    pairs["columns"].add((parent, child))
                    if bags[child].keys() <= held.keys():
                        pairs["sets"].add((parent, child))
                        if all(held[row] >= count for row, count in bags[child].items()):
                            pairs["bags"].add((parent, child))
    return Truth(
        dict(lake),
        frozenset(pairs["columns"]),
        frozenset(pairs["sets"]),
        frozenset(pairs["bags"]),
        _groups(pairs["sets"]),
        _groups(pairs["bags"]),
        frozenset(name for name, table in lake.items() if table.rows == 0),
    )


def _bag(texts: Mapping[str, list[str | None]], order: Sequence[str]) -> Counter[tuple[str | None, ...]]:
    return Counter(zip(*(texts[key] for key in order), strict=True))


def _groups(pairs: set[Pair]) -> tuple[tuple[str, ...], ...]:
    equal: dict[str, set[str]] = defaultdict(set)
    for parent, child in pairs:
        if (child, parent) in pairs:
            equal[parent] |= {parent, child}
    return tuple(sorted({tuple(sorted(names)) for names in equal.values()}))


def canonical(value: Any) -> str | None:
    """Return the text that values are compared by.

    >>> [canonical(value) for value in (-0.0, Decimal("12.50"), 1e22, 0.1, True, {"b": [None, "é"], "a": 2.0})]
    ['0', '12.5', '10000000000000000000000', '0.1', 'true', '{"a":2,"b":[null,"é"]}']
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        zoned = value.tzinfo is not None
        plain = value.astimezone(datetime.UTC).replace(tzinfo=None) if zoned else value
        text = plain.isoformat(timespec="microseconds").rstrip("0").removesuffix(".")
        return text + "Z" if zoned else text
    if isinstance(value, list | dict):
        return _nested(value)
    if math.isfinite(value) and value == int(value):
        return str(int(value))
    return f"{value:f}".rstrip("0") if isinstance(value, Decimal) else repr(value)


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_nested, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_nested(key)}:{_nested(value[key])}' for key in sorted(value))}}}"
    if isinstance(value, str | datetime.datetime):
        return json.dumps(canonical(value), ensure_ascii=False)
    return canonical(value) or "null"


def _word(rng: Random) -> str:
    return f"{rng.choice(WORDS)} {rng.choice(WORDS)}"


def _instant(rng: Random) -> datetime.datetime:
    day = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=rng.randrange(10**7))
    return day.replace(microsecond=rng.choice((0, 0, 600_000, 120, 999_999)))


def _place(rng: Random) -> dict[str, Any]:
    return {"name": rng.choice((None, "", _word(rng))), "lat": rng.choice((None, 0.0, rng.uniform(-90, 90)))}


Make = Callable[[Random], Any]
PLAIN: dict[str, tuple[pa.DataType, Make]] = {
    "count": (pa.int32(), lambda rng: rng.choice((None, 0, -1, rng.randrange(1000)))),
    "big": (pa.int64(), lambda rng: 2**53 + rng.randrange(8)),
    "name": (pa.string(), _word),
    "code": (pa.string(), lambda rng: rng.choice((LONG, HUGE, LONG)) + rng.choice("abcdefgh")),
    "price": (pa.float64(), lambda rng: rng.choice((None, 0.0, 0.1, 1e-300, 1e22, 5.0, rng.uniform(-9, 9)))),
    "part": (pa.float32(), lambda rng: rng.randrange(-40, 40) / 8),
    "flag": (pa.bool_(), lambda rng: rng.choice((None, True, False))),
}
"""Columns that any format holds."""

NESTED: dict[str, tuple[pa.DataType, Make]] = PLAIN | {
    "note": (pa.string(), lambda rng: rng.choice((None, "", _word(rng)))),
    "tags": (TAGS, lambda rng: rng.choice((None, [], [None], ["", _word(rng)], ["b", "a"], ["a", "b"]))),
    "place": (PLACE, lambda rng: rng.choice((None, _place(rng), _place(rng)))),
}
"""Columns that Parquet and JSON Lines hold."""

RICH: dict[str, tuple[pa.DataType, Make]] = NESTED | {
    "price": (pa.float64(), lambda rng: rng.choice((None, 0.0, -0.0, math.nan, math.inf, 0.1, rng.uniform(-9, 9)))),
    "amount": (
        pa.decimal128(12, 2),
        lambda rng: rng.choice((None, Decimal("7.00"), Decimal(rng.randrange(9999)) / 100)),
    ),
    "when": (
        pa.timestamp("us", "UTC"),
        lambda rng: rng.choice((None, _instant(rng).replace(tzinfo=rng.choice(ZONES)))),
    ),
    "seen": (pa.timestamp("us"), lambda rng: rng.choice((None, _instant(rng)))),
    "nothing": (pa.null(), lambda rng: None),
}
"""Columns that Parquet holds."""

PALETTES = (("parquet", RICH), ("csv", PLAIN), ("jsonl", NESTED))
"""Kinds of families: the format that some of their copies have, and their columns."""


def make_family(rng: Random, family: int, rows: int) -> list[Table]:
    """Return a root and what is made from it; ids of different families are apart, those of one are even."""
    format_, palette = PALETTES[family % len(PALETTES)]
    names = list(palette)
    if family >= len(PALETTES):
        names = sorted(rng.sample(names, rng.randrange(4, len(names) + 1)), key=names.index)
    ids = [family * 1_000_000 + 2 * i for i in range(rows)]
    columns = {ID: Column(pa.int64(), ids)}
    columns |= {key: Column(palette[key][0], [palette[key][1](rng) for _ in ids]) for key in names}
    prefix = f"{family:03d}-"
    root = Table(prefix + "root.parquet", prefix + "root.parquet", "root", "parquet", 0, 7, columns)

    def derived(variant: str, made: dict[str, Column], **written: Any) -> Table:
        table = replace(root, variant=variant, columns=made, **written)
        ending = "" if table.parts else f".{table.format}"
        return replace(table, name=f"{prefix}{variant}{ending}")

    half = rng.sample(range(rows), rows // 2)
    middle = range(rows // 4, 3 * rows // 4)
    order = rng.sample(range(rows), rows)
    keys = [ID, *rng.sample(names, len(names) // 2)]
    without_id = [key for key in names if key != "big"][:2]
    shuffled = rng.sample(list(columns), len(columns))
    changed = rng.randrange(rows)
    price = next((key for key in ("price", "note", "tags", "count", "flag") if key in columns), None)
    child = pick(columns, half)
    tables = [
        root,
        # inside
        derived("rows", child),
        derived("range", pick(columns, middle)),
        derived("columns", project(columns, keys)),
        derived("columns-no-id", project(columns, without_id)),
        derived("distinct", distinct(project(columns, without_id))),
        derived("rows-columns", project(child, keys)),
        derived("rows-other-format", child, format=format_),
        # equal
        derived("copy", columns),
        derived("copy-rows", pick(columns, order)),
        derived("copy-columns", project(columns, shuffled)),
        derived("copy-groups", columns, group_rows=3),
        derived("copy-parts", pick(columns, order), parts=3),
        derived("copy-format", columns, format=format_),
        derived("copy-format-parts", pick(columns, order), format=format_, parts=2),
        derived("copy-types", retyped(columns)),
        # decoys
        derived("cell", with_cell(columns, ID, changed, ids[changed] + 1)),
        derived("rows-cell", with_cell(child, ID, 0, child[ID].values[0] + 1)),
        derived("row-more", joined(columns, with_cell(pick(columns, [changed]), ID, 0, ids[-1] + 2))),
        derived("rows-row-more", joined(child, with_cell(pick(columns, [changed]), ID, 0, ids[0] + 1))),
        derived("disjoint", columns | {ID: Column(pa.int64(), [i + 500_000 for i in ids])}),
        derived("inside-range", pick(columns | {ID: Column(pa.int64(), [i + 1 for i in ids])}, middle)),
        derived("empty", pick(columns, [])),
        derived("twice", joined(columns, columns)),
        derived("rows-twice", joined(child, child)),
        derived("types", columns | {ID: Column(pa.string(), [f"no {i}" for i in ids])}),
    ]
    chain = columns
    for link in range(1, 6):
        chain = pick(chain, range(len(chain[ID].values) - max(1, rows // 12)))
        if link % 2 == 0:
            chain = project(chain, list(chain)[: max(2, len(chain) - 1)])
        tables.append(derived(f"chain-{link}", chain))
    if price is not None:
        there = [place for place, value in enumerate(columns[price].values) if value is not None] or [0]
        tables.append(derived("null", with_cell(columns, price, there[0], None)))
    if "price" in columns and format_ == "parquet":
        prices = columns["price"].values
        swapped = [None if _is_nan(value) else math.nan if value is None else value for value in prices]
        tables.append(derived("nan-for-null", columns | {"price": Column(pa.float64(), swapped)}))
        signs = [-value if value == 0 else value for value in prices]
        tables.append(derived("copy-signs", columns | {"price": Column(pa.float64(), signs)}))
    if "code" in columns:
        other = columns["code"].values[changed][:-1] + "m"
        tables.append(derived("code", with_cell(columns, "code", changed, other)))
    if "big" in columns:
        tables.append(derived("big", with_cell(columns, "big", changed, columns["big"].values[changed] ^ 1)))
    if "when" in columns:
        plain = [value and value.replace(tzinfo=None) for value in columns["when"].values]
        tables.append(derived("zone", columns | {"when": Column(pa.timestamp("us"), plain)}))
    if format_ == "csv":
        tables.append(derived("header", pick(columns, []), format="csv"))
    return tables


def pick(columns: Mapping[str, Column], rows: Iterable[int]) -> dict[str, Column]:
    """Return some rows, in that order."""
    places = list(rows)
    return {key: replace(column, values=[column.values[i] for i in places]) for key, column in columns.items()}


def project(columns: Mapping[str, Column], keys: Sequence[str]) -> dict[str, Column]:
    """Return some columns, in that order."""
    return {key: columns[key] for key in keys}


def distinct(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Return every row once."""
    rows = zip(*(map(canonical, column.values) for column in columns.values()), strict=True)
    first: dict[tuple[str | None, ...], int] = {}
    for place, row in enumerate(rows):
        first.setdefault(row, place)
    return pick(columns, first.values())


def joined(columns: Mapping[str, Column], more: Mapping[str, Column]) -> dict[str, Column]:
    """Return the rows of both."""
    return {key: replace(column, values=column.values + more[key].values) for key, column in columns.items()}


def with_cell(columns: Mapping[str, Column], key: str, row: int, value: Any) -> dict[str, Column]:
    """Return the table with another value in one place."""
    values = columns[key].values
    return {**columns, key: replace(columns[key], values=[*values[:row], value, *values[row + 1 :]])}


def retyped(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Return equal values in other types: integers as floats and wider, decimals with more digits."""
    wider = {ID: pa.float64(), "count": pa.int64(), "amount": pa.decimal128(20, 5), "part": pa.float64()}
    return {
        key: Column(wider.get(key, column.type), list(map(float, column.values)) if key == ID else column.values)
        for key, column in columns.items()
    }


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def write_table(folder: Path, table: Table) -> None:
    """Write a table as a file or as a folder of part files, of unequal lengths."""
    if not table.parts:
        _write_file(folder / table.name, table, table.columns)
        return
    (folder / table.name).mkdir()
    ends = [table.rows * part * (part + 1) // (table.parts * (table.parts + 1)) for part in range(table.parts + 1)]
    for part in range(table.parts):
        rows = pick(table.columns, range(ends[part], ends[part + 1]))
        _write_file(folder / table.name / f"part-{part}.{table.format}", table, rows)


def _write_file(path: Path, table: Table, columns: Mapping[str, Column]) -> None:
    if table.format == "parquet":
        arrays = {key: pa.array(column.values, column.type) for key, column in columns.items()}
        pq.write_table(pa.table(arrays), path, row_group_size=table.group_rows)
        return
    rows = list(zip(*(column.values for column in columns.values()), strict=True))
    with path.open("w", encoding="utf-8", newline="") as stream:
        if table.format == "jsonl":
            stream.writelines(
                json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n" for row in rows
            )
            return
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_csv_text(value) for value in row] for row in rows)


def _csv_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
