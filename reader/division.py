"""Who reads what: global chunks divided among ranks and the workers of each, without a word between them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..hashing.errors import ConfigError

ROUNDS = 4
"""Groups of each stream that the default number of streams leaves at least, if it can."""


@dataclass(frozen=True)
class Division:
    """Ranks, workers and batches over a sequence of chunks.

    Attributes:
        streams: S.
        chunk: c, rows of a chunk.
        rank: which of the ranks this is.
        world_size: w, ranks.
        workers: k, processes of each rank that read.
        batch_size: b, rows of a batch of one rank.

    Raises:
        ConfigError: if it cannot be: w * k divides S, and c divides b.
    """

    streams: int
    chunk: int
    rank: int
    world_size: int
    workers: int
    batch_size: int

    def __post_init__(self) -> None:
        for name in ("streams", "chunk", "world_size", "workers", "batch_size"):
            at_least_one(name, getattr(self, name))
        if not 0 <= self.rank < self.world_size:
            raise ConfigError(
                "a rank is one of 0 ... world_size - 1",
                value=f"rank {self.rank} of {self.world_size}",
                remedy="Count ranks from 0.",
            )
        if self.streams % self.readers:
            raise ConfigError(
                "the number of streams is a multiple of world_size x workers",
                value=f"{self.streams} for {self.world_size} x {self.workers}",
                remedy="Take other workers, or other streams (another order) for a new run.",
            )
        if self.batch_size % self.chunk:
            raise ConfigError(
                "the rows of a chunk divide the batch size",
                value=f"chunks of {self.chunk} rows, batches of {self.batch_size}",
                remedy="Take a batch size that is a multiple, or other chunks (another order) for a new run.",
            )

    @property
    def readers(self) -> int:
        """Processes that read, of all ranks."""
        return self.world_size * self.workers

    @property
    def global_batch(self) -> int:
        """B, rows of a batch of all ranks."""
        return self.world_size * self.batch_size

    def chunks(self, start: int, stop: int) -> range:
        """Return this rank's chunks among those of the rows from one position to another."""
        first, last = start // self.chunk, stop // self.chunk
        return range(first + (self.rank - first) % self.world_size, last, self.world_size)

    def worker(self, chunk: int) -> int:
        """Return which worker of its rank makes a chunk."""
        return chunk // self.world_size % self.workers

    def slot(self, chunk: int) -> int:
        """Return which of the windows of its worker a chunk comes from."""
        return chunk // self.readers % (self.streams // self.readers)


def at_least_one(name: str, value: int) -> None:
    """Refuse a number below 1."""
    if value < 1:
        raise ConfigError(f"{name} is at least 1", value=value, remedy="Name a positive number.")


def default_chunk(batch_size: int, sizes: Sequence[int]) -> int:
    """Return the largest of 1, 2, 4, 8 that divides a batch size and the rows of the groups of each set.

    >>> [default_chunk(12, [1024]), default_chunk(32, [1024, 4])]
    [4, 4]
    """
    return math.gcd(8, batch_size, *sizes)


def check_chunk(chunk: int, sizes: Sequence[int]) -> None:
    """Refuse a chunk that does not divide the rows of the groups of each set."""
    at_least_one("chunk", chunk)
    for size in sizes:
        if size % chunk:
            raise ConfigError(
                "the rows of a chunk divide those of a row group",
                value=f"chunks of {chunk} rows, groups of {size}",
                remedy=f"Take a chunk that does, as {math.gcd(chunk, *sizes)}.",
            )


def default_streams(readers: int, groups: Sequence[int]) -> int:
    """Return as many streams as there are readers, if row groups divide by them and nothing is left for the pool.

    Else it is the first of 1, 2, 4, 6, 12, 24, 48 ... that is a multiple of the readers; and their number after all
    where none is, or a set has fewer than ``ROUNDS`` groups for each of these streams: too many would be left for the
    pool.

    Args:
        readers: processes that read, of all ranks.
        groups: row groups of each set.

    >>> [default_streams(readers, [1000]) for readers in (1, 2, 3, 5, 8, 16)]
    [1, 2, 6, 5, 8, 48]
    >>> [default_streams(readers, [100]) for readers in (8, 16)]
    [24, 16]
    """
    if all(number % readers == 0 for number in groups):
        return readers
    found = next((streams for streams in _candidates() if streams % readers == 0), readers)
    return found if found * ROUNDS <= min(groups) else readers


def _candidates() -> Iterator[int]:
    yield from (1, 2, 4)
    yield from (6 << i for i in range(40))
