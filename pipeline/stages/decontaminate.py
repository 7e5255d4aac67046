"""The stage of benchmarks: rows that hold one of their items go, or are remembered until the item is cut out."""

from dataclasses import replace

from ..benchmark_items import read_items
from ..decontaminate import STAGE, contamination
from ..drops import STAGED, Nameless
from ..running import Running
from ..underway import Underway


def drop_contaminated(running: Running, rows: Underway) -> Underway:
    """Find the new rows that hold benchmark items, and take them out if they are to go."""
    stage = running.config.decontaminate
    if stage is None:
        return rows
    with running.step("decontaminate", readings=1):
        items = read_items(running.engine, running.folder.work, stage)
        found = contamination(
            running.inputs,
            rows.entered,
            items,
            rows=rows.ranked_rows - rows.old_rows,
            common=stage.common,
        )
    rows = replace(rows, contaminated=(found, items)).found(contamination={"action": stage.action, **found.facts})
    if stage.action != "drop":
        return rows
    gone = found.rows.select("row")
    return rows.taken(gone.map(Nameless(STAGE), STAGED)).apart(gone)
