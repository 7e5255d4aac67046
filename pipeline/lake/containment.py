"""Which tables lie inside others: candidates by their smallest rows, then by a sample, then all rows.

    rows --first(k)-- smallest rows of each table --join-- candidates --sample-- refuted with a witness
                                                      '--all rows-- how much is contained, with a witness

A table lies inside another if all its rows do, also the one with the smallest fingerprint. So tables that hold that
row, in the child's columns, are all that can hold the child: no pair is looked at for its columns alone, and nothing
true is lost. The sample is of the smallest fingerprints too: they are uniform over the distinct rows, and the same in
every order and partition. Nothing is called verified before all rows were looked for.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..engine import Engine, Table
from .options import Options, allowed_missing, sample_size

PAIR = pa.schema([("child", pa.int64()), ("parent", pa.int64())])
"""Numbers of projections: a table in its own columns, and another one in these."""

_CANDIDATE = pa.schema([*PAIR, ("size", pa.int64())])
_KEY = ("high", "low")
_CHECK_BITS = (1 << 30) - 1

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Projections:
    """What projections there are; arrays by their number: first those of tables in all their columns.

    Attributes:
        table: int64: the table of each.
        schema: int64: the class of columns that it is seen through.
        own: how many of them are a table in all its columns.
    """

    table: Ints
    schema: Ints
    own: int


@dataclass(frozen=True)
class Sizes:
    """What is in each projection; int64 arrays by its number.

    Attributes:
        distinct: distinct rows.
        rows: all rows.
        check: the same for equal sets of rows, and hardly ever else.
    """

    distinct: Ints
    rows: Ints
    check: Ints

    def measure(self, options: Options) -> Ints:
        """Return what a larger table has more of: rows, or distinct ones."""
        return self.rows if options.bags else self.distinct


@dataclass(frozen=True)
class Checked:
    """What looking for rows found; arrays over pairs of projections.

    Attributes:
        child, parent: the pairs.
        looked_for: rows of the child that were looked for; distinct ones, if not bags.
        missing: of these, how many the parent lacks.
        witness: address of the missing row with the smallest fingerprint; -1 if none is missing.
        whole: bool: whether these were all rows.
        estimate: float64: share of the sample that the parent has; NaN where no sample was looked for.
    """

    child: Ints
    parent: Ints
    looked_for: Ints
    missing: Ints
    witness: Ints
    whole: NDArray[np.bool_]
    estimate: NDArray[np.float64]

    @property
    def verified(self) -> NDArray[np.bool_]:
        """Whether every row was looked for and found."""
        return np.asarray(self.whole & (self.missing == 0), np.bool_)


def sizes_of(rows: Table, projections: int) -> Sizes:
    """Return what is in each projection.

    Args:
        rows: ``ROWS``, distinct.
        projections: how many there are.
    """
    schema = pa.schema([*rows.schema, ("check", pa.int64())])
    found = rows.map(_with_check, schema).aggregate(
        by=["projection"], distinct=("count", "high"), rows=("sum", "rows"), check=("sum", "check")
    )
    table = found.collect()
    arrays = np.zeros((3, projections), np.int64)
    for i, name in enumerate(("distinct", "rows", "check")):
        arrays[i, table["projection"].to_numpy()] = table[name].to_numpy()
    return Sizes(*arrays)


def _with_check(batch: pa.RecordBatch) -> pa.RecordBatch:
    check = batch.column("low").to_numpy() & _CHECK_BITS
    return batch.append_column("check", pa.array(check))


@dataclass(frozen=True)
class _Own:
    """Keeps rows of tables in all their columns, as rows of a child; plain data."""

    own: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.filter(pc.less(batch.column("projection"), self.own))


def own_rows(rows: Table, projections: Projections) -> Table:
    """Return (child, high, low, address, rows) of tables in all their columns."""
    kept = rows.map(_Own(projections.own), rows.schema)
    return kept.select(*_KEY, "address", "rows", child="projection")


@dataclass(frozen=True)
class _Fitting:
    """Keeps pairs that may be: of other tables, in the child's columns, with enough rows; plain data."""

    projections: Projections
    measure: Ints
    least_share: float
    standing: NDArray[np.bool_]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        child, parent = (batch.column(name).to_numpy() for name in PAIR.names)
        table, schema, size = self.projections.table, self.projections.schema, self.measure[parent]
        kept = (schema[child] == schema[parent]) & (table[child] != table[parent]) & self.standing[table[parent]]
        kept &= size >= self.measure[child] * self.least_share
        arrays = [pa.array(values[kept]) for values in (child, parent, size)]
        return pa.RecordBatch.from_arrays(arrays, schema=_CANDIDATE)


class Candidates:
    """Pairs that share one of the child's smallest rows.

    Args:
        engine: what runs the verbs.
        rows: ``ROWS``, distinct, saved.
        projections: what they are of.
        sizes: of each.
        least: how many of its smallest rows a child is looked up by.
        options: what counts as the same.
    """

    def __init__(
        self, engine: Engine, rows: Table, projections: Projections, sizes: Sizes, least: int, options: Options
    ) -> None:
        self._engine, self._rows, self._projections, self._least = engine, rows, projections, least
        self._measure, self._share = sizes.measure(options), options.min_containment
        own = own_rows(rows, projections).select("child", *_KEY)
        self._smallest = own.first(by=["child"], order=list(_KEY), n=least).save("smallest_rows")

    def first_rows(self) -> pa.Table:
        """Return (child, high, low): the smallest row of each table that has any."""
        smallest = self._smallest
        return (smallest if self._least == 1 else smallest.first(by=["child"], order=list(_KEY))).collect()

    def smallest(self, children: Ints, standing: NDArray[np.bool_], n: int) -> tuple[Ints, Ints, Ints]:
        """Return (child, parent, total): candidates of some children, smallest first, in order of the child.

        Args:
            children: numbers of projections.
            standing: bool, by table: those that may be parents.
            n: at most how many of each child.

        Returns:
            int64 arrays; total: how many the child has.
        """
        asked = self._smallest.join(self._engine.table(pa.table({"child": pa.array(children)})), on=["child"])
        holders = self._rows.select(*_KEY, parent="projection")
        shared = asked.join(holders, on=list(_KEY)).select(*PAIR.names)
        shared = shared if self._least == 1 else shared.distinct()
        fitting = _Fitting(self._projections, self._measure, self._share, standing)
        pairs = shared.map(fitting, _CANDIDATE)
        found = pairs.first(by=["child"], order=["size", "parent"], n=n, size="total").collect()
        child, parent, size, total = (found[name].to_numpy() for name in ("child", "parent", "size", "total"))
        order = np.lexsort((parent, size, child))
        return child[order], parent[order], total[order]


class Checking:
    """Looks for rows of children in their parents.

    Args:
        engine: what runs the verbs.
        rows: ``ROWS``, distinct, saved.
        projections: what they are of.
        sizes: of each.
        pairs: how many pairs the sample is asked about at most: of all that are looked at, delta is shared by these.
        options: what counts as the same.
        name: that the sample is saved under.
    """

    def __init__(
        self,
        engine: Engine,
        rows: Table,
        projections: Projections,
        sizes: Sizes,
        pairs: int,
        options: Options,
        *,
        name: str = "samples",
    ) -> None:
        self._engine, self._rows, self._sizes, self._options = engine, rows, sizes, options
        self._own = own_rows(rows, projections)
        self._size = sample_size(pairs, epsilon=options.epsilon, delta=options.delta)
        self._allowed = allowed_missing(self._size, pairs, min_containment=options.min_containment, delta=options.delta)
        self._sample: Table | None = None
        self._name = name

    def check(self, child: Ints, parent: Ints) -> Checked:
        """Look for the rows of some pairs: a sample of large children first, then all, unless that refutes the pair."""
        large = self._sizes.distinct[child] > self._size
        missing, witness = np.zeros(len(child), np.int64), np.full(len(child), -1, np.int64)
        looked_for = np.where(large, self._size, self._sizes.measure(self._options)[child])
        whole, estimate = ~large, np.full(len(child), np.nan)
        if large.any():
            sampled = self._samples()
            places = np.flatnonzero(large)
            self._look(sampled, child, parent, places, missing, witness)  # of bags, too, distinct rows are counted
            estimate[places] = 1 - missing[places] / self._size
            if self._options.verify:
                rest = places[missing[places] <= self._allowed]
                whole[rest] = True
                looked_for[rest] = self._sizes.measure(self._options)[child[rest]]
        places = np.flatnonzero(whole)
        missing[places], witness[places] = 0, -1
        lacking = self._look(self._own, child, parent, places, missing, witness)
        if lacking is not None and self._options.bags:
            total = lacking.aggregate(by=["pair"], missing=("sum", "rows")).collect()
            missing[total["pair"].to_numpy()] = total["missing"].to_numpy()
        return Checked(child, parent, looked_for, missing, witness, whole, estimate)

    def _samples(self) -> Table:
        if self._sample is None:
            self._sample = self._own.first(by=["child"], order=list(_KEY), n=self._size).save(self._name)
        return self._sample

    def _look(self, rows: Table, child: Ints, parent: Ints, places: Ints, missing: Ints, witness: Ints) -> Table | None:
        """Fill in how many of these rows pairs lack, and the first; return the rows, if any pair was asked about."""
        if not len(places):
            return None
        asked = self._engine.table(
            pa.table([pa.array(places), pa.array(child[places]), pa.array(parent[places])], ["pair", *PAIR.names])
        )
        wanted = rows.join(asked, on=["child"])
        there = self._rows.select(*_KEY, parent="projection", held="rows")
        on = ["parent", *_KEY]
        if self._options.bags:
            schema = pa.schema([*wanted.schema, ("held", pa.int64())])
            lacking = wanted.join(there, on=on, how="left").map(_deficits, schema)
        else:
            lacking = wanted.join(there.select(*on), on=on, how="anti")
        first = lacking.first(by=["pair"], order=list(_KEY), n=1, size="missing").collect()
        found = first["pair"].to_numpy()
        witness[found] = first["address"].to_numpy()
        missing[found] = first["missing"].to_numpy()
        return lacking


def _deficits(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keep rows that the parent has less often than the child, with how much less."""
    lacking = pc.subtract(batch.column("rows"), pc.fill_null(batch.column("held"), 0))
    place = batch.schema.get_field_index("rows")
    return batch.set_column(place, batch.schema.field(place), lacking).filter(pc.greater(lacking, 0))
