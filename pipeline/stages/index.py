"""The stage of an index: room for the rows that may join it, and rows that its filters alone take for known."""

from dataclasses import replace

from ..drops import STAGED, Nameless
from ..index.flags import flagged_rows
from ..index.form import OpenIndex
from ..index.update import check_capacity
from ..running import Running
from ..underway import Underway


def ask_index(running: Running, rows: Underway) -> Underway:
    """Ask an index about the rows that are left; one with witnesses was asked when rows arrived.

    Raises:
        ArtefactError: it has no room for the rows, or a file of it is damaged.
    """
    index = running.index
    if index is None:
        return rows
    if index.witness:
        if running.adds:
            check_capacity(index, rows.entered)
        return rows
    return _without_flagged(running, rows, index)


def _without_flagged(running: Running, rows: Underway, index: OpenIndex) -> Underway:
    """Count the rows whose keys the index may hold, and take them out if they are to go."""
    with running.step("ask the index"):
        flagged = flagged_rows(index, rows.documents, rows.left, running.mode).save("flagged")
        count = flagged.aggregate(by=[], rows=("count", "row")).collect()["rows"][0].as_py()
    rows = rows.found(flagged_rows=count)
    near = running.config.near
    if near is None or near.index is None or near.index.flagged != "drop":
        return rows
    left = rows.left.join(flagged.select("row"), on=["row"], how="anti")
    return replace(rows, left=left).taken(flagged.map(Nameless("bloom"), STAGED))
