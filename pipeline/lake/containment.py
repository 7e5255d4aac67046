"""Which tables lie inside others: candidates by one row, then by a sample, then all rows.

    prints --first(1)-- smallest row of each table --join-- candidates --join(sample)-- refuted with a witness
                                                    '--join(all rows)-- verified, or refuted with a witness

A table lies inside another if all its rows do, also the one with the smallest fingerprint. So tables that hold that
row, in the child's columns, are all that can hold the child: no pair is looked at for its columns alone, and nothing
true is lost. The sample is of the smallest fingerprints too: they are uniform over the distinct rows, and the same in
every order and partition. Nothing is called verified before all rows were looked for.
"""

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..engine import Engine, Table

PAIR = pa.schema([("child", pa.int64()), ("parent", pa.int64())])
"""Numbers of projections: a table in its own columns, and another one in these."""

_KEY = ("high", "low")


@dataclass(frozen=True)
class Projections:
    """What projections there are; arrays by their number.

    Attributes:
        table: int64: the table of each.
        schema: int64: the class of columns that it is seen through.
        own: bool: whether these are all its columns.
    """

    table: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    schema: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    own: "np.ndarray[tuple[int], np.dtype[np.bool_]]"

    def as_table(self) -> pa.Table:
        """Return (projection, table, schema, own)."""
        numbers = np.arange(len(self.table))
        columns = (numbers, self.table, self.schema, self.own.astype(np.int64))
        return pa.table([pa.array(c) for c in columns], names=["projection", "table", "schema", "own"])


@dataclass(frozen=True)
class Containment:
    """What was found.

    Attributes:
        sizes: (projection, distinct, rows): distinct rows and rows of each that has any.
        verified: (child, parent): projections of pairs whose every row was found.
        refuted: (child, parent, missing, address): candidates that lack rows; how many of those looked for, and the
            first record of the missing row with the smallest fingerprint.
        candidates: pairs that share the child's smallest row.
        sampled_out: of these, those that the sample refuted.
    """

    sizes: pa.Table
    verified: pa.Table
    refuted: pa.Table
    candidates: int
    sampled_out: int


def sample_size(pairs: int, *, epsilon: float, delta: float) -> int:
    """Return how many rows refute every pair that lacks a share ``epsilon`` or more, but with probability ``delta``.

    (1 - epsilon)^t is the probability that t rows all match by chance; it is to be at most delta / pairs.

    >>> sample_size(1, epsilon=0.01, delta=0.05), sample_size(1, epsilon=0.1, delta=1e-6)
    (299, 132)
    """
    return max(1, math.ceil(math.log(delta / max(1, pairs)) / math.log1p(-epsilon)))


def contained(engine: Engine, prints: Table, projections: Projections, *, epsilon: float, delta: float) -> Containment:
    """Find the tables that lie inside others, as sets of rows.

    Args:
        engine: what runs the verbs.
        prints: distinct rows of each projection (``PRINTS`` without faults), saved.
        projections: what they are of.
        epsilon, delta: what the sample must refute, and how surely.
    """
    sizes = prints.aggregate(by=["projection"], distinct=("count", "high"), rows=("sum", "rows")).collect()
    known = engine.table(projections.as_table())
    placed = prints.select("projection", *_KEY, "address").join(known, on=["projection"])
    own = (
        placed.map(_own, placed.schema)
        .select("schema", *_KEY, "address", child="projection", of="table")
        .save("own_rows")
    )
    least = own.first(by=["child"], order=list(_KEY), n=1).select("schema", *_KEY, "child", "of")
    holders = placed.select("schema", *_KEY, "table", parent="projection")
    candidates = least.join(holders, on=["schema", *_KEY]).map(_others, PAIR).save("lake_candidates")
    count = candidates.aggregate(by=[], pairs=("count", "child")).collect()["pairs"][0].as_py()
    size = sample_size(count, epsilon=epsilon, delta=delta)
    sample = own.first(by=["child"], order=list(_KEY), n=size).select("child", *_KEY, "address")
    by_sample = _missing(sample, candidates, placed).save("missing_of_samples")
    left = candidates.join(by_sample.select("child", "parent"), on=["child", "parent"], how="anti").save("not_refuted")
    by_all = _missing(own.select("child", *_KEY, "address"), left, placed).save("missing_of_all")
    verified = left.join(by_all.select("child", "parent"), on=["child", "parent"], how="anti")
    sampled = by_sample.collect()
    order = [("child", "ascending"), ("parent", "ascending")]
    refuted = pa.concat_tables([sampled, by_all.collect()]).sort_by(order)
    return Containment(sizes.sort_by("projection"), verified.collect().sort_by(order), refuted, count, sampled.num_rows)


def _missing(rows: Table, pairs: Table, placed: Table) -> Table:
    """Return (child, parent, missing, address) of pairs whose parent lacks some of these rows of the child."""
    wanted = rows.join(pairs, on=["child"])
    there = placed.select(*_KEY, parent="projection")
    lacking = wanted.join(there, on=["parent", *_KEY], how="anti")
    first = lacking.first(by=["child", "parent"], order=list(_KEY), n=1, size="missing")
    return first.select("child", "parent", "missing", "address")


def _own(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.equal(batch.column("own"), 1))


def _others(batch: pa.RecordBatch) -> pa.RecordBatch:
    others = batch.filter(pc.not_equal(batch.column("of"), batch.column("table")))
    return others.select(PAIR.names)
