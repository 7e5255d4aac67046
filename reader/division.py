"""Who reads what: global chunks divided among ranks and the workers of each, without a word between them."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..hashing.errors import ConfigError


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
                value=f"{self.streams} streams for {self.world_size} x {self.workers}",
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


def default_streams(readers: int) -> int:
    """Return the first of 1, 2, 4, 6, 12, 24, 48 ... that is a multiple of a number; the number itself if none is.

    >>> [default_streams(readers) for readers in (1, 2, 3, 5, 8)]
    [1, 2, 6, 5, 24]
    """
    return next((streams for streams in _candidates() if streams % readers == 0), readers)


def _candidates() -> Iterator[int]:
    yield from (1, 2, 4)
    yield from (6 << i for i in range(40))
