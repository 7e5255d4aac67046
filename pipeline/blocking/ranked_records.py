"""Records of one or two tables in rank order: of two that match, the better one stays.

By default the order is that of the tables, the left one first; records that an earlier run knew come before all new
ones, in the order in which they appeared. A column can rank them instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import InputError
from .pairs import check_pairs

LEFT, RIGHT, ONLY = "left", "right", "only"
"""The side of a record: of two tables, the one that it is in; ``only`` where there is one."""


@dataclass(frozen=True)
class RankedRecords:
    """Records, each with a row number that is its rank, 0 the best.

    Attributes:
        ids: string, shape (n,).
        sides: string, shape (n,): ``left`` or ``right``; ``only`` within one table.
        tables: int64, shape (n,): where each stands among the records as they were given, the left ones first.
    """

    ids: pa.Array
    sides: pa.Array
    tables: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def names(self) -> pa.Array:
        """What each record is called among all: string, shape (n,); see ``names_of``."""
        return names_of(self.ids, self.sides)

    def rows_of(self, pairs: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of the left and of the right records of pairs: int64, shape (n_pairs,) each.

        Raises:
            InputError: it is no table of pairs, has a pair twice or one of a record with itself, or an id is unknown.
        """
        check_pairs(pairs)
        one = self._one_table
        left = self._rows(pairs["left_id"], ONLY if one else LEFT)
        right = self._rows(pairs["right_id"], ONLY if one else RIGHT)
        itself = np.flatnonzero(left == right)
        if len(itself):
            raise InputError(
                "a pair is of two records",
                value=f"{pairs['left_id'][int(itself[0])].as_py()!r} with itself",
                remedy="Leave such pairs out.",
            )
        return left, right

    @property
    def _one_table(self) -> bool:
        return not len(self) or self.sides[0].as_py() == ONLY

    def _rows(self, ids: pa.ChunkedArray, side: str) -> NDArray[np.int64]:
        asked = ids.combine_chunks()
        found = pc.index_in(names_of(asked, pa.repeat(side, len(asked))), value_set=self.names)
        if found.null_count:
            unknown = asked.filter(found.is_null()).unique()
            raise InputError(
                "the ids of pairs are those of records",
                value=f"{len(unknown):,} others, the first {unknown[0].as_py()!r} ({side})",
                remedy="Check that the pairs are of these tables, and which of them is left.",
            )
        rows: NDArray[np.int64] = found.to_numpy().astype(np.int64)
        return rows


def names_of(ids: pa.Array, sides: pa.Array) -> pa.Array:
    """Return what records are called: within one table by their ids, of two with the side before: ``left:17``."""
    named = pc.binary_join_element_wise(sides.cast(pa.string()), ids.cast(pa.string()), ":")
    return pc.if_else(pc.equal(sides, ONLY), ids.cast(pa.string()), named)


def ranked_records(
    left_ids: pa.Array,
    right_ids: pa.Array | None,
    *,
    by: Sequence[pa.Array] | None = None,
    descending: bool = True,
    known: pa.Array | None = None,
) -> RankedRecords:
    """Return records in rank order.

    Args:
        left_ids, right_ids: string, the ids of each table in its order; right_ids is None within one table.
        by: numbers or texts to rank by, one array a table; nulls and NaN come last, and equal ones as without.
        descending: whether the highest value is the best.
        known: the names of records of an earlier run, in the order in which they appeared: they come before new ones.

    Raises:
        InputError: there are not as many values to rank by as records, or they are of two types.
    """
    parts = [left_ids] if right_ids is None else [left_ids, right_ids]
    ids = pa.concat_arrays([part.cast(pa.string()) for part in parts])
    if right_ids is None:
        sides = pa.repeat(ONLY, len(ids))
    else:
        sides = pa.concat_arrays([pa.repeat(LEFT, len(left_ids)), pa.repeat(RIGHT, len(right_ids))])
    keys = [np.arange(len(ids))]
    if known is not None and len(known):
        found = pc.index_in(names_of(ids, sides), value_set=known.cast(pa.string()))
        keys.append(pc.fill_null(found, len(known)).to_numpy().astype(np.int64))
    if by is not None:
        keys.append(_order_of(by, [len(part) for part in parts], descending))
    order = np.lexsort(keys)
    places = pa.array(order)
    return RankedRecords(ids.take(places), sides.take(places), order)


def _order_of(by: Sequence[pa.Array], sizes: Sequence[int], descending: bool) -> NDArray[np.int64]:
    """Return a number for each value: equal ones of equal values, the best lowest, missing ones last."""
    if [len(values) for values in by] != list(sizes) or len({values.type for values in by}) > 1:
        raise InputError(
            "each record has one value to rank by, all of one type",
            value=f"{', '.join(f'{len(values)} {values.type}' for values in by)} for {list(sizes)} records",
            remedy="Give one array for each table, nulls where a value is missing.",
        )
    values = pa.concat_arrays(by)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    ranks = pc.rank(values, "descending" if descending else "ascending", tiebreaker="min")  # nulls last
    numbers: NDArray[np.int64] = ranks.to_numpy().astype(np.int64)
    return numbers
