"""What a run finds out on its way, for the report alone: no row depends on it."""

from dataclasses import dataclass
from typing import Any

Facts = dict[str, Any]


@dataclass(frozen=True)
class Findings:
    """Facts of stages that were asked for; None of the others.

    Attributes:
        flagged_rows: rows that an index without witnesses may hold.
        contamination: of the benchmarks that rows were searched for.
        semantic: of the vectors that rows were compared by.
        balance: of leaves.
        select: of the choice of rows.
        index: of the index that rows were compared with.
        mixture: what was asked of each source, and what came of it.
    """

    flagged_rows: int | None = None
    contamination: Facts | None = None
    semantic: Facts | None = None
    balance: Facts | None = None
    select: Facts | None = None
    index: Facts | None = None
    mixture: Facts | None = None

    @property
    def selection(self) -> Facts | None:
        """Those of the stages that choose rows, if one did."""
        found = {"balance": self.balance, "select": self.select}
        return found if any(found.values()) else None
