"""The stage of rows that stand for all."""

from dataclasses import replace

from ..engine import Table
from ..ranked import old_only
from ..running import Running
from ..underway import Underway


def select_rows(running: Running, rows: Underway) -> Underway:
    """Take out the rows that were not chosen.

    Raises:
        ConfigError: a mixture does not fit the sources.
    """
    stage, inputs = running.config.select, running.inputs
    if stage is None:
        return rows
    from ..selection.stage import STAGE, Selecting  # most runs do without

    with running.step("select", readings=1):
        selecting = Selecting(
            engine=running.engine,
            stage=stage,
            encoder=running.prepared.encoders[STAGE],
            read=inputs.texts,
            read_columns=inputs.columns(stage.by),
            text=inputs.text,
            work=running.folder.work,
            seed=running.config.seed,
            once=running.config.exact,
            sources=_sources(rows.new(rows.ranked)),
        )
        beside = old_only(rows.left, "row", rows.old_rows) if rows.old_rows_read else None
        found = selecting(rows.choosable, beside)
    return replace(rows, selected=found).found(select=found.facts).without(STAGE, found.drops)


def _sources(rows: Table) -> tuple[str, ...]:
    """Return the sources of rows, in order of their names."""
    found = rows.aggregate(by=["source"], rows=("count", "row")).collect()
    return tuple(sorted(found["source"].to_pylist()))
