"""Paragraphs that many rows hold: they stay in the best-ranked row, and are cut out of all others.

Two passes over the rows that are kept: one finds the paragraphs, the other makes the texts without them, to know their
sizes and hashes. Cuts are written as ``edits/``; the shards are written with the texts that are left.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..hashing.fingerprint import fingerprint
from ..hashing.murmur3 import murmur3_all
from ..hashing.paragraphs import blank, paragraphs, without
from ..hashing.sketch import SketchPlan, sketch_plan
from .engine import Table
from .text_column import text_buffers

STAGE, REASON = "paragraphs", "emptied"
CUTS = "__cuts"
"""Column of what is cut out of a row: (start, stop) as int64, one after another; null for nothing."""

_FOUND = pa.schema([(name, pa.int64()) for name in ("row", "start", "stop", "hash_high", "hash_low", "size", "tokens")])
EDITS = pa.schema([(name, pa.int64()) for name in ("row", "start", "stop", "tokens", "keeper")])
_PACKED = pa.schema([("row", pa.int64()), (CUTS, pa.binary())])
EDITED = pa.schema(
    [("row", pa.int64()), *((f"new_{name}", pa.int64()) for name in ("bytes", "tokens", "hash_high", "hash_low"))]
)
_LEFT = pa.schema([*EDITED, ("blank", pa.bool_())])
WRITTEN_EDITS = pa.schema(
    [
        ("address", pa.int64()),
        ("id", pa.string()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("tokens", pa.int64()),
        ("keeper_address", pa.int64()),
        ("keeper_id", pa.string()),
    ]
)
"""``edits/``: bytes [start, stop) of the text of a record that are not in its shard row, and the record that keeps
them."""


def _plan() -> SketchPlan:
    return sketch_plan(values=8, unit="word", shingle=1)


@dataclass(frozen=True)
class Finding:
    """Finds the paragraphs of texts; plain data.

    Attributes:
        text: the column.
        least: bytes of a paragraph.
    """

    text: str
    least: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return a row for each paragraph of records read with ``row``."""
        data, offsets = text_buffers(batch.column(self.text))
        found = paragraphs(data, offsets, self.least)
        hashes = murmur3_all(found.data, found.offsets, np.uint64(0)).view(np.int64)
        tokens = fingerprint(found.data, found.offsets, _plan(), banding=None, seed=0).tokens
        rows = batch.column("row").to_numpy()[found.text]
        high, low = (np.ascontiguousarray(hashes[:, i]) for i in (0, 1))
        columns = [rows, found.start, found.stop, high, low, np.diff(found.offsets), tokens]
        return pa.RecordBatch.from_arrays([pa.array(c) for c in columns], schema=_FOUND)


@dataclass(frozen=True)
class Edits:
    """What is cut out, and what is left.

    Attributes:
        cuts: ``EDITS``: of each row, and the row that keeps the paragraph.
        packed: (row, ``__cuts``).
        edited: ``EDITED``: facts of the texts that are left, of rows that are not emptied.
        emptied: (row) of which nothing is left.
    """

    cuts: Table
    packed: Table
    edited: Table
    emptied: Table


def edits(read: Callable[[Table, str], Table], kept: Table, *, text: str, least: int, rows: int) -> Edits:
    """Find out what to cut.

    Args:
        read: gives the texts of rows, from (row, address, ...) and a name; with these columns beside the text.
        kept: (row, address) of the rows that are kept.
        text: the column of texts.
        least: bytes of a paragraph.
        rows: a paragraph of more rows than this is cut.
    """
    found = read(kept.select("row", "address"), "kept").map(Finding(text, least), _FOUND).save("paragraphs")
    key = ("hash_high", "hash_low", "size")
    once = found.select("row", *key).distinct()
    many = once.first(by=key, order=["row"], n=1, at_least=rows + 1).select(*key, keeper="row")
    cuts = found.join(many, on=list(key)).map(_of_others, EDITS).save("cuts")
    packed = cuts.group(by="row", sort=["start"], fn=pack, schema=_PACKED).save("packed_cuts")
    wanted = packed.join(kept.select("row", "address"), on=["row"])
    left = read(wanted, "cut").map(Leaving(text), _LEFT).save("left_texts")
    return Edits(cuts, packed, left.map(_not_blank, EDITED), left.map(_blank, left.schema).select("row"))


def _of_others(batch: pa.RecordBatch) -> pa.RecordBatch:
    others = batch.filter(pc.not_equal(batch.column("row"), batch.column("keeper")))
    return pa.RecordBatch.from_arrays([others.column(name) for name in EDITS.names], schema=EDITS)


def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Pack the cuts of each row into one value; the state is the cuts of one row."""
    held = np.zeros((3, 0), np.int64)
    for batch in batches:
        new = np.stack([batch.column(name).to_numpy() for name in ("row", "start", "stop")])
        cuts = np.concatenate([held, new], axis=1)
        if not cuts.shape[1]:
            continue
        last = _tail(cuts[0])
        yield _as_packed(cuts[:, :last])
        held = cuts[:, last:]
    if held.shape[1]:
        yield _as_packed(held)


def _tail(rows: NDArray[np.int64]) -> int:
    """Return where the last run of equal rows starts."""
    changes = np.flatnonzero(rows[1:] != rows[:-1])
    return int(changes[-1]) + 1 if len(changes) else 0


def _as_packed(cuts: NDArray[np.int64]) -> pa.RecordBatch:
    rows = cuts[0]
    starts = np.flatnonzero(np.diff(rows, prepend=rows[:1] - 1))
    bounds = (np.append(starts, len(rows)) * 16).astype(np.int32)
    pairs = np.ascontiguousarray(cuts[1:].T)
    packed = pa.BinaryArray.from_buffers(pa.binary(), len(starts), [None, pa.py_buffer(bounds), pa.py_buffer(pairs)])
    return pa.RecordBatch.from_arrays([pa.array(rows[starts]), packed], schema=_PACKED)


def cut(texts: pa.Array, cuts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return texts without what is cut out of them, as (data, offsets).

    Args:
        texts: strings.
        cuts: binary, as in ``__cuts``.
    """
    data, offsets = text_buffers(texts)
    cuts = pc.fill_null(cuts, b"").cast(pa.large_binary())
    sizes = pc.binary_length(cuts).to_numpy().astype(np.int64) // 16
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    _, ends, packed = cuts.buffers()
    places = np.frombuffer(ends, np.int64)[cuts.offset : cuts.offset + len(cuts) + 1]
    pairs = np.frombuffer(packed or b"", np.uint8)[places[0] : places[-1]]
    both = np.ascontiguousarray(pairs).view(np.int64).reshape(-1, 2)
    starts, stops = np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])
    return without(data, offsets, bounds, starts, stops)


@dataclass(frozen=True)
class Leaving:
    """Measures the texts that are left; plain data.

    Attributes:
        text: the column.
    """

    text: str

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the facts of records read with ``row`` and ``__cuts``."""
        data, offsets = cut(batch.column(self.text), batch.column(CUTS))
        prints = fingerprint(data, offsets, _plan(), banding=None, seed=0)
        hashes = prints.hashes.view(np.int64)
        columns = [np.diff(offsets), prints.tokens, *(np.ascontiguousarray(hashes[:, i]) for i in (0, 1))]
        arrays = [batch.column("row"), *map(pa.array, columns), pa.array(blank(data, offsets))]
        return pa.RecordBatch.from_arrays(arrays, schema=_LEFT)


def _not_blank(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.invert(batch.column("blank"))).drop_columns(["blank"])


def _blank(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(batch.column("blank"))


@dataclass(frozen=True)
class Replacing:
    """Gives edited rows the facts of what is left of them; plain data.

    Attributes:
        schema: of positioned rows.
    """

    schema: pa.Schema

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return positioned rows joined with ``EDITED`` as positioned rows."""
        columns = [
            pc.coalesce(batch.column(f"new_{name}"), batch.column(name))
            if f"new_{name}" in EDITED.names
            else batch.column(name)
            for name in self.schema.names
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


@dataclass(frozen=True)
class CutOut:
    """Cuts texts on their way into shards; plain data.

    Attributes:
        text: the column.
        schema: of the result.
    """

    text: str
    schema: pa.Schema

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return records without ``__cuts``, and their texts without what it says."""
        cuts = batch.column(CUTS)
        place = batch.schema.get_field_index(self.text)
        column = batch.column(self.text)
        if cuts.null_count < len(cuts):
            data, offsets = cut(column, cuts)
            column = pa.LargeStringArray.from_buffers(len(cuts), pa.py_buffer(offsets), pa.py_buffer(data))
        columns = [batch.column(i) for i in range(batch.num_columns)]
        columns[place] = column.cast(pa.large_string())
        kept = [c for c, name in zip(columns, batch.schema.names, strict=True) if name != CUTS]
        return pa.RecordBatch.from_arrays(kept, schema=self.schema)


def named_edits(cuts: Table, ranked: Table) -> Table:
    """Return ``WRITTEN_EDITS``."""
    rows = ranked.select("row", "address", "id")
    keepers = ranked.select(keeper="row", keeper_address="address", keeper_id="id")
    return cuts.join(rows, on=["row"]).join(keepers, on=["keeper"]).select(*WRITTEN_EDITS.names)
