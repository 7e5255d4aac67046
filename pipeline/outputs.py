"""What a run leaves behind: shards, decisions, pairs, clusters, quarantine, index, ledger."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .allocation import Allocation
from .annotations import annotated
from .clusters import EDGES, components
from .decisions import DECISIONS, QUARANTINE, filter_decisions, name_clusters, name_decisions, name_pairs
from .decontaminate import STAGE, Contamination, Items, contaminated_decisions
from .edits import CUTS, Edits, named_edits
from .engine import Table
from .ledger import ASKED, Ledger, build_ledger
from .mixture import TOKENS
from .ranked import old_only
from .selection.named import name_chosen
from .selection.stage import Selected
from .written import write_sorted

INDEX = ("position", "address", "epoch", "source", "bytes", "tokens", "hash_high", "hash_low")
"""Columns of ``index.parquet``, and ``tokens_NAME`` for each tokenizer."""

UNSAMPLED = ("address", "id", "source", "bytes", "tokens")
_COUNTED = ("address", "source", "bytes", "tokens")
_AMOUNTS: dict[str, Any] = {"rows": ("count", "address"), "bytes": ("sum", "bytes"), "tokens": ("sum", "tokens")}


@dataclass(frozen=True)
class Outcome:
    """The tables that a run comes to, saved.

    Attributes:
        documents: the first pass.
        ranked: rows that broke no rule and passed all filters, in rank order.
        rows: their number.
        drops: rows that exact and near stages dropped (``STAGED``).
        pairs: verified pairs of rows.
        semantic_pairs: pairs of rows whose vectors are alike; None without that stage.
        selected: what the select stage chose; None without it.
        kept: rows that there are to write (``emission.KEYED`` and counts of tokens).
        positioned: rows that are written, each time with its epoch, and their place in the output.
        unsampled: kept rows that are not written; None where every kept row is written, and once.
        first_epoch: of rows that are written once.
        allocation: how much a mixture takes of each source.
        capped_rows: rows that were in a bucket of more rows than anchors.
        conditions: of the filters.
        references: names of the files that were there already; records of these rank first, and are not written.
        old_rows: how many these are.
        old_read: whether they were read, and so count; those that an index knows were not.
        annotate: whether dropped rows are written too.
        edited: what is cut out of rows that are written.
        contaminated: rows that hold benchmark items, and these items; those that are among the drops went for them.
    """

    documents: Table
    ranked: Table
    rows: int
    drops: Table
    pairs: Table
    kept: Table
    positioned: Table
    unsampled: Table | None
    first_epoch: int
    allocation: Allocation | None
    capped_rows: int
    conditions: tuple[str, ...]
    references: tuple[str, ...]
    old_rows: int
    old_read: bool
    annotate: bool
    contaminated: tuple[Contamination, Items] | None = None
    edited: Edits | None = None
    semantic_pairs: Table | None = None
    selected: Selected | None = None

    def decisions(self) -> Table:
        """Return the decisions of all stages, saved."""
        drops = self.drops.map(_of_copies, self.drops.schema)
        decisions = name_decisions(drops, self.ranked, self.references)
        if self.contaminated:
            found, items = self.contaminated
            gone = self.drops.map(_of_items, self.drops.schema).select("row")
            rows = found.rows.join(gone, on=["row"], how="semi")
            decisions = decisions.union(contaminated_decisions(rows, self.ranked, items))
        if self.conditions:
            decisions = decisions.union(filter_decisions(self.documents, self.conditions))
        return decisions.save("decisions")

    def clusters(self) -> Table:
        """Return the members of clusters of copies."""
        drops = self.drops.map(_copies_with_keeper, self.drops.schema)
        edges = drops.select(first="row", second="keeper").union(self.pairs.select(first="worse", second="better"))
        members = components(edges.select(*EDGES.names), rows=self.rows).save("components")
        return name_clusters(members, self.ranked, self.drops.select("row", "stage"))

    @property
    def counts(self) -> tuple[str, ...]:
        """Columns that count tokens: of words, and of each tokenizer."""
        return tuple(name for name in self.positioned.schema.names if name == "tokens" or name.startswith(TOKENS))

    def places(self) -> Table:
        """Return (address, position) of the rows that are written, and what is written beside their own columns."""
        if self.edited:
            cuts = self.edited.packed.join(self.ranked.select("row", "address"), on=["row"]).select("address", CUTS)
            return self.positioned.select("address", "position").join(cuts, on=["address"], how="left")
        if not self.annotate:
            return self.positioned.select("address", "position")
        return annotated(self.positioned, self.decisions(), self.clusters().save("clusters"))


def unsampled(kept: Table, positioned: Table, ranked: Table) -> Table:
    """Return the kept rows that are not written, saved.

    Args:
        kept, positioned: as in an outcome.
        ranked: has the ids.
    """
    left = kept.select("address", "source", "bytes", "tokens")
    left = left.join(positioned.select("address"), on=["address"], how="anti")
    named = left.join(ranked.select("address", "id"), on=["address"])
    return named.select(*UNSAMPLED).save("unsampled")


def write_tables(outcome: Outcome, out: Path) -> dict[str, list[dict[str, Any]]]:
    """Write everything but the shards; return the files by folder."""
    pairs = name_pairs(outcome.pairs, outcome.ranked)
    quarantine = bad(outcome.documents.select(*QUARANTINE.names))
    more = [name for name in outcome.counts if name not in INDEX]
    index = outcome.positioned.select(*INDEX[:-2], *more, *INDEX[-2:])
    items = outcome.contaminated[1] if outcome.contaminated else None
    edits = named_edits(outcome.edited.cuts, outcome.ranked, items) if outcome.edited else None
    more_pairs = {}
    if outcome.semantic_pairs is not None:
        named = name_pairs(outcome.semantic_pairs, outcome.ranked)
        more_pairs["semantic_pairs"] = write_sorted(named, ["address", "better_address"], out / "semantic_pairs")
    if outcome.selected is not None:
        chosen = name_chosen(outcome.selected.chosen, outcome.ranked, outcome.selected.groups.names)
        more_pairs["selection"] = write_sorted(chosen, ["group", "place"], out / "selection")
    return more_pairs | {
        "unsampled": write_sorted(outcome.unsampled, ["address"], out / "unsampled") if outcome.unsampled else [],
        "edits": write_sorted(edits, ["address", "start"], out / "edits") if edits else [],
        "decisions": write_sorted(outcome.decisions().select(*DECISIONS.names), ["address"], out / "decisions"),
        "pairs": write_sorted(pairs, ["address", "better_address"], out / "pairs"),
        "clusters": write_sorted(outcome.clusters(), ["cluster", "address"], out / "clusters"),
        "quarantine": write_sorted(quarantine, ["address"], out / "quarantine"),
        "index": write_sorted(index, ["position"], out, single="index.parquet"),
    }


def count(outcome: Outcome) -> Ledger:
    """Count every row from the table that it ended in; what the shards emit is not known yet."""
    documents, ranked = outcome.documents.select(*_COUNTED, "rule", "filtered"), outcome.ranked
    written = outcome.positioned.select(*_COUNTED, "epoch")
    kept = (outcome.positioned if outcome.unsampled is None else outcome.kept).select(*_COUNTED)
    again = written.map(Again(outcome.first_epoch), written.schema)
    if outcome.annotate:
        kept = kept.join(outcome.decisions().select("address"), on=["address"], how="anti")
    copies = ranked.select("row", *_COUNTED).join(outcome.drops.select("row", "stage"), on=["row"])
    copies = copies.select(*_COUNTED, "stage")
    dropped = [_amounts(copies, "source", "stage")]
    if outcome.conditions:
        filtered = documents.map(_filtered, copies.schema)
        dropped.append(_amounts(filtered, "source", "stage"))
    old = old_only(ranked.select("row", *_COUNTED), "row", outcome.old_rows if outcome.old_read else 0)
    return build_ledger(
        read=_amounts(documents, "source"),
        kept=_amounts(kept, "source"),
        emitted=_amounts(written, "source"),
        unsampled=_amounts(outcome.unsampled, "source") if outcome.unsampled else None,
        repeated=_amounts(again, "source") if outcome.unsampled else None,
        dropped=pa.concat_tables(dropped),
        quarantined=_amounts(bad(documents), "source", "rule"),
        references=_amounts(old, "source"),
        cut=_cut(outcome),
        capped_rows=outcome.capped_rows,
        annotated=outcome.annotate,
    )


@dataclass(frozen=True)
class Again:
    """Keeps second and further passes over rows; plain data."""

    first: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return these."""
        return batch.filter(pc.greater(batch.column("epoch"), self.first))


def _cut(outcome: Outcome) -> pa.Table:
    """Return what was cut out of rows that are written, by source."""
    if outcome.edited is None:
        return pa.table({name: [] for name in ("source", "rows", "bytes", "tokens")})
    cuts = outcome.edited.cuts.join(outcome.edited.emptied, on=["row"], how="anti")
    sized = cuts.select("row", "start", "stop", "tokens").join(outcome.ranked.select("row", "source"), on=["row"])
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
