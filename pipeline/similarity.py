"""Verification: the similarity of every candidate pair.

Only rows in candidate pairs are read again, and only their shingle sets (or signatures) move. They meet in *tiles*: a
tile holds some worse rows and all rows that they are compared with, and has a bounded size, so that neither a hub nor a
template makes one task larger than the others (``tiles.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..connectors.address import ADDRESS
from ..connectors.split import Split
from ..connectors.views import take_array
from ..hashing.errors import EngineError
from ..hashing.jaccard import compare_contained, compare_pairs
from ..hashing.shingles import shingle_sets
from ..hashing.sketch import SketchPlan, signatures
from .engine import Group, Table
from .inputs import Inputs
from .ranked import new_only, old_only
from .text_column import text_buffers
from .tiles import TILES, deal_tiles

TILE_BYTES = 32 << 20
"""About how many bytes of sets a tile holds."""

PAIRS = pa.schema([("worse", pa.int64()), ("better", pa.int64()), ("similarity", pa.float64())])
_MEMBERS = pa.schema(
    [("tile", pa.int64()), ("row", pa.int64()), ("partner", pa.int64()), ("values", pa.large_binary())]
)
"""Rows of a tile: a set (partner -1) or a pair (values null)."""


@dataclass(frozen=True)
class Evidence:
    """What is compared: shingle sets, or signatures.

    Attributes:
        text: name of the text column.
        plan: how texts are shingled and sketched.
        sketch: whether signatures stand in for sets.
        contained: whether the share of the worse row's set counts that is in the other, rather than their similarity.
    """

    text: str
    plan: SketchPlan
    sketch: bool
    contained: bool = False

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the tile members for records read with (tile, row); a record of several tiles is worked on once."""
        rows = batch.column("row").to_numpy()
        new = np.concatenate([[True], rows[1:] != rows[:-1]]) if len(rows) else np.zeros(0, np.bool_)
        data, offsets = text_buffers(take_array(batch.column(self.text), pa.array(np.flatnonzero(new))))
        if self.sketch:
            values = signatures(data, offsets, self.plan).reshape(-1)
            bounds = np.arange(len(offsets), dtype=np.int64) * self.plan.values
        else:
            values, bounds = shingle_sets(data, offsets, self.plan.unit, self.plan.shingle, self.plan.table)
        distinct = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(bounds) - 1, [None, pa.py_buffer(bounds * 8), pa.py_buffer(values)]
        )
        sets = distinct if new.all() else distinct.take(pa.array(np.cumsum(new) - 1))
        partner = pa.array(np.full(len(rows), -1, np.int64))
        return pa.RecordBatch.from_arrays([batch.column("tile"), batch.column("row"), partner, sets], schema=_MEMBERS)


@dataclass(frozen=True)
class Recollection:
    """Some inputs of old rows, which have columns of their own.

    Attributes:
        splits: of these inputs.
        full: their columns.
        first, after: the addresses of their rows lie from the one to before the other.
    """

    splits: Sequence[Split]
    full: pa.Schema
    first: int
    after: int


def measure_pairs(
    inputs: Inputs,
    pairs: Table,
    ranked: Table,
    *,
    evidence: Evidence,
    threshold: float,
    old: Sequence[Recollection] = (),
) -> Table:
    """Return the candidate pairs of at least the threshold, with their similarity.

    Args:
        inputs: what is read again.
        pairs: (worse, better), saved.
        ranked: rows with row, address, tokens and bytes, saved.
        evidence: what is compared.
        threshold: least similarity.
        old: inputs of old rows, if an index knows any; their rows come before all others.
    """
    tiles = deal_tiles(pairs, ranked, evidence.plan, sketch=evidence.sketch, capacity=TILE_BYTES).save(
        "contained_tiles" if evidence.contained else "tiles"
    )
    entered = tiles.map(_entering, TILES).select("tile", "row")
    wanted = entered.join(ranked.select("row", "address"), on=["row"]).select("tile", "row", **{ADDRESS: "address"})
    if old:
        wanted = wanted.save("wanted_texts")
        new = new_only(wanted, ADDRESS, max(part.after for part in old))
        parts = [inputs.read((evidence.text,), only=new).map(evidence, _MEMBERS)]
        for part in old:
            rows = old_only(new_only(wanted, ADDRESS, part.first), ADDRESS, part.after)
            column = pa.schema([part.full.field(evidence.text)])
            read = inputs.engine.read(part.splits, column, full=part.full, only=rows)
            parts.append(read.map(evidence, _MEMBERS))
        sets = parts[0].union(*parts[1:])
    else:
        sets = inputs.read((evidence.text,), only=wanted).map(evidence, _MEMBERS)
    compare = Compare(evidence.sketch, threshold, evidence.contained)
    return sets.union(tiles.map(_pairs, _MEMBERS)).group(
        by="tile", sort=[], fn=compare, schema=PAIRS, hold=4 * TILE_BYTES
    )


def _entering(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.less(batch.column("partner"), 0))


def _pairs(batch: pa.RecordBatch) -> pa.RecordBatch:
    chosen = batch.filter(pc.greater_equal(batch.column("partner"), 0))
    return pa.RecordBatch.from_arrays([*chosen.columns, pa.nulls(chosen.num_rows, pa.large_binary())], schema=_MEMBERS)


@dataclass(frozen=True)
class Compare:
    """Compares the pairs of one tile.

    Attributes:
        aligned: whether sets are signatures.
        threshold: least similarity to report.
        contained: whether containment is measured.
    """

    aligned: bool
    threshold: float
    contained: bool = False

    def __call__(self, group: Group) -> pa.RecordBatch:
        """Return the similar pairs of a tile of ``_MEMBERS``."""
        rows, partners = group.rows["row"].to_numpy(), group.rows["partner"].to_numpy()
        sets, pairs = np.flatnonzero(partners < 0), np.flatnonzero(partners >= 0)
        order = np.argsort(rows[sets], kind="stable")
        worse, better = rows[pairs], partners[pairs]

        def place(wanted: NDArray[np.int64]) -> NDArray[np.int64]:
            at = np.minimum(np.searchsorted(rows[sets], wanted, sorter=order), len(sets) - 1)
            found = np.asarray(sets[order[at]], np.int64) if len(sets) else np.full(len(wanted), -1)
            if not len(sets) or np.any(rows[found] != wanted):
                raise EngineError(
                    "texts of compared rows can be read again",
                    value=f"{int(np.sum(rows[found] != wanted)) if len(sets) else len(wanted)} could not",
                    remedy="Check that no input changed while the run read it, and run again.",
                )
            return found

        values, bounds = _values(group.rows["values"])
        if self.contained:
            similarity = compare_contained(values, bounds, place(worse), place(better), self.threshold)
        else:
            similarity = compare_pairs(values, bounds, place(worse), place(better), self.aligned, self.threshold)
        similar = similarity >= self.threshold
        columns = [pa.array(worse[similar]), pa.array(better[similar]), pa.array(similarity[similar])]
        return pa.RecordBatch.from_arrays(columns, schema=PAIRS)


def _values(sets: pa.ChunkedArray) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return (values, bounds) of sets stored as bytes: the set of row i is ``values[bounds[i]:bounds[i + 1]]``."""
    stored = sets.chunk(0)
    offsets = np.frombuffer(stored.buffers()[1], np.int64)[stored.offset : stored.offset + len(stored) + 1]
    data = np.frombuffer(stored.buffers()[2], np.uint8)[: offsets[-1] // 8 * 8]
    return data.view(np.uint64), offsets // 8
