"""Run the select stage with several numbers of parts: how near the choices come to that of all rows at once, and when.

    python benchmarks/choosing.py --data DIR --rows 500 --parts 1 4 16
    python benchmarks/choosing.py --corpus out/bench-corpus --rows 10000 --parts 0

Without ``--corpus`` it chooses among the newswire. Parts 0 are those of the default. A row's similarity is that to the
chosen row which stands for it: 1 for a chosen one.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from end_to_end import machine, versions
from real_texts import newswire

import tamis
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.result import Result


def chosen(corpus: Path, out: Path, args: argparse.Namespace, parts: int) -> dict[str, Any]:
    """Choose rows; return what the report says, and what it took."""
    select = {"rows": args.rows, "function": args.function, "method": args.method, "parts": parts or None}
    config = make_config(
        {
            "inputs": [{"path": str(corpus)}],
            "stages": ["exact", {"select": select}],
            "memory": args.memory,
            "allow_loss": args.sources,
            "out": str(out),
        }
    )
    prepared = plan.prepare(config, version=tamis.__version__)
    result = Result(plan.run(prepared, lambda work: LocalEngine(work, memory_bytes=config.memory), Silent()))
    facts = result.report["selection"]["select"]
    group = facts["groups"][0]
    return {
        "parts": group["parts"],
        "rows": group["rows"],
        "chosen": group["chosen"],
        "seconds": next(step["seconds"] for step in result.report["steps"] if step["name"] == "select"),
        "mean_similarity": facts["mean_similarity"],
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("TAMIS_DATA"), metavar="DIR")
    parser.add_argument("--corpus", type=Path, help="a folder of Parquet files with a column `text`, for the newswire")
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--parts", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--function", default="facility-location")
    parser.add_argument("--method", default="lazy")
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.corpus is None and args.data is None:
        parser.error("the newswire is in --data DIR, or name a --corpus")
    with tempfile.TemporaryDirectory() as folder:
        corpus = args.corpus
        if corpus is None:
            corpus = Path(folder) / "in"
            corpus.mkdir()
            pq.write_table(pa.table({"text": newswire(args.data)}), corpus / "newswire.parquet", row_group_size=2048)
        args.sources = [corpus.name]
        found = [chosen(corpus, Path(folder) / f"out-{parts}", args, parts) for parts in args.parts]
    result = {"machine": machine(), "versions": versions(), "choices": found}
    print(f"{args.function}, {args.method}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    print("| parts | rows | chosen | step s | mean similarity | of the first | peak MB so far |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for line in found:
        ratio = line["mean_similarity"] / found[0]["mean_similarity"]
        print(
            f"| {line['parts']} | {line['rows']:,} | {line['chosen']:,} | {line['seconds']:.1f} | "
            f"{line['mean_similarity']:.4f} | {ratio:.4f} | {line['peak_bytes'] / 1e6:,.0f} |"
        )
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
