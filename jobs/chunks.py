"""Chunks: many Arrow rows in one binary value, so that Spark moves rows of any type without touching them.

Spark's own rows are made, sorted and shipped one by one; a chunk costs it as much as one row. Columns of types that
Spark does not know travel as they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..connectors.schema import holds_dictionary
from ..connectors.views import cast_batch, plain_schema, size_bytes, take_batch
from ..hashing.ordering import grouping_order

CHUNKS = pa.schema([("part", pa.int32()), ("key", pa.int64()), ("chunk", pa.binary())])
"""A chunk, the shuffle partition it goes to, and what it is sorted by there."""

CHUNK_BYTES = 4 << 20
"""About how many bytes of rows make a chunk where nothing else cuts them."""

HELD_BYTES = 32 << 20
"""Rows that a task holds before it cuts them: the more, the larger the chunks of each key."""

_BATCH_BYTES = 8 << 20


_WRITE = pa.ipc.IpcWriteOptions(use_threads=False)
_READ = pa.ipc.IpcReadOptions(use_threads=False)
_FRAME_BYTES = 64
"""What a stream has around its messages."""


def encode(rows: pa.RecordBatch) -> pa.Buffer:
    """Return rows as one value. Spark compresses what it ships, faster than Arrow does."""
    plain = plain_schema(rows.schema)
    batch = cast_batch(rows, plain)
    room = plain.serialize().size + pa.ipc.get_record_batch_size(batch) + _FRAME_BYTES
    if _has_dictionaries(plain):
        sink = pa.BufferOutputStream()
    else:  # a buffer that need not grow is filled in one copy
        buffer = pa.allocate_buffer(room)
        sink = pa.FixedSizeBufferWriter(buffer)
    with pa.ipc.new_stream(sink, plain, options=_WRITE) as writer:
        writer.write_batch(batch)
    return sink.getvalue() if _has_dictionaries(plain) else buffer.slice(0, sink.tell())


def _has_dictionaries(schema: pa.Schema) -> bool:
    return any(map(holds_dictionary, schema.types))


def decode(chunks: pa.Array, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows of each chunk, which stay where they are unless kernels would find them unaligned there."""
    for chunk in chunks:
        data = chunk.as_buffer()
        if data.address % 8:  # all chunks are multiples of eight bytes; should they be moved apart, they are copied
            data = pa.py_buffer(data.to_pybytes())
        with pa.ipc.open_stream(data, options=_READ) as reader:
            yield from (cast_batch(batch, schema) for batch in reader)


def chunk_batches(chunks: Iterable[tuple[int, int, pa.Buffer]]) -> Iterator[pa.RecordBatch]:
    """Yield batches of ``CHUNKS`` for (part, key, chunk), none of them much larger than need be."""
    held: list[tuple[int, int, pa.Buffer]] = []
    size = 0
    for item in chunks:
        held.append(item)
        size += item[2].size
        if size >= _BATCH_BYTES:
            yield chunk_batch(held)
            held, size = [], 0
    if held:
        yield chunk_batch(held)


def chunk_batch(items: Sequence[tuple[int, int, pa.Buffer]]) -> pa.RecordBatch:
    """Return a batch of ``CHUNKS``."""
    parts, keys, chunks = zip(*items, strict=True) if items else ((), (), ())
    return pa.RecordBatch.from_arrays(
        [pa.array(parts, pa.int32()), pa.array(keys, pa.int64()), _joined(chunks)], schema=CHUNKS
    )


def _joined(chunks: Sequence[pa.Buffer]) -> pa.Array:
    offsets = np.zeros(len(chunks) + 1, np.int32)
    np.cumsum([chunk.size for chunk in chunks], out=offsets[1:])
    data = pa.py_buffer(b"".join(chunks))
    return pa.Array.from_buffers(pa.binary(), len(chunks), [None, pa.py_buffer(offsets), data])


def gathered(batches: Iterable[pa.RecordBatch], limit: int) -> Iterator[list[pa.RecordBatch]]:
    """Yield batches together, about ``limit`` bytes at a time."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if batch.num_rows:
            held.append(batch)
            size += size_bytes(batch)
        if size >= limit:
            yield held
            held, size = [], 0
    if held:
        yield held


def one_batch(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Return the rows of some batches, at least one of them, as one."""
    if len(batches) == 1:
        return batches[0]
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    columns = [c.chunk(0) if c.num_chunks else pa.nulls(0, c.type) for c in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)


@dataclass(frozen=True)
class InOrder:
    """Turns the rows of a task into chunks, in their order."""

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield ``CHUNKS``; keys count the chunks of the task."""
        groups = gathered(batches, CHUNK_BYTES)
        return chunk_batches((0, i, encode(one_batch(rows))) for i, rows in enumerate(groups))


@dataclass(frozen=True)
class Decoded:
    """Turns chunks back into rows.

    Attributes:
        schema: of the rows.
    """

    schema: pa.Schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of batches with a column ``chunk``."""
        for batch in batches:
            yield from decode(batch.column("chunk"), self.schema)


@dataclass(frozen=True)
class CutByKey:
    """Cuts the rows of a task by an int64 key, for the shuffle that brings keys together.

    Attributes:
        by: the key.
        parts: shuffle partitions; a key goes to that of its remainder, so dense keys are dealt evenly.
    """

    by: str
    parts: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield ``CHUNKS``."""
        return chunk_batches(
            (key % self.parts, key, encode(rows))
            for held in gathered(batches, HELD_BYTES)
            for key, rows in cut(one_batch(held), self.by)
        )


def cut(batch: pa.RecordBatch, by: str) -> list[tuple[int, pa.RecordBatch]]:
    """Return the rows of each int64 key of a batch, keys ascending, rows in their order."""
    if not batch.num_rows:
        return []
    keys = batch.column(by).to_numpy()
    order = grouping_order(keys)
    ordered = keys[order]
    rows = batch if np.array_equal(ordered, keys) else take_batch(batch, pa.array(order))
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    stops = [*starts[1:], len(keys)]
    return [(int(ordered[a]), rows.slice(int(a), int(b - a))) for a, b in zip(starts, stops, strict=True)]
