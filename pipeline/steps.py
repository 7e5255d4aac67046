"""The two ways through a run: all of it, or all but the shards."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace

from ..connectors.index_store import Header
from .config import save_config
from .describing import describe, report
from .ledger import Ledger
from .outputs import count, write_tables
from .running import Running
from .shard_files import shape_of, write_shards
from .shards import contents
from .sifting import sift


@dataclass(frozen=True)
class Done:
    """What a run leaves to be done when its output is written.

    Attributes:
        ledger: of all rows.
        header: of the index with the rows of this run, to be committed; None if it does not add to one.
    """

    ledger: Ledger
    header: Header | None


def all_steps(running: Running) -> Done:
    """Write everything.

    Raises:
        LedgerError, LossAlarm: rows were lost, or nearly all of a source.
        Reached: the run was to stop before.
    """
    config, folder = running.config, running.folder.path
    save_config(config, folder / "config.yaml")
    sifted = sift(running)
    outcome = sifted.outcome
    with running.step("annotate") if config.annotate else nullcontext():
        places = outcome.places()
    shape = shape_of(running, outcome.placed)
    with ThreadPoolExecutor(2) as beside:  # what the shards do not need is written and counted while they are
        tables, counts = beside.submit(write_tables, outcome, folder), beside.submit(count, outcome)
        with running.step("write shards", readings=1):
            shards = write_shards(running, shape, places)
        with running.step("write decisions"):
            files = {"data": shards, **tables.result()}
    with running.step("balance the ledger"):
        ledger = replace(counts.result(), emitted_rows=sum(line["rows"] for line in shards))
        ledger.check(rows_read=running.inputs.records)
        listed = contents(outcome.placed.positioned, shape.sets, outcome.counts)
        files["data"] = [{**line, "sources": listed[line["file"]]} for line in shards]
    describe(running, sifted, shape.sets, files, ledger)
    ledger.raise_alarm(config.alarm, allowed=config.allow_loss)
    return Done(ledger, sifted.header)


def rehearse(running: Running) -> Done:
    """Find out what a run would do, and write down all but the shards.

    Raises:
        LedgerError, LossAlarm: rows were lost, or nearly all of a source.
        Reached: the run was to stop before.
    """
    config, folder = running.config, running.folder.path
    save_config(config, folder / "config.yaml")
    sifted = sift(running)
    with running.step("write decisions"):
        write_tables(sifted.outcome, folder)
    with running.step("balance the ledger"):
        ledger = count(sifted.outcome)
        ledger.check(rows_read=running.inputs.records, emitted=False)
    report(running, sifted, ledger, dry=True)
    ledger.raise_alarm(config.alarm, allowed=config.allow_loss)
    return Done(ledger, sifted.header)
