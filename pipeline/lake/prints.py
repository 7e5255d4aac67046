"""One pass over the tables of a lake: the fingerprints of their rows, in every projection that is asked for.

A *projection* is a table seen through the columns of a schema class: its own, or one that lies inside. It has a number.
Cells are hashed once, however many projections hold them.
"""

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...connectors.address import ADDRESS, RECORD_BITS
from ...connectors.batches import RULE
from ...connectors.lake_reading import cut_table_split, read_table_split
from ...connectors.split import Split
from ...hashing.distinct_rows import distinct_rows
from ...hashing.errors import InputError
from ...hashing.field_rows import field_rows
from ..engine import Engine, Table
from .canonical import cell_hashes, text_seed
from .columns import unpacked

ROWS = pa.schema([(name, pa.int64()) for name in ("projection", "high", "low", "address", "rows")])
"""A distinct row of a projection, the first record that has it, and how many have. Addresses count the files of the
table: they are the same in every scan."""

PRINTS = pa.schema([*ROWS, ("note", pa.string())])
"""``ROWS`` of what one task read; or, with a note, a fact about a table, whose number n is told as projection ~n."""

CONTENTS, COUNTED, FAULT, UNREAD = "contents", "counted", "fault: ", "unread: "
"""Notes: (high, low, rows) of all rows that were read, in all columns of the table; their number, where only some
columns were read; why the table cannot be read; why the record ``address`` cannot."""

SUMMARY = "summary: "
"""A note that is of a projection, not of a table, of which one task has read all: its smallest row (high, low), its
rows, and behind the colon how many are distinct, and their check."""

CHECK_BITS = (1 << 30) - 1
"""The check of a projection is the sum of so much of the lower half of each distinct row's fingerprint."""

_WORK = pa.schema([("work", pa.binary())])
_BATCH_BYTES = 4 << 20
_BATCH_ITEMS = 64


@dataclass(frozen=True)
class Projection:
    """Some columns of a table.

    Attributes:
        number: of the projection.
        columns: names.
        own: whether they are all that the table is compared by.
        called: other names for them, if they are renamed.
    """

    number: int
    columns: tuple[str, ...]
    own: bool = False
    called: tuple[str, ...] = ()

    @property
    def cells(self) -> Iterator[tuple[str, str]]:
        """(column, what it is called)."""
        return zip(self.columns, self.called or self.columns, strict=True)


@dataclass(frozen=True)
class Work:
    """What one task reads; plain data.

    Attributes:
        table: number of the table.
        first_file: ordinal of the table's first file.
        split: of one of its files.
        packed: the schema of all columns of the table, serialised.
        projections: what is asked of it.
        whole: whether the table has no other split.
        width: how many columns the table has.
        texts: whether its files are all delimited, so that it has texts only.
    """

    table: int
    first_file: int
    split: Split
    packed: bytes
    projections: tuple[Projection, ...]
    whole: bool = False
    width: int = 0
    texts: bool = False


def take_prints(engine: Engine, work: Sequence[Work], *, trim: bool, typed_csv: bool) -> Table:
    """Return ``PRINTS`` of what some tasks read.

    Args:
        engine: what runs the verbs.
        work: the tasks.
        trim: whether white space around texts counts for nothing.
        typed_csv: whether numbers and empty fields of delimited files are numbers and nulls.
    """
    return in_batches(engine, work).map(Printing(trim, typed_csv), PRINTS)


def merged(rows: Table) -> Table:
    """Return ``ROWS``, each row of a projection once, though several tasks have it."""
    key = ["projection", "high", "low"]
    return rows.aggregate(by=key, address=("min", "address"), rows=("sum", "rows")).select(*ROWS.names)


@dataclass(frozen=True)
class Among:
    """Keeps the rows of some projections, without notes; plain data.

    Attributes:
        kept: bool, by number of projection.
    """

    kept: NDArray[np.bool_]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the columns of ``ROWS`` that the batch has."""
        projection = batch.column("projection").to_numpy()
        kept = np.zeros(len(projection), np.bool_)
        rows = projection >= 0  # others are notes
        kept[rows] = self.kept[projection[rows]]
        return batch.select([name for name in ROWS.names if name in batch.schema.names]).filter(pa.array(kept))


def rows_among(rows: Sequence[Table], kept: NDArray[np.bool_], names: Sequence[str] = tuple(ROWS.names)) -> Table:
    """Return the rows of some projections.

    Args:
        rows: ``ROWS`` or ``PRINTS``, in one table or several.
        kept: bool, by number of projection.
        names: columns of ``ROWS`` to return, with the projection.
    """
    schema = pa.schema([ROWS.field(name) for name in names])
    first, *others = (part.select(*names).map(Among(kept), schema) for part in rows)
    return first.union(*others) if others else first


def in_batches(engine: Engine, work: Sequence[Work]) -> Table:
    """Return a table of packed tasks, each batch of which is one task of the engine."""
    batches = [
        pa.RecordBatch.from_arrays([pa.array([pickle.dumps(item) for item in some], pa.binary())], schema=_WORK)
        for some in _packed(work)
    ]
    return engine.table(pa.Table.from_batches(batches, _WORK))


def _packed(work: Sequence[Work]) -> Iterator[list[Work]]:
    """Yield runs of tasks: small ones together."""
    held: list[Work] = []
    size = 0
    for item in work:
        if held and (size + item.split.size_bytes > _BATCH_BYTES or len(held) == _BATCH_ITEMS):
            yield held
            held, size = [], 0
        held.append(item)
        size += item.split.size_bytes
    if held:
        yield held


@dataclass(frozen=True)
class Printing:
    """Reads tables and fingerprints their rows; plain data.

    Attributes:
        trim: whether white space around texts counts for nothing.
        typed_csv: whether numbers and empty fields of delimited files are numbers and nulls.
    """

    trim: bool
    typed_csv: bool

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``PRINTS`` of the work in a batch."""
        found = _Found()
        for packed in batch.column("work").to_pylist():
            work: Work = pickle.loads(packed)
            try:
                self._print(work, found)
            except InputError as error:
                found.note(work.table, f"{FAULT}{error.rule}; found {error.value}")
            except pa.ArrowException as error:  # values that Arrow has, and has no text for
                found.note(work.table, f"{FAULT}every value of a compared column has a canonical text; found {error}")
        return found.as_batch()

    def _print(self, work: Work, found: "_Found") -> None:
        asked = sorted({cell for projection in work.projections for cell in projection.cells})
        cells = [set(projection.cells) for projection in work.projections]
        sets = np.array([[cell in of for cell in asked] for of in cells], np.bool_).reshape(len(cells), len(asked))
        fast = work.texts and len(asked) > 0 and not self.trim and not self.typed_csv
        parts = self._of_texts(work, asked, sets, found) if fast else self._of_values(work, asked, sets, found)
        if work.whole:
            parts = iter([_joined([_nothing(len(cells)), *parts])])
        own = next((i for i, projection in enumerate(work.projections) if projection.own), None)
        high = low = rows = 0
        for prints, addresses in parts:
            bags = found.add([projection.number for projection in work.projections], prints, addresses, work.whole)
            if own is not None:
                high, low = (high + int(bags[own, 0])) % 2**64, (low + int(bags[own, 1])) % 2**64
            rows += len(addresses)
        found.note(work.table, COUNTED if own is None else CONTENTS, high=high, low=low, rows=rows)

    def _of_texts(
        self, work: Work, asked: Sequence[tuple[str, str]], sets: NDArray[np.bool_], found: "_Found"
    ) -> Iterator["_Rows"]:
        """Yield the rows of all projections, from the bytes of a delimited file."""
        names = {name for name, _ in asked}
        seeds = np.array([text_seed(called) for _, called in asked], np.uint64)
        for batch in cut_table_split(work.split, names, work.width):
            if set(batch.columns) != names:
                raise InputError(
                    "a table stays as it is while it is read", value=f"{work.split.path} changed", remedy="Scan again."
                )
            places = np.array([batch.columns.index(name) for name, _ in asked])
            addresses = batch.addresses - (work.first_file << RECORD_BITS)
            if batch.reasons is not None:
                good = batch.good
                for place, rule in zip(addresses.tolist(), batch.reasons, strict=True):
                    if rule is not None:
                        found.note(work.table, UNREAD + rule, address=place)
                addresses = addresses[good]
            yield field_rows(batch.data, batch.cut.edges, len(batch.columns), places, seeds, sets), addresses

    def _of_values(
        self, work: Work, asked: Sequence[tuple[str, str]], sets: NDArray[np.bool_], found: "_Found"
    ) -> Iterator["_Rows"]:
        """Yield the rows of all projections, from the values of columns."""
        full = unpacked(work.packed)
        wanted = pa.schema([full.field(name) for name in sorted({name for name, _ in asked})])
        typed = self.typed_csv and work.split.format == "csv"
        for batch in read_table_split(work.split, wanted, full):
            addresses = batch.column(ADDRESS).to_numpy() - (work.first_file << RECORD_BITS)
            unread = batch.column(RULE)
            if unread.null_count < len(unread):
                bad = unread.is_valid().to_numpy(zero_copy_only=False)
                for place, rule in zip(addresses[bad].tolist(), unread.filter(pa.array(bad)).to_pylist(), strict=True):
                    found.note(work.table, UNREAD + rule, address=place)
                batch, addresses = batch.filter(pa.array(~bad)), addresses[~bad]
            prints = np.zeros((len(sets), batch.num_rows, 2), np.uint64)
            for (name, called), of in zip(asked, sets.T, strict=True):
                prints[of] += cell_hashes(called, batch.column(name), trim=self.trim, typed=typed)
            yield prints, addresses


_Rows = tuple[NDArray[np.uint64], NDArray[np.int64]]
"""Fingerprints, shape (projections, n, 2), and addresses."""


class _Found:
    """Rows and notes of some tasks."""

    def __init__(self) -> None:
        self._rows: list[list[NDArray[np.int64]]] = [[] for _ in ROWS]
        self._notes: list[tuple[int, int, int, int, int]] = []
        self._texts: list[str] = []

    def add(
        self, numbers: Sequence[int], prints: NDArray[np.uint64], addresses: NDArray[np.int64], summed: bool
    ) -> NDArray[np.uint64]:
        """Add rows of projections, each once, with its first address and how often it is there.

        Args:
            numbers: of the projections.
            prints: uint64, shape (projections, n, 2).
            addresses: int64, shape (n,).
            summed: whether they are all rows of the projections, of which notes are made.

        Returns:
            uint64, shape (projections, 2): the fingerprint of the rows of each as a bag.
        """
        found = distinct_rows(prints, addresses, CHECK_BITS)
        counts = np.diff(found.ends, prepend=0)
        columns = (np.repeat(numbers, counts), found.high, found.low, found.address, found.rows)
        for column, values in zip(self._rows, columns, strict=True):
            column.append(values)
        if summed:
            begins = (found.ends - counts).tolist()
            for number, begin, count, check in zip(
                numbers, begins, counts.tolist(), found.checks.tolist(), strict=True
            ):
                first = (int(found.high[begin]), int(found.low[begin])) if count else (0, 0)
                text = f"{SUMMARY}{count} {check}"
                self.note(number, text, high=first[0], low=first[1], rows=len(addresses))
        return found.bags

    def note(self, number: int, text: str, *, address: int = -1, high: int = 0, low: int = 0, rows: int = 0) -> None:
        """Add a note."""
        self._notes.append((~number, _signed(high), _signed(low), address, rows))
        self._texts.append(text)

    def as_batch(self) -> pa.RecordBatch:
        """Return ``PRINTS``."""
        notes = np.array(self._notes, np.int64).reshape(-1, len(ROWS))
        columns = [np.concatenate([*parts, notes[:, i]]) for i, parts in enumerate(self._rows)]
        texts = pa.concat_arrays(
            [pa.nulls(len(columns[0]) - len(notes), pa.string()), pa.array(self._texts, pa.string())]
        )
        return pa.RecordBatch.from_arrays([*map(pa.array, columns), texts], schema=PRINTS)


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _nothing(projections: int) -> _Rows:
    return np.zeros((projections, 0, 2), np.uint64), np.zeros(0, np.int64)


def _joined(parts: Sequence[_Rows]) -> _Rows:
    filled = [part for part in parts if len(part[1])] or parts[:1]
    if len(filled) == 1:
        return filled[0]
    return np.concatenate([prints for prints, _ in filled], axis=1), np.concatenate([places for _, places in filled])
