"""Rows as they arrive: read and sketched, met by what an index knows of them, and ranked."""

from ..connectors.address import RECORD_BITS
from . import documents
from .documents import DocumentPass
from .drops import STAGED
from .engine import Table
from .index.recall import recall
from .preflight import no_records
from .ranked import new_only, old_only, rank
from .running import Running
from .similarity import PAIRS
from .underway import Underway
from .unique_ids import check_ids


def arrivals(running: Running) -> Underway:
    """Return the rows of a run before any stage.

    Raises:
        ArtefactError: a file of the index is damaged.
        BadRowError: a record breaks a rule, and such are refused.
        InputError: two records have one id, and these are to be unique; there are no records at all.
    """
    index, references = running.index, running.prepared.references
    with running.step("read and sketch", readings=1):
        known = found = first_pass(running)
    recalled = None
    if index is not None and index.witness:
        with running.step("ask the index"):
            recalled = recall(running.engine, index, found)
            known = found.union(recalled.documents)
    with running.step("rank"):
        ranked = rank(known, running.config.keep, references=references, recalled=recalled is not None).save("ranked")
        rows, old_rows = _count(ranked, references)
    if not rows and not _rows_of(found):
        raise no_records(running.prepared.read.files)
    new = new_only(ranked, "row", old_rows)
    if running.config.columns.unique:
        check_ids(running.engine, new, running.prepared.corpus.files)
    drops, pairs = (running.engine.table(schema.empty_table()) for schema in (STAGED, PAIRS))
    return Underway(found, recalled, ranked, rows, old_rows, left=ranked, entered=new, drops=drops, pairs=pairs)


def first_pass(running: Running) -> Table:
    """Read, check, hash and sketch every record; return ``documents.SCHEMA``, saved."""
    config, prepared, inputs = running.config, running.prepared, running.inputs
    work = DocumentPass(
        columns=config.columns,
        keep=config.keep,
        plan=prepared.plan,
        banding=prepared.banding,
        seed=config.seed,
        files=prepared.corpus.files,
        filters=inputs.filters,
        references=prepared.references,
        quarantine=config.on_error == "quarantine",
    )
    return inputs.read(inputs.first_columns.names).map(work, documents.SCHEMA).save("documents")


def _count(ranked: Table, references: int) -> tuple[int, int]:
    """Return how many rows are ranked, and how many of them were there already."""
    tables = [ranked.select("row", "address")]
    if references:
        tables.append(old_only(tables[0], "address", references << RECORD_BITS))
    counts = [_rows_of(table) for table in tables]
    return counts[0], counts[1] if references else 0


def _rows_of(table: Table) -> int:
    rows: int = table.aggregate(by=[], rows=("count", "address")).collect()["rows"][0].as_py()
    return rows
