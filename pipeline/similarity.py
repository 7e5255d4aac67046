"""Verification: the similarity of every candidate pair.

Only rows in candidate pairs are read again, and only their shingle sets (or signatures) move. They meet in *tiles*: a
tile holds some worse rows and all rows that they are compared with, and has a bounded size, so that neither a hub nor a
template makes one task larger than the others. Worse rows are dealt to tiles in order of their best partner, so rows
with the same partner mostly share a tile and the partner is sent there once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..connectors.address import ADDRESS
from ..connectors.split import Split
from ..connectors.views import take_array
from ..hashing.jaccard import compare_pairs
from ..hashing.shingles import WORD, shingle_sets
from ..hashing.sketch import SketchPlan, signatures
from .engine import Engine, Group, Table
from .text_column import text_buffers

TILE_BYTES = 32 << 20
"""About how many bytes of sets a tile holds."""

PAIRS = pa.schema([("worse", pa.int64()), ("better", pa.int64()), ("similarity", pa.float64())])
_TILED = pa.schema([("tile", pa.int64()), ("worse", pa.int64())])
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
    """

    text: str
    plan: SketchPlan
    sketch: bool

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


def measure_pairs(
    engine: Engine,
    pairs: Table,
    ranked: Table,
    *,
    splits: Sequence[Split],
    full: pa.Schema,
    evidence: Evidence,
    threshold: float,
) -> Table:
    """Return the candidate pairs of at least the threshold, with their similarity.

    Args:
        engine: what runs the verbs.
        pairs: (worse, better), saved.
        ranked: rows with row, address, tokens and bytes, saved.
        splits, full: the inputs.
        evidence: what is compared.
        threshold: least similarity.
    """
    tiles = pairs.join(_tiles(pairs, ranked, evidence), on=["worse"]).save("tiles")
    members = tiles.select("tile", row="worse").union(tiles.select("tile", row="better")).distinct()
    wanted = members.join(ranked.select("row", "address"), on=["row"]).select("tile", "row", **{ADDRESS: "address"})
    text = pa.schema([full.field(evidence.text)])
    sets = engine.read(splits, text, full=full, only=wanted).map(evidence, _MEMBERS)
    compare = Compare(evidence.sketch, threshold)
    as_members = tiles.select("tile", "worse", "better").map(_as_members, _MEMBERS)
    return sets.union(as_members).group(by="tile", sort=[], fn=compare, schema=PAIRS, hold=4 * TILE_BYTES)


def _tiles(pairs: Table, ranked: Table, evidence: Evidence) -> Table:
    """Return (tile, worse): which tile each worse row goes to."""
    size = "tokens" if evidence.plan.unit == WORD else "bytes"  # about how many shingles a text has, at most
    sizes = ranked.select("row", size)
    weighed = pairs.join(sizes.select(better="row", weight=size), on=["better"])
    loads = weighed.aggregate(
        by=["worse"], best=("min", "better"), partners=("sum", "weight"), pairs=("count", "better")
    )
    loads = loads.join(sizes.select(worse="row", own=size), on=["worse"])
    return loads.fold(order=["best", "worse"], fn=Dealer(evidence.plan.values if evidence.sketch else 0), schema=_TILED)


@dataclass(frozen=True)
class Dealer:
    """Deals worse rows to tiles in order, opening a new tile where the next row might not fit.

    A row weighs its own set and those of all its partners, as if none of them were in the tile yet: tiles never exceed
    their size, they only stay below it. The state is two numbers.

    Attributes:
        fixed: values of a signature, or 0 where sets are as large as their texts have tokens (bytes, for other units).
    """

    fixed: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield (tile, worse) for rows (worse, best, partners, pairs, own)."""
        tile = filled = 0
        for batch in batches:
            if self.fixed:
                weights = (batch.column("pairs").to_numpy() + 1) * (8 * self.fixed)
            else:
                weights = (batch.column("partners").to_numpy() + batch.column("own").to_numpy()) * 8
            tiles = np.empty(len(weights), np.int64)
            for i, weight in enumerate(weights.tolist()):
                if filled and filled + weight > TILE_BYTES:
                    tile, filled = tile + 1, 0
                filled += weight
                tiles[i] = tile
            yield pa.RecordBatch.from_arrays([pa.array(tiles), batch.column("worse")], schema=_TILED)


def _as_members(batch: pa.RecordBatch) -> pa.RecordBatch:
    nulls = pa.nulls(batch.num_rows, pa.large_binary())
    columns = [batch.column("tile"), batch.column("worse"), batch.column("better"), nulls]
    return pa.RecordBatch.from_arrays(columns, schema=_MEMBERS)


@dataclass(frozen=True)
class Compare:
    """Compares the pairs of one tile.

    Attributes:
        aligned: whether sets are signatures.
        threshold: least similarity to report.
    """

    aligned: bool
    threshold: float

    def __call__(self, group: Group) -> pa.RecordBatch:
        """Return the similar pairs of a tile of ``_MEMBERS``."""
        rows, partners = group.rows["row"].to_numpy(), group.rows["partner"].to_numpy()
        sets, pairs = np.flatnonzero(partners < 0), np.flatnonzero(partners >= 0)
        order = np.argsort(rows[sets], kind="stable")
        worse, better = rows[pairs], partners[pairs]

        def place(wanted: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.asarray(sets[order[np.searchsorted(rows[sets], wanted, sorter=order)]], np.int64)

        values, bounds = _values(group.rows["values"])
        similarity = compare_pairs(values, bounds, place(worse), place(better), self.aligned)
        similar = similarity >= self.threshold
        columns = [pa.array(worse[similar]), pa.array(better[similar]), pa.array(similarity[similar])]
        return pa.RecordBatch.from_arrays(columns, schema=PAIRS)


def _values(sets: pa.ChunkedArray) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return (values, bounds) of sets stored as bytes: the set of row i is ``values[bounds[i]:bounds[i + 1]]``."""
    stored = sets.chunk(0)
    offsets = np.frombuffer(stored.buffers()[1], np.int64)[stored.offset : stored.offset + len(stored) + 1]
    data = np.frombuffer(stored.buffers()[2], np.uint8)[: offsets[-1] // 8 * 8]
    return data.view(np.uint64), offsets // 8
