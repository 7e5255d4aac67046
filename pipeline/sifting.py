"""From the inputs to the rows that are written: the way of the rows through all stages, in order."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..connectors.index_store import Header
from .arrivals import arrivals
from .index.update import Batch, write_batch
from .outputs import Outcome
from .placing import placed
from .running import Running
from .stages.balance import balance_leaves
from .stages.contained import drop_contained
from .stages.cuts import cut_texts
from .stages.decontaminate import drop_contaminated
from .stages.exact import drop_copies
from .stages.index import ask_index
from .stages.near import drop_near
from .stages.select import select_rows
from .stages.semantic import drop_alike
from .underway import Underway

Stage = Callable[[Running, Underway], Underway]

COPIES: tuple[Stage, ...] = (drop_contaminated, drop_copies, ask_index, drop_near)
"""What they take is gone for an index, too."""

FURTHER: tuple[Stage, ...] = (drop_contained, drop_alike, balance_leaves, select_rows, cut_texts)
"""What they take is still known to an index, and keeps its copies out."""


@dataclass(frozen=True)
class Sifted:
    """What a run comes to before anything is written.

    Attributes:
        outcome: the tables.
        header: of the index with the rows of this run, whose files are written; None if it does not add to one.
    """

    outcome: Outcome
    header: Header | None


def sift(running: Running) -> Sifted:
    """Find out which rows stay and where they go."""
    rows = arrivals(running)
    for stage in COPIES:
        rows = stage(running, rows)
    told = rows
    for stage in FURTHER:
        rows = stage(running, rows)
    header = _joined(running, told)
    with running.step("order"):
        rows = replace(rows, drops=rows.drops.save("drops"))
    return Sifted(_outcome(running, rows), header)


def _joined(running: Running, rows: Underway) -> Header | None:
    """Write what a run adds to its index.

    Args:
        running: the run.
        rows: after the stages that an index is told of.

    Raises:
        ArtefactError: the index is too small for them.
    """
    index = running.index
    if index is None or not running.adds or running.until is not None:
        return None
    with running.step("add to the index"):
        batch = Batch(
            run=running.prepared.name,
            entered=rows.entered,
            removed=rows.drops.select("row"),
            bands=rows.documents.select("address", "bands"),
            files=running.prepared.corpus.files,
            schema=running.inputs.schema,
            text=running.inputs.text,
            inserts_all=running.mode == "insert-always",
        )
        return write_batch(index, batch)


def _outcome(running: Running, rows: Underway) -> Outcome:
    prepared = running.prepared
    return Outcome(
        rows=rows,
        placed=placed(running, rows),
        first_epoch=running.config.shards.epoch,
        conditions=running.inputs.filters.conditions,
        references=tuple(file.source for file in prepared.corpus.files[: prepared.references]),
        annotate=running.config.annotate,
    )
