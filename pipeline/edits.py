"""What is cut out of texts that are kept: paragraphs that others keep, and benchmark items.

Cuts of all stages are united before anything is measured: each row's are packed into one value, the texts that are
left give rows new sizes and hashes, and a row of which nothing is left is dropped. Cuts are written as ``edits/``; the
shards are written with the texts that are left.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..hashing.fingerprint import fingerprint
from ..hashing.paragraphs import blank, without
from ..hashing.sketch import SketchPlan, sketch_plan
from .benchmark_items import Items
from .decontaminate import REASON, STAGE
from .drops import STAGED, Nameless
from .engine import Table
from .text_column import text_buffers

CUTS = "__cuts"
"""Column of what is cut out of a row: (start, stop) as int64, one after another; null for nothing."""

EDITS = pa.schema([(name, pa.int64()) for name in ("row", "start", "stop", "tokens", "keeper", "item")])
"""A cut, and the row that keeps the paragraph or the number of the benchmark item; the other one is null."""

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
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("keeper_address", pa.int64()),
        ("keeper_id", pa.string()),
        ("keeper_corpus", pa.string()),
    ]
)
"""``edits/``: bytes [start, stop) of the text of a record that are not in its shard row, and why: the record that keeps
them; or the benchmark and the item that they hold."""

_ITEM, _PARAGRAPH = (STAGE, REASON), ("paragraphs", "repeated-paragraph")
"""Stage and reason of a cut."""

ReadTexts = Callable[[Table, str], Table]
"""Gives the texts of rows, from (row, address, ...) and a name; with these columns beside the text."""


def word_plan() -> SketchPlan:
    """Return how texts are fingerprinted where their words are to be counted alone."""
    return sketch_plan(values=8, unit="word", shingle=1)


@dataclass(frozen=True)
class Edits:
    """What is cut out, and what is left.

    Attributes:
        cuts: ``EDITS``; those of a row lie apart.
        packed: (row, ``__cuts``).
        edited: ``EDITED``: facts of the texts that are left, of rows that are not emptied.
        emptied: (row) of which nothing is left.
    """

    cuts: Table
    packed: Table
    edited: Table
    emptied: Table

    def drops(self) -> Table:
        """Return the emptied rows as ``STAGED``: of the stage that cut benchmark items, where one was in the row."""
        items = self.cuts.map(_of_items, EDITS).select("row")
        held = self.emptied.join(items, on=["row"], how="semi").map(Nameless(STAGE), STAGED)
        return self.emptied.join(items, on=["row"], how="anti").map(Nameless("paragraphs"), STAGED).union(held)


def edits(read: ReadTexts, kept: Table, cuts: Table, *, text: str) -> Edits:
    """Find out what is left of rows.

    Args:
        read: gives their texts.
        kept: (row, address) of the rows that are kept.
        cuts: ``EDITS``, those of a row apart.
        text: the column of texts.
    """
    packed = packed_cuts(cuts).save("packed_cuts")
    left = read(packed.join(kept.select("row", "address"), on=["row"]), "cut").map(Leaving(text), _LEFT)
    left = left.save("left_texts")
    return Edits(cuts, packed, left.map(_not_blank, EDITED), left.map(_blank, left.schema).select("row"))


def _of_items(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(batch.column("item").is_valid())


def packed_cuts(cuts: Table) -> Table:
    """Return (row, ``__cuts``) of ``EDITS``."""
    return cuts.select("row", "start", "stop").group(by="row", sort=["start"], fn=pack, schema=_PACKED)


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
    return without(data, offsets, *unpacked(cuts))


def unpacked(cuts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (bounds, starts, stops) of ``__cuts``: cuts of text i are ``bounds[i]:bounds[i + 1]``; int64."""
    cuts = pc.fill_null(cuts, b"").cast(pa.large_binary())
    sizes = pc.binary_length(cuts).to_numpy().astype(np.int64) // 16
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    _, ends, packed = cuts.buffers()
    places = np.frombuffer(ends, np.int64)[cuts.offset : cuts.offset + len(cuts) + 1]
    pairs = np.frombuffer(packed or b"", np.uint8)[places[0] : places[-1]]
    both = np.ascontiguousarray(pairs).view(np.int64).reshape(-1, 2)
    starts, stops = np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])
    return bounds, starts, stops


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
        prints = fingerprint(data, offsets, word_plan(), banding=None, seed=0)
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


def named_edits(cuts: Table, ranked: Table, items: Items | None) -> Table:
    """Return ``WRITTEN_EDITS``.

    Args:
        cuts: ``EDITS``.
        ranked: all ranked rows.
        items: of the benchmarks, if there are any.
    """
    names, benchmarks = (tuple(items.names), tuple(items.benchmarks)) if items else ((), ())
    rows = ranked.select("row", "address", "id")
    keepers = ranked.select(keeper="row", keeper_address="address", keeper_id="id")
    named = cuts.join(rows, on=["row"]).join(keepers, on=["keeper"], how="left")
    return named.map(Reasoned(names, benchmarks), WRITTEN_EDITS)


@dataclass(frozen=True)
class Reasoned:
    """Says why something was cut; plain data.

    Attributes:
        names, benchmarks: of each benchmark item.
    """

    names: tuple[str, ...]
    benchmarks: tuple[str, ...]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of ``WRITTEN_EDITS``."""
        item = batch.column("item")
        held, (stage, reason) = item.is_valid(), zip(_ITEM, _PARAGRAPH, strict=True)
        derived = {
            "stage": pc.if_else(held, *stage),
            "reason": pc.if_else(held, *reason),
            "keeper_id": pc.if_else(held, pa.array(self.names, pa.string()).take(item), batch.column("keeper_id")),
            "keeper_corpus": pa.array(self.benchmarks, pa.string()).take(item),
        }
        columns = [derived[name] if name in derived else batch.column(name) for name in WRITTEN_EDITS.names]
        return pa.RecordBatch.from_arrays(columns, schema=WRITTEN_EDITS)
