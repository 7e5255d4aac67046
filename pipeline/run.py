"""The plan of a run: which tables follow from which.

    inputs -> documents -> ranked -> exact drops -> bands -> candidates -> tiles -> pairs -> near drops
    kept rows -> positioned -> shards;  decisions, pairs, clusters, quarantine, index;  ledger -> _SUCCESS

Every saved table is a unit of resume: a run that was killed takes up the tables that were finished.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..connectors.batches import RESERVED
from ..connectors.corpus import Corpus, InputSpec, open_corpus, plan_splits
from ..hashing.errors import EngineError, InputError
from ..hashing.first_run import compile_kernels, must_compile
from ..hashing.lsh import Banding
from ..hashing.sketch import SKETCH_VERSION, SketchPlan, sketch_plan
from . import documents
from .candidates import candidates
from .config import Near, Pipeline, save_config
from .documents import DocumentPass, check_columns
from .drops import STAGED, Staged
from .engine import Engine, Progress, Table
from .exact import exact
from .layout import Layout, plan_layout
from .ledger import Ledger
from .manifest import write_manifest
from .near import banding_of, decide_near, unverified
from .outputs import Outcome, count, write_tables
from .ranked import rank
from .shards import FILE, POSITION, OrderKey, ShardWriter, emit, position_rows
from .similarity import PAIRS, Evidence, measure_pairs
from .state import OutputFolder, check_place, write_atomically
from .survey import survey

FORMAT_VERSION = 1
"""Version of the output folder; enters the fingerprint of a run with the package's own."""

SPLIT_BYTES = 16 << 20

EngineFactory = Callable[[Path], Engine]


@dataclass(frozen=True)
class Prepared:
    """A run that is known to make sense, before any work.

    Attributes:
        config: as given.
        corpus: the files.
        banding: bands of the near stage, or None.
        version: of the package.
    """

    config: Pipeline
    corpus: Corpus
    banding: Banding | None
    version: str

    @property
    def fingerprint(self) -> str:
        """What the output depends on: settings, inputs, versions."""
        sources = [file.source for file in self.corpus.files]  # named after places, unless the configuration does
        versions = [self.version, FORMAT_VERSION, SKETCH_VERSION]
        facts = [self.config.decisive(), sources, self.corpus.fingerprint, versions]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @property
    def plan(self) -> SketchPlan:
        """How texts are sketched; without a near stage they are only counted and hashed."""
        near = self.config.near or Near()
        return sketch_plan(
            near.sketch,
            values=near.values,
            bits=near.bits,
            unit=near.shingle.unit,
            shingle=near.shingle.size,
            seed=self.config.seed,
        )


def prepare(config: Pipeline, *, version: str) -> Prepared:
    """List the inputs and solve for the bands.

    Raises:
        ConfigError, InputError: before any work is done.
    """
    specs = [InputSpec(i.path, i.format, i.source, i.include, i.exclude) for i in config.inputs]
    check_place(config.out, [spec.path for spec in specs])
    return Prepared(config, open_corpus(specs), banding_of(config.near) if config.near else None, version)


def run(prepared: Prepared, make_engine: EngineFactory, progress: Progress) -> Path:
    """Run a pipeline to its ``_SUCCESS``, or find it finished; return the output folder.

    Raises:
        TamisError: one of its kinds; the folder then has no ``_SUCCESS`` and the run can be resumed.
    """
    folder = OutputFolder(Path(prepared.config.out).expanduser(), prepared.fingerprint)
    if folder.finished:
        return folder.path
    with folder.claim():
        engine = make_engine(folder.work)
        try:
            _Run(prepared, engine, folder, progress).all_steps()
        except OSError as error:
            raise EngineError(
                "inputs can be read and the output written",
                value=error,
                remedy="Mend that, then run again: work is kept.",
            ) from error
        finally:
            engine.close()
        folder.finish()
    return folder.path


class _Run:
    """A run under way: its inputs, and how long each step took."""

    def __init__(self, prepared: Prepared, engine: Engine, folder: OutputFolder, progress: Progress) -> None:
        self.prepared, self.engine, self.folder, self.progress = prepared, engine, folder, progress
        self.config = prepared.config
        self.seconds: dict[str, float] = {}
        with self.step("list inputs"):
            files = prepared.corpus.files
            self.splits = [split for file in files for split in plan_splits(file, split_bytes=SPLIT_BYTES)]
            self.schema = survey(engine, self.splits, folder.work / "schema.json")
            self.first_columns = check_columns(self.schema, self.config.columns, self.config.keep)
            _check_reserved(self.schema)
        if must_compile():
            with self.step("compile (once a machine)"):
                compile_kernels(prepared.plan)
        self.bytes_to_read = sum(split.size_bytes for split in self.splits)

    @contextmanager
    def step(self, name: str, total_bytes: int | None = None) -> Iterator[None]:
        """Time a step and show it."""
        self.progress.start(name, total_bytes=total_bytes)
        start = time.monotonic()
        try:
            yield
        finally:
            self.progress.finish()
        self.seconds[name] = round(time.monotonic() - start, 3)

    def all_steps(self) -> None:
        """Go through the plan."""
        save_config(self.config, self.folder.path / "config.yaml")
        outcome = self.outcome()
        with ThreadPoolExecutor(2) as beside:  # what the shards do not need is written and counted while they are
            tables, counts = beside.submit(write_tables, outcome, self.folder.path), beside.submit(count, outcome)
            with self.step("write shards", self.bytes_to_read):
                layout, shards = self.write_shards(outcome.positioned)
            with self.step("write decisions"):
                files = {"data": shards, **tables.result()}
        with self.step("balance"):
            ledger = replace(counts.result(), emitted_rows=sum(line["rows"] for line in shards))
            known = all(split.records is not None for split in self.splits)
            ledger.check(rows_read=sum(split.records or 0 for split in self.splits) if known else None)
        self.describe(layout, files, ledger)
        ledger.raise_alarm(self.config.alarm, allowed=self.config.allow_loss)

    def outcome(self) -> Outcome:
        """Find out which rows stay and where they go."""
        with self.step("read and sketch", self.bytes_to_read):
            found = self.first_pass()
        with self.step("rank"):
            ranked = rank(found, self.config.keep).save("ranked")
            rows = ranked.aggregate(by=[], rows=("count", "row")).collect()["rows"][0].as_py()
        drops, left = self.engine.table(STAGED.empty_table()), ranked
        if self.config.exact:
            with self.step("exact"):
                copies = exact(ranked).save("exact_drops")
                left = ranked.join(copies.select("row"), on=["row"], how="anti")
            drops = drops.union(copies.map(Staged("exact"), STAGED))
        pairs, capped = self.engine.table(PAIRS.empty_table()), 0
        if self.config.near:
            near_drops, pairs, capped = self.near(self.config.near, found, ranked, left, rows)
            drops = drops.union(near_drops.map(Staged("near"), STAGED))
        with self.step("order"):
            drops = drops.save("drops")
            key = OrderKey(self.config.seed, self.config.shards.epoch, self.config.columns.id is not None)
            kept = ranked.join(drops.select("row"), on=["row"], how="anti")
            positioned = position_rows(kept, key).save("positioned")
        return Outcome(found, ranked, rows, drops, pairs, positioned, capped)

    def first_pass(self) -> Table:
        """Read, check, hash and sketch every record."""
        files = self.prepared.corpus.files
        work = DocumentPass(
            columns=self.config.columns,
            keep=self.config.keep,
            plan=self.prepared.plan,
            banding=self.prepared.banding,
            seed=self.config.seed,
            files=tuple(file.path for file in files),
            sources=tuple(file.source for file in files),
            quarantine=self.config.on_error == "quarantine",
        )
        read = self.engine.read(self.splits, self.first_columns, full=self.schema)
        return read.map(work, documents.SCHEMA).save("documents")

    def near(self, near: Near, found: Table, ranked: Table, left: Table, rows: int) -> tuple[Table, Table, int]:
        """Return the rows that the near stage drops, the verified pairs, and how many rows the anchors' cap met."""
        with self.step("candidates"):
            candidate = candidates(found.select("address", "bands"), left, max_anchors=near.max_anchors)
        if near.verify == "none":
            pairs = candidate.pairs.map(unverified, PAIRS).save("pairs")
        else:
            with self.step("verify", self.bytes_to_read):
                evidence = Evidence(self.config.columns.text, self.prepared.plan, near.verify == "sketch")
                inputs = {"splits": self.splits, "full": self.schema}
                measured = measure_pairs(
                    self.engine, candidate.pairs, ranked, **inputs, evidence=evidence, threshold=near.threshold
                )
                pairs = measured.save("pairs")
        with self.step("decide"):
            return decide_near(pairs, rows=rows).save("near_drops"), pairs, candidate.capped_rows

    def write_shards(self, positioned: Table) -> tuple[Layout, list[dict[str, Any]]]:
        """Write the shards; return their layout and their files."""
        measures = positioned.aggregate(
            by=[], rows=("count", "position"), bytes=("sum", "bytes"), most=("max", "bytes")
        )
        total = measures.collect().to_pylist()[0]
        settings = self.config.shards
        sizes = {"target_bytes": settings.target_size, "group_bytes": settings.group_size}
        layout = plan_layout(total["rows"], total["bytes"], **sizes)
        writer = ShardWriter(str(self.folder.path / "data"), layout, self.schema, settings.compression)
        hold = total["bytes"] // layout.files + total["most"] + 2 * settings.group_size  # a file, a group being written
        written = emit(self.engine, positioned, splits=self.splits, full=self.schema, writer=writer, hold=hold)
        lines = written.save("shards").collect().to_pylist()
        if not any(line["file"] == layout.files for line in lines):
            lines += writer.write(layout.files, iter([self.schema.empty_table()])).to_pylist()
        return layout, sorted(lines, key=lambda line: int(line["file"]))

    def describe(self, layout: Layout, files: dict[str, list[dict[str, Any]]], ledger: Ledger) -> None:
        """Write the manifest, which equal runs write equally, and the report, which has the times."""
        banding = self.prepared.banding
        settings = self.config.decisive() | {"banding": [banding.bands, banding.rows] if banding else None}
        del settings["inputs"]
        write_manifest(
            self.folder.path,
            corpus=self.prepared.corpus,
            splits=self.splits,
            layout=layout,
            files=files,
            schema=self.schema,
            ledger=ledger,
            settings=settings,
        )
        report = {
            "version": self.prepared.version,
            "seconds": self.seconds,
            "ignored_inputs": list(self.prepared.corpus.ignored),
            "ledger": ledger.as_dict(),
        }
        write_atomically(self.folder.path / "report.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def _check_reserved(schema: pa.Schema) -> None:
    taken = [name for name in (*RESERVED, FILE, POSITION) if name in schema.names]
    if taken:
        raise InputError("no column has a reserved name", value=", ".join(taken), remedy="Rename it in the inputs.")
