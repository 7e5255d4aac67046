"""What all readers are: batches of one rank, a position that is saved and found again, steps that all ranks share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from ..hashing.errors import ArtefactError, ConfigError
from .division import Division, at_least_one, check_chunk, default_chunk, default_streams
from .order import FORMAT, Shape
from .shard_set import ShardSet

PADDING = "__padding"
"""Column that says which rows are there only to fill the last batch."""

REMAINDERS = ("drop", "pad", "wrap")

NUMBERS = ("seed", "epoch", "rows", "streams", "window", "chunk")
"""What a state holds beside its shards."""

ENDLESS = 2**62
"""Rows of a sequence that has no end."""


class Cursor(Protocol):
    """Makes chunks, in one process; slices of one after another are cheap, jumps are not."""

    def chunk(self, epoch: int, number: int, found: list[pa.RecordBatch]) -> None:
        """Add the rows of a global chunk to those found before, in pieces."""

    def close(self) -> None:
        """Let go of memory and files."""


@dataclass(frozen=True)
class Stretch:
    """Steps that follow one another in one epoch.

    Attributes:
        epoch: which.
        start: position of its first row.
        steps: how many.
    """

    epoch: int
    start: int
    steps: int


class BatchReader(ABC):
    """Batches of one rank, of a sequence of rows that is the same for every number of ranks and workers.

    Args:
        seed: of the order.
        streams: S; default: what ranks and workers need.
        window: W.
        chunk: c; default: the largest of 1, 2, 4, 8 that divides the batch size and the rows of groups.
        rank, world_size: this rank, of how many.
        batch_size: rows of a batch of one rank.
        remainder: what becomes of the rows that do not fill a last global batch: ``drop``, ``pad`` or ``wrap``.
        shapes: of the sets.
    """

    def __init__(
        self,
        *,
        seed: int,
        streams: int | None,
        window: int,
        chunk: int | None,
        rank: int,
        world_size: int,
        batch_size: int,
        remainder: str,
        shapes: Sequence[Shape],
    ) -> None:
        for name, value in (("window", window), ("world_size", world_size), ("batch_size", batch_size)):
            at_least_one(name, value)
        if remainder not in REMAINDERS:
            raise ConfigError(
                "a remainder is one of " + ", ".join(REMAINDERS), value=remainder, remedy="Name one of them."
            )
        if seed < 0:
            raise ConfigError("a seed is not negative", value=seed, remedy="Name another.")
        self.seed = seed
        self.window = window
        sizes = [shape.group_rows for shape in shapes]
        self.chunk = default_chunk(batch_size, sizes) if chunk is None else chunk
        self.rank = rank
        self.world_size = world_size
        self.batch_size = batch_size
        self.remainder = remainder
        self._shapes = tuple(shapes)
        self._streams = streams
        self._workers = 1
        self._epoch = 0
        self._row = 0
        self._begun = False
        check_chunk(self.chunk, sizes)
        _ = self.division

    @property
    @abstractmethod
    def rows(self) -> int:
        """Rows of an epoch."""

    @property
    @abstractmethod
    def identity(self) -> Any:
        """What says that shards are the same, as JSON."""

    @property
    @abstractmethod
    def memory_bytes(self) -> int:
        """What one process holds at most, about, by the manifest: windows of its streams, and one being permuted."""

    @abstractmethod
    def cursor(self) -> Cursor:
        """Return what makes chunks, for one process: with its own files and windows."""

    @abstractmethod
    def last_epoch(self) -> int:
        """Return the epoch after the last one that an iteration begun now reads."""

    @property
    def streams(self) -> int:
        """S."""
        return self._default_streams(self._workers) if self._streams is None else self._streams

    @property
    def workers(self) -> int:
        """Processes of each rank that read."""
        return self._workers

    @property
    def epoch(self) -> int:
        """The epoch of the next batch."""
        return self._epoch

    @property
    def division(self) -> Division:
        """Who reads what."""
        return Division(self.streams, self.chunk, self.rank, self.world_size, self._workers, self.batch_size)

    @property
    def global_batch(self) -> int:
        """Rows of a batch of all ranks."""
        return self.world_size * self.batch_size

    @property
    def steps(self) -> int:
        """Batches of a whole epoch, on every rank."""
        return self._steps_from(0)

    def __len__(self) -> int:
        """Return how many batches an iteration begun now gives."""
        return sum(stretch.steps for stretch in self.stretches())

    def use_workers(self, workers: int) -> None:
        """Have so many processes read; the default of ``streams`` follows unless the reader is under way."""
        at_least_one("workers", workers)
        fixed = self.streams if self._begun else self._streams
        streams = self._default_streams(workers) if fixed is None else fixed
        Division(streams, self.chunk, self.rank, self.world_size, workers, self.batch_size)
        self._streams, self._workers = fixed, workers

    def stretches(self) -> Iterator[Stretch]:
        """Yield what an iteration begun now reads."""
        row = self._row
        for epoch in range(self._epoch, self.last_epoch()):
            yield Stretch(epoch, row, self._steps_from(row))
            row = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches from the present position on; the next iteration goes on with the next epoch."""
        division, end = self.division, self.last_epoch()
        with closing(self.cursor()) as cursor:
            for stretch in self.stretches():
                for step in range(stretch.steps):
                    start = stretch.start + step * division.global_batch
                    chunks = division.chunks(start, start + division.global_batch)
                    batch = self.finished(gathered(cursor, stretch.epoch, chunks), start)
                    self.move(stretch.epoch, start + division.global_batch)
                    yield batch
        self.move(end, 0)

    def finished(self, batch: pa.RecordBatch, start: int) -> pa.RecordBatch:
        """Return this rank's batch of the rows from a position on, with the column that tells padding."""
        if self.remainder != "pad":
            return batch
        chunks = np.array(self.division.chunks(start, start + self.global_batch))
        positions = (chunks[:, None] * self.chunk + np.arange(self.chunk)).reshape(-1)
        return batch.append_column(pa.field(PADDING, pa.bool_()), pa.array(positions >= self.rows))

    def move(self, epoch: int, row: int) -> None:
        """Note what was handed out: all rows of an epoch up to a position."""
        self._epoch, self._row, self._begun = epoch, min(row, self.rows), True

    def state_dict(self) -> dict[str, Any]:
        """Return where this reader is, as JSON: after the batches that were handed out, the same on every rank."""
        return {
            "format": FORMAT,
            "shards": self.identity,
            "seed": self.seed,
            "epoch": self._epoch,
            "rows": self._row,
            "streams": self.streams,
            "window": self.window,
            "chunk": self.chunk,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a reader was: its seed, streams, window and chunk become those of this one.

        The world size, the workers and the batch size may be others.

        Raises:
            ArtefactError: if it is no such state, or of other shards.
            ConfigError: if these ranks, workers and batches do not divide its streams and chunks.
        """
        missing = [name for name in NUMBERS if not isinstance(state.get(name), int)]
        if missing or state.get("format") != FORMAT:
            raise ArtefactError(
                f"a reader's state is of format {FORMAT}, whole",
                value=f"format {state.get('format')!r} without {missing}",
                remedy="Load what state_dict() returned, with the version of Tamis that did.",
            )
        if state.get("shards") != self.identity:
            raise ArtefactError(
                "a reader's state is of the shards that are read",
                value=f"a state of {state.get('shards')} for {self.identity}",
                remedy="Read the shards of the state, or begin anew.",
            )
        found = {name: state[name] for name in NUMBERS}
        at_least_one("window", found["window"])
        Division(found["streams"], found["chunk"], self.rank, self.world_size, self._workers, self.batch_size)
        check_chunk(found["chunk"], [shape.group_rows for shape in self._shapes])
        rows = found["rows"]
        if not 0 <= rows <= self.rows or (rows % found["chunk"] and rows != self.rows):
            raise ArtefactError(
                "a reader's position is at the start of a chunk",
                value=f"row {rows} of {self.rows}, chunks of {found['chunk']}",
                remedy="Load what state_dict() returned.",
            )
        self.seed, self._streams, self.window = found["seed"], found["streams"], found["window"]
        self.chunk, self._epoch, self._row = found["chunk"], found["epoch"], found["rows"]

    def _default_streams(self, workers: int) -> int:
        return default_streams(self.world_size * workers, [shape.groups for shape in self._shapes])

    def _steps_from(self, row: int) -> int:
        left = self.rows - row
        return left // self.global_batch if self.remainder == "drop" else -(-left // self.global_batch)


def gathered(cursor: Cursor, epoch: int, chunks: range) -> pa.RecordBatch:
    """Return the rows of some global chunks, copied."""
    found: list[pa.RecordBatch] = []
    for chunk in chunks:
        cursor.chunk(epoch, chunk, found)
    return pa.concat_batches(found)


def check_columns(shards: ShardSet, columns: Sequence[str] | None) -> None:
    """Refuse columns that shards do not have, or none."""
    if columns is not None and (isinstance(columns, str) or not columns):
        raise ConfigError("columns are a list of names", value=repr(columns), remedy="Write columns=['text'].")
    names = [name for name, _ in shards.schema]
    for name in columns or ():
        if name not in names:
            raise ConfigError("a column is one of the shards", value=name, remedy=f"They have {', '.join(names)}.")
