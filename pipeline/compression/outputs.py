"""What a compression leaves: ``items.parquet``, ``predictor.json``, and a report."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .compressed import Compressed
from .held_out import RANDOM, TAMIS, Judgement
from .score_table import ScoreTable

FORMAT, FORMAT_VERSION = "tamis-compression-report", 2
ITEMS, PREDICTOR, REPORT = "items.parquet", "predictor.json", "report.json"


def report_of(
    table: ScoreTable, compressed: Compressed, judged: dict[str, Judgement], held_out: int, seed: int
) -> dict[str, Any]:
    """Return the report as plain data: what was chosen, and what each way makes of held-out models."""
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "models": len(table.models),
        "items": len(table.items),
        "missing": int(np.isnan(table.scores).sum()),
        "redundant": compressed.removed,
        "k": len(compressed.items),
        "seed": seed,
        "expected_error": compressed.expected_error,
        "held_out": held_out,
        "splits": len(judged[TAMIS].errors) if judged else 0,
        "methods": [_of_method(name, judged) for name in judged],
    }


def _of_method(name: str, judged: dict[str, Judgement]) -> dict[str, Any]:
    own, best = judged[name], judged[TAMIS]
    taus = own.taus[~np.isnan(own.taus)]
    return {
        "method": name,
        "rmse": float(np.median(own.errors)),
        "tau": float(np.median(taus)) if len(taus) else None,
        "to_random": float(np.median(own.errors) / np.median(judged[RANDOM].errors)),
        "tamis_better": None if name == TAMIS else float((best.errors < own.errors).mean()),
        "errors": own.errors.tolist(),
    }


def write_compression(folder: Path, table: ScoreTable, compressed: Compressed) -> None:
    """Write items and predictor into a folder.

    ``items.parquet`` has ``number``, ``item`` (its id), ``weight`` and the text, if there is one; its rows are in the
    order in which the predictor wants the answers.
    """
    columns = {
        "number": pa.array(compressed.items, pa.int64()),
        "item": table.items.take(pa.array(compressed.items)),
        "weight": pa.array(compressed.weights, pa.float64()),
    }
    if table.texts is not None:
        columns["text"] = pa.array([table.texts[i] for i in compressed.items.tolist()], pa.large_string())
    pq.write_table(pa.table(columns), folder / ITEMS)
    compressed.save(folder / PREDICTOR)
