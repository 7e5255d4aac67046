"""The Python entry points: what the command line does, as functions."""

import hashlib
import json
import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from .. import __version__
from ..connectors.published import Destination
from ..hashing.errors import ConfigError
from ..pipeline.config import Pipeline, make_config
from ..pipeline.engine import Engine, Progress
from ..pipeline.ledger import Ledger
from ..pipeline.prepared import prepare
from ..pipeline.result import Result
from ..pipeline.run import EngineFactory
from ..pipeline.run import run as run_plan
from ..pipeline.state import SUCCESS
from .engines import make
from .progress import Silent


def dedup(
    inputs: str | Path | Sequence[str | Path] | pa.Table,
    *,
    out: str | Path | None = None,
    text: str = "text",
    id: str | None = None,
    source: str | None = None,
    threshold: float = 0.8,
    keep: str = "first",
    seed: int = 0,
    memory: str | int | None = None,
    threads: int | None = None,
    on_error: str = "fail",
    allow_loss: str | Sequence[str] = (),
    near: dict[str, Any] | None = None,
    where: str | Sequence[str] = (),
    against: str | Path | Sequence[str | Path] = (),
    annotate: bool = False,
) -> Result:
    """Remove exact and near duplicates; every removal names the copy that stays.

    Args:
        inputs: files, folders, globs or URLs; or an Arrow table.
        out: the output folder; without one, a temporary folder that lives as long as the result.
        text, id, source: names of columns.
        threshold: Jaccard similarity of word 5-grams from which a text counts as a duplicate.
        keep: ``first``, ``longest``, ``newest:COL``, ``quality:COL`` or ``source:A,B``.
        seed: of all random functions.
        memory: limit for everything but the interpreter and libraries; default: about half of what this process
            may use. The result does not depend on it.
        threads: default: all processors.
        on_error: ``fail`` or ``quarantine``.
        allow_loss: sources that may lose nearly all their rows.
        near: further options of the near stage, as in the configuration.
        where: SQL conditions that records must meet.
        against: files, folders, globs or URLs of what is there already: rows like it are removed, it is left alone.
        annotate: write removed rows too, and columns that say what became of each row.

    Raises:
        TamisError: for anything that is wrong with inputs or settings.

    >>> poem = "the sieve lets the flour through and keeps the bran for the hens in the yard"
    >>> result = dedup(pa.table({"text": [poem, "something else entirely", poem]}), allow_loss=["input.parquet"])
    >>> result.removed.select(["address", "keeper_address", "reason"]).to_pylist()
    [{'address': 2, 'keeper_address': 0, 'reason': 'exact-duplicate'}]
    """
    if near and "threshold" in near:
        raise ConfigError("a threshold is given once", value=near["threshold"], remedy="Use `threshold=` alone.")
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tamis-")))
        config = make_config(
            {
                "inputs": [{"path": str(path)} for path in _paths(inputs, scratch)],
                "against": [{"path": str(path)} for path in _several(against)],
                "columns": {"text": text, "id": id, "source": source},
                "stages": [
                    *({"stage": "filter", "where": condition} for condition in _several(where)),
                    {"stage": "exact"},
                    {"stage": "near", "threshold": threshold, **(near or {})},
                ],
                "annotate": annotate,
                "keep": keep,
                "seed": seed,
                "memory": memory,
                "threads": threads,
                "on_error": on_error,
                "allow_loss": _several(allow_loss),
                "out": str(out or scratch / "out"),
            }
        )
        result = run(config)
        weakref.finalize(result, stack.pop_all().close)  # the scratch folder lives as long as the result
    return result


def _several(values: str | Path | Sequence[str | Path]) -> tuple[str, ...]:
    """Return one value or several as several."""
    return tuple(map(str, (values,) if isinstance(values, str | Path) else values))


def _paths(inputs: object, scratch: Path) -> list[str]:
    """Return the paths of inputs; a table is written to a file whose times follow from its content."""
    if isinstance(inputs, pa.RecordBatch):
        inputs = pa.Table.from_batches([inputs])
    if isinstance(inputs, pa.Table):
        path = scratch / "input.parquet"
        pq.write_table(inputs, path)
        stamp = int(hashlib.sha256(path.read_bytes()).hexdigest()[:12], 16)
        os.utime(path, ns=(stamp, stamp))  # equal tables are the same input, whenever they were written
        return [str(path)]
    if isinstance(inputs, str | Path):
        return [str(inputs)]
    if isinstance(inputs, Sequence) and all(isinstance(item, str | Path) for item in inputs):
        return [str(item) for item in inputs]
    raise ConfigError(
        "inputs are one path, a list of paths, or one Arrow table",
        value=type(inputs).__name__,
        remedy="Pass one of these.",
    )


def run_until(config: Pipeline, step: str, *, progress: Progress | None = None) -> Path:
    """Run a pipeline until a step is done, and keep its work: ``run`` or another step goes on from there.

    Returns:
        The folder of the output; it is finished if the step was the last one.

    Raises:
        TamisError: one of its kinds.
    """
    shown = progress or Silent()
    return run_plan(prepare(config, version=__version__), _engines(config, shown), shown, until=step)


def run(config: Pipeline, *, progress: Progress | None = None) -> Result:
    """Run a pipeline and return its result; a finished run is only opened.

    Raises:
        TamisError: one of its kinds.
    """
    return Result(_run(config, progress or Silent(), dry=False))


@contextmanager
def fetched(out: str) -> Iterator[Path]:
    """Give an output as a local folder; one at a URL is copied for as long as it is needed."""
    if "://" not in out:
        yield Path(out).expanduser()
        return
    with tempfile.TemporaryDirectory(prefix="tamis-") as folder:
        Destination(out, success=SUCCESS).fetch(Path(folder), data=True)
        yield Path(folder)


class Rehearsal(NamedTuple):
    """What a run would do.

    Attributes:
        ledger: what would become of every row.
        unread: files beside the inputs that nobody asked to leave out and that would not be read.
    """

    ledger: Ledger
    unread: list[str]


def rehearse(config: Pipeline, *, progress: Progress | None = None) -> Rehearsal:
    """Find out what a run would do, and write everything but its shards.

    ``run`` with the same configuration takes up the work.

    Raises:
        TamisError: one of its kinds.
    """
    out = _run(config, progress or Silent(), dry=True)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return Rehearsal(Ledger.from_dict(report["ledger"]), report.get("unread_inputs", []))


def join(config: Pipeline, *, progress: Progress | None = None) -> tuple[Ledger, bool]:
    """Add the rows of a pipeline to the index of its near stage, without writing shards.

    Returns:
        What became of every row, and whether it was added: inputs that are in already are not added again.

    Raises:
        TamisError: one of its kinds.
    """
    prepared = prepare(config, version=__version__)
    if prepared.index is not None and not prepared.index.is_last:
        return Ledger({}), False
    out = run_plan(prepared, _engines(config, progress or Silent()), progress or Silent(), dry=True, joins=True)
    return Ledger.from_dict(json.loads((out / "report.json").read_text(encoding="utf-8"))["ledger"]), True


def _run(config: Pipeline, shown: Progress, *, dry: bool) -> Path:
    return run_plan(prepare(config, version=__version__), _engines(config, shown), shown, dry=dry)


def _engines(config: Pipeline, shown: Progress) -> EngineFactory:
    def make_engine(work: Path) -> Engine:
        return make(
            config.engine,
            work,
            memory_bytes=config.memory,
            threads=config.threads,
            progress=shown,
            settings=config.spark,
        )

    return make_engine
