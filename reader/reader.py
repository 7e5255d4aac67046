"""Reading the shards of an output for training, with an order that ranks, workers and restarts do not change."""

import os
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.errors import ConfigError
from .batches import BatchReader, check_columns
from .division import Division, at_least_one
from .files import Files
from .order import Order
from .order import Sequence as RowSequence
from .shard_set import ShardSet, open_sets
from .window import Windows


class ShardReader(BatchReader):
    """Batches of one rank of one or more sets, epoch after epoch.

    An iteration yields ``pyarrow.RecordBatch`` objects of exactly ``batch_size`` rows, for ``epochs`` epochs from the
    present position; the next iteration goes on with the next epoch. Every rank gets the same number of batches.

    Args:
        out: path or URL of the output folder.
        set: name of the set, or names of sets that are read one after another.
        seed: of the order.
        epoch: the first epoch; each has its own order.
        epochs: how many an iteration reads.
        streams: S, a multiple of world_size x workers; default: their product, if row groups divide by it, or where
            there are few; else the first of 1, 2, 4, 6, 12, 24, 48 ... that is. Rows come in the same order at every
            world size only if it is given, as well as ``chunk``, or comes from a state.
        window: row groups that are shuffled together, of each stream.
        chunk: rows that stay together; divides the batch size and the rows of a group. Default: the largest of 8, 4, 2,
            1 that does, so another batch size may be another order.
        rank, world_size: this rank, of how many.
        batch_size: rows of a batch of one rank.
        remainder: what becomes of the rows that do not fill a last global batch. ``drop`` leaves them out
            (``tail_rows``); ``wrap`` adds the first rows of the epoch again; ``pad``, too, and the column
            ``__padding`` tells which these are.
        columns: names of the columns to read; default: all.
        row_numbers: add ``__row``, the position of each row in the output.

    Raises:
        ArtefactError: if there is no manifest of this version, or later, if a file is missing or damaged.
        ConfigError: if there is no such set or column, or numbers do not divide one another.
    """

    def __init__(
        self,
        out: str | os.PathLike[str],
        *,
        set: str | Sequence[str] = "train",
        seed: int = 0,
        epoch: int = 0,
        epochs: int = 1,
        streams: int | None = None,
        window: int = 4,
        chunk: int | None = None,
        rank: int = 0,
        world_size: int = 1,
        batch_size: int,
        remainder: str = "drop",
        columns: Sequence[str] | None = None,
        row_numbers: bool = False,
    ) -> None:
        self.sets = open_sets(os.fspath(out), [set] if isinstance(set, str) else set)
        check_columns(self.sets[0], columns)
        at_least_one("epochs", epochs)
        super().__init__(
            seed=seed,
            streams=streams,
            window=window,
            chunk=chunk,
            rank=rank,
            world_size=world_size,
            batch_size=batch_size,
            remainder=remainder,
            shapes=[shards.shape for shards in self.sets],
        )
        self.columns = columns
        self.row_numbers = row_numbers
        self._first_epoch = self._epoch = epoch
        self._epochs = epochs
        if self.rows and not self.steps:
            raise ConfigError(
                "a set has as many rows as a global batch, or its remainder is not dropped",
                value=f"{self.rows:,} of the {self.world_size} x {self.batch_size} rows wanted",
                remedy="Take a smaller batch, or remainder='pad' or 'wrap'.",
            )

    @property
    def rows(self) -> int:
        """Rows of an epoch: of all sets."""
        return sum(shards.rows for shards in self.sets)

    @property
    def identity(self) -> list[list[str]]:
        """Name and fingerprint of each set."""
        return [[shards.name, shards.fingerprint] for shards in self.sets]

    @property
    def memory_bytes(self) -> int:
        """What one process holds at most, about, by the manifest: windows of its streams, and one being permuted."""
        return max(memory_bytes(shards, self.division, self.window) for shards in self.sets)

    @property
    def tail_rows(self) -> NDArray[np.int64]:
        """Positions in the output of the rows that the present epoch leaves out: none, unless ``drop`` does."""
        left = (self.rows - self._row) % self.global_batch if self.remainder == "drop" else 0
        sequence = self._sequence()
        found = [np.empty(0, np.int64)]
        for piece in sequence.pieces(self.rows - left, self.rows):
            order = self._order(piece.of, self._epoch)
            part, start = order.place(piece.chunk)
            numbers = order.permutation(part)[1][start + piece.start :][: piece.rows]
            found.append(numbers + self.sets[piece.of].first_row)
        return np.concatenate(found)

    def last_epoch(self) -> int:
        """Return the epoch after the last one that an iteration begun now reads."""
        done = (self._epoch - self._first_epoch) // self._epochs
        return self._first_epoch + (done + 1) * self._epochs

    def cursor(self) -> "ShardCursor":
        """Return what makes chunks, for one process."""
        return ShardCursor(self)

    def _sequence(self) -> RowSequence:
        return RowSequence(tuple(shards.rows for shards in self.sets), self.chunk)

    def _order(self, of: int, epoch: int) -> Order:
        return Order(self.sets[of].shape, self.seed, epoch, self.streams, self.window, self.chunk)


class ShardCursor:
    """Makes the chunks of a reader, in one process.

    Args:
        reader: whose chunks they are; what it is now counts.
    """

    def __init__(self, reader: ShardReader) -> None:
        self.windows = Windows(row_numbers=reader.row_numbers)
        self._division = reader.division
        self._sequence = reader._sequence()
        self._files = [Files(shards, reader.columns) for shards in reader.sets]
        self._order_of = reader._order
        self._orders: dict[tuple[int, int], Order] = {}

    def chunk(self, epoch: int, number: int, found: list[pa.RecordBatch]) -> None:
        """Add the rows of a global chunk, in pieces; beyond the last come the first again."""
        size = self._sequence.chunk
        for piece in self._sequence.pieces(number * size, (number + 1) * size):
            order = self._order(piece.of, epoch)
            slot = self._division.slot(number) if piece.chunk < order.stream_chunks else "pool"
            self.windows.add_rows(slot, self._files[piece.of], order, piece, found)

    def close(self) -> None:
        """Let go of memory and files."""
        self.windows.close()
        for files in self._files:
            files.close()

    def _order(self, of: int, epoch: int) -> Order:
        if (of, epoch) not in self._orders:
            self._orders = {key: order for key, order in self._orders.items() if key[1] == epoch}
            self._orders[of, epoch] = self._order_of(of, epoch)
        return self._orders[of, epoch]


def memory_bytes(shards: ShardSet, division: Division, window: int) -> int:
    """Return what one process holds of a set at most, about: its windows, a group of the pool, one being permuted."""
    groups = min(window, shards.shape.groups // division.streams)
    return (division.streams // division.readers * groups + max(1, groups) + 1) * shards.group_bytes
