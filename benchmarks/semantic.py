"""Run the semantic stage on the newswire with each index, and compare what they remove and how long they take.

    python benchmarks/semantic.py --data DIR [--model HASHER] [--texts 19043]

The truth is ``index: exact`` with all similar rows counted. Without FAISS ``ivf`` is left out. Without ``--model`` the
vectors are hashed n-grams.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from end_to_end import machine, versions
from real_texts import newswire

import tamis
from tamis.hashing.errors import ConfigError
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.result import Result

INDEXES = ("exact", "codes", "ivf")


def sifted(folder: Path, out: str, stage: dict[str, Any]) -> Result:
    """Run exact copies and the semantic stage."""
    config = make_config(
        {
            "inputs": [{"path": str(folder / "in")}],
            "stages": ["exact", {"semantic": stage}],
            "allow_loss": ["in"],
            "out": str(folder / out),
        }
    )
    prepared = plan.prepare(config, version=tamis.__version__)
    return Result(plan.run(prepared, LocalEngine, Silent()))


def pairs_of(result: Result) -> set[tuple[int, int]]:
    """Return the verified pairs, by address."""
    table = pq.read_table(result.out / "semantic_pairs", columns=["address", "better_address"])
    return set(zip(table["address"].to_pylist(), table["better_address"].to_pylist(), strict=True))


def removed_by(result: Result) -> set[int]:
    """Return what the stage removed."""
    return {row["address"] for row in result.removed.to_pylist() if row["stage"] == "semantic"}


def measured(folder: Path, model: str, threshold: float) -> list[dict[str, Any]]:
    """Run with all indexes and compare them with the truth."""
    common = {"model": model, "threshold": threshold}
    truth = sifted(folder, "truth", common | {"max_anchors": 1024})
    pairs, gone, rows = pairs_of(truth), removed_by(truth), []
    for index in INDEXES:
        try:
            result = sifted(folder, index, common | {"index": index})
        except ConfigError as error:
            print(f"{index}: {error}", file=sys.stderr)
            continue
        found, mine = pairs_of(result), removed_by(result)
        facts = result.report["semantic"]
        row = {
            "index": index,
            "rows": facts["encoded_rows"],
            "banding": facts["banding"],
            "pairs": len(found),
            "share_of_pairs": len(found & pairs) / len(pairs) if pairs else 1.0,
            "removed": len(mine),
            "removed_too": len(mine - gone),
            "kept_too": len(gone - mine),
            "truth": len(gone),
            "cut_rows": facts["cut_rows"],
            "capped_rows": facts["capped_rows"],
            "seconds": next(step["seconds"] for step in result.report["steps"] if step["name"] == "semantic"),
        }
        print(row, file=sys.stderr)
        rows.append(row)
    return rows


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("TAMIS_DATA"))
    parser.add_argument("--model", default="hashed-ngrams")
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.95, 0.9])
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("name the folder of real texts: --data DIR")
    rows = []
    for threshold in arguments.thresholds:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "in").mkdir()
            texts = list(itertools.islice(newswire(arguments.data), arguments.texts))
            pq.write_table(pa.table({"text": texts}), Path(folder) / "in" / "texts.parquet", row_group_size=1000)
            found = measured(Path(folder), arguments.model, threshold)
            rows += [{"threshold": threshold} | row for row in found]
    print(json.dumps({"machine": machine(), "versions": versions(), "load": os.getloadavg(), "runs": rows}, indent=1))


if __name__ == "__main__":
    main()
