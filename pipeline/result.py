"""A finished run as an object that explains itself."""

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..connectors.address import file_of, record_of
from ..connectors.row_groups import batches_of
from ..hashing.errors import ArtefactError, ConfigError
from ..hashing.greedy import decide
from .decisions import DECISIONS, PAIRS, REASONS
from .edits import WRITTEN_EDITS
from .ledger import Ledger
from .manifest import read_manifest
from .selection.named import SELECTION
from .state import SUCCESS

_FACTS = ("address", "source", "bytes", "tokens")


class Result:
    """What a run kept and removed, and why.

    Args:
        out: the output folder of a finished run.

    Raises:
        ArtefactError: if the run did not finish.
    """

    def __init__(self, out: str | Path) -> None:
        self.out = Path(out)
        if not (self.out / SUCCESS).exists():
            raise ArtefactError(
                "a result is of a finished run",
                value=f"{self.out} without {SUCCESS}",
                remedy="Name the --out of a run; one that stopped, or was a --dry-run, ends by the same command again.",
            )
        self.manifest = read_manifest(self.out)

    @cached_property
    def ledger(self) -> Ledger:
        """What became of every row."""
        return Ledger.from_dict(self.manifest["ledger"])

    @property
    def shards(self) -> list[Path]:
        """The files of kept rows, in order."""
        return [self.out / "data" / line["name"] for line in self.manifest["files"]["data"]]

    def kept(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the kept rows, in their order, a few at a time."""
        for path in self.shards:
            with pq.ParquetFile(path) as file:
                yield from batches_of(file, 65_536, columns=columns)

    @cached_property
    def removed(self) -> pa.Table:
        """The decisions: one row for each removed record, with the witness that stays in its place."""
        return self._table("decisions")

    @cached_property
    def pairs(self) -> pa.Table:
        """All verified pairs."""
        return self._table("pairs")

    @cached_property
    def selection(self) -> pa.Table:
        """The rows that the select stage chose, in the order of choice; no rows without one."""
        return self._table("selection") if "selection" in self.manifest["files"] else SELECTION.empty_table()

    @cached_property
    def semantic_pairs(self) -> pa.Table:
        """All pairs whose vectors are alike; no rows without a semantic stage."""
        return self._table("semantic_pairs") if "semantic_pairs" in self.manifest["files"] else PAIRS.empty_table()

    @cached_property
    def clusters(self) -> pa.Table:
        """The members of every cluster of copies."""
        return self._table("clusters")

    @cached_property
    def edits(self) -> pa.Table:
        """What was cut out of records, and the record that keeps it or the item it is of; no rows where nothing was."""
        return self._table("edits") if self.manifest["files"]["edits"] else WRITTEN_EDITS.empty_table()

    @cached_property
    def quarantine(self) -> pa.Table:
        """The records that broke a rule."""
        return self._table("quarantine")

    @cached_property
    def seconds(self) -> dict[str, float]:
        """How long each step took."""
        return {step["name"]: step["seconds"] for step in self.report["steps"]}

    @cached_property
    def report(self) -> dict[str, Any]:
        """The numbers of ``report.json``."""
        report: dict[str, Any] = json.loads((self.out / "report.json").read_text(encoding="utf-8"))
        return report

    def _table(self, name: str) -> pa.Table:
        parts = [pq.read_table(self.out / name / line["name"]) for line in self.manifest["files"][name]]
        return pa.concat_tables(parts)

    @property
    def threshold(self) -> float | None:
        """The similarity from which texts were removed, or None without a near stage."""
        near = next((stage for stage in self.manifest["settings"]["stages"] if stage["stage"] == "near"), None)
        return float(near["threshold"]) if near else None

    def where(self, address: int) -> str:
        """Return a record's place as ``path:record``."""
        return f"{self.manifest['inputs'][file_of(address)]['path']}:{record_of(address)}"

    def at_threshold(self, threshold: float) -> pa.Table:
        """Return the decisions that a higher threshold would have made, from the verified pairs alone.

        Args:
            threshold: at least that of the run.

        Raises:
            ConfigError: if pairs below the run's threshold, or without a similarity, would be needed.
        """
        if self.threshold is None or not self.threshold <= threshold <= 1:
            raise ConfigError(
                f"a threshold lies between that of the run ({self.threshold}) and 1",
                value=threshold,
                remedy="Run again with a lower threshold: pairs below it were not kept.",
            )
        if self.pairs["similarity"].null_count:
            raise ConfigError("pairs have a similarity", value="verify: none", remedy="Run with verify: exact.")
        pairs = self.pairs.filter(pc.greater_equal(self.pairs["similarity"], threshold))
        pairs = pairs.sort_by([("rank", "ascending"), ("better_rank", "ascending")])
        worse, better = pairs["rank"].to_numpy(), pairs["better_rank"].to_numpy()
        state = np.zeros(int(max(worse.max(initial=0), better.max(initial=0))) + 1, np.uint8)
        near = self._named(pairs.filter(pa.array(decide(worse, better, state))))
        exact = self.removed.filter(pc.equal(self.removed["stage"], "exact"))
        return pa.concat_tables([exact, near]).sort_by("address")

    def _named(self, pairs: pa.Table) -> pa.Table:
        """Return near decisions for deciding pairs."""
        index = pq.read_table(self.out / "index.parquet", columns=list(_FACTS))
        known = pa.concat_tables([index, self.removed.select(list(_FACTS))]).sort_by("address")
        places = pa.array(np.searchsorted(known["address"].to_numpy(), pairs["address"].to_numpy()))
        facts = known.take(places)
        n = pairs.num_rows
        columns = {
            "address": pairs["address"],
            "id": pairs["id"],
            "source": facts["source"],
            "stage": pa.repeat("near", n),
            "reason": pa.repeat(REASONS["near"], n),
            "keeper_address": pairs["better_address"],
            "keeper_id": pairs["better_id"],
            "keeper_corpus": pa.nulls(n, pa.string()),
            "similarity": pairs["similarity"],
            "bytes": facts["bytes"],
            "tokens": facts["tokens"],
        }
        return pa.table(columns, schema=DECISIONS)

    def __repr__(self) -> str:
        total = self.ledger.total
        dropped = ", ".join(f"{amount.rows:,} by {stage}" for stage, amount in sorted(total.dropped.items())) or "none"
        aside = sum(amount.rows for amount in total.quarantined.values())
        return (
            f"Result({str(self.out)!r}: {total.read.rows:,} rows in, {total.kept.rows:,} kept,"
            f" {total.lost.rows:,} removed ({dropped}), {aside:,} quarantined)"
        )
