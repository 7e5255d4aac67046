"""Tables inside others whose columns are called otherwise: sketches of values match columns, then rows are looked for.

tables -> sketches of columns -> pairs that share the first value of the child's fullest column -> matching -> all rows

Sketches only propose. A pair is called verified when every row of the child was found in the parent's matched columns,
so nothing is invented; what may be missed is a parent whose column has some forty times as many values as the child's
(its sketch then hardly reaches the child's first hash), and a child that the likeliest matching does not fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...connectors.lake_reading import table_splits
from ...connectors.lake_tables import LakeTable
from ...connectors.split import Split
from ..engine import Engine, Table
from .containment import Checked, Checking, Projections, sizes_of
from .options import Options
from .prints import Projection, Work, merged, rows_among, take_prints
from .sketches import COLUMN_BITS, SKETCH, Sketch, matching, take_sketches

_SHARED = pa.schema([("child", pa.int64()), ("parent", pa.int64())])

Matched = tuple[tuple[str, str], ...]
"""(column of the child, column of the parent)."""


@dataclass(frozen=True)
class Renamed:
    """Pairs of tables that were looked at under other names.

    Attributes:
        pairs: (child, parent): numbers of tables.
        columns: of each pair.
        checked: of each pair, in the same order; its numbers are those of no scan.
    """

    pairs: tuple[tuple[int, int], ...]
    columns: tuple[Matched, ...]
    checked: Checked


@dataclass(frozen=True)
class Candidate:
    """A table that is looked at.

    Attributes:
        table: what it is made of.
        packed: its schema, serialised.
        columns: names of those that are compared, in order.
        splits: to read; None where they are not known yet.
    """

    table: LakeTable
    packed: bytes
    columns: tuple[str, ...]
    splits: Sequence[Split] | None

    def work(self, number: int, projections: Sequence[Projection]) -> list[Work]:
        """Return the tasks that read it."""
        splits = table_splits(self.table) if self.splits is None else self.splits
        first = self.table.files[0].ordinal if self.table.files else 0
        return [Work(number, first, split, self.packed, tuple(projections)) for split in splits]


def find_renamed(engine: Engine, tables: Mapping[int, Candidate], options: Options) -> Renamed:
    """Find tables inside others that do not have all their names.

    Args:
        engine: what runs the verbs.
        tables: by number: those that could be read and have columns.
        options: what counts as the same.
    """
    work = [one for number, table in tables.items() for one in table.work(number, [Projection(0, table.columns)])]
    sketches = take_sketches(engine, work, trim=options.trim, typed_csv=options.typed_csv).save("sketches")
    pairs = _candidates(engine, sketches, tables)
    known = _sketches_of(engine, sketches, {one for pair in pairs for one in pair}, tables)
    matched = [(pair, matching(known[pair[0]], known[pair[1]])) for pair in pairs]
    found = [(pair, columns) for pair, columns in matched if columns is not None]
    return Renamed(
        tuple(pair for pair, _ in found),
        tuple(columns for _, columns in found),
        _check(engine, found, tables, options),
    )


@dataclass(frozen=True)
class _Foreign:
    """Keeps pairs of columns of tables that may lie inside each other under other names; plain data.

    A table whose names the other one has is compared by them, and not here.
    """

    names: Mapping[int, frozenset[str]]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        child, parent = (batch.column(name).to_numpy() >> COLUMN_BITS for name in _SHARED.names)
        kept = [
            one != other and len(self.names[one]) <= len(self.names[other]) and not self.names[one] <= self.names[other]
            for one, other in zip(child.tolist(), parent.tolist(), strict=True)
        ]
        arrays = [pa.array(values[np.array(kept, np.bool_)]) for values in (child, parent)]
        return pa.RecordBatch.from_arrays(arrays, schema=_SHARED)


def _candidates(engine: Engine, sketches: Table, tables: Mapping[int, Candidate]) -> list[tuple[int, int]]:
    """Return (child, parent) of tables of which the parent has the first value of the child's fullest column."""
    facts = sketches.aggregate(
        by=["column"], values=("count", "hash"), top=("max", "hash"), least=("min", "hash")
    ).collect()
    fullest: dict[int, tuple[int, int, int, int]] = {}
    for row in facts.to_pylist():
        # Of sketches of one length, that of the fullest column ends first.
        place = (-row["values"], row["top"], row["column"], row["least"])
        table = row["column"] >> COLUMN_BITS
        fullest[table] = min(place, fullest.get(table, place))
    least = pa.table(
        [pa.array([place[i] for place in fullest.values()], pa.int64()) for i in (2, 3)], ["child", "hash"]
    )
    shared = engine.table(least).join(sketches.select("hash", parent="column"), on=["hash"])
    names = {number: frozenset(table.columns) for number, table in tables.items()}
    pairs = shared.select(*_SHARED.names).map(_Foreign(names), _SHARED).distinct().collect()
    return sorted(zip(pairs["child"].to_pylist(), pairs["parent"].to_pylist(), strict=True))


def _sketches_of(
    engine: Engine, sketches: Table, wanted: set[int], tables: Mapping[int, Candidate]
) -> dict[int, dict[str, Sketch]]:
    """Return the sketches of some tables' columns, by name."""
    numbers = [(n << COLUMN_BITS) + place for n in wanted for place in range(len(tables[n].columns))]
    asked = engine.table(pa.table({"column": pa.array(numbers, pa.int64())}))
    found = sketches.join(asked, on=["column"], how="semi").collect().sort_by([(n, "ascending") for n in SKETCH.names])
    columns, hashes = (found[name].to_numpy() for name in SKETCH.names)
    result: dict[int, dict[str, Sketch]] = {}
    for n in wanted:
        low, high = (
            np.searchsorted(columns, (n << COLUMN_BITS) + np.arange(len(tables[n].columns)), side)
            for side in ("left", "right")
        )
        result[n] = {name: hashes[a:b] for name, a, b in zip(tables[n].columns, low, high, strict=True)}
    return result


def _check(
    engine: Engine,
    found: Sequence[tuple[tuple[int, int], Matched]],
    tables: Mapping[int, Candidate],
    options: Options,
) -> Checked:
    """Look for the rows of children in the matched columns of their parents."""
    children = sorted({child for (child, _), _ in found})
    number = {child: i for i, child in enumerate(children)}
    wanted: dict[int, list[Projection]] = {}
    for child, i in number.items():
        wanted.setdefault(child, []).append(Projection(i, tuple(sorted(tables[child].columns)), own=True))
    for place, ((_, parent), columns) in enumerate(found, len(children)):
        renamed = tuple(other for _, other in columns)
        wanted.setdefault(parent, []).append(Projection(place, renamed, called=tuple(name for name, _ in columns)))
    work = [one for table, asked in sorted(wanted.items()) for one in tables[table].work(table, asked)]
    printed = take_prints(engine, work, trim=options.trim, typed_csv=options.typed_csv).save("renamed")
    every = np.ones(len(children) + len(found), np.bool_)
    rows = [merged(rows_among([printed], every)).save("renamed_rows")]
    of = np.array([*children, *(pair[1] for pair, _ in found)], np.int64)
    projections = Projections(of, np.zeros(len(of), np.int64), len(children))
    sizes = sizes_of(rows, len(of), {})
    checking = Checking(engine, rows, projections, sizes, max(1, len(found)), options)
    of_child = np.array([number[pair[0]] for pair, _ in found], np.int64)
    return checking.check(of_child, np.arange(len(children), len(of)))
