"""``metrics.prom``: what a run did, for Prometheus, in its text format.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..hashing.errors import EngineError
from .config import Pipeline
from .ledger import Amount, Ledger
from .state import write_atomically

METRICS = "metrics.prom"
_STEPS = "steps.jsonl"

_HELP = {
    "tamis_run_info": "The run: version and engine.",
    "tamis_rows_read": "Rows that came in.",
    "tamis_rows_kept": "Rows that stayed.",
    "tamis_rows_dropped": "Rows removed, by stage.",
    "tamis_rows_quarantined": "Rows set aside, by the rule they broke.",
    "tamis_rows_emitted": "Rows in the shards, by source.",
    "tamis_bytes": "Bytes of text: read, kept, cut out of kept rows, emitted.",
    "tamis_tokens": "Tokens (words): read, kept, cut out of kept rows, emitted.",
    "tamis_step_seconds": "Seconds of each step, of all processes that worked on the run.",
    "tamis_success_timestamp_seconds": "When the run succeeded, seconds since 1970.",
}


def note_step(work: Path, name: str, seconds: float) -> None:
    """Write down how long a step took, beside its work: a run may be the work of several processes."""
    with open(work / _STEPS, "a", encoding="utf-8") as stream:
        stream.write(json.dumps({"step": name, "seconds": seconds}) + "\n")


def step_seconds(work: Path) -> dict[str, float]:
    """Return the seconds of each step, of all processes; a line that a killed one left half is passed over."""
    seconds: dict[str, float] = {}
    for line in (work / _STEPS).read_text(encoding="utf-8").splitlines():
        try:
            noted = json.loads(line)
        except json.JSONDecodeError:
            continue
        seconds[noted["step"]] = round(seconds.get(noted["step"], 0.0) + noted["seconds"], 3)
    return seconds


def write_metrics(out: Path, config: Pipeline, ledger: Ledger, *, version: str, seconds: Mapping[str, float]) -> None:
    """Write ``metrics.prom`` into an output, and where the configuration wants a copy."""
    copy = Path(config.metrics).expanduser() if config.metrics else None
    pipeline = copy.stem if copy else config.out.rstrip("/").rpartition("/")[2]
    lines = list(_lines(ledger, {"version": version, "engine": config.engine}, seconds, pipeline=pipeline))
    text = "".join(f"{line}\n" for line in lines)
    write_atomically(out / METRICS, text)
    if copy:
        try:
            write_atomically(copy, text)
        except OSError as error:
            raise EngineError(
                "the metrics can be written", value=f"{copy}: {error.strerror}", remedy="Mend that, then run again."
            ) from error


def _lines(ledger: Ledger, info: Mapping[str, str], seconds: Mapping[str, float], *, pipeline: str) -> Iterator[str]:
    total = ledger.total
    amounts = {"read": total.read, "kept": total.kept, "cut": total.cut, "emitted": total.emitted}
    samples: dict[str, list[tuple[dict[str, str], float]]] = {
        "tamis_run_info": [(dict(info), 1)],
        "tamis_rows_read": [({}, total.read.rows)],
        "tamis_rows_kept": [({}, total.kept.rows)],
        "tamis_rows_dropped": _rows("stage", total.dropped),
        "tamis_rows_quarantined": _rows("rule", total.quarantined),
        "tamis_rows_emitted": _rows("source", {name: source.emitted for name, source in ledger.sources.items()}),
        "tamis_bytes": [({"of": name}, amount.bytes) for name, amount in amounts.items()],
        "tamis_tokens": [({"of": name}, amount.tokens) for name, amount in amounts.items()],
        "tamis_step_seconds": [({"step": name}, value) for name, value in seconds.items()],
        "tamis_success_timestamp_seconds": [({}, round(time.time(), 3))],
    }
    for name, found in samples.items():
        yield f"# HELP {name} {_HELP[name]}"
        yield f"# TYPE {name} gauge"
        for labels, value in found:
            shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in {"pipeline": pipeline, **labels}.items())
            yield f"{name}{{{shown}}} {value}"


def _rows(label: str, amounts: Mapping[str, Amount]) -> list[tuple[dict[str, str], float]]:
    return [({label: name}, amounts[name].rows) for name in sorted(amounts)]


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def totals(ledger: Ledger) -> dict[str, Any]:
    """Return what became of all rows, as one flat mapping for a line of a log."""
    total = ledger.total
    return {
        "rows_read": total.read.rows,
        "rows_kept": total.kept.rows,
        "rows_dropped": {name: amount.rows for name, amount in sorted(total.dropped.items())},
        "rows_quarantined": {name: amount.rows for name, amount in sorted(total.quarantined.items())},
        "rows_emitted": total.emitted.rows,
        "bytes_emitted": total.emitted.bytes,
        "tokens_emitted": total.emitted.tokens,
    }
