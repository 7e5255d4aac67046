"""Texts to vectors: each distinct text is encoded once, and all rows find their vectors in one file."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...hashing.errors import ConfigError
from ..engine import BatchFn, Engine, Table
from .encoders import Encoder
from .matrix import SUMMARY, VECTORS, Matrix, WriteMatrix, unit_vectors

ReadTexts = Callable[[Table, str], Table]
"""Reads the texts of rows again, from (address, ...), with these columns beside them; the name is of the use."""

HASH = ("hash_high", "hash_low")
_ONCE = pa.schema([("rep", pa.int64()), ("cut", pa.int64()), ("vector", pa.binary())])


@dataclass(frozen=True)
class Encoding:
    """Encodes texts; plain data.

    Attributes:
        text: the column.
        encoder: makes the vectors.
    """

    text: str
    encoder: Encoder

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return (rep, cut, vector) for records read with ``rep``."""
        vectors, cut = self.encoder(batch.column(self.text))
        wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(wrong):
            raise ConfigError(
                "an encoder makes numbers of every text",
                value=f"NaN or infinity for {batch.column(self.text)[int(wrong[0])].as_py()[:80]!r}",
                remedy="Use another model, or filter such texts.",
            )
        packed = pa.array([row.tobytes() for row in unit_vectors(vectors)], pa.binary())
        columns = [batch.column("rep"), pa.array(cut.astype(np.int64)), packed]
        return pa.RecordBatch.from_arrays(columns, schema=_ONCE)


def write_vectors(
    engine: Engine,
    rows: Table,
    encoder: Encoder,
    matrix: Matrix,
    *,
    read: ReadTexts,
    text: str,
    asked: BatchFn,
    once: bool,
    name: str,
) -> Table:
    """Encode each distinct text once and write the vectors of all rows; return ``SUMMARY``, saved.

    Args:
        engine: what runs the verbs.
        rows: (row, address, source, hash_high, hash_low), saved.
        encoder: makes vectors.
        matrix: where they go.
        read: gives the texts of rows.
        text: the column of texts.
        asked: makes ``VECTORS`` of (row, source, cut, vector).
        once: whether no two rows are known to have one text.
        name: of the stage, which its saved tables begin with.
    """
    needed = not engine.has(f"{name}_vectors")
    encoding = Encoding(text, encoder.shared(engine) if needed else encoder)
    if once:
        named = rows.select("row", "source", rep="row")
        texts = rows.select("address", rep="row")
    else:
        best = rows.first(by=HASH, order=["row"]).select("address", *HASH, rep="row").save(f"{name}_texts")
        named = rows.select("row", "source", *HASH).join(best.select("rep", *HASH), on=HASH)
        texts = best.select("address", "rep")
    vectors = read(texts, name).map(encoding, _ONCE).save(f"{name}_vectors")
    all_rows = vectors.join(named.select("row", "source", "rep"), on=["rep"]).select("row", "source", "cut", "vector")
    asked_of = all_rows.map(asked, VECTORS)
    return asked_of.fold(order=["row"], fn=WriteMatrix(matrix), schema=SUMMARY).save(f"{name}_matrix")
