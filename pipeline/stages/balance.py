"""The stage of leaves that keep so many rows."""

from ..running import Running
from ..underway import Underway


def balance_leaves(running: Running, rows: Underway) -> Underway:
    """Take out the rows that over-full leaves do not keep."""
    stage = running.config.balance
    if stage is None:
        return rows
    from ..selection.balance import STAGE, balanced  # most runs do without

    with running.step("balance leaves", readings=1):
        found = balanced(
            running.engine,
            rows.choosable,
            stage=stage,
            encoder=running.prepared.encoders.get(STAGE),
            read=running.inputs.texts,
            read_columns=running.inputs.columns(stage.by),
            text=running.inputs.text,
            seed=running.config.seed,
        )
    return rows.found(balance=found.facts).without(STAGE, found.drops)
