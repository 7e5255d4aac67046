"""The rows that there are to write get their keys, their counts of tokens, their sets and their places."""

from contextlib import nullcontext
from dataclasses import dataclass

from .allocation import Allocation, allocate
from .edits import CUTS, EDITED, Replacing
from .emission import KEYED, OrderKey, available, draw, once, place, set_names
from .engine import Table
from .layout import SetName
from .ranked import COLUMNS, failed_rows
from .running import Running
from .token_counts import with_counts
from .underway import Underway
from .unsampled import unsampled


@dataclass(frozen=True)
class Placed:
    """The rows of an output.

    Attributes:
        kept: rows that there are to write (``emission.KEYED`` and counts of tokens).
        positioned: rows that are written, each time with its epoch, and their place in the output; saved.
        unsampled: kept rows that are not written; None where every kept row is written, and once.
        allocation: how much a mixture takes of each source.
        sets: what positions run through, in this order.
    """

    kept: Table
    positioned: Table
    unsampled: Table | None
    allocation: Allocation | None
    sets: tuple[SetName, ...]


def placed(running: Running, rows: Underway) -> Placed:
    """Return the rows that are written, in their places.

    Args:
        running: the run.
        rows: after all stages; their drops are saved.

    Raises:
        ConfigError: a mixture does not fit the sources.
    """
    config = running.config
    with running.step("count tokens", readings=1) if config.tokenizers else nullcontext():
        kept = _counted(running, rows, _keyed(running, rows, _written(running, rows)))
    with running.step("place"):
        sets = set_names(config.shards.splitting(config.seed), config.mixture)
        allocation, chosen = _chosen(running, kept)
        positioned = place(chosen, sets).save("positioned")
    left_out = None if _all_once(running) else unsampled(kept, positioned, rows.ranked)
    return Placed(kept, positioned, left_out, allocation, sets)


def _all_once(running: Running) -> bool:
    """Whether every kept row is written, and once."""
    return running.config.mixture is None and running.config.shards.sample >= 1


def _written(running: Running, rows: Underway) -> Table:
    """Return the rows that no stage took; with ``annotate``, those that one took or a filter dropped, too."""
    new = rows.new(rows.ranked)
    if not running.config.annotate:
        return rows.staying(new)
    if running.inputs.filters.conditions:
        return new.select(*COLUMNS).union(failed_rows(rows.documents))
    return new


def _keyed(running: Running, rows: Underway, written: Table) -> Table:
    """Return rows with their keys, their sets and the facts of what is left of them."""
    config = running.config
    splitting = config.shards.splitting(config.seed)
    kept = written.map(OrderKey(config.seed, config.shards.epoch, config.columns.id is not None, splitting), KEYED)
    if rows.edited is None:
        return kept
    edited = rows.edited.edited.join(rows.ranked.select("row", "address"), on=["row"])
    facts = edited.select("address", *EDITED.names[1:])  # places and sets are those of texts as they came
    return kept.join(facts, on=["address"], how="left").map(Replacing(KEYED), KEYED)


def _counted(running: Running, rows: Underway, kept: Table) -> Table:
    """Return keyed rows with their tokens by each declared tokenizer; saved where they are asked for twice."""
    tokenizers = tuple(item.tokenizer for item in running.config.tokenizers)
    if tokenizers:
        cuts = None
        if rows.edited is not None:
            cuts = rows.edited.packed.join(rows.ranked.select("row", "address"), on=["row"]).select("address", CUTS)
        inputs = running.inputs
        kept = with_counts(inputs.texts, kept.save("keyed"), cuts, text=inputs.text, tokenizers=tokenizers)
    return kept if _all_once(running) else kept.save("kept")


def _chosen(running: Running, kept: Table) -> tuple[Allocation | None, Table]:
    """Return how much is taken of each source, and the rows to write, as often as they are."""
    mixture, epoch, seed = running.config.mixture, running.config.shards.epoch, running.config.seed
    if mixture is None:
        return None, once(kept, epoch)
    allocation = allocate(mixture, available(kept, mixture, seed=seed))
    return allocation, draw(kept, mixture, allocation, seed=seed, epoch=epoch)
