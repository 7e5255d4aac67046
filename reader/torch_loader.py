"""Reading in several processes, with torch's DataLoader."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import pyarrow as pa

from ..hashing.errors import ConfigError, EngineError, TamisError
from .batches import BatchReader, Cursor, Stretch, gathered
from .division import Division

MESSAGE_ROWS = 256
"""Rows that a worker sends at once, or a chunk if that has more."""

Transform = Callable[[pa.RecordBatch], pa.RecordBatch]


class Loader:
    """The batches of a reader, made by worker processes: the same batches whatever their number.

    Its state is the reader's, and counts batches that were handed out, not those that workers made ahead.

    Args:
        reader: a ``ShardReader`` or ``MixedReader``; its position moves as this is iterated.
        workers: processes that read; 0: this one does.
        transform: see ``loader``.
        multiprocessing_context: how processes start, as ``"spawn"``; default: torch's.
    """

    def __init__(
        self,
        reader: BatchReader,
        *,
        workers: int,
        transform: Transform | None,
        multiprocessing_context: Any,
    ) -> None:
        if workers < 0:
            raise ConfigError("workers are not negative", value=workers, remedy="Name 0 to read in this process.")
        reader.use_workers(max(1, workers))
        self.reader = reader
        self.workers = workers
        self.transform = transform
        self.multiprocessing_context = multiprocessing_context

    @property
    def memory_bytes(self) -> int:
        """What each worker holds at most, about."""
        return self.reader.memory_bytes

    def __len__(self) -> int:
        """Return how many batches an iteration begun now gives."""
        return len(self.reader)

    def state_dict(self) -> dict[str, Any]:
        """Return where the reader is, after the batches that were handed out."""
        return self.reader.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a reader was."""
        self.reader.load_state_dict(state)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches from the present position on."""
        reader, division, end = self.reader, self.reader.division, self.reader.last_epoch()
        per_batch = division.batch_size // division.chunk
        stretches = tuple(reader.stretches())
        requests = (request for stretch in stretches for block in _blocks(stretch, division) for request in block)
        with closing(self._received(requests)) as batches:
            for stretch in stretches:
                chunks = _chunks(stretch, division, batches)
                for step in range(stretch.steps):
                    batch = pa.concat_batches(list(islice(chunks, per_batch)))
                    start = stretch.start + step * division.global_batch
                    batch = reader.finished(batch, start)
                    reader.move(stretch.epoch, start + division.global_batch)
                    yield batch
        reader.move(end, 0)

    def _received(self, requests: Iterator["Request"]) -> Generator[pa.RecordBatch, None, None]:
        """Yield what is asked for, in order: the messages of the workers in turn."""
        messages = Messages(self.reader, self.transform)
        if not self.workers:
            with closing(messages):
                for request in requests:
                    yield messages.batch(request)
            return
        try:
            import torch
            from torch.utils.data import DataLoader
        except ImportError as error:
            raise EngineError(
                "worker processes need torch", value=str(error), remedy="Install torch, or read with workers=0."
            ) from error
        for message in DataLoader(
            messages,
            batch_size=None,
            sampler=requests,
            num_workers=self.workers,
            collate_fn=_unchanged,
            multiprocessing_context=self.multiprocessing_context,
            generator=torch.Generator(),  # workers draw nothing: leave the generator of the training alone
        ):
            yield received(message)


Request = tuple[int, range]
"""An epoch, and numbers of global chunks: what one worker makes at once."""


class Messages:
    """What workers send, by request: the data set that torch's workers have.

    Args:
        reader: whose chunks they are.
        transform: see ``loader``.
    """

    def __init__(self, reader: BatchReader, transform: Transform | None) -> None:
        self._reader = reader
        self._transform = transform
        self._cursor: Cursor | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave open files behind: another process opens its own."""
        return {**self.__dict__, "_cursor": None}

    def __getitem__(self, request: Request) -> bytes | TamisError:
        """Return the rows of some chunks as an Arrow stream, empty without chunks, or what is wrong."""
        if not request[1]:
            return b""
        try:
            batch = self.batch(request)
        except TamisError as error:  # raised where it is received: torch would make another error of it
            return error
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        return bytes(sink.getvalue())

    def batch(self, request: Request) -> pa.RecordBatch:
        """Return the rows of some chunks."""
        if self._cursor is None:
            self._cursor = self._reader.cursor()
        epoch, chunks = request
        if self._transform is None:
            return gathered(self._cursor, epoch, chunks)
        pieces = (gathered(self._cursor, epoch, chunks[i : i + 1]) for i in range(len(chunks)))
        return pa.concat_batches([_transformed(piece, self._transform) for piece in pieces])

    def close(self) -> None:
        """Let go of memory and files."""
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None


def received(message: bytes | TamisError) -> pa.RecordBatch:
    """Return the rows of a message, or raise what it tells."""
    if isinstance(message, TamisError):
        raise message
    return pa.ipc.open_stream(message).read_next_batch() if message else pa.record_batch({})


def _transformed(rows: pa.RecordBatch, transform: Transform) -> pa.RecordBatch:
    found = transform(rows)
    if not isinstance(found, pa.RecordBatch) or found.num_rows != rows.num_rows:
        raise ConfigError(
            "a transform returns a RecordBatch of as many rows as it is given",
            value=f"{type(found).__name__} for {rows.num_rows} rows",
            remedy="Drop rows after loading.",
        )
    return found


def _unchanged(message: bytes | TamisError) -> bytes | TamisError:
    return message


def _blocks(stretch: Stretch, division: Division) -> Iterator[list[Request]]:
    """Yield the requests of a stretch, one for each worker at a time; those of the last block may be of no chunks."""
    chunks = division.chunks(stretch.start, stretch.start + stretch.steps * division.global_batch)
    size = division.workers * -(-MESSAGE_ROWS // division.chunk)
    for first in range(0, len(chunks), size):
        block = chunks[first : first + size]
        yield [(stretch.epoch, block[lane :: division.workers]) for lane in range(division.workers)]


def _chunks(stretch: Stretch, division: Division, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the chunks of a stretch, in order, from what workers send in turn."""
    for block in _blocks(stretch, division):
        lanes = [next(batches) for _ in block]
        for place in range(sum(len(chunks) for _, chunks in block)):
            turn, lane = divmod(place, division.workers)
            yield lanes[lane].slice(turn * division.chunk, division.chunk)


def loader(
    reader: BatchReader,
    workers: int = 2,
    transform: Transform | None = None,
    multiprocessing_context: Any = None,
) -> Loader:
    """Return the batches of a reader, made by worker processes of torch's DataLoader.

    Args:
        reader: a ``ShardReader`` or ``MixedReader``, the loader's from now on.
        workers: processes that read, for this rank; 0: this one does, without torch.
        transform: what workers do to each chunk (``reader.chunk`` rows, so that the number of workers changes nothing)
            before it is sent: it returns a RecordBatch of as many rows, always of the same columns.
        multiprocessing_context: how processes start, as ``"spawn"``; default: torch's.

    Raises:
        ConfigError: if world_size x workers does not divide the reader's streams.
        EngineError: when it is iterated, if there is no torch.
    """
    return Loader(reader, workers=workers, transform=transform, multiprocessing_context=multiprocessing_context)
