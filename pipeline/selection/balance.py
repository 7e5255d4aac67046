"""The balance stage: no leaf keeps more than so many rows.

A leaf is what rows have in common: their source, values of columns, or the cell of their vectors, cut by random
hyperplanes. Of an over-full leaf the rows with the lowest keyed hashes of their texts stay, so a larger `most` keeps
all that a smaller one does. This is the rule of TreeSynth for leaves with too many rows; those with too few are
reported with what they lack. The keeper of a row that goes is the first that its leaf keeps.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.bagging import draws
from ...hashing.codes import pack_signs
from ...hashing.hyperplanes import hyperplanes
from ...hashing.projections import Projection, project
from ..drops import DROPS
from ..engine import Engine, Table
from ..semantic.encoders import Encoder
from ..semantic.encoding import HASH, ReadTexts
from .settings import Balance
from .values import ROW, with_values

STAGE = "balance"
SHOWN_LEAVES = 100

LEAVES = pa.schema([("row", pa.int64()), ("draw", pa.int64()), ("leaf", pa.string())])
"""A row, its place in the order of its leaf, and the leaf: JSON of a list of values."""

_CODES = pa.schema([("row", pa.int64()), ("code", pa.int64())])


@dataclass(frozen=True)
class Coding:
    """Finds the cells of texts: one bit for the side of each hyperplane; plain data.

    Attributes:
        text: the column.
        encoder: makes vectors.
        bits: how many hyperplanes.
        seed: of these.
    """

    text: str
    encoder: Encoder
    bits: int
    seed: int

    @cached_property
    def planes(self) -> Projection:
        """The hyperplanes, made once for each copy of this object."""
        return hyperplanes(self.encoder.dim, self.bits, self.seed)

    def __getstate__(self) -> dict[str, Any]:
        return {"text": self.text, "encoder": self.encoder, "bits": self.bits, "seed": self.seed}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return (row, code) for records read with ``values.ROW``."""
        vectors, _ = self.encoder(batch.column(self.text))
        codes = pack_signs(project(np.ascontiguousarray(vectors), self.planes))[:, 0].astype(np.int64)
        return pa.RecordBatch.from_arrays([batch.column(ROW), pa.array(codes)], schema=_CODES)


@dataclass(frozen=True)
class Leaf:
    """Names the leaf of each row; plain data.

    Attributes:
        source: whether sources are leaves apart.
        seed: of the order in a leaf.
    """

    source: bool
    seed: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``LEAVES`` of rows, perhaps with ``values`` and ``code``."""
        names: list[list[object]] = [[] for _ in range(batch.num_rows)]
        if self.source:
            names = [[source] for source in batch.column("source").to_pylist()]
        for column, read in (("values", json.loads), ("code", _alone)):
            if column in batch.schema.names:
                own = batch.column(column).to_pylist()
                names = [name + read(value) for name, value in zip(names, own, strict=True)]
        leaves = pa.array([json.dumps(name, ensure_ascii=False) for name in names], pa.string())
        high, low = (np.ascontiguousarray(batch.column(name).to_numpy()) for name in HASH)
        drawn = (draws(high, low, seed=self.seed, purpose=STAGE) >> np.uint64(1)).astype(np.int64)
        return pa.RecordBatch.from_arrays([batch.column("row"), pa.array(drawn), leaves], schema=LEAVES)


def _alone(code: int) -> list[object]:
    return [code]


@dataclass(frozen=True)
class Balanced:
    """What the stage found.

    Attributes:
        drops: rows that went (``DROPS``), saved.
        facts: for the report.
    """

    drops: Table
    facts: dict[str, Any]


def balanced(
    engine: Engine,
    left: Table,
    *,
    stage: Balance,
    encoder: Encoder | None,
    read: ReadTexts,
    read_columns: ReadTexts,
    text: str,
    seed: int,
) -> Balanced:
    """Return the rows that over-full leaves do not keep.

    Args:
        engine: what runs the verbs.
        left: ranked rows.
        stage: its settings.
        encoder: makes vectors, where there are cells.
        read, read_columns: give the texts of rows, and other columns.
        text: the column of texts.
        seed: of the run.
    """
    rows = left.select("row", "address", "source", *HASH).save("balance_rows")
    table = with_values(rows, stage.by, read_columns, "balance_columns")
    if encoder is not None and stage.bits is not None:
        shared = encoder if engine.has("balance_codes") else encoder.shared(engine)
        coding = Coding(text, shared, stage.bits, seed)
        codes = read(rows.select("address", **{ROW: "row"}), "balance").map(coding, _CODES).save("balance_codes")
        table = table.join(codes, on=["row"])
    leaves = table.map(Leaf(stage.apart, seed), LEAVES).save("balance_leaves")
    kept = leaves.first(by=["leaf"], order=["draw", "row"], n=stage.most).save("balance_kept")
    firsts = leaves.first(by=["leaf"], order=["draw", "row"], n=1).select("leaf", keeper="row")
    gone = leaves.join(kept.select("row"), on=["row"], how="anti").join(firsts, on=["leaf"])
    drops = gone.select("row", "keeper").map(_unmeasured, DROPS).save("balance_drops")
    sizes = leaves.aggregate(by=["leaf"], rows=("count", "row")).collect()
    return Balanced(drops, leaf_facts(sizes["leaf"].to_pylist(), sizes["rows"].to_numpy(), stage.most))


def _unmeasured(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([*batch.columns, pa.nulls(batch.num_rows, pa.float64())], schema=DROPS)


def leaf_facts(names: list[str], rows: NDArray[np.int64], most: int) -> dict[str, Any]:
    """Return what the report says of leaves: how full they are, and what those with too few rows lack.

    Args:
        names: of the leaves.
        rows: int64: rows of each.
        most: rows that a leaf keeps at most.
    """
    order = sorted(range(len(names)), key=lambda place: (-int(rows[place]), names[place].encode()))
    shown: list[Mapping[str, Any]] = [
        {"leaf": names[place], "rows": int(rows[place]), "kept": int(min(rows[place], most))} for place in order
    ]
    kept = np.minimum(rows, most)
    return {
        "most": most,
        "leaves": len(names),
        "over_full": int((rows > most).sum()),
        "under_full": int((rows < most).sum()),
        "deficit": int((most - kept).sum()),
        "entropy_before": entropy(rows),
        "entropy_after": entropy(kept),
        "fullest": shown[:SHOWN_LEAVES],
        "emptiest": shown[::-1][:SHOWN_LEAVES],
    }


def entropy(rows: NDArray[np.int64]) -> float:
    """Return the entropy of the sizes of leaves, in bits.

    >>> entropy(np.array([4, 4]))
    1.0
    """
    shares = np.sort(rows[rows > 0]) / max(1, rows.sum())
    return float(-(shares * np.log2(shares)).sum()) + 0.0
