"""A run's ``report.json`` and ``report.html``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...connectors.dialect import dialects
from ...connectors.split import Split
from ...hashing.redaction import redacted
from ..config import Pipeline
from ..findings import Findings
from ..ledger import Ledger
from ..prepared import Prepared
from ..state import write_atomically
from .examples import Examples
from .facts import FORMAT, FORMAT_VERSION, run_facts
from .page import page

JSON_NAME, HTML_NAME = "report.json", "report.html"


def build_report(
    folder: Path,
    *,
    prepared: Prepared,
    ledger: Ledger,
    splits: Sequence[Split],
    steps: Sequence[dict[str, Any]],
    memory_bytes: int | None,
    finished: bool,
    findings: Findings,
) -> dict[str, Any]:
    """Return what ``report.json`` holds, without the examples.

    Args:
        folder: the output, with all its tables.
        prepared: the run.
        ledger: of all rows.
        splits: what was read.
        steps: name, seconds, bytes read and peak memory of each, in order.
        memory_bytes: what the engine might take; None where that was not for it to say.
        finished: whether shards were written.
        findings: what else there is to say of the index, the stages and the mixture.
    """
    config, ignored = prepared.config, prepared.corpus.ignored
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "finished": finished,
        "version": prepared.version,
        "engine": config.engine,
        "settings": _settings(config),
        **run_facts(folder, ledger, config, prepared.banding),
        "index": findings.index,
        "contamination": findings.contamination,
        "semantic": findings.semantic,
        "selection": findings.selection,
        "mixture": findings.mixture,
        "memory_bytes": memory_bytes,
        "steps": list(steps),
        "total_seconds": round(sum(step["seconds"] for step in steps), 3),
        "dialects": dialects(splits),
        "ignored_files": len(ignored),
        "ignored_inputs": [redacted(path) for path in ignored],
        "unread_inputs": [redacted(path) for path in prepared.corpus.unread],
        "ledger": ledger.as_dict(),
    }


def _settings(config: Pipeline) -> dict[str, Any]:
    near = config.near
    shown: dict[str, Any] = {"keep": str(config.keep), "seed": config.seed, "near": None}
    if near:
        shown["near"] = {
            "threshold": near.threshold,
            "verify": near.verify,
            "sketch": near.sketch,
            "values": near.values,
            "bits": near.bits,
            "unit": near.shingle.unit,
            "shingle": near.shingle.size,
        }
    return shown


def write_report(folder: Path, report: dict[str, Any], examples: Examples, *, title: str) -> None:
    """Write both files, each whole or not at all.

    Args:
        folder: of the output.
        report: as ``build_report`` returns it.
        examples: for the explorer.
        title: what the page is called.
    """
    report = report | {"explorer": {"available": examples.available, "shown": len(examples.pairs), "why": examples.why}}
    write_atomically(folder / JSON_NAME, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    write_atomically(folder / HTML_NAME, page(report, examples, title=title))
