"""Which tables lie inside others: candidates by their smallest rows, then by a sample, then all rows.

    rows --first(k)-- smallest rows of each table --join-- candidates --sample-- refuted with a witness
                                                      '--all rows-- how much is contained, with a witness

A table lies inside another if all its rows do, also the one with the smallest fingerprint. So tables that hold that
row, in the child's columns, are all that can hold the child: no pair is looked at for its columns alone, and nothing
true is lost. The sample is of the smallest fingerprints too: they are uniform over the distinct rows, and the same in
every order and partition. Nothing is called verified before all rows were looked for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..engine import Engine, Table
from .held_rows import ALL, HeldRows
from .holders import Holders
from .options import Options, allowed_missing, sample_size
from .prints import CHECK_BITS, ROWS, rows_among

PAIR = pa.schema([("child", pa.int64()), ("parent", pa.int64())])
"""Numbers of projections: a table in its own columns, and another one in these."""

_CANDIDATE = pa.schema([*PAIR, ("size", pa.int64())])
_HOLDER = pa.schema([("row", pa.int64()), ("parent", pa.int64())])
_KEY = ("high", "low")

HELD_ROWS = 1 << 20
"""Rows that are held in memory while pairs are looked at, rather than read from the disk each time: 40 bytes each."""

MOST_HELD = 1 << 21
"""Holders of smallest rows that the driver takes, some 100 bytes each while they are put in order. Tables that lie
inside each other share their smallest row, so there are far fewer of them than pairs."""

FEW_TIMES = 4
"""How many times the sample of a child its rows may be for all to be looked for at once: then the sample is not chosen,
which means to sort them, unless some row is missing."""

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
        high, low: fingerprint of the smallest row; 0 where there is none.
    """

    distinct: Ints
    rows: Ints
    check: Ints
    high: Ints
    low: Ints

    def without(self, bad: NDArray[np.bool_]) -> "Sizes":
        """Return the sizes with nothing in some projections: what has no rows is in no pair."""
        return replace(self, distinct=np.where(bad, 0, self.distinct), rows=np.where(bad, 0, self.rows))

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


def sizes_of(rows: Sequence[Table], projections: int, known: Mapping[int, tuple[int, int, int, int, int]]) -> Sizes:
    """Return what is in each projection.

    Args:
        rows: ``ROWS``, distinct, saved.
        projections: how many there are.
        known: those that are not looked at, as in ``Sizes``: distinct, rows, check, high, low.
    """
    arrays = np.zeros((5, projections), np.int64)
    rest = np.ones(projections, np.bool_)
    if known:
        numbers = np.fromiter(known, np.int64, len(known))
        arrays[:, numbers] = np.array(list(known.values()), np.int64).T
        rest[numbers] = False
    if rest.any():
        left = rows_among(rows, rest)
        table = (
            left.map(_with_check, pa.schema([*ROWS, ("check", pa.int64())]))
            .aggregate(by=["projection"], distinct=("count", "high"), rows=("sum", "rows"), check=("sum", "check"))
            .collect()
        )
        for i, name in enumerate(("distinct", "rows", "check")):
            arrays[i, table["projection"].to_numpy()] = table[name].to_numpy()
        least = left.first(by=["projection"], order=list(_KEY)).collect()
        for i, name in enumerate(_KEY, 3):
            arrays[i, least["projection"].to_numpy()] = least[name].to_numpy()
    return Sizes(*arrays)


def _with_check(batch: pa.RecordBatch) -> pa.RecordBatch:
    check = batch.column("low").to_numpy() & CHECK_BITS
    return batch.append_column("check", pa.array(check))


def held(rows: Sequence[Table], sizes: Sizes) -> HeldRows | None:
    """Return ``ROWS`` in memory, if there are few.

    Args:
        rows: of all projections, saved.
        sizes: of these.
    """
    if int(sizes.distinct.sum()) > HELD_ROWS:
        return None
    return HeldRows.of(rows_among(rows, sizes.distinct > 0).collect(), len(sizes.distinct))


@dataclass(frozen=True)
class _Pairing:
    """Finds pairs of a child and a projection that holds one of its smallest rows; plain data.

    Kept are pairs that may be: of other tables, in the child's columns, with enough rows.

    Attributes:
        high, low, child: int64: the smallest rows, in order.
        projections: of all.
        measure: int64, by number of projection.
        least_share: of the child's measure that a parent has.
        standing: bool, by table: those that may be parents.
    """

    high: Ints
    low: Ints
    child: Ints
    projections: Projections
    measure: Ints
    least_share: float
    standing: NDArray[np.bool_]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        high, low = (batch.column(name).to_numpy() for name in _KEY)
        start = np.searchsorted(self.high, high, "left")
        places = np.flatnonzero(self.high[np.minimum(start, len(self.high) - 1)] == high) if len(self.high) else start
        times = np.searchsorted(self.high, high[places], "right") - start[places]
        ends = np.cumsum(times)
        place = np.repeat(places, times)
        found = np.repeat(start[places] + times - ends, times) + np.arange(len(place))
        same = self.low[found] == low[place]
        child, parent = self.child[found[same]], batch.column("projection").to_numpy()[place[same]]
        table, schema, size = self.projections.table, self.projections.schema, self.measure[parent]
        kept = (schema[child] == schema[parent]) & (table[child] != table[parent]) & self.standing[table[parent]]
        kept &= size >= self.measure[child] * self.least_share
        arrays = [pa.array(values[kept]) for values in (child, parent, size)]
        return pa.RecordBatch.from_arrays(arrays, schema=_CANDIDATE)


@dataclass(frozen=True)
class _Holding:
    """Finds which projections hold some rows; plain data.

    Attributes:
        high, low: int64: the rows, each once, in order.
    """

    high: Ints
    low: Ints

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        high, low = (batch.column(name).to_numpy() for name in _KEY)
        row = np.searchsorted(self.high, high, "left")
        places = np.flatnonzero(self.high[np.minimum(row, len(self.high) - 1)] == high) if len(self.high) else row[:0]
        row, high, low = row[places], high[places], low[places]
        while True:  # half a fingerprint may be shared by different rows
            behind = (row < len(self.high)) & (self.high[np.minimum(row, len(self.high) - 1)] == high)
            behind &= self.low[np.minimum(row, len(self.high) - 1)] < low
            if not behind.any():
                break
            row = row + behind
        same = row < len(self.high)
        row, places = row[same], places[same]
        same = (self.high[row] == high[same]) & (self.low[row] == low[same])
        parent = batch.column("projection").to_numpy()[places[same]]
        return pa.RecordBatch.from_arrays([pa.array(row[same]), pa.array(parent)], schema=_HOLDER)


class Candidates:
    """Pairs that share one of the child's smallest rows.

    Args:
        rows: ``ROWS``, distinct, saved.
        projections: what they are of.
        sizes: of each.
        least: how many of its smallest rows a child is looked up by.
        options: what counts as the same.
        memory: the same rows in memory, if there are few.
        most_held: how many holders of rows the driver takes.
    """

    def __init__(
        self,
        rows: Sequence[Table],
        projections: Projections,
        sizes: Sizes,
        least: int,
        options: Options,
        *,
        memory: HeldRows | None = None,
        most_held: int = MOST_HELD,
    ) -> None:
        self._rows, self._projections, self._least = rows, projections, least
        self._measure, self._share = sizes.measure(options), options.min_containment
        self._every = rows_among(rows, np.ones(len(projections.table), np.bool_), ("projection", *_KEY))
        own = np.arange(len(projections.table)) < projections.own
        filled = np.flatnonzero(own & (sizes.distinct > 0))
        self.first_rows = pa.table([filled, sizes.high[filled], sizes.low[filled]], ["child", *_KEY])
        self._smallest = self.first_rows
        self._holders: Holders | None = None
        if least > 1:
            smallest = rows_among(rows, own).first(by=["projection"], order=list(_KEY), n=least)
            self._smallest = smallest.select(*_KEY, child="projection").collect()
        else:
            self._holders = self._held(memory, most_held)

    def _held(self, memory: HeldRows | None, most: int) -> "Holders | None":
        """Return which projections hold the smallest row of each child; None if there are too many."""
        child, *key = (self._smallest[name].to_numpy() for name in ("child", *_KEY))
        row = np.full(len(self._projections.table), -1, np.int64)
        each, row[child] = np.unique(np.stack(key, axis=1), axis=0, return_inverse=True)
        holding = _Holding(each[:, 0].copy(), each[:, 1].copy())
        if memory is not None:
            found = pa.Table.from_batches([holding(memory.table)])
            if found.num_rows > most:
                return None
        else:
            held = self._every.map(holding, _HOLDER).save("holders")
            if held.aggregate(by=[], rows=("count", "row")).collect()["rows"][0].as_py() > most:
                return None
            found = held.collect()
        return Holders(found["row"].to_numpy(), found["parent"].to_numpy(), row, self._projections, self._measure)

    def smallest(self, children: Ints, standing: NDArray[np.bool_], n: int) -> tuple[Ints, Ints, Ints]:
        """Return (child, parent, total): candidates of some children, smallest first, in order of the child.

        Args:
            children: numbers of projections.
            standing: bool, by table: those that may be parents.
            n: at most how many of each child.

        Returns:
            int64 arrays; total: how many the child has.
        """
        if self._holders is not None:
            return self._holders.smallest(np.sort(children), standing, n, self._share)
        wanted = np.zeros(len(self._projections.table), np.bool_)
        wanted[children] = True
        child, high, low = (self._smallest[name].to_numpy() for name in ("child", *_KEY))
        order = np.lexsort((child, low, high))
        order = order[wanted[child[order]]]
        pairing = _Pairing(
            high[order], low[order], child[order], self._projections, self._measure, self._share, standing
        )
        pairs = self._every.map(pairing, _CANDIDATE)
        pairs = pairs if self._least == 1 else pairs.distinct()
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
        memory: the same rows in memory, if there are few.
    """

    def __init__(
        self,
        engine: Engine,
        rows: Sequence[Table],
        projections: Projections,
        sizes: Sizes,
        pairs: int,
        options: Options,
        *,
        memory: HeldRows | None = None,
    ) -> None:
        self._engine, self._rows, self._sizes, self._options = engine, rows, sizes, options
        self._memory = memory
        self._count = len(projections.table)
        self._size = sample_size(pairs, epsilon=options.epsilon, delta=options.delta)
        self._allowed = allowed_missing(self._size, pairs, min_containment=options.min_containment, delta=options.delta)

    def check(self, child: Ints, parent: Ints) -> Checked:
        """Look for the rows of some pairs: a sample of large children first, then all, unless that refutes the pair."""
        look = self._looking(np.unique(np.concatenate([child, parent])))
        large = (self._sizes.distinct[child] > self._size) & self._options.sampled
        missing, witness = np.zeros(len(child), np.int64), np.full(len(child), -1, np.int64)
        looked_for = np.where(large, self._size, self._sizes.measure(self._options)[child])
        whole, estimate = ~large, np.full(len(child), np.nan)
        # What lacks no row lacks none of the sample, which then need not be drawn.
        short = np.flatnonzero(large & self._is_short(child[large]))
        sure = short[look(child[short], parent[short], ALL)[0] == 0]
        whole[sure], estimate[sure] = True, 1.0
        looked_for[sure] = self._sizes.measure(self._options)[child[sure]]
        large[sure] = False
        if large.any():
            places = np.flatnonzero(large)
            # Of bags, too, distinct rows are counted.
            missing[places], _, witness[places] = look(child[places], parent[places], self._size)
            estimate[places] = (self._size - missing[places]) / self._size
            if self._options.verify:
                kept = places[missing[places] <= self._allowed]
                whole[kept] = True
                looked_for[kept] = self._sizes.measure(self._options)[child[kept]]
        rest = whole.copy()
        rest[sure] = False
        places = np.flatnonzero(rest)
        distinct, times, witness[places] = look(child[places], parent[places], ALL)
        missing[places] = times if self._options.bags else distinct
        return Checked(child, parent, looked_for, missing, witness, whole, estimate)

    def _is_short(self, child: Ints) -> bool:
        """Whether all rows of some children are few times their samples: to look for all costs less than to choose."""
        return self._options.verify and int(self._sizes.distinct[child].sum()) <= FEW_TIMES * self._size * len(child)

    def _looking(self, projections: Ints) -> "_Look":
        """Return what looks for rows of some projections in each other; few are read once and held."""
        memory = self._memory
        if memory is None and int(self._sizes.distinct[projections].sum()) <= HELD_ROWS:
            memory = HeldRows.of(_of(self._rows, projections, self._count).collect(), self._count)
        if memory is not None:
            return partial(_look_in_memory, memory, self._options.bags)
        return self._look

    def _look(self, child: Ints, parent: Ints, most: int) -> tuple[Ints, Ints, Ints]:
        """Look for the rows of children on the engine; see ``HeldRows.lacking``."""
        missing, times, witness = (
            np.zeros(len(child), np.int64),
            np.zeros(len(child), np.int64),
            np.full(len(child), -1),
        )
        if not len(child):
            return missing, times, witness
        asked = self._engine.table(
            pa.table([pa.array(np.arange(len(child))), pa.array(child), pa.array(parent)], ["pair", *PAIR.names])
        )
        rows = _of(self._rows, child, self._count)
        if most < ALL:
            rows = rows.first(by=["projection"], order=list(_KEY), n=most)
        wanted = rows.select(*_KEY, "address", "rows", child="projection").join(asked, on=["child"])
        there = _of(self._rows, parent, self._count).select(*_KEY, parent="projection", held="rows")
        on = ["parent", *_KEY]
        if self._options.bags:
            schema = pa.schema([*wanted.schema, ("held", pa.int64())])
            lacking = wanted.join(there, on=on, how="left").map(_deficits, schema)
        else:
            lacking = wanted.join(there.select(*on), on=on, how="anti")
        first = lacking.first(by=["pair"], order=list(_KEY), n=1, size="missing").collect()
        found = first["pair"].to_numpy()
        witness[found] = first["address"].to_numpy()
        missing[found] = times[found] = first["missing"].to_numpy()
        if self._options.bags and most == ALL:  # of a sample only the number of rows is asked for
            total = lacking.aggregate(by=["pair"], missing=("sum", "rows")).collect()
            times[total["pair"].to_numpy()] = total["missing"].to_numpy()
        return missing, times, witness


_Look = Callable[[Ints, Ints, int], tuple[Ints, Ints, Ints]]
"""Looks for so many of the rows of children in parents; what it returns is what ``HeldRows.lacking`` does."""


def _look_in_memory(memory: HeldRows, bags: bool, child: Ints, parent: Ints, most: int) -> tuple[Ints, Ints, Ints]:
    return memory.lacking(child, parent, most=most, bags=bags)


def _of(rows: Sequence[Table], projections: Ints, count: int) -> Table:
    kept = np.zeros(count, np.bool_)
    kept[projections] = True
    return rows_among(rows, kept)


def _deficits(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keep rows that the parent has less often than the child, with how much less."""
    lacking = pc.subtract(batch.column("rows"), pc.fill_null(batch.column("held"), 0))
    place = batch.schema.get_field_index("rows")
    return batch.set_column(place, batch.schema.field(place), lacking).filter(pc.greater(lacking, 0))
