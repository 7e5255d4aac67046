"""Pairs of ids as numbers, so that pairs of several tables can be compared."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import InputError
from ..counted import counted


@dataclass(frozen=True)
class RecordIds:
    """The ids of all records that could be paired.

    Attributes:
        left: of the first table.
        right: of the second; None: there is one table, and which id of a pair is left does not matter.

    Raises:
        InputError: there are no two records.
    """

    left: pa.Array
    right: pa.Array | None

    def __post_init__(self) -> None:
        if not self.possible:
            raise InputError(
                "there are records to pair",
                value=f"{len(self.left):,} left and {len(self.searched):,} right ids",
                remedy="Give the ids of all records, of those in no pair too.",
            )

    @property
    def dirty(self) -> bool:
        """Whether there is one table."""
        return self.right is None

    @property
    def searched(self) -> pa.Array:
        """The ids of the records that are searched."""
        return self.left if self.right is None else self.right

    @property
    def possible(self) -> int:
        """How many pairs there could be."""
        return len(self.left) * (len(self.left) - 1) // 2 if self.dirty else len(self.left) * len(self.searched)

    def keys(self, table: pa.Table, what: str) -> NDArray[np.int64]:
        """Return one number for each pair of a table: int64, shape (n,); equal ones for equal pairs.

        Args:
            table: has ``left_id`` and ``right_id``.
            what: what the rows are called in messages.

        Raises:
            InputError: an id is that of no record, or a record of one table is paired with itself.
        """
        left = places(table, "left_id", self.left, what)
        right = places(table, "right_id", self.searched, what)
        if self.dirty:
            itself = np.flatnonzero(left == right)
            if len(itself):
                raise InputError(
                    f"{what} are of two records each",
                    value=f"{table['left_id'][int(itself[0])].as_py()!r} with itself",
                    remedy="Leave such pairs out.",
                )
            left, right = np.minimum(left, right), np.maximum(left, right)
        keys: NDArray[np.int64] = left * len(self.searched) + right
        return keys

    def matches(self, gold: pa.Table) -> NDArray[np.int64]:
        """Return the numbers of true matches, each once, ascending: int64.

        Raises:
            InputError: as ``keys``, or there is no match.
        """
        true = distinct(self.keys(gold, "matches"))
        if not len(true):
            raise InputError("there are matches to measure by", value="none", remedy="Give one or more.")
        return true

    def pairs(self, pairs: pa.Table) -> NDArray[np.int64]:
        """Return the numbers of a table of pairs: int64, in its order, all different.

        Raises:
            InputError: as ``keys``, or a pair within one table is there both ways round.
        """
        said = self.keys(pairs, "pairs")
        if self.dirty and (again := len(said) - len(distinct(said))):
            raise InputError(
                "a pair within one table stands once, the lower id left",
                value=f"{counted(again, 'pair')} both ways round",
                remedy="Make the table with `pairs_of_one_table`.",
            )
        return said

    def named(self, keys: NDArray[np.int64]) -> list[tuple[str, str]]:
        """Return the ids of pairs by their numbers; within one table the lower id, as bytes, first."""
        left, right = np.divmod(keys, len(self.searched))
        one, other = (ids.take(pa.array(at)).to_pylist() for ids, at in ((self.left, left), (self.searched, right)))
        found = list(zip(map(str, one), map(str, other), strict=True))
        return [(min(pair, key=_bytes), max(pair, key=_bytes)) for pair in found] if self.dirty else found


def distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each number once, ascending; by sorting, which is faster than ``np.unique`` for millions of them."""
    ordered = np.sort(keys)
    new = np.ones(len(ordered), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new]


def among(keys: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether each number is one of some that ascend: bool, shape (keys,)."""
    if not len(known):
        return np.zeros(len(keys), np.bool_)
    place = np.searchsorted(known, keys).clip(max=len(known) - 1)
    found: NDArray[np.bool_] = known[place] == keys
    return found


def _bytes(text: str) -> bytes:
    return text.encode()


def places(table: pa.Table, name: str, ids: pa.Array, what: str) -> NDArray[np.int64]:
    """Return where among some ids those of a column are: int64, shape (n,).

    Raises:
        InputError: one is not among them.
    """
    found = pc.index_in(table[name].combine_chunks().cast(pa.string()), value_set=ids.cast(pa.string()))
    if found.null_count:
        unknown = table[name].filter(pc.is_null(found)).unique().to_pylist()
        raise InputError(
            f"the {name} of all {what} is that of a record",
            value=f"{len(unknown):,} others, the first {unknown[0]!r}",
            remedy="Check that the ids are those of these tables, and which of them is left.",
        )
    located: NDArray[np.int64] = found.to_numpy().astype(np.int64)
    return located
