"""Recall without labels: copies with known faults are planted, and it is counted how many of them are found.

It is an estimate for faults of these kinds alone, made as often as here. Real duplicates differ in other ways too, and
those that are found easily are often those that are easy to make: read it as "it does find what is miswritten so", not
as the recall of a data set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import ConfigError, InputError
from ...hashing.murmur3 import murmur3_all
from ..text_column import text_buffers
from .corruption import KINDS, Values, corrupted
from .measures import clopper_pearson
from .pair_keys import RecordIds, among
from .pairs import check_pairs
from .records import read_records

_PREFIX = "planted:"


@dataclass(frozen=True)
class Planted:
    """A table with copies planted in it, to be searched in place of the table.

    Attributes:
        searched: the records that are searched, values as profile ``record-v1`` writes them, null where missing, and
            behind them the copies; the first column is that of ids.
        copies: which record each copy is of, and how it was made: strings ``left_id``, ``right_id`` (of the copy) and
            ``kind``. It serves as a table of true matches.
        dirty: whether the copies stand in the very table that asks.
        edits: of each copy, at most.
        seed: what they were drawn by.
    """

    searched: pa.Table
    copies: pa.Table
    dirty: bool
    edits: int
    seed: int


@dataclass(frozen=True)
class FoundCopies:
    """How many planted copies were found.

    Attributes:
        kind: of their faults; "all" for all of them.
        copies: planted.
        found: of them.
        low, high: of the share, 95 %.
    """

    kind: str
    copies: int
    found: int
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        """Return the numbers by name, with the share."""
        share = self.found / self.copies
        return {"kind": self.kind, "copies": self.copies, "found": self.found, "share": share} | {
            "low": self.low,
            "high": self.high,
        }


def plant(
    asking: pa.Table,
    searched: pa.Table | None,
    id_column: str,
    *,
    copies: int,
    searched_id: str | None = None,
    columns: Sequence[str] | None = None,
    edits: int = 2,
    seed: int = 0,
) -> Planted:
    """Plant corrupted copies of some asking records among those that are searched.

    Records are taken in the order of a keyed hash of their ids, so the order of rows does not matter; each gives one
    copy, of that kind of fault that has the fewest copies so far and can change it. Records that no kind can change are
    left out.

    Args:
        asking: records of which copies are made.
        searched: records among which they are planted; a column that they lack is missing from the copies. None: those
            that ask are searched themselves.
        id_column: of both.
        copies: how many, at least 1; fewer where there are fewer records.
        searched_id: the column of ids of the searched records, where it is another one.
        columns: those that are written and may be corrupted, of both tables; default: all but the ids.
        edits: faults of each copy, at least 1.
        seed: not negative.

    Raises:
        ConfigError: a number cannot be.
        InputError: the tables have no column in common, no record can be changed, or as ``read_records``.
    """
    if copies < 1 or edits < 1 or seed < 0:
        raise ConfigError(
            "there is at least one copy with at least one fault, and a seed is not negative",
            value=f"{copies} copies, {edits} faults, seed {seed}",
            remedy="Mend these numbers.",
        )
    ids, values = _written(asking, id_column, columns)
    name = id_column if searched is None or searched_id is None else searched_id
    other_ids, others = (ids, values) if searched is None else _written(searched, name, columns)
    shared = [column for column in values if column in others]
    if not shared:
        raise InputError(
            "both tables have a column that copies are made of",
            value=f"{', '.join(values) or 'no columns'} and {', '.join(others) or 'no columns'}",
            remedy="Name equal things equally in both tables.",
        )
    hashes = _hashes(ids, seed)
    made: list[tuple[int, str, Values]] = []
    counts = dict.fromkeys(KINDS, 0)
    for row in np.lexsort((hashes[:, 1], hashes[:, 0])).tolist():
        if len(made) == copies:
            break
        record = [values[column][row].as_py() for column in shared]
        rng = np.random.Generator(np.random.PCG64([seed, *hashes[row].tolist()]))
        for kind in sorted(counts, key=counts.__getitem__):
            changed = corrupted(record, kind, edits, rng)
            if changed is not None:
                made.append((row, kind, changed))
                counts[kind] += 1
                break
    if not made:
        raise InputError(
            "there is a record that can be miswritten",
            value=f"none of {len(ids):,} records",
            remedy="Name columns of text, or measure by known matches.",
        )
    left = ids.take(pa.array([row for row, _, _ in made]))
    prefix = _PREFIX
    while pc.any(pc.starts_with(other_ids, prefix)).as_py():
        prefix = _PREFIX + prefix
    new = pc.binary_join_element_wise(pa.scalar(prefix), left, "")
    table = {name: pa.concat_arrays([other_ids, new])}
    for column, known in others.items():
        at = shared.index(column) if column in shared else None
        extra = [None if at is None else changed[at] for _, _, changed in made]
        table[column] = pa.concat_arrays([known, pa.array(extra, pa.large_string())])
    return Planted(
        pa.table(table),
        pa.table({"left_id": left, "right_id": new, "kind": [kind for _, kind, _ in made]}),
        searched is None,
        edits,
        seed,
    )


def found_copies(pairs: pa.Table, planted: Planted, left_ids: pa.Array) -> tuple[FoundCopies, ...]:
    """Return how many of the copies were found: of all, then of each kind that there is.

    Args:
        pairs: what a blocker found among the asking records and ``planted.searched``; within one table among
            ``planted.searched`` alone.
        planted: the copies.
        left_ids: of all asking records, without the copies.

    Raises:
        InputError: the pairs are not of these records.
    """
    check_pairs(pairs)
    searched = planted.searched.column(0).combine_chunks()
    ids = RecordIds(searched, None) if planted.dirty else RecordIds(left_ids, searched)
    is_found = among(ids.keys(planted.copies, "copies"), np.sort(ids.pairs(pairs)))
    kinds = np.array(planted.copies["kind"].to_pylist())
    parts = [("all", is_found), *((kind, is_found[kinds == kind]) for kind in KINDS if kind in kinds)]
    return tuple(_share(kind, len(some), int(some.sum())) for kind, some in parts)


def _share(kind: str, copies: int, found: int) -> FoundCopies:
    return FoundCopies(kind, copies, found, *clopper_pearson(found, copies))


def _written(table: pa.Table, id_column: str, columns: Sequence[str] | None) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Return the ids and, by column, the values as the profile of records writes them, null where missing."""
    names = read_records(table, id_column, columns).columns
    values = {}
    for name in names:
        texts = read_records(table, id_column, [name]).texts
        values[name] = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.large_string()), texts)
    return read_records(table, id_column, ()).ids, values


def _hashes(ids: pa.Array, seed: int) -> NDArray[np.uint64]:
    """Return a keyed hash of each id: uint64, shape (n, 2)."""
    return murmur3_all(*text_buffers(ids), np.uint64(seed))
