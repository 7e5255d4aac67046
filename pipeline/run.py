"""A run from its claim on the output folder to its ``_SUCCESS``, and to the URL that the output goes to.

    inputs -> documents -> ranked -> exact drops -> bands -> candidates -> tiles -> pairs -> near drops
    kept rows -> positioned -> shards;  decisions, pairs, clusters, quarantine, index;  ledger -> _SUCCESS

The way of the rows is in ``sifting.py``, what is written of them in ``steps.py``. Every saved table is a unit of
resume: a run that was killed takes up the tables that were finished.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..connectors.published import DATA, Destination
from ..connectors.storage import storage_errors
from ..hashing.errors import ArtefactError, EngineError
from .engine import Engine, Progress
from .index.joining import check_known, joining
from .metrics import step_seconds, write_metrics
from .plan import last_step
from .prepared import Prepared, check_unchanged, prepare
from .running import begin
from .state import SUCCESS, OutputFolder, staging_folder
from .steps import Done, all_steps, rehearse
from .timed_steps import Reached

__all__ = ["EngineFactory", "Prepared", "check_unchanged", "prepare", "run"]


COMMITTING = "committing"
"""Marks the work of a run that has begun to add to its index."""

EngineFactory = Callable[[Path], Engine]


def run(
    prepared: Prepared,
    make_engine: EngineFactory,
    progress: Progress,
    *,
    dry: bool = False,
    joins: bool | None = None,
    until: str | None = None,
) -> Path:
    """Run a pipeline to its ``_SUCCESS``, or find it finished; return the output folder.

    Args:
        prepared: the run.
        make_engine: makes the engine from the folder of its work.
        progress: told about steps.
        dry: write everything but the shards, and no ``_SUCCESS``; the same run ends it later.
        joins: whether its rows join the index that the near stage names; default: unless it is dry.
        until: stop after this step (``plan.steps_of``) and keep its work, without ``_SUCCESS``; the same run goes on
            from there.

    Raises:
        TamisError: one of its kinds; the folder then has no ``_SUCCESS`` and the run can be resumed.
    """
    config = prepared.config
    joins, until = not dry if joins is None else joins, last_step(config, until)
    folder = OutputFolder(staging_folder(config.out, config.staging), prepared.fingerprint)
    destination = Destination(config.out, success=SUCCESS) if "://" in config.out else None
    if _finished_before(prepared, folder, destination, joins=joins):
        return folder.path
    with folder.claim(), joining(prepared.index, config if joins else None):
        if destination and not dry:
            destination.claim(prepared.fingerprint)
        if prepared.index is not None and not (folder.work / COMMITTING).exists():
            check_known(prepared.index)
        try:
            with _engine(make_engine, folder.work) as engine:
                running = begin(prepared, engine, folder, progress, joins=joins, until=until)
                done = rehearse(running) if dry else all_steps(running)
        except Reached:
            return folder.path
        if joins or not dry:
            check_unchanged(prepared)
        _finish(prepared, folder, done, dry=dry)
    return _published(folder, destination) if destination and not dry else folder.path


def _finished_before(prepared: Prepared, folder: OutputFolder, destination: Destination | None, *, joins: bool) -> bool:
    """Whether an earlier run left the whole output, which is then brought here, or to its URL, if it is not there yet.

    Raises:
        ArtefactError: its rows are to join an index that does not have them.
    """
    if destination and destination.finished(prepared.fingerprint):
        if not folder.finished:
            destination.fetch(folder.path, data=False)
        return True
    if not folder.finished:
        return False
    folder.drop_work()
    if joins and prepared.adds:
        raise ArtefactError(
            "the rows of a finished run are in its index",
            value=f"{prepared.config.out} is finished, and its index does not have it",
            remedy="Run into another --out, which adds them; or set `update: false`.",
        )
    if not destination:
        return True
    if (folder.path / DATA).exists():  # killed while it was copied
        _published(folder, destination)
        return True
    shutil.rmtree(folder.path)  # copied once, and gone from there
    return False


@contextmanager
def _engine(make_engine: EngineFactory, work: Path) -> Iterator[Engine]:
    """Hold an engine while it works."""
    engine = make_engine(work)
    try:
        with closing(engine):
            yield engine
    except OSError as error:
        raise EngineError(
            "inputs can be read and the output written", value=error, remedy="Mend that, then run again: work is kept."
        ) from error


def _finish(prepared: Prepared, folder: OutputFolder, done: Done, *, dry: bool) -> None:
    """Commit what the run adds to its index, and mark the output complete unless it is dry."""
    if done.header is not None and prepared.index is not None:
        (folder.work / COMMITTING).touch()  # whoever takes this run up finds the index as before, or after
        prepared.index.store.commit(done.header)
    if not dry:
        seconds = step_seconds(folder.work)
        write_metrics(folder.path, prepared.config, done.ledger, version=prepared.version, seconds=seconds)
        folder.finish()


def _published(folder: OutputFolder, destination: Destination) -> Path:
    """Copy a finished output to its URL; what stays here are the small tables."""
    try:
        destination.publish(folder.path)
    except storage_errors() as error:
        raise EngineError(
            "the output can be copied to its URL",
            value=f"{destination.url}: {error}",
            remedy="Mend that, then run again: only the copying is repeated.",
        ) from error
    shutil.rmtree(folder.path / DATA)
    return folder.path
