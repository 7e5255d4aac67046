"""Recall without labels: copies with known faults are planted, and it is counted how many find their originals.

The copies are of searched records and ask, beside the records that ask anyway: a copy among the searched ones would
have to be nearer to its original than that one's real match is, and with few candidates would lose to it. Within one
table that cannot be helped: where originals have duplicates already, few candidates find fewer copies.

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

from ...hashing.errors import ConfigError, InputError
from ...hashing.murmur3 import murmur3_all
from ..counted import counted
from ..text_column import text_buffers
from .corruption import KINDS, Values, corrupted
from .measures import clopper_pearson
from .pair_keys import RecordIds, among
from .pairs import check_pairs
from .records import read_records

_PREFIX = "planted:"


@dataclass(frozen=True)
class Planted:
    """A table with copies planted in it, to ask in place of the table.

    Attributes:
        asking: the records that ask, values as profile ``record-v1`` writes them, null where missing, and behind them
            the copies; the first column is that of ids. Within one table the copies are in that table.
        copies: which record each copy is of, and how it was made: strings ``left_id`` (of the copy), ``right_id`` and
            ``kind``. It serves as a table of true matches.
        dirty: whether there is one table.
        edits: of each copy, at most.
        seed: what they were drawn by.
    """

    asking: pa.Table
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
    """Plant corrupted copies of some searched records among those that ask.

    Records are taken in the order of a keyed hash of their ids, so the order of rows does not matter; each gives one
    copy, of that kind of fault that has the fewest copies so far and can change it. Records that no kind can change are
    left out.

    Args:
        asking: records among which copies are planted; a column that they lack is missing from the copies.
        searched: records of which copies are made. None: there is one table.
        id_column: of both.
        copies: how many, at least 1; fewer where there are fewer records.
        searched_id: the column of ids of the searched records, where it is another one.
        columns: those that are written and may be corrupted, each of one table at least; default: all but the ids.
        edits: faults of each copy, at least 1.
        seed: from 0 to below 2^64.

    Raises:
        ConfigError: a number cannot be.
        InputError: a column is in no table, the tables have none in common, no record can be changed, or as
            ``read_records``.
    """
    if copies < 1 or edits < 1 or not 0 <= seed < 1 << 64:
        raise ConfigError(
            "there is at least one copy with at least one fault, and a seed is not negative and has 64 bits",
            value=f"{counted(copies, 'copy', 'copies')}, {counted(edits, 'fault')}, seed {seed}",
            remedy="Mend these numbers.",
        )
    _check_columns(columns, asking, searched)
    asking_ids, asking_values = _written(asking, id_column, columns)
    ids, values = asking_ids, asking_values
    if searched is not None:
        ids, values = _written(searched, searched_id or id_column, columns)
    shared = [name for name in asking_values if name in values]
    if not shared:
        raise InputError(
            "both tables have a column that copies are made of",
            value=f"{', '.join(asking_values) or 'no columns'} and {', '.join(values) or 'no columns'}",
            remedy="Name equal things equally in both tables.",
        )
    made = _copies(ids, [values[name] for name in shared], copies, edits, seed)
    if not made:
        raise InputError(
            "there is a record that can be miswritten",
            value=f"none of {counted(len(ids), 'record')}",
            remedy="Name columns of text, or measure by known matches.",
        )
    prefix = _PREFIX
    while pc.any(pc.starts_with(asking_ids, prefix)).as_py():
        prefix = _PREFIX + prefix
    originals = ids.take(pa.array([row for row, _, _ in made]))
    new = pc.binary_join_element_wise(pa.scalar(prefix), originals, "")
    table = {id_column: pa.concat_arrays([asking_ids, new])}
    for name, known in asking_values.items():
        at = shared.index(name) if name in shared else None
        extra = [None if at is None else changed[at] for _, _, changed in made]
        table[name] = pa.concat_arrays([known, pa.array(extra, pa.large_string())])
    of = pa.table({"left_id": new, "right_id": originals, "kind": [kind for _, kind, _ in made]})
    return Planted(pa.table(table), of, searched is None, edits, seed)


def _copies(
    ids: pa.Array, columns: Sequence[pa.Array], most: int, edits: int, seed: int
) -> list[tuple[int, str, Values]]:
    """Return (row of the original, kind of faults, values) of copies."""
    made: list[tuple[int, str, Values]] = []
    counts = dict.fromkeys(KINDS, 0)
    hashes = murmur3_all(*text_buffers(ids), np.uint64(seed))
    for row in np.lexsort((hashes[:, 1], hashes[:, 0])).tolist():
        if len(made) == most:
            break
        record = [column[row].as_py() for column in columns]
        rng = np.random.Generator(np.random.PCG64([seed, *hashes[row].tolist()]))
        for kind in sorted(counts, key=counts.__getitem__):
            changed = corrupted(record, kind, edits, rng)
            if changed is not None:
                made.append((row, kind, changed))
                counts[kind] += 1
                break
    return made


def found_copies(pairs: pa.Table, planted: Planted, searched_ids: pa.Array | None) -> tuple[FoundCopies, ...]:
    """Return how many of the copies found their originals: of all, then of each kind that there is.

    Args:
        pairs: what a blocker found for ``planted.asking`` among the searched records, or within ``planted.asking``
            where there is one table.
        planted: the copies.
        searched_ids: of all searched records; None: there is one table.

    Raises:
        InputError: the pairs are not of these records.
    """
    check_pairs(pairs)
    ids = RecordIds(planted.asking.column(0).combine_chunks(), searched_ids)
    is_found = among(ids.keys(planted.copies, "copies"), np.sort(ids.pairs(pairs)))
    kinds = np.array(planted.copies["kind"].to_pylist())
    parts = [("all", is_found), *((kind, is_found[kinds == kind]) for kind in KINDS if kind in kinds)]
    return tuple(_share(kind, len(some), int(some.sum())) for kind, some in parts)


def _share(kind: str, copies: int, found: int) -> FoundCopies:
    return FoundCopies(kind, copies, found, *clopper_pearson(found, copies))


def _check_columns(columns: Sequence[str] | None, asking: pa.Table, searched: pa.Table | None) -> None:
    there = {*asking.column_names, *(searched.column_names if searched is not None else ())}
    for name in columns or ():
        if name not in there:
            raise InputError(
                "copies are made of columns that there are",
                value=f"{name!r} among {', '.join(sorted(there))}",
                remedy="Mend the name.",
            )


def _written(table: pa.Table, id_column: str, columns: Sequence[str] | None) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Return the ids and, by column, the values as the profile of records writes them, null where missing."""
    wanted = columns and [name for name in columns if name in table.column_names and name != id_column]
    names = read_records(table, id_column, wanted).columns
    values = {}
    for name in names:
        texts = read_records(table, id_column, [name]).texts
        values[name] = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.large_string()), texts)
    return read_records(table, id_column, ()).ids, values
