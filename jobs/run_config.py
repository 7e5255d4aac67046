"""Running a pipeline for a person at a terminal."""

from rich.console import Console

from ..hashing.redaction import redacted
from ..pipeline.config import Pipeline
from ..pipeline.metrics import totals
from ..pipeline.plan import last_step
from .lean_imports import leave_out_what_is_not_used
from .progress import show_totals, shown
from .seldom_garbage import search_seldom

out_console = Console(emoji=False)


def run_config(config: Pipeline, quiet: bool, dry_run: bool, until: str | None = None) -> None:
    """Run a pipeline and show what became of the rows.

    Args:
        config: the pipeline.
        quiet: show neither progress nor summary.
        dry_run: write everything but the shards.
        until: stop after this step.
    """
    if config.engine == "local":
        leave_out_what_is_not_used()
        search_seldom()
    from . import api, summary

    if dry_run:
        rehearsal = api.rehearse(config, progress=shown(quiet))
        if not quiet:
            summary.show_rehearsal(rehearsal.ledger, config.out, out_console, unread=rehearsal.unread)
        return
    if until is not None and last_step(config, until) is not None:
        api.run_until(config, until, progress=shown(quiet))
        return
    result = api.run(config, progress=shown(quiet))
    if not quiet:
        show_totals(totals(result.ledger))
        summary.show(result, out_console, out=redacted(config.out))
