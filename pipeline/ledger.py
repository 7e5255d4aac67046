"""The ledger: every row, byte and token that came in, accounted for by source and stage.

    rows in = kept + dropped + quarantined + references        (bytes and tokens: and cut out of kept rows)
    emitted = kept - unsampled + repeated                      (with ``annotate``: kept + dropped)

``in`` is what the readers counted, ``dropped`` what the decisions say, ``quarantined`` what quarantine holds, ``kept``
what was left for output, ``unsampled`` what a sample or a mixture did not take of it, ``repeated`` what it took again,
``references`` what was there already; ``emitted`` is what was positioned for output, and the shards must hold as many
rows. Each is counted from its own table, so a row that is lost or doubled between them breaks the balance, and a run
whose ledger does not balance fails.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, field
from typing import Any

import pyarrow as pa

from ..hashing.errors import LedgerError, LossAlarm
from .config import Alarm
from .counted import counted

FILTER = "filter"
"""The stage before all others."""

ASKED = (FILTER, "balance", "select")
"""Stages whose losses alarm nobody: how much they leave was asked for."""


@dataclass
class Amount:
    """Rows, bytes of text and tokens."""

    rows: int = 0
    bytes: int = 0
    tokens: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.rows + other.rows, self.bytes + other.bytes, self.tokens + other.tokens)


@dataclass
class SourceLedger:
    """What became of one source."""

    read: Amount = field(default_factory=Amount)
    kept: Amount = field(default_factory=Amount)
    dropped: dict[str, Amount] = field(default_factory=dict)
    quarantined: dict[str, Amount] = field(default_factory=dict)
    references: Amount = field(default_factory=Amount)
    cut: Amount = field(default_factory=Amount)
    """Bytes and tokens that were cut out of kept rows; no rows."""
    unsampled: Amount = field(default_factory=Amount)
    repeated: Amount = field(default_factory=Amount)
    """Second and further passes over rows."""
    emitted: Amount = field(default_factory=Amount)

    @property
    def lost(self) -> Amount:
        """All that was dropped."""
        return sum(self.dropped.values(), Amount())

    @property
    def judged(self) -> Amount:
        """What copies were looked for in: all that was read but what filters dropped, which was asked for."""
        filtered = self.dropped.get(FILTER, Amount())
        return Amount(*(a - b for a, b in zip(astuple(self.read), astuple(filtered), strict=True)))

    @property
    def copies(self) -> Amount:
        """What was dropped as a copy."""
        return sum((amount for stage, amount in self.dropped.items() if stage not in ASKED), Amount())

    @property
    def unasked(self) -> Amount:
        """What is gone that nobody asked to go: copies, and what was quarantined."""
        return sum(self.quarantined.values(), self.copies)

    def written(self, annotated: bool) -> Amount:
        """What is there for output: kept rows, and where rows are only marked, those to drop."""
        return self.kept + self.lost if annotated else self.kept

    @property
    def accounted(self) -> Amount:
        """All of these together."""
        return self.kept + self.lost + sum(self.quarantined.values(), Amount()) + self.references + self.cut


@dataclass
class Ledger:
    """What became of every row.

    Attributes:
        sources: by name.
        emitted_rows: rows in the shards.
        capped_rows: rows that were in a bucket with more rows than anchors.
        annotated: whether dropped rows are in the shards too.
    """

    sources: dict[str, SourceLedger]
    emitted_rows: int = 0
    capped_rows: int = 0
    annotated: bool = False

    @property
    def total(self) -> SourceLedger:
        """All sources together."""
        total = SourceLedger()
        for source in self.sources.values():
            total.read += source.read
            total.kept += source.kept
            total.references += source.references
            total.cut += source.cut
            total.unsampled += source.unsampled
            total.repeated += source.repeated
            total.emitted += source.emitted
            for mine, theirs in ((total.dropped, source.dropped), (total.quarantined, source.quarantined)):
                for name, amount in theirs.items():
                    mine[name] = mine.get(name, Amount()) + amount
        return total

    def check(self, *, rows_read: int | None = None, emitted: bool = True) -> None:
        """Raise unless everything balances.

        Args:
            rows_read: physical records by the plan of splits, where known.
            emitted: whether shards were written.

        Raises:
            LedgerError: naming the source and both sides.
        """
        for name, source in self.sources.items():
            if source.read != source.accounted:
                raise _unbalanced(f"what went into source {name!r} came out", source.read, source.accounted)
            sides = source.emitted + source.unsampled, source.written(self.annotated) + source.repeated
            if sides[0] != sides[1]:
                raise _unbalanced(f"what was kept of source {name!r} was written or not sampled", *sides)
        total = self.total
        if rows_read is not None and rows_read != total.read.rows:
            raise _unbalanced("every physical record became a row", rows_read, total.read.rows)
        if emitted and self.emitted_rows != total.emitted.rows:
            raise _unbalanced(
                "every row with a place in the output is in the shards",
                *(counted(rows, "row") for rows in (total.emitted.rows, self.emitted_rows)),
            )

    def alarms(self, alarm: Alarm) -> list[str]:
        """Return the sources that lost nearly everything."""
        return sorted(
            name
            for name, source in self.sources.items()
            if source.judged.rows >= alarm.rows and source.unasked.rows > alarm.loss * source.judged.rows
        )

    def raise_alarm(self, alarm: Alarm, *, allowed: tuple[str, ...]) -> None:
        """Raise if a source lost nearly everything and nobody allowed it.

        Raises:
            LossAlarm: naming the sources and how to go on.
        """
        ringing = [name for name in self.alarms(alarm) if name not in allowed]
        if ringing:
            lines = ", ".join(f"{name!r} lost {_share(self.sources[name])}" for name in ringing)
            if unknown := [name for name in allowed if name not in self.sources]:
                lines += f"; no source is called {', '.join(map(repr, unknown))}"
            flags = " ".join(f"--allow-loss {name!r}" for name in ringing)
            raise LossAlarm(
                f"no source of {counted(alarm.rows, 'row')} or more loses over {alarm.loss:.0%}",
                value=lines,
                remedy=f"If that is right, run again with {flags}: nothing is computed twice.",
            )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data with sorted names."""
        return {
            "total": _plain(self.total),
            "sources": {name: _plain(self.sources[name]) for name in sorted(self.sources)},
            "emitted_rows": self.emitted_rows,
            "capped_rows": self.capped_rows,
            "annotated": self.annotated,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Ledger":
        """Return the ledger that ``as_dict`` wrote."""
        sources = {name: _source(plain) for name, plain in data["sources"].items()}
        return cls(sources, data["emitted_rows"], data["capped_rows"], data["annotated"])


def _unbalanced(rule: str, one: object, other: object) -> LedgerError:
    return LedgerError(rule, value=f"{one} against {other}", remedy="Do not use this output; please report this.")


def _share(source: SourceLedger) -> str:
    lost, judged = source.unasked.rows, source.judged.rows
    set_aside = lost - source.copies.rows
    how = f", {set_aside:,} of them quarantined" if set_aside else ""
    return f"{lost:,} of {counted(judged, 'row')} ({lost / judged:.1%}{how})"


def _plain(source: SourceLedger) -> dict[str, Any]:
    plain = asdict(source)
    for name in ("dropped", "quarantined"):
        plain[name] = {key: plain[name][key] for key in sorted(plain[name])}
    return plain


def _source(plain: Mapping[str, Any]) -> SourceLedger:
    return SourceLedger(
        Amount(**plain["read"]),
        Amount(**plain["kept"]),
        {name: Amount(**amount) for name, amount in plain["dropped"].items()},
        {name: Amount(**amount) for name, amount in plain["quarantined"].items()},
        Amount(**plain["references"]),
        *(Amount(**plain[name]) for name in ("cut", "unsampled", "repeated", "emitted")),
    )


def build_ledger(
    *,
    read: pa.Table,
    kept: pa.Table,
    dropped: pa.Table,
    quarantined: pa.Table,
    references: pa.Table,
    cut: pa.Table | None = None,
    unsampled: pa.Table | None = None,
    repeated: pa.Table | None = None,
    emitted: pa.Table,
    capped_rows: int,
    annotated: bool,
) -> Ledger:
    """Return the ledger of small tables of (source, [stage or rule,] rows, bytes, tokens)."""
    sources: dict[str, SourceLedger] = defaultdict(SourceLedger)
    for row in read.to_pylist():
        sources[row["source"]].read += _amount(row)
    for row in kept.to_pylist():
        sources[row["source"]].kept += _amount(row)
    for row in dropped.to_pylist():
        sources[row["source"]].dropped[row["stage"]] = _amount(row)
    for row in quarantined.to_pylist():
        sources[row["source"]].quarantined[row["rule"]] = _amount(row)
    for row in references.to_pylist():
        sources[row["source"]].references += _amount(row)
    for row in cut.to_pylist() if cut is not None else ():
        sources[row["source"]].cut += Amount(0, row["bytes"], row["tokens"])
    for name, table in (("unsampled", unsampled), ("repeated", repeated), ("emitted", emitted)):
        for row in table.to_pylist() if table is not None else ():
            setattr(sources[row["source"]], name, _amount(row))
    return Ledger(dict(sources), 0, capped_rows, annotated)


def _amount(row: Mapping[str, Any]) -> Amount:
    return Amount(row["rows"], row["bytes"], row["tokens"])
