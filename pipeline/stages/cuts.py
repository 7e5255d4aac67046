"""The stages that cut something out of the rows that stay: paragraphs, then benchmark items."""

from dataclasses import replace

from ..edits import EDITS, edits
from ..item_cuts import item_cuts
from ..paragraphs import repeated
from ..running import Running
from ..underway import Underway


def cut_texts(running: Running, rows: Underway) -> Underway:
    """Find what is cut out of rows, and take out those of which nothing is left."""
    config, read, text = running.config, running.inputs.texts, running.inputs.text
    if not config.cuts:
        return rows
    kept = rows.staying(rows.new(rows.ranked)).save("before_edits")
    cuts, stage = running.engine.table(EDITS.empty_table()), config.paragraphs
    if stage is not None:
        with running.step("paragraphs", readings=1):
            cuts = repeated(read, kept, text=text, least=stage.min_bytes, rows=stage.rows)
    if rows.contaminated and config.cuts_items:
        with running.step("benchmark items", readings=1):
            cuts = cuts.union(item_cuts(read, kept, cuts, *rows.contaminated, text=text))
    with running.step("cut", readings=1):
        edited = edits(read, kept, cuts, text=text)
    return replace(rows, edited=edited).taken(edited.drops())
