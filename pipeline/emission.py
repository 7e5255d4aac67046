"""From the rows that are kept to the rows that are written: which set each is in, how often, and at which place.

Without a mixture every kept row is written once. With one, the rows of each source are put in the order of a keyed
hash, and the source is that sequence over and over; ``mixture.allocate`` says how much of it each phase takes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..hashing.bagging import below, draws, fold, part
from ..hashing.mix import derive_seed
from ..hashing.murmur3 import murmur3_all
from .allocation import Allocation
from .engine import Table
from .layout import SetName
from .mixture import ROWS, TOKENS, Mixture
from .splits import LEFT_OUT, Splitting
from .text_column import text_buffers

_ROW = [
    ("address", pa.int64()),
    ("source", pa.string()),
    ("bytes", pa.int64()),
    ("tokens", pa.int64()),
    ("hash_high", pa.int64()),
    ("hash_low", pa.int64()),
]
KEYED = pa.schema([*_ROW, ("order_high", pa.int64()), ("order_low", pa.int64()), ("set", pa.int64())])
"""A kept row, the keyed hash that orders the output, and the number of its split."""

ORDER = ("order_high", "order_low", "hash_high", "hash_low", "address")
"""A total order of kept rows that depends on their ids or contents, and on the seed."""


def set_numbers(splitting: Splitting, high: NDArray[np.int64], low: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of each content's set, or ``LEFT_OUT``: int64, shape (n,).

    Args:
        splitting: which sets there are.
        high, low: int64, shape (n,): the 128-bit hash of each content.
    """
    seed = splitting.seed
    if splitting.folds:
        found = fold(draws(high, low, seed=seed, purpose=f"fold {splitting.round}"), splitting.folds)
    elif splitting.names:
        place = part(draws(high, low, seed=seed, purpose="split"), list(splitting.shares))
        found = np.where(place == len(splitting.names), 0, place + 1)
    else:
        found = np.zeros(len(high), np.int64)
    if splitting.sample < 1:
        found[~below(draws(high, low, seed=seed, purpose="sample"), splitting.sample)] = LEFT_OUT
    return found


@dataclass(frozen=True)
class OrderKey:
    """The keyed hash that orders the output: MurmurHash3 of the id, or of the text's hash, under a seed; plain data.

    Attributes:
        seed: the seed of the run.
        epoch: enters the key.
        by_id: whether rows have ids.
        splitting: says which split a row is in.
    """

    seed: int
    epoch: int
    by_id: bool
    splitting: Splitting

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows of the ranked table as ``KEYED``."""
        high, low = (batch.column(name).to_numpy() for name in ("hash_high", "hash_low"))
        data, offsets = _words(high, low)
        if self.by_id:
            data, offsets = text_buffers(batch.column("id"))
        keys = _keys(data, offsets, self.seed, f"order {self.epoch}")
        columns = [*(batch.column(name) for name, _ in _ROW), *keys, pa.array(set_numbers(self.splitting, high, low))]
        return pa.RecordBatch.from_arrays(columns, schema=KEYED)


def _words(high: NDArray[np.int64], low: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return pairs of words as texts of 16 bytes: (data, offsets)."""
    both = np.stack([high, low], axis=1)
    return np.ascontiguousarray(both).view(np.uint8).reshape(-1), np.arange(len(both) + 1, dtype=np.int64) * 16


def _keys(data: NDArray[np.uint8], offsets: NDArray[np.int64], seed: int, purpose: str) -> list[pa.Array]:
    keys = murmur3_all(data, offsets, np.uint64(derive_seed(seed, purpose))).view(np.int64)
    return [pa.array(np.ascontiguousarray(keys[:, i])) for i in (0, 1)]


def written_schema(rows: pa.Schema) -> pa.Schema:
    """Return the columns of rows to write: those of ``KEYED`` and counts of tokens, and ``epoch``."""
    return pa.schema([*rows, ("epoch", pa.int64())])


@dataclass(frozen=True)
class Once:
    """Writes every row that is in a set once; plain data.

    Attributes:
        epoch: of all rows.
        schema: of the result.
    """

    epoch: int
    schema: pa.Schema

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return these rows with ``epoch``."""
        sets = batch.column("set").to_numpy()
        if np.any(sets == LEFT_OUT):
            batch = batch.filter(pa.array(sets != LEFT_OUT))
        epochs = pa.array(np.full(batch.num_rows, self.epoch, np.int64))
        return pa.RecordBatch.from_arrays([*batch.columns, epochs], schema=self.schema)


@dataclass(frozen=True)
class Shifted:
    """Numbers the sets behind the phases of a mixture, and drops the rows that it draws from; plain data.

    Attributes:
        phases: sets that training makes instead of one.
    """

    phases: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows of sets that are held out, under their number in the output."""
        sets = batch.column("set").to_numpy()
        held = batch.filter(pa.array(sets > 0))
        columns = {name: held.column(name) for name in batch.schema.names}
        columns["set"] = pc.add(columns["set"], pa.scalar(self.phases - 1, pa.int64()))
        return pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)


@dataclass(frozen=True)
class Measured:
    """Says how much of the mixture's unit a training row is; plain data.

    A row of nothing, as an empty text, counts as one: it has to come somewhere.

    Attributes:
        column: what is counted, or None for rows.
        seed: of the order that rows are drawn in.
        sources: in the order of their numbers; empty where these are not known yet.
        schema: of the result.
    """

    column: str | None
    seed: int
    sources: tuple[str, ...]
    schema: pa.Schema

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return training rows with ``lane``, ``measure``, ``draw_high`` and ``draw_low``."""
        batch = batch.filter(pc.equal(batch.column("set"), 0))
        size = np.ones(batch.num_rows, np.int64)
        if self.column:
            size = np.maximum(batch.column(self.column).to_numpy(), 1)
        lanes = pc.index_in(batch.column("source"), value_set=pa.array(self.sources, pa.string()))
        data, offsets = _words(*(batch.column(name).to_numpy() for name in ("order_high", "order_low")))
        keys = _keys(data, offsets, self.seed, "draw")  # another order than that of the output
        lanes = lanes.cast(pa.int64()).fill_null(-1)
        return pa.RecordBatch.from_arrays([*batch.columns, lanes, pa.array(size), *keys], schema=self.schema)


TAKEN_ROWS = 1 << 16
"""Rows that a drawing makes at once, about: passes over the rows of a batch are far more than the batch."""

_DRAWN = [("lane", pa.int64()), ("measure", pa.int64()), ("draw_high", pa.int64()), ("draw_low", pa.int64())]


@dataclass(frozen=True)
class Drawing:
    """Takes what each phase is to have from each source, whose rows come in the order of the draw; plain data.

    Attributes:
        allocation: how much; sources are lanes.
        epoch: of the first pass.
        schema: of the result.
    """

    allocation: Allocation
    epoch: int
    schema: pa.Schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield rows as often as they are taken; the state is how far the sequence of one source has come."""
        lane, used = -1, 0
        for batch in batches:
            if not batch.num_rows:
                continue
            lanes, sizes = (batch.column(name).to_numpy() for name in ("lane", "measure"))
            starts = np.cumsum(sizes) - sizes
            first = np.flatnonzero(np.diff(lanes, prepend=lanes[0] - 1))  # of each lane in this batch
            carried = np.zeros(len(first), np.int64)
            carried[0] = used if lanes[0] == lane else 0
            runs = np.diff(first, append=len(lanes))
            starts = starts - np.repeat(starts[first] - carried, runs)
            lane, used = int(lanes[-1]), int(starts[-1] + sizes[-1])
            passes = self._passes(lanes, starts)
            step = max(1, TAKEN_ROWS // max(1, int(passes.max())))
            for i in range(0, len(lanes), step):
                part = slice(i, i + step)
                yield self._taken(batch.slice(i, step), lanes[part], starts[part], passes[part])

    def _passes(self, lanes: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how often each row is taken: how many starts, a pass apart, lie below the end of what is taken."""
        plan = self.allocation
        end, length = np.minimum(plan.wanted, plan.limit)[lanes], plan.available[lanes]
        return np.asarray(np.maximum(-((starts - end) // length), 0), np.int64)

    def _taken(
        self,
        batch: pa.RecordBatch,
        lanes: NDArray[np.int64],
        starts: NDArray[np.int64],
        passes: NDArray[np.int64],
    ) -> pa.RecordBatch:
        """Return each row once for each of its passes."""
        plan, length = self.allocation, self.allocation.available[lanes]
        rows = np.repeat(np.arange(len(lanes)), passes)
        epochs = np.arange(len(rows)) - np.repeat(np.cumsum(passes) - passes, passes)
        places = starts[rows] + epochs * length[rows]
        phases = (places[:, None] >= plan.bounds[lanes[rows], 1:-1]).sum(axis=1)
        taken = batch.take(pa.array(rows))
        columns = {name: taken.column(name) for name in self.schema.names if name != "epoch"}
        columns["set"], columns["epoch"] = pa.array(phases.astype(np.int64)), pa.array(epochs + self.epoch)
        return pa.RecordBatch.from_arrays([columns[name] for name in self.schema.names], schema=self.schema)


@dataclass(frozen=True)
class AgainKey:
    """Gives the second pass over a row, and the third, another place in the order; plain data.

    Attributes:
        seed: of the run.
        first: epoch of the first pass, whose rows are ordered as they are.
        schema: of the rows.
    """

    seed: int
    first: int
    schema: pa.Schema

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows with the keys of their pass."""
        epochs = batch.column("epoch").to_numpy()
        keys = {name: batch.column(name).to_numpy().copy() for name in ("order_high", "order_low")}
        for epoch in np.unique(epochs[epochs > self.first]).tolist():
            where = np.flatnonzero(epochs == epoch)
            data, offsets = _words(keys["order_high"][where], keys["order_low"][where])
            new = _keys(data, offsets, self.seed, f"again {epoch}")
            for name, key in zip(keys, new, strict=True):
                keys[name][where] = key.to_numpy()
        columns = [pa.array(keys[name]) if name in keys else batch.column(name) for name in self.schema.names]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def unit_column(unit: str) -> str | None:
    """Return the column that a unit is counted in, or None for rows."""
    return {ROWS: None, "words": "tokens", "bytes": "bytes"}.get(unit, TOKENS + unit)


def available(rows: Table, mixture: Mixture, *, seed: int) -> dict[str, int]:
    """Return how much of the mixture's unit each source has to train on.

    Args:
        rows: ``KEYED`` rows with counts of tokens.
        mixture: names the unit.
        seed: of the run.
    """
    measured = _measured(rows, mixture, (), seed)
    found = measured.aggregate(by=["source"], size=("sum", "measure")).collect()
    return dict(zip(found["source"].to_pylist(), found["size"].to_pylist(), strict=True))


def _measured(rows: Table, mixture: Mixture, sources: tuple[str, ...], seed: int) -> Table:
    schema = pa.schema([*rows.schema, *_DRAWN])
    return rows.map(Measured(unit_column(mixture.unit), seed, sources, schema), schema)


def once(rows: Table, epoch: int) -> Table:
    """Return the rows that are in a set, which are written once."""
    schema = written_schema(rows.schema)
    return rows.map(Once(epoch, schema), schema)


def draw(rows: Table, mixture: Mixture, allocation: Allocation, *, seed: int, epoch: int) -> Table:
    """Return the rows that a mixture takes, as often as it does, and those of held-out sets once.

    Args:
        rows: ``KEYED`` rows with counts of tokens.
        mixture, allocation: what is taken.
        seed: of the run.
        epoch: of first passes.
    """
    schema = written_schema(rows.schema)
    phases = max(1, len(mixture.phases))
    measured = _measured(rows, mixture, allocation.names, seed)
    sort = ["draw_high", "draw_low", *ORDER]
    taken = measured.group(by="lane", sort=sort, fn=Drawing(allocation, epoch, schema), schema=schema)
    again = taken.map(AgainKey(seed, epoch, schema), schema)
    held = once(rows.map(Shifted(phases), rows.schema), epoch)
    return again.union(held)


def set_names(splitting: Splitting, mixture: Mixture | None) -> tuple[SetName, ...]:
    """Return the sets of an output, in the order of their numbers."""
    names = splitting.sets
    if mixture is None or not mixture.phases:
        return tuple(SetName(name, name) for name in names)
    train = names[0]
    phases = [SetName(f"{train}-{i}-{p.name}", train, p.name) for i, p in enumerate(mixture.phases)]
    return (*phases, *(SetName(name, name) for name in names[1:]))


def place(rows: Table, sets: Sequence[SetName]) -> Table:
    """Return rows to write with ``position``, their place in the output: set after set, each in keyed order."""
    return rows.number(order=[*(["set"] if len(sets) > 1 else []), *ORDER, "epoch"], name="position")
