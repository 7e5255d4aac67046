"""The stage of exact copies."""

from ..exact import exact
from ..running import Running
from ..underway import Underway


def drop_copies(running: Running, rows: Underway) -> Underway:
    """Take out the rows whose texts are those of better-ranked ones."""
    if not running.config.exact:
        return rows
    with running.step("exact"):
        copies = exact(rows.left).save("exact_drops")
        rows = rows.apart(copies.select("row"))
    return rows.without("exact", rows.new(copies))
