"""The semantic stage: a row is dropped if and only if it has a verified pair with a kept row, as in the near stage.

A pair is verified if the cosine of the vectors of its texts, exact in float64, is at least the threshold of the source
of each. It does the work of SemDeDup (Abbas et al. 2023) with one difference: rows are decided in rank order, so that
every removal names a row that stays, and there are no chains.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...hashing.errors import ConfigError
from ..blocking.dense import FaissOptions
from ..candidates import candidates
from ..config import Semantic
from ..engine import Engine, Table
from ..similarity import PAIRS
from .encoders import Encoder
from .encoding import HASH, ReadTexts, write_vectors
from .matrix import VECTORS, Matrix
from .search import KEYS, MOST_BANDS, MOST_WIDTH, AllBefore, BandKeys, Cells, Cosines, ranges, write_cells

STAGE = "semantic"


@dataclass(frozen=True)
class Thresholds:
    """Gives each row the similarity that its source asks for; plain data.

    Attributes:
        least: of sources that are not named.
        by_source: of those that are.
    """

    least: float
    by_source: Mapping[str, float]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``VECTORS`` for (row, source, cut, vector)."""
        asked = [self.by_source.get(source, self.least) for source in batch.column("source").to_pylist()]
        least = pa.array(asked, pa.float64())
        columns = [batch.column("row"), least, batch.column("cut"), batch.column("vector")]
        return pa.RecordBatch.from_arrays(columns, schema=VECTORS)


@dataclass(frozen=True)
class Alike:
    """What the stage found.

    Attributes:
        pairs: verified (worse, better, similarity), saved.
        facts: for the report.
    """

    pairs: Table
    facts: dict[str, Any]


def alike(
    engine: Engine,
    left: Table,
    *,
    stage: Semantic,
    encoder: Encoder,
    read: ReadTexts,
    text: str,
    work: Path,
    seed: int,
    references: int,
    once: bool,
) -> Alike:
    """Return the verified pairs of rows.

    Args:
        engine: what runs the verbs.
        left: the rows that compete, as ``ranked.rank`` returns them.
        stage: its settings.
        encoder: makes vectors.
        read: gives the texts of rows.
        text: the column of texts.
        work: the run's work folder, on a disk that all tasks see.
        seed: of the run.
        references: so many best-ranked rows are there already: they are no worse row of a pair.
        once: whether no two rows are known to have one text.
    """
    matrix = Matrix(str(work / "semantic-vectors"), encoder.dim)
    rows = left.select("row", "address", "source", *HASH).save("semantic_rows")
    asked = Thresholds(stage.threshold, stage.thresholds)
    summary = (
        write_vectors(engine, rows, encoder, matrix, read=read, text=text, asked=asked, once=once, name="semantic")
        .collect()
        .to_pylist()[0]
    )
    first = int(np.searchsorted(matrix.opened.rows, references))
    count, bands, width = int(summary["rows"]), 0, 0
    if stage.index == "codes":
        bands, width = banding_of(stage, count)
        keys = ranges(engine, 0, count).map(BandKeys(matrix, bands, width, seed), KEYS).save("semantic_keys")
        itself = rows.select("row", address="row")
        met = candidates(keys, itself, max_anchors=stage.max_anchors, references=references, prefix="semantic_")
        capped = met.capped_rows
        pairs = met.pairs.map(Cosines(matrix), PAIRS).save("semantic_pairs")
    else:
        search: Callable[[pa.RecordBatch], pa.RecordBatch] = AllBefore(matrix, stage.max_anchors)
        if stage.index == "ivf":
            options = FaissOptions(seed=seed, lists=stage.lists, probes=stage.probes)
            cells = work / "semantic-vectors" / "cells.faiss"
            write_cells(matrix, cells, options)
            search = Cells(matrix, stage.max_anchors, str(cells), options)
        found = ranges(engine, first, count).map(search, PAIRS).save("semantic_met")
        capped = (
            found.map(_with_themselves, PAIRS).aggregate(by=[], rows=("count", "worse")).collect()["rows"][0].as_py()
        )
        pairs = found.map(_with_others, PAIRS).save("semantic_pairs")
    return Alike(
        pairs,
        {
            "model": encoder.facts,
            "index": stage.index,
            "threshold": stage.threshold,
            "thresholds": dict(sorted(stage.thresholds.items())),
            "banding": [bands, width] if bands else None,
            "encoded_rows": count,
            "cut_rows": summary["cut"],
            "empty_rows": summary["empty"],
            "pairs": pairs.aggregate(by=[], rows=("count", "worse")).collect()["rows"][0].as_py(),
            "capped_rows": capped,
        },
    )


def banding_of(stage: Semantic, rows: int) -> tuple[int, int]:
    """Return (bands, bits of each): as given, or so that the recall at the least threshold is reached.

    Two vectors of cosine s agree in a bit with probability p = 1 - arccos(s) / pi. A band has so many bits that rows
    that are nothing alike (p = 1/2) seldom share one: two more than the logarithm of their number.

    Raises:
        ConfigError: so many bands are not possible.
    """
    width = stage.width or min(32, max(8, math.ceil(math.log2(max(2, rows))) + 2))
    least = min([stage.threshold, *stage.thresholds.values()])
    agree = (1.0 - math.acos(least) / math.pi) ** width
    bands = stage.bands or (1 if agree >= 1.0 else math.ceil(math.log(1.0 - stage.recall) / math.log(1.0 - agree)))
    if bands > MOST_BANDS or width > MOST_WIDTH:
        raise ConfigError(
            f"codes have at most {MOST_BANDS} bands of {MOST_WIDTH} bits",
            value=f"{bands} bands of {width} bits for recall {stage.recall} at {least}",
            remedy="Lower `recall` or `width`, raise the threshold, or set `index: exact`.",
        )
    return bands, width


def _with_others(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.not_equal(batch.column("worse"), batch.column("better")))


def _with_themselves(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.equal(batch.column("worse"), batch.column("better")))
