"""The plan of a run: which tables follow from which.

    inputs -> documents -> ranked -> exact drops -> bands -> candidates -> tiles -> pairs -> near drops
    kept rows -> positioned -> shards;  decisions, pairs, clusters, quarantine, index;  ledger -> _SUCCESS

Every saved table is a unit of resume: a run that was killed takes up the tables that were finished.
"""

import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..connectors.address import ADDRESS, RECORD_BITS
from ..connectors.batches import RESERVED
from ..connectors.corpus import plan_splits
from ..connectors.formats import InputFile
from ..connectors.index_store import Header
from ..connectors.parquet_output import groups_of
from ..connectors.published import DATA, Destination
from ..connectors.split import SPLIT_BYTES
from ..connectors.storage import storage_errors
from ..hashing.errors import ArtefactError, EngineError, InputError
from ..hashing.first_run import compile_kernels, must_compile
from ..hashing.sketch import sketch_plan
from . import documents
from .allocation import Allocation, allocate
from .annotations import annotated_schema
from .candidates import candidates
from .config import Contained, Decontaminate, Near, Semantic, save_config
from .contained import SAMPLES, Sampling
from .decontaminate import Contamination, Items, contamination, read_items
from .descriptions import write_descriptions
from .documents import DocumentPass, check_columns
from .drops import STAGED, Nameless, Staged
from .edits import CUTS, EDITED, EDITS, Edits, Replacing, edits
from .emission import KEYED, OrderKey, available, draw, once, place, set_names
from .engine import Engine, Progress, Table
from .exact import exact
from .filters import plan_filters
from .index.flags import flagged_rows
from .index.form import OpenIndex, bounds_of
from .index.joining import (
    FILES,
    ROWS_BY_FILE,
    check_known,
    check_text_columns,
    file_numbers,
    joining,
    rows_by_file,
    unreachable,
)
from .index.recall import Recalled, reachable, recall
from .index.update import Batch, check_capacity, write_batch
from .item_cuts import item_cuts
from .layout import SetName, Sets, plan_sets
from .ledger import Ledger
from .manifest import write_manifest
from .metrics import note_step, step_seconds, write_metrics
from .mixture_file import write_mixture
from .near import decide_near, unverified
from .outputs import Outcome, count, unsampled, write_tables
from .paragraphs import repeated
from .plan import last_step
from .preflight import check_records, check_room
from .prepared import Prepared, check_unchanged, prepare
from .ranked import COLUMNS, failed_rows, new_only, old_only, rank
from .report.build import build_report, write_report
from .report.examples import examples
from .selection.balance import balanced
from .selection.settings import Balance, Select
from .selection.stage import Selected, Selecting
from .selection.values import check_group_columns
from .semantic.encoding import ReadTexts
from .semantic.stage import Alike, alike
from .shards import FILE, POSITION, ShardWriter, contents, emit
from .similarity import PAIRS, Evidence, Recollection, measure_pairs
from .state import SUCCESS, OutputFolder, staging_folder
from .survey import survey
from .token_counts import with_counts
from .unique_ids import check_ids

__all__ = ["EngineFactory", "Prepared", "check_unchanged", "prepare", "run"]


COMMITTING = "committing"
"""Marks the work of a run that has begun to add to its index."""

EngineFactory = Callable[[Path], Engine]


class _Reached(Exception):
    """The step that a run was to stop after is done."""


def run(
    prepared: Prepared,
    make_engine: EngineFactory,
    progress: Progress,
    *,
    dry: bool = False,
    joins: bool | None = None,
    until: str | None = None,
) -> Path:
    """Run a pipeline to its ``_SUCCESS``, or find it finished; return the output folder.

    Args:
        prepared: the run.
        make_engine: makes the engine from the folder of its work.
        progress: told about steps.
        dry: write everything but the shards, and no ``_SUCCESS``; the same run ends it later.
        joins: whether its rows join the index that the near stage names; default: unless it is dry.
        until: stop after this step (``plan.steps_of``) and keep its work, without ``_SUCCESS``; the same run goes on
            from there.

    Raises:
        TamisError: one of its kinds; the folder then has no ``_SUCCESS`` and the run can be resumed.
    """
    config, fingerprint = prepared.config, prepared.fingerprint
    joins, until = not dry if joins is None else joins, last_step(config, until)
    folder = OutputFolder(staging_folder(config.out, config.staging), fingerprint)
    destination = Destination(config.out, success=SUCCESS) if "://" in config.out else None
    if destination and destination.finished(fingerprint):
        if not folder.finished:
            destination.fetch(folder.path, data=False)
        return folder.path
    if folder.finished:
        folder.drop_work()
        if joins and prepared.adds:
            raise ArtefactError(
                "the rows of a finished run are in its index",
                value=f"{config.out} is finished, and its index does not have it",
                remedy="Run into another --out, which adds them; or set `update: false`.",
            )
        if not destination:
            return folder.path
        if (folder.path / DATA).exists():  # killed while it was copied
            return _published(folder, destination)
        shutil.rmtree(folder.path)  # copied once, and gone from there
    with folder.claim(), joining(prepared.index, config if joins else None):
        if destination and not dry:
            destination.claim(fingerprint)
        if prepared.index is not None and not (folder.work / COMMITTING).exists():
            check_known(prepared.index)
        engine = make_engine(folder.work)
        try:
            steps = _Run(prepared, engine, folder, progress, joins=joins, until=until)
            steps.rehearse() if dry else steps.all_steps()
        except _Reached:
            return folder.path
        except OSError as error:
            raise EngineError(
                "inputs can be read and the output written",
                value=error,
                remedy="Mend that, then run again: work is kept.",
            ) from error
        finally:
            engine.close()
        if joins or not dry:
            check_unchanged(prepared)
        if steps.header is not None and prepared.index is not None:
            (folder.work / COMMITTING).touch()  # whoever takes this run up finds the index as before, or after
            prepared.index.store.commit(steps.header)
        if not dry:
            if steps.ledger is not None:
                seconds = step_seconds(folder.work)
                write_metrics(folder.path, config, steps.ledger, version=prepared.version, seconds=seconds)
            folder.finish()
    return _published(folder, destination) if destination and not dry else folder.path


def _published(folder: OutputFolder, destination: Destination) -> Path:
    """Copy a finished output to its URL; what stays here are the small tables."""
    try:
        destination.publish(folder.path)
    except storage_errors() as error:
        raise EngineError(
            "the output can be copied to its URL",
            value=f"{destination.url}: {error}",
            remedy="Mend that, then run again: only the copying is repeated.",
        ) from error
    shutil.rmtree(folder.path / DATA)
    return folder.path


class _Run:
    """A run under way: its inputs, and how long each step took."""

    def __init__(
        self,
        prepared: Prepared,
        engine: Engine,
        folder: OutputFolder,
        progress: Progress,
        *,
        joins: bool,
        until: str | None,
    ) -> None:
        self.joins, self.until = joins, until
        self.prepared, self.engine, self.folder, self.progress = prepared, engine, folder, progress
        self.config = prepared.config
        self.steps: list[dict[str, Any]] = []
        self.header: Header | None = None
        self.ledger: Ledger | None = None
        self.flagged_rows: int | None = None
        self.contamination_facts: dict[str, Any] | None = None
        self.semantic_facts: dict[str, Any] | None = None
        self.selection_facts: dict[str, Any] = {}
        self.mixture_facts: dict[str, Any] | None = None
        with self.step("list inputs"):
            files = prepared.read.files
            self.splits = [split for file in files for split in plan_splits(file, split_bytes=SPLIT_BYTES)]
            check_records(prepared.read, self.splits)
            if self.config.check_room:
                bands = prepared.banding.bands if prepared.banding else 0
                check_room(folder.path, self.splits, prepared.read, bands=bands)
            self.schema = survey(engine, self.splits, folder.work / "schema.json")
            _check_any_column(self.schema, files)
            self.filters = plan_filters(self.config.filters, self.schema)
            self.first_columns = check_columns(self.schema, self.config.columns, self.config.keep, self.filters)
            self.written_columns = annotated_schema(self.schema) if self.config.annotate else self.schema
            _check_reserved(self.schema)
            for stage in (self.config.balance, self.config.select):
                if stage is not None:
                    check_group_columns(self.schema, stage.by, stage.stage)
        if must_compile():
            with self.step("compile (once a machine)"):
                compile_kernels(prepared.plan)
        self.bytes_to_read = sum(split.size_bytes for split in self.splits)
        self.old: list[Recollection] = []  # inputs of old rows, once they are known

    @contextmanager
    def step(self, name: str, total_bytes: int | None = None) -> Iterator[None]:
        """Time a step and show it."""
        self.progress.start(name, total_bytes=total_bytes)
        start = time.monotonic()
        try:
            yield
        finally:
            self.progress.finish()
        seconds = round(time.monotonic() - start, 3)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        self.steps.append({"name": name, "seconds": seconds, "bytes": total_bytes, "peak_rss_bytes": peak})
        note_step(self.folder.work, name, seconds)
        if name == self.until:
            raise _Reached

    def all_steps(self) -> None:
        """Go through the plan."""
        save_config(self.config, self.folder.path / "config.yaml")
        outcome = self.outcome()
        with self.step("annotate") if self.config.annotate else nullcontext():
            places = outcome.places()
        sets, file_bytes = self.sets(outcome.positioned)
        with ThreadPoolExecutor(2) as beside:  # what the shards do not need is written and counted while they are
            tables, counts = beside.submit(write_tables, outcome, self.folder.path), beside.submit(count, outcome)
            with self.step("write shards", self.bytes_to_read):
                shards = self.write_shards(sets, places, file_bytes)
            with self.step("write decisions"):
                files = {"data": shards, **tables.result()}
        with self.step("balance the ledger"):
            ledger = replace(counts.result(), emitted_rows=sum(line["rows"] for line in shards))
            ledger.check(rows_read=self.records)
            listed = contents(outcome.positioned, sets, outcome.counts)
            files["data"] = [{**line, "sources": listed[line["file"]]} for line in shards]
        self.describe(sets, files, ledger, outcome.allocation)
        self.ledger = ledger
        ledger.raise_alarm(self.config.alarm, allowed=self.config.allow_loss)

    def rehearse(self) -> None:
        """Find out what a run would do, and write down all but the shards."""
        save_config(self.config, self.folder.path / "config.yaml")
        outcome = self.outcome()
        with self.step("write decisions"):
            write_tables(outcome, self.folder.path)
        with self.step("balance the ledger"):
            ledger = count(outcome)
            ledger.check(rows_read=self.records, emitted=False)
        self.report(ledger, finished=False)
        ledger.raise_alarm(self.config.alarm, allowed=self.config.allow_loss)

    @property
    def records(self) -> int | None:
        """Physical records of all inputs, where the plan knows them."""
        known = all(split.records is not None for split in self.splits)
        return sum(split.records or 0 for split in self.splits) if known else None

    def outcome(self) -> Outcome:
        """Find out which rows stay and where they go."""
        with self.step("read and sketch", self.bytes_to_read):
            found = self.first_pass()
        index, known = self.prepared.index, found
        recalled: Recalled | None = None
        if index is not None and index.witness:
            with self.step("ask the index"):
                recalled = recall(self.engine, index, found)
                known = found.union(recalled.documents)
        with self.step("rank"):
            references = self.prepared.references
            ranked = rank(known, self.config.keep, references=references, recalled=recalled is not None).save("ranked")
            rows, old_rows = self.count_ranked(ranked)
        if self.config.columns.unique:
            check_ids(self.engine, new_only(ranked, "row", old_rows), self.prepared.corpus.files)
        drops, left = self.engine.table(STAGED.empty_table()), ranked
        entered = new_only(ranked, "row", old_rows)
        contaminated: tuple[Contamination, Items] | None = None
        if self.config.decontaminate:
            with self.step("decontaminate", self.bytes_to_read):
                contaminated = self.decontaminate(self.config.decontaminate, entered, rows - old_rows)
            if self.config.decontaminate.action == "drop":
                gone = contaminated[0].rows.select("row")
                drops = drops.union(gone.map(Nameless("decontaminate"), STAGED))
                left, entered = (table.join(gone, on=["row"], how="anti") for table in (left, entered))
        if self.config.exact:
            with self.step("exact"):
                copies = exact(left).save("exact_drops")
                left = left.join(copies.select("row"), on=["row"], how="anti")
                entered = entered.join(copies.select("row"), on=["row"], how="anti")
            drops = drops.union(new_only(copies, "row", old_rows).map(Staged("exact"), STAGED))
        if self.adds and index is not None and index.witness:
            check_capacity(index, entered)
        pairs, capped = self.engine.table(PAIRS.empty_table()), 0
        if self.config.near:
            if index is not None and not index.witness:
                with self.step("ask the index"):
                    flagged = self.flagged(index, found, left)
                if flagged is not None:
                    drops = drops.union(flagged)
                    left = left.join(flagged.select("row"), on=["row"], how="anti")
            if self.mode == "insert-kept":
                near_drops, pairs, capped = self.near(self.config.near, found, recalled, ranked, left, rows, old_rows)
                drops = drops.union(near_drops.map(Staged("near"), STAGED))
        copies_gone = drops  # what later stages remove is still known to an index, and keeps its copies out
        if self.config.contained:
            with self.step("contained", 2 * self.bytes_to_read):
                among = left.join(drops.select("row"), on=["row"], how="anti")
                among = among if recalled is None else new_only(among, "row", old_rows)
                old = old_rows if recalled is None else 0
                inside = self.contained(self.config.contained, among, ranked, rows, old)
            drops = drops.union(inside.map(Staged("contained"), STAGED))
        semantic: Alike | None = None
        if self.config.semantic:
            with self.step("semantic", self.bytes_to_read):
                among = left.join(drops.select("row"), on=["row"], how="anti")
                among = among if recalled is None else new_only(among, "row", old_rows)
                semantic = self.semantic(self.config.semantic, among, old_rows if recalled is None else 0)
                gone = decide_near(semantic.pairs, rows=rows).save("semantic_drops")
            drops = drops.union(gone.map(Staged("semantic"), STAGED))
        if self.config.balance:
            with self.step("balance leaves", self.bytes_to_read):
                among = new_only(left, "row", old_rows).join(drops.select("row"), on=["row"], how="anti")
                over = self.balance(self.config.balance, among)
            drops = drops.union(over.map(Staged("balance"), STAGED))
        selected: Selected | None = None
        if self.config.select:
            with self.step("select", self.bytes_to_read):
                among = new_only(left, "row", old_rows).join(drops.select("row"), on=["row"], how="anti")
                beside = old_only(left, "row", old_rows) if old_rows and recalled is None else None
                selected = self.select(self.config.select, among, new_only(ranked, "row", old_rows), beside)
            drops = drops.union(selected.drops.map(Staged("select"), STAGED))
        edited: Edits | None = None
        if self.config.cuts:
            stays = new_only(ranked, "row", old_rows).join(drops.select("row"), on=["row"], how="anti")
            edited = self.edits(stays.save("before_edits"), contaminated)
            drops = drops.union(edited.drops())
        if self.adds and index is not None and self.until is None:
            with self.step("add to the index"):
                self.header = write_batch(index, self.batch(found, entered, copies_gone))
        with self.step("order"):
            drops = drops.save("drops")
            written = new_only(ranked, "row", old_rows)
            if not self.config.annotate:
                written = written.join(drops.select("row"), on=["row"], how="anti")
            elif self.filters.conditions:
                written = written.select(*COLUMNS).union(failed_rows(found))
        with self.step("count tokens", self.bytes_to_read) if self.config.tokenizers else nullcontext():
            kept = self.keyed(written, ranked, edited)
        with self.step("place"):
            allocation, positioned = self.place(kept)
        return Outcome(
            documents=found,
            ranked=ranked,
            rows=rows,
            drops=drops,
            pairs=pairs,
            semantic_pairs=semantic.pairs if semantic else None,
            selected=selected,
            kept=kept,
            positioned=positioned,
            unsampled=None if self.all_once else unsampled(kept, positioned, ranked),
            first_epoch=self.config.shards.epoch,
            allocation=allocation,
            capped_rows=capped,
            conditions=self.filters.conditions,
            references=tuple(file.source for file in self.prepared.corpus.files[: self.prepared.references]),
            old_rows=old_rows,
            old_read=recalled is None,
            annotate=self.config.annotate,
            contaminated=contaminated,
            edited=edited,
        )

    @property
    def all_once(self) -> bool:
        """Whether every kept row is written, and once."""
        return self.config.mixture is None and self.config.shards.sample >= 1

    def keyed(self, written: Table, ranked: Table, edited: Edits | None) -> Table:
        """Return the rows that there are to write with their keys, their sets and the facts of what is left of them."""
        shards, by_id = self.config.shards, self.config.columns.id is not None
        key = OrderKey(self.config.seed, shards.epoch, by_id, shards.splitting(self.config.seed))
        kept = written.map(key, KEYED)
        if edited is not None:  # places and sets are those of texts as they came
            facts = edited.edited.join(ranked.select("row", "address"), on=["row"]).select("address", *EDITED.names[1:])
            kept = kept.join(facts, on=["address"], how="left").map(Replacing(KEYED), KEYED)
        tokenizers = tuple(item.tokenizer for item in self.config.tokenizers)
        if tokenizers:
            cuts: Table | None = None
            if edited is not None:
                cuts = edited.packed.join(ranked.select("row", "address"), on=["row"]).select("address", CUTS)
            text = self.config.columns.text
            kept = with_counts(self.texts_of, kept.save("keyed"), cuts, text=text, tokenizers=tokenizers)
        return kept if self.all_once else kept.save("kept")

    def texts_of(self, rows: Table, name: str) -> Table:
        """Read the texts of rows again, from (address, ...), with these columns beside them; ``name`` is of the use."""
        return self.columns_of((self.config.columns.text,))(rows, name)

    def columns_of(self, columns: Sequence[str]) -> ReadTexts:
        """Return what reads some columns of rows again."""

        def read(rows: Table, name: str) -> Table:
            others = [other for other in rows.schema.names if other != "address"]
            wanted = rows.select(*others, **{ADDRESS: "address"}).save(f"wanted_{name}")
            fields = pa.schema([self.schema.field(column) for column in columns])
            return self.engine.read(self.splits, fields, full=self.schema, only=wanted)

        return read

    def place(self, kept: Table) -> tuple[Allocation | None, Table]:
        """Return how much is taken of each source, and the rows to write in their places, saved."""
        mixture, epoch, allocation = self.config.mixture, self.config.shards.epoch, None
        if mixture is None:
            rows = once(kept, epoch)
        else:
            allocation = allocate(mixture, available(kept, mixture, seed=self.config.seed))
            rows = draw(kept, mixture, allocation, seed=self.config.seed, epoch=epoch)
        return allocation, place(rows, self.set_names).save("positioned")

    @property
    def set_names(self) -> tuple[SetName, ...]:
        """The sets that rows are written to."""
        return set_names(self.config.shards.splitting(self.config.seed), self.config.mixture)

    def decontaminate(self, stage: Decontaminate, rows: Table, count: int) -> tuple[Contamination, Items]:
        """Find the new rows that hold benchmark items."""
        items = read_items(self.engine, self.folder.work, stage)
        column = self.config.columns.text
        found = contamination(
            lambda: self.engine.read(self.splits, pa.schema([self.schema.field(column)]), full=self.schema),
            rows,
            items,
            text=column,
            rows=count,
            common=stage.common,
            engine=self.engine,
        )
        self.contamination_facts = {"action": stage.action, **found.facts}
        return found, items

    def contained(self, stage: Contained, left: Table, ranked: Table, rows: int, old_rows: int) -> Table:
        """Return the rows that lie inside a better-ranked one."""
        column = self.config.columns.text
        plan = sketch_plan(values=8, unit=stage.shingle.unit, shingle=stage.shingle.size, seed=self.config.seed)
        text = pa.schema([self.schema.field(column)])
        samples = self.engine.read(self.splits, text, full=self.schema)
        samples = samples.map(Sampling(column, plan, stage.one_in), SAMPLES).save("samples")
        met = candidates(samples, left, max_anchors=stage.max_anchors, references=old_rows, prefix="contained_")
        evidence = Evidence(column, plan, False, contained=True)
        inputs = {"splits": self.splits, "full": self.schema}
        pairs = measure_pairs(self.engine, met.pairs, ranked, **inputs, evidence=evidence, threshold=stage.threshold)
        return decide_near(pairs.save("contained_pairs"), rows=rows).save("contained_drops")

    def semantic(self, stage: Semantic, left: Table, old_rows: int) -> Alike:
        """Return the pairs of rows that are alike in meaning."""
        found = alike(
            self.engine,
            left,
            stage=stage,
            encoder=self.prepared.encoders[stage.stage],
            read=self.texts_of,
            text=self.config.columns.text,
            work=self.folder.work,
            seed=self.config.seed,
            references=old_rows,
            once=self.config.exact,
        )
        self.semantic_facts = found.facts
        return found

    def balance(self, stage: Balance, left: Table) -> Table:
        """Return the rows that leaves do not keep."""
        found = balanced(
            self.engine,
            left,
            stage=stage,
            encoder=self.prepared.encoders.get(stage.stage),
            read=self.texts_of,
            read_columns=self.columns_of(stage.by),
            text=self.config.columns.text,
            seed=self.config.seed,
        )
        self.selection_facts["balance"] = found.facts
        return found.drops

    def select(self, stage: Select, left: Table, ranked: Table, old: Table | None) -> Selected:
        """Return the rows that stand for all; old ones are there already."""
        found_sources = ranked.aggregate(by=["source"], rows=("count", "row")).collect()
        sources = tuple(sorted(found_sources["source"].to_pylist()))
        selecting = Selecting(
            self.engine,
            stage,
            self.prepared.encoders[stage.stage],
            self.texts_of,
            self.columns_of(stage.by),
            self.config.columns.text,
            self.folder.work,
            self.config.seed,
            self.config.exact,
            sources,
        )
        found = selecting(left, old)
        self.selection_facts["select"] = found.facts
        return found

    def edits(self, kept: Table, contaminated: tuple[Contamination, Items] | None) -> Edits:
        """Find what to cut out of the rows that are kept: paragraphs, then benchmark items."""
        column = self.config.columns.text
        cuts, stage = self.engine.table(EDITS.empty_table()), self.config.paragraphs
        if stage:
            with self.step("paragraphs", self.bytes_to_read):
                cuts = repeated(self.texts_of, kept, text=column, least=stage.min_bytes, rows=stage.rows)
        if contaminated and self.config.cuts_items:
            with self.step("benchmark items", self.bytes_to_read):
                cuts = cuts.union(item_cuts(self.texts_of, kept, cuts, *contaminated, text=column))
        with self.step("cut", self.bytes_to_read):
            return edits(self.texts_of, kept, cuts, text=column)

    @property
    def adds(self) -> bool:
        """Whether this run adds to an index, and has not done so before."""
        return self.joins and self.prepared.adds

    @property
    def mode(self) -> str:
        """What joins the index, if there is one."""
        near = self.config.near
        return near.index.mode if near is not None and near.index is not None else "insert-kept"

    def flagged(self, index: OpenIndex, found: Table, left: Table) -> Table | None:
        """Count the rows whose keys an index without witnesses may hold; return their drops, if they are to go."""
        rows = flagged_rows(index, found, left, self.mode).save("flagged")
        self.flagged_rows = rows.aggregate(by=[], rows=("count", "row")).collect()["rows"][0].as_py()
        near = self.config.near
        drop = near is not None and near.index is not None and near.index.flagged == "drop"
        return rows.map(Nameless("bloom"), STAGED) if drop else None

    def index_facts(self) -> dict[str, Any] | None:
        """Return what the report says of the index."""
        index = self.prepared.index
        if index is None:
            return None
        return {
            "rows": index.rows,
            "batches": len(index.batches),
            "witness": index.witness,
            "flagged_rows": self.flagged_rows,
            "joined": self.header is not None,
        }

    def batch(self, found: Table, entered: Table, drops: Table) -> Batch:
        """Return what this run adds to an index."""
        return Batch(
            run=self.prepared.name,
            entered=entered,
            removed=drops.select("row"),
            bands=found.select("address", "bands"),
            files=self.prepared.corpus.files,
            schema=self.schema,
            text=self.config.columns.text,
            inserts_all=self.mode == "insert-always",
        )

    def count_ranked(self, ranked: Table) -> tuple[int, int]:
        """Return how many rows are ranked, and how many of them were there already."""
        tables = [ranked.select("row", "address")]
        if self.prepared.references:
            tables.append(old_only(tables[0], "address", self.prepared.references << RECORD_BITS))
        counts = [table.aggregate(by=[], rows=("count", "row")).collect()["rows"][0].as_py() for table in tables]
        return counts[0], counts[1] if self.prepared.references else 0

    def first_pass(self) -> Table:
        """Read, check, hash and sketch every record."""
        work = DocumentPass(
            columns=self.config.columns,
            keep=self.config.keep,
            plan=self.prepared.plan,
            banding=self.prepared.banding,
            seed=self.config.seed,
            files=self.prepared.corpus.files,
            filters=self.filters,
            references=self.prepared.references,
            quarantine=self.config.on_error == "quarantine",
        )
        read = self.engine.read(self.splits, self.first_columns, full=self.schema)
        return read.map(work, documents.SCHEMA).save("documents")

    def near(
        self,
        near: Near,
        found: Table,
        recalled: Recalled | None,
        ranked: Table,
        left: Table,
        rows: int,
        old_rows: int,
    ) -> tuple[Table, Table, int]:
        """Return the rows that the near stage drops, the verified pairs, and how many rows the anchors' cap met."""
        with self.step("candidates"):
            bands = found.select("address", "bands")
            if recalled is not None:
                bands = bands.union(recalled.bands)
            candidate = candidates(bands, left, max_anchors=near.max_anchors, references=old_rows)
            met = candidate.pairs
            if recalled is not None:  # what went when it came keeps nothing now
                gone = ranked.select("address", better="row").join(recalled.gone, on=["address"], how="semi")
                met = met.join(gone.select("better"), on=["better"], how="anti").save("compared")
        if near.verify == "none":
            pairs = met.map(unverified, PAIRS).save("pairs")
        else:
            with self.step("verify", self.bytes_to_read):
                if recalled is not None:
                    met = self.reach(near, met, ranked, old_rows)
                evidence = Evidence(self.config.columns.text, self.prepared.plan, near.verify == "sketch")
                inputs = {"splits": self.splits, "full": self.schema, "old": self.old}
                measured = measure_pairs(
                    self.engine, met, ranked, **inputs, evidence=evidence, threshold=near.threshold
                )
                pairs = measured.save("pairs")
        with self.step("decide"):
            return decide_near(pairs, rows=rows).save("near_drops"), pairs, candidate.capped_rows

    def reach(self, near: Near, met: Table, ranked: Table, old_rows: int) -> Table:
        """Find the inputs of old rows that new ones are compared with; return the pairs that can be."""
        index = self.prepared.index
        if index is None or near.index is None:
            return met
        better = old_only(met.select("better"), "better", old_rows).distinct()
        places = better.join(ranked.select("address", better="row"), on=["better"]).map(file_numbers, FILES)
        numbers = sorted(places.distinct().collect()["file"].to_pylist())
        splits, lost = reachable([index.files[number] for number in numbers])
        if lost and near.index.unreachable == "refuse":
            raise unreachable(lost)
        check_text_columns(index, numbers, self.config.columns.text)
        self.old = [
            Recollection([split for split in splits if first <= split.file < after], schema, *bounds_of(first, after))
            for first, after, schema in index.file_ranges
            if any(first <= split.file < after for split in splits)
        ]
        if not lost:
            return met
        files = self.engine.table(pa.table({"file": pa.array([file.ordinal for file in lost], pa.int64())}))
        known = ranked.select("row", "address").map(rows_by_file, ROWS_BY_FILE).join(files, on=["file"], how="semi")
        return met.join(known.select(better="row"), on=["better"], how="anti").save("reached")

    def sets(self, positioned: Table) -> tuple[Sets, int]:
        """Return the shape of the output, and about how many bytes of text its largest file has."""
        measures = positioned.aggregate(
            by=["set"], rows=("count", "position"), bytes=("sum", "bytes"), most=("max", "bytes")
        )
        found = {line["set"]: line for line in measures.collect().to_pylist()}
        names, settings = self.set_names, self.config.shards
        rows, sizes = ([found[i][what] if i in found else 0 for i in range(len(names))] for what in ("rows", "bytes"))
        sets = plan_sets(names, rows, sizes, target_bytes=settings.target_size, group_bytes=settings.group_size)
        largest = max(size // item.layout.files for item, size in zip(sets.sets, sizes, strict=True))
        return sets, largest + max((line["most"] for line in found.values()), default=0)

    def write_shards(self, sets: Sets, places: Table, file_bytes: int) -> list[dict[str, Any]]:
        """Write the shards; return their lines of the manifest, without what they hold of each source."""
        settings = self.config.shards
        writer = ShardWriter(
            str(self.folder.path / DATA),
            sets,
            self.written_columns,
            settings.compression,
            settings.content_defined_chunking,
            self.config.columns.text,
        )
        hold = file_bytes + 2 * settings.group_size  # a file, a group being written
        written = emit(self.engine, places, splits=self.splits, full=self.schema, writer=writer, hold=hold)
        lines = {line["file"]: line for line in written.save("shards").collect().to_pylist()}
        for number in range(sets.files):
            if number not in lines:  # a tail without rows
                lines[number] = writer.write(number, iter([self.written_columns.empty_table()])).to_pylist()[0]
        listed, row = [], 0
        for number in range(sets.files):
            line = lines[number]
            listed.append(
                {**line, "set": sets.of_file(number)[0].name, "first_row": row, "groups": groups_of(line["groups"])}
            )
            row += line["rows"]
        return listed

    def describe(
        self,
        sets: Sets,
        files: dict[str, list[dict[str, Any]]],
        ledger: Ledger,
        allocation: Allocation | None,
    ) -> None:
        """Write the manifest, which equal runs write equally, and the report, which has the times."""
        banding = self.prepared.banding
        settings = self.prepared.settings | {"banding": [banding.bands, banding.rows] if banding else None}
        del settings["inputs"], settings["against"]
        write_manifest(
            self.folder.path,
            corpus=self.prepared.corpus,
            splits=self.splits,
            references=self.prepared.references,
            sets=sets,
            files=files,
            tokenizers=self.prepared.tokenizers,
            ledger=ledger,
            settings=settings,
        )
        self.mixture_facts = write_mixture(self.folder.path, self.config.mixture, allocation, files["data"])
        write_descriptions(self.folder.path)
        self.report(ledger, finished=True)

    def report(self, ledger: Ledger, *, finished: bool) -> None:
        """Write what the run did, as numbers and as a page."""
        corpus, wanted = self.prepared.corpus, self.config.report
        with self.step("report"):
            shown = examples(
                self.engine,
                self.folder.path,
                splits=self.splits,
                files=corpus.files,
                text=self.config.columns.text,
                full=self.schema,
                seed=self.config.seed,
                most=wanted.examples,
                texts=wanted.text,
            )
        report = build_report(
            self.folder.path,
            config=self.config,
            banding=self.prepared.banding,
            version=self.prepared.version,
            ledger=ledger,
            splits=self.splits,
            ignored=corpus.ignored,
            steps=self.steps,
            finished=finished,
            index=self.index_facts(),
            contamination=self.contamination_facts,
            semantic=self.semantic_facts,
            selection=self.selection_facts,
            mixture=self.mixture_facts,
        )
        write_report(self.folder.path, report, shown, title=self.folder.path.name)


def _check_any_column(schema: pa.Schema, files: Sequence[InputFile]) -> None:
    if not schema.names:
        some = ", ".join(file.path for file in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        raise InputError(
            "inputs hold records", value=f"none in {some}", remedy="Check them; JSON Lines has one object a line."
        )


def _check_reserved(schema: pa.Schema) -> None:
    taken = [name for name in (*RESERVED, FILE, POSITION, CUTS) if name in schema.names]
    if taken:
        raise InputError("no column has a reserved name", value=", ".join(taken), remedy="Rename it in the inputs.")
