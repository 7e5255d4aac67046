"""Rows on their way from the inputs to the shards: every stage takes them, and hands on fewer."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .benchmark_items import Items
from .decontaminate import Contamination
from .drops import STAGED, Staged
from .edits import Edits
from .engine import Table
from .findings import Findings
from .index.recall import Recalled
from .ranked import new_only

if TYPE_CHECKING:
    from .selection.stage import Selected


@dataclass(frozen=True)
class Underway:
    """The rows of a run between two stages; tables are lazy, but for those that their stage saved.

    Attributes:
        documents: the first pass over all records that are read.
        recalled: what an index with witnesses knows of them, or None.
        ranked: rows that broke no rule and passed all filters, old ones that matter among them, in rank order.
        ranked_rows: their number.
        old_rows: so many of them, the first ones, were there already.
        left: ranked rows that still compete: old ones, and those that no stage before ``near`` took.
        entered: new rows that neither hold a benchmark item nor are exact copies: what an index may be told of.
        drops: new rows that stages took so far (``STAGED``).
        pairs: verified pairs of rows.
        capped_rows: rows that were in a bucket of more rows than anchors.
        contaminated: rows that hold benchmark items, and these items; those that are among the drops went for them.
        semantic_pairs: pairs of rows whose vectors are alike; None without that stage.
        selected: what the select stage chose; None without it.
        edited: what is cut out of rows that are written; None where nothing is to be cut.
        findings: what stages found out.
    """

    documents: Table
    recalled: Recalled | None
    ranked: Table
    ranked_rows: int
    old_rows: int
    left: Table
    entered: Table
    drops: Table
    pairs: Table
    capped_rows: int = 0
    contaminated: tuple[Contamination, Items] | None = None
    semantic_pairs: Table | None = None
    selected: "Selected | None" = None
    edited: Edits | None = None
    findings: Findings = Findings()

    def new(self, table: Table) -> Table:
        """Return the rows of a table (row, ...) that were not there already."""
        return new_only(table, "row", self.old_rows)

    def staying(self, table: Table) -> Table:
        """Return the rows of a table (row, ...) that no stage took so far."""
        return table.join(self.drops.select("row"), on=["row"], how="anti")

    @property
    def compared(self) -> Table:
        """The rows that stages after ``near`` compare: with old ones, where these were read."""
        left = self.staying(self.left)
        return left if self.recalled is None else self.new(left)

    @property
    def old_rows_read(self) -> int:
        """How many old rows this run reads, and so compares and counts: none where an index knows them."""
        return self.old_rows if self.recalled is None else 0

    @property
    def choosable(self) -> Table:
        """The new rows that are left: what stages that keep so many rows keep some of."""
        return self.staying(self.new(self.left))

    def without(self, stage: str, drops: Table) -> "Underway":
        """Return the rows without what a stage drops (``DROPS``)."""
        return self.taken(drops.map(Staged(stage), STAGED))

    def taken(self, drops: Table) -> "Underway":
        """Return the rows without others (``STAGED``)."""
        return replace(self, drops=self.drops.union(drops))

    def apart(self, gone: Table) -> "Underway":
        """Return the rows of which some (row) do not compete any more, and do not join an index."""
        left, entered = (table.join(gone, on=["row"], how="anti") for table in (self.left, self.entered))
        return replace(self, left=left, entered=entered)

    def found(self, **facts: Any) -> "Underway":
        """Return the same with further findings."""
        return replace(self, findings=replace(self.findings, **facts))
