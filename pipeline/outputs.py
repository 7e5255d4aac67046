"""What a run leaves behind: shards, decisions, pairs, clusters, quarantine, index, ledger."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .annotations import annotated
from .clusters import EDGES, components
from .decisions import DECISIONS, QUARANTINE, filter_decisions, name_clusters, name_decisions, name_pairs
from .decontaminate import STAGE, contaminated_decisions
from .edits import CUTS, named_edits
from .engine import Table
from .ledger import ASKED, Ledger, build_ledger
from .mixture import TOKENS
from .placing import Placed
from .ranked import old_only
from .selection.named import name_chosen
from .underway import Underway
from .written import write_sorted

INDEX = ("position", "address", "epoch", "source", "bytes", "tokens", "hash_high", "hash_low")
"""Columns of ``index.parquet``, and ``tokens_NAME`` for each tokenizer."""

_COUNTED = ("address", "source", "bytes", "tokens")
_AMOUNTS: dict[str, Any] = {"rows": ("count", "address"), "bytes": ("sum", "bytes"), "tokens": ("sum", "tokens")}


@dataclass(frozen=True)
class Outcome:
    """The tables that a run comes to, saved.

    Attributes:
        rows: after all stages; their drops are saved.
        placed: those that are written, in their places.
        first_epoch: of rows that are written once.
        conditions: of the filters.
        references: names of the files that were there already; records of these rank first, and are not written.
        annotate: whether dropped rows are written too.
    """

    rows: Underway
    placed: Placed
    first_epoch: int
    conditions: tuple[str, ...]
    references: tuple[str, ...]
    annotate: bool

    def decisions(self) -> Table:
        """Return the decisions of all stages, saved."""
        rows = self.rows
        drops = rows.drops.map(_of_copies, rows.drops.schema)
        decisions = name_decisions(drops, rows.ranked, self.references)
        if rows.contaminated:
            found, items = rows.contaminated
            gone = rows.drops.map(_of_items, rows.drops.schema).select("row")
            held = found.rows.join(gone, on=["row"], how="semi")
            decisions = decisions.union(contaminated_decisions(held, rows.ranked, items))
        if self.conditions:
            decisions = decisions.union(filter_decisions(rows.documents, self.conditions))
        return decisions.save("decisions")

    def clusters(self) -> Table:
        """Return the members of clusters of copies."""
        rows = self.rows
        drops = rows.drops.map(_copies_with_keeper, rows.drops.schema)
        edges = drops.select(first="row", second="keeper").union(rows.pairs.select(first="worse", second="better"))
        members = components(edges.select(*EDGES.names), rows=rows.ranked_rows).save("components")
        return name_clusters(members, rows.ranked, rows.drops.select("row", "stage"))

    @property
    def counts(self) -> tuple[str, ...]:
        """Columns that count tokens: of words, and of each tokenizer."""
        names = self.placed.positioned.schema.names
        return tuple(name for name in names if name == "tokens" or name.startswith(TOKENS))

    def places(self) -> Table:
        """Return (address, position) of the rows that are written, and what is written beside their own columns."""
        positioned, ranked, edited = self.placed.positioned, self.rows.ranked, self.rows.edited
        if edited:
            cuts = edited.packed.join(ranked.select("row", "address"), on=["row"]).select("address", CUTS)
            return positioned.select("address", "position").join(cuts, on=["address"], how="left")
        if not self.annotate:
            return positioned.select("address", "position")
        return annotated(positioned, self.decisions(), self.clusters().save("clusters"))


def write_tables(outcome: Outcome, out: Path) -> dict[str, list[dict[str, Any]]]:
    """Write everything but the shards; return the files by folder."""
    rows, placed = outcome.rows, outcome.placed
    pairs = name_pairs(rows.pairs, rows.ranked)
    quarantine = bad(rows.documents.select(*QUARANTINE.names))
    more = [name for name in outcome.counts if name not in INDEX]
    index = placed.positioned.select(*INDEX[:-2], *more, *INDEX[-2:])
    items = rows.contaminated[1] if rows.contaminated else None
    edits = named_edits(rows.edited.cuts, rows.ranked, items) if rows.edited else None
    more_pairs = {}
    if rows.semantic_pairs is not None:
        named = name_pairs(rows.semantic_pairs, rows.ranked)
        more_pairs["semantic_pairs"] = write_sorted(named, ["address", "better_address"], out / "semantic_pairs")
    if rows.selected is not None:
        chosen = name_chosen(rows.selected.chosen, rows.ranked, rows.selected.groups.names)
        more_pairs["selection"] = write_sorted(chosen, ["group", "place"], out / "selection")
    return more_pairs | {
        "unsampled": write_sorted(placed.unsampled, ["address"], out / "unsampled") if placed.unsampled else [],
        "edits": write_sorted(edits, ["address", "start"], out / "edits") if edits else [],
        "decisions": write_sorted(outcome.decisions().select(*DECISIONS.names), ["address"], out / "decisions"),
        "pairs": write_sorted(pairs, ["address", "better_address"], out / "pairs"),
        "clusters": write_sorted(outcome.clusters(), ["cluster", "address"], out / "clusters"),
        "quarantine": write_sorted(quarantine, ["address"], out / "quarantine"),
        "index": write_sorted(index, ["position"], out, single="index.parquet"),
    }


def count(outcome: Outcome) -> Ledger:
    """Count every row from the table that it ended in; what the shards emit is not known yet."""
    rows, placed = outcome.rows, outcome.placed
    documents, ranked = rows.documents.select(*_COUNTED, "rule", "filtered"), rows.ranked
    written = placed.positioned.select(*_COUNTED, "epoch")
    kept = (placed.positioned if placed.unsampled is None else placed.kept).select(*_COUNTED)
    again = written.map(Again(outcome.first_epoch), written.schema)
    if outcome.annotate:
        kept = kept.join(outcome.decisions().select("address"), on=["address"], how="anti")
    copies = ranked.select("row", *_COUNTED).join(rows.drops.select("row", "stage"), on=["row"])
    copies = copies.select(*_COUNTED, "stage")
    dropped = [_amounts(copies, "source", "stage")]
    if outcome.conditions:
        filtered = documents.map(_filtered, copies.schema)
        dropped.append(_amounts(filtered, "source", "stage"))
    old = old_only(ranked.select("row", *_COUNTED), "row", rows.old_rows_read)
    return build_ledger(
        read=_amounts(documents, "source"),
        kept=_amounts(kept, "source"),
        emitted=_amounts(written, "source"),
        unsampled=_amounts(placed.unsampled, "source") if placed.unsampled else None,
        repeated=_amounts(again, "source") if placed.unsampled else None,
        dropped=pa.concat_tables(dropped),
        quarantined=_amounts(bad(documents), "source", "rule"),
        references=_amounts(old, "source"),
        cut=_cut(rows),
        capped_rows=rows.capped_rows,
        annotated=outcome.annotate,
    )


@dataclass(frozen=True)
class Again:
    """Keeps second and further passes over rows; plain data."""

    first: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return these."""
        return batch.filter(pc.greater(batch.column("epoch"), self.first))


def _cut(rows: Underway) -> pa.Table:
    """Return what was cut out of rows that are written, by source."""
    edited = rows.edited
    if edited is None:
        return pa.table({name: [] for name in ("source", "rows", "bytes", "tokens")})
    cuts = edited.cuts.join(edited.emptied, on=["row"], how="anti")
    sized = cuts.select("row", "start", "stop", "tokens").join(rows.ranked.select("row", "source"), on=["row"])
    sized = sized.map(_sized, pa.schema([("source", pa.string()), ("bytes", pa.int64()), ("tokens", pa.int64())]))
    return sized.aggregate(by=["source"], bytes=("sum", "bytes"), tokens=("sum", "tokens")).collect()


def _sized(batch: pa.RecordBatch) -> pa.RecordBatch:
    sizes = pc.subtract(batch.column("stop"), batch.column("start"))
    names = ["source", "bytes", "tokens"]
    return pa.RecordBatch.from_arrays([batch.column("source"), sizes, batch.column("tokens")], names=names)


def _amounts(table: Table, *by: str) -> pa.Table:
    return table.aggregate(by=by, **_AMOUNTS).collect()


def bad(table: Table) -> Table:
    """Keep the rows that broke a rule."""
    return table.map(_rule_is_set, table.schema)


def _filtered(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return what a filter dropped as rows of the stage ``filter``."""
    rows = batch.filter(pc.greater_equal(batch.column("filtered"), 0))
    columns = [rows.column(name) for name in _COUNTED]
    return pa.RecordBatch.from_arrays([*columns, pa.repeat("filter", rows.num_rows)], names=[*_COUNTED, "stage"])


def _of_copies(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.not_equal(batch.column("stage"), STAGE))


def _of_items(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.equal(batch.column("stage"), STAGE))


def _copies_with_keeper(batch: pa.RecordBatch) -> pa.RecordBatch:
    asked = pc.is_in(batch.column("stage"), pa.array(ASKED))
    return batch.filter(pc.and_(batch.column("keeper").is_valid(), pc.invert(asked)))


def _rule_is_set(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(batch.column("rule").is_valid())
