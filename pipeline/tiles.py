"""Which candidate pairs are compared together.

A tile is a set of worse rows and all rows that they are compared with. Rows are dealt in order of their rank, and a set
is sent once to each tile that needs it: mostly to one, as most rows have one partner; the anchors of a template are
wanted by all of its rows, and so are in every tile of them. Dealing depends on the pairs and on the sizes of texts
alone: tiles are the same on every engine.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.deal import Dealt, deal, nothing_dealt
from ..hashing.shingles import WORD
from ..hashing.sketch import SketchPlan
from .engine import Table

TILES = pa.schema([("tile", pa.int64()), ("row", pa.int64()), ("partner", pa.int64())])
"""A row that belongs to a tile (partner -1), or a pair compared in it."""

_WEIGHED = ("worse", "better", "own", "weight")


def deal_tiles(pairs: Table, ranked: Table, plan: SketchPlan, *, sketch: bool, capacity: int) -> Table:
    """Return ``TILES``.

    Args:
        pairs: (worse, better), saved.
        ranked: rows with row, tokens and bytes, saved.
        plan: how texts are shingled and sketched.
        sketch: whether signatures are compared rather than sets.
        capacity: bytes of the sets of a tile.
    """
    size = "tokens" if plan.unit == WORD else "bytes"  # about how many shingles a text has, at most
    sizes = ranked.select("row", size)
    weighed = pairs.join(sizes.select(better="row", weight=size), on=["better"])
    weighed = weighed.join(sizes.select(worse="row", own=size), on=["worse"])
    dealer = Dealer(capacity, plan.values if sketch else 0)
    return weighed.fold(order=["worse", "better"], fn=dealer, schema=TILES)


@dataclass(frozen=True)
class Dealer:
    """Deals pairs to tiles in order; the state is the list of the rows of one tile.

    Attributes:
        capacity: bytes of a tile.
        fixed: values of a signature, or 0 where sets are as large as their texts have tokens (bytes, for other units).
    """

    capacity: int
    fixed: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield ``TILES`` for pairs (worse, better, own, weight), those of a worse row one after another."""
        dealt = nothing_dealt()
        waiting = [np.empty(0, np.int64)] * len(_WEIGHED)  # pairs of the last row, of which more may come
        for batch in batches:
            waiting = [np.concatenate([w, batch.column(n).to_numpy()]) for w, n in zip(waiting, _WEIGHED, strict=True)]
            last = len(waiting[0]) - _run_at_end(waiting[0])
            ready, waiting = [w[:last] for w in waiting], [w[last:] for w in waiting]
            lines, dealt = self._deal(ready, dealt)
            yield lines
        yield self._deal(waiting, dealt)[0]

    def _deal(self, pairs: list[NDArray[np.int64]], dealt: Dealt) -> tuple[pa.RecordBatch, Dealt]:
        worse, better, own, weight = pairs
        if self.fixed:
            own = weight = np.full(len(worse), self.fixed, np.int64)
        tiles, rows, partners, dealt = deal(worse, better, 8 * own, 8 * weight, self.capacity, dealt)
        return pa.RecordBatch.from_arrays([pa.array(tiles), pa.array(rows), pa.array(partners)], schema=TILES), dealt


def _run_at_end(values: NDArray[np.int64]) -> int:
    """Return how many values at the end are equal."""
    other = np.flatnonzero(values != values[-1]) if len(values) else values
    return len(values) - 1 - int(other[-1]) if len(other) else len(values)
