"""Tables of pairs: the one result of every blocker, and what can be made of several of them.

A pair stands once in a table. Of two tables of records the left id is that of the first; within one table of records
the left id is the lower one, as UTF-8 bytes, so that blockers agree on what a pair is called. Rows are in the order of
(left id, rank, right id), ids as bytes: the same pairs are the same table whoever found them.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import ConfigError, InputError

PAIRS = pa.schema(
    [
        pa.field("left_id", pa.string(), nullable=False),
        pa.field("right_id", pa.string(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("blocker", pa.string(), nullable=False),
        pa.field("rank", pa.int64(), nullable=False),
    ]
)
"""``score``: higher is more alike; those of different blockers cannot be compared. ``blocker``: who found the pair,
names in order with ``+`` between. ``rank``: from 1, the place of the pair among those of its query."""

_MOST_BLOCKERS = 63

Integers = NDArray[np.int64]


def pairs_table(
    left: pa.Array, right: pa.Array, scores: NDArray[np.float64], blocker: str, ranks: Integers
) -> pa.Table:
    """Return pairs of two tables of records as a table of pairs.

    Args:
        left, right: strings, the ids of each pair; no pair twice.
        scores: float64.
        blocker: who found them.
        ranks: int64, from 1.
    """
    names = pa.array([blocker]).take(pa.array(np.zeros(len(scores), np.int64)))
    table = pa.table([left.cast(pa.string()), right.cast(pa.string()), scores, names, ranks], PAIRS)
    return _in_order(table, *_codes(table))


def pairs_of_one_table(
    one: pa.Array, other: pa.Array, scores: NDArray[np.float64], blocker: str, ranks: Integers
) -> pa.Table:
    """Return pairs within one table of records, each once: of both ways round the one with the better rank.

    Args: as ``pairs_table``; which id of a pair is which does not matter.
    """
    one, other = one.cast(pa.string()), other.cast(pa.string())
    a, b = _shared_codes(one, other)
    turned = a > b
    low, high = np.where(turned, b, a), np.where(turned, a, b)
    order = np.lexsort((-scores, ranks, high, low))
    kept = order[_firsts(low[order], high[order])]
    mask = pa.array(turned[kept])
    one, other = one.take(pa.array(kept)), other.take(pa.array(kept))
    left, right = pc.if_else(mask, other, one), pc.if_else(mask, one, other)
    return pairs_table(left, right, scores[kept], blocker, ranks[kept])


def pairs_of_rows(
    left_ids: pa.Array,
    right_ids: pa.Array | None,
    queries: Integers,
    rows: Integers,
    scores: NDArray[np.float64],
    ranks: Integers,
    blocker: str,
) -> pa.Table:
    """Return pairs of records by their places, as a table of pairs; texts are touched once a record, not once a pair.

    Args:
        left_ids, right_ids: strings, the ids of all records, each once; right_ids is None within one table, where a
            pair found from both ends is there once, with the better rank.
        queries, rows: int64: places of the left and the right record of each pair.
        scores, ranks, blocker: as ``pairs_table``.
    """
    left_order = pc.sort_indices(left_ids).to_numpy().astype(np.int64)
    right_order = left_order if right_ids is None else pc.sort_indices(right_ids).to_numpy().astype(np.int64)
    left, right = _inverse(left_order)[queries], _inverse(right_order)[rows]
    if right_ids is None:
        left, right = np.minimum(left, right), np.maximum(left, right)
        order = np.lexsort((-scores, ranks, right, left))
        kept = order[_firsts(left[order], right[order])]
        left, right, scores, ranks = left[kept], right[kept], scores[kept], ranks[kept]
    order = np.lexsort((right, ranks, left))
    one = left_ids.take(pa.array(left_order[left[order]])).cast(pa.string())
    other = (left_ids if right_ids is None else right_ids).take(pa.array(right_order[right[order]])).cast(pa.string())
    names = pa.array([blocker]).take(pa.array(np.zeros(len(order), np.int64)))
    return pa.table([one, other, scores[order], names, ranks[order]], PAIRS)


def _inverse(order: Integers) -> Integers:
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return places


def check_pairs(pairs: pa.Table) -> None:
    """Make sure that a table is one of pairs, and has each once.

    Raises:
        InputError: it is not.
    """
    if not pairs.schema.equals(PAIRS):
        raise InputError(
            "a table of pairs has the columns left_id, right_id, score, blocker and rank",
            value=", ".join(f"{field.name} {field.type}" for field in pairs.schema),
            remedy="Make it with `pairs_table`.",
        )
    empty = [name for name in PAIRS.names if pairs[name].null_count]
    if empty:
        raise InputError("a pair lacks nothing", value=f"nulls in {', '.join(empty)}", remedy="Leave such pairs out.")
    left, right = _codes(pairs)
    order = np.lexsort((right, left))
    again = order[~_new(left[order], right[order])]
    if len(again):
        row = int(again[0])
        raise InputError(
            "a table has each pair once",
            value=f"{pairs['left_id'][row].as_py()!r} with {pairs['right_id'][row].as_py()!r} again",
            remedy="Leave the repeated pairs out.",
        )


def union(results: Sequence[pa.Table]) -> pa.Table:
    """Return the pairs that any of some results has, each with its best rank and the score there.

    Of equal ranks the higher score is taken, and of equal scores the first name.
    """
    return _merged(results, 1)


def intersection(results: Sequence[pa.Table]) -> pa.Table:
    """Return the pairs that all of some results have; ranks and scores as ``union``."""
    return _merged(results, len(results))


def exclusion(result: pa.Table, others: Sequence[pa.Table]) -> pa.Table:
    """Return the pairs of a result that no other one has, as they are."""
    rows, left, right = _together([result, *others])
    if not len(rows):
        return rows
    order = np.lexsort((right, left))
    starts = _firsts(left[order], right[order])
    firsts, sizes = np.minimum.reduceat(order, starts), _sizes(starts, len(order))
    kept = firsts[(sizes == 1) & (firsts < len(result))]
    return _in_order(rows.take(kept), left[kept], right[kept])


def fused(results: Sequence[pa.Table], constant: int = 60) -> pa.Table:
    """Return the pairs that any of some results has, scored by reciprocal rank fusion (Cormack et al. 2009).

    The score is the sum of 1 / (constant + rank) over the results that have the pair, and ranks are given anew: to the
    pairs of each left id by that score, of equal ones by the right id. The order of results does not matter.

    Raises:
        ConfigError: the constant is below 0.
    """
    if constant < 0:
        raise ConfigError(
            "the constant of reciprocal rank fusion is at least 0", value=constant, remedy="Leave it at 60, or mend it."
        )
    rows, left, right = _together(results)
    ranks = rows["rank"].to_numpy()
    if not len(rows):
        return rows
    order = np.lexsort((ranks, right, left))
    starts = _firsts(left[order], right[order])
    scores = np.add.reduceat(1.0 / (constant + ranks[order]), starts)
    kept, names = order[starts], _joined_names(rows, order, starts)
    place = np.lexsort((right[kept], -scores, left[kept]))
    new = np.empty(len(kept), np.int64)
    queries = _firsts(left[kept][place])
    new[place] = np.arange(len(kept)) - np.repeat(queries, _sizes(queries, len(kept))) + 1
    table = pa.table([rows["left_id"].take(kept), rows["right_id"].take(kept), scores, names, new], PAIRS)
    return _in_order(table, left[kept], right[kept])


def in_order(results: Sequence[pa.Table]) -> pa.Table:
    """Return the pairs that any of some results has: those of the first with their ranks, then what it lacks of others.

    The ranks of each further result begin behind the highest one of those before it, and the score is 1 / rank. So up
    to the last rank of the first result, the best pairs are its own.
    """
    rows, left, right = _together(results)
    if not len(rows):
        return rows
    highest = [int(pc.max(result["rank"]).as_py() or 0) for result in results]
    sizes = [result.num_rows for result in results]
    ranks = rows["rank"].to_numpy() + np.repeat(np.cumsum([0, *highest[:-1]]), sizes)
    order = np.lexsort((np.repeat(np.arange(len(results)), sizes), right, left))
    starts = _firsts(left[order], right[order])
    kept, names = order[starts], _joined_names(rows, order, starts)
    table = pa.table(
        [rows["left_id"].take(kept), rows["right_id"].take(kept), 1.0 / ranks[kept], names, ranks[kept]], PAIRS
    )
    return _in_order(table, left[kept], right[kept])


def best_pairs(pairs: pa.Table, n: int, by: Literal["rank", "score"] = "rank") -> pa.Table:
    """Return the best n pairs: a budget.

    Args:
        pairs: a table of pairs.
        n: how many, at least 0.
        by: ``rank``: those of the best ranks, of equal ranks the highest scores. ``score``: the other way round; for
            scores that can be compared. Of equals the lower ids, as bytes.

    Raises:
        ConfigError: n is below 0.
    """
    if n < 0:
        raise ConfigError("a budget of pairs is at least 0", value=n, remedy="Mend the number.")
    check_pairs(pairs)
    kept = best_order(pairs, by)[:n]
    left, right = _codes(pairs)
    return _in_order(pairs.take(kept), left[kept], right[kept])


def best_order(pairs: pa.Table, by: Literal["rank", "score"] = "rank") -> Integers:
    """Return the rows of a table of pairs, the best first, as ``best_pairs`` takes them: int64, shape (pairs,)."""
    left, right = _codes(pairs)
    first, then = pairs["rank"].to_numpy(), -pairs["score"].to_numpy()
    if by == "score":
        first, then = then, first
    return np.lexsort((right, left, then, first))


def _merged(results: Sequence[pa.Table], least: int) -> pa.Table:
    """Return the pairs that at least so many of some results have."""
    rows, left, right = _together(results)
    if not len(rows):
        return rows
    names = _ranks_of(rows["blocker"].combine_chunks())
    order = np.lexsort((names, -rows["score"].to_numpy(), rows["rank"].to_numpy(), right, left))
    starts = _firsts(left[order], right[order])
    often = _sizes(starts, len(order)) >= least
    kept = order[starts][often]
    found = rows.take(kept).set_column(3, PAIRS.field("blocker"), _joined_names(rows, order, starts).filter(often))
    return _in_order(found, left[kept], right[kept])


def _together(results: Sequence[pa.Table]) -> tuple[pa.Table, Integers, Integers]:
    """Return (the rows of all results, numbers of their left ids, of their right ids)."""
    if not results:
        raise ConfigError("there is at least one result to combine", value="none", remedy="Name one or more.")
    for result in results:
        check_pairs(result)
    rows = pa.concat_tables(results)
    return rows, *_codes(rows)


def _joined_names(rows: pa.Table, order: Integers, starts: Integers) -> pa.Array:
    """Return for each group of rows the names of all its blockers."""
    blockers = rows["blocker"].combine_chunks().dictionary_encode()
    said = [set(text.split("+")) for text in blockers.dictionary.to_pylist()]
    names = sorted(set().union(*said))
    if len(names) > _MOST_BLOCKERS:
        raise ConfigError(
            f"results of at most {_MOST_BLOCKERS} blockers are combined", value=len(names), remedy="Combine fewer."
        )
    bits = np.array([sum(1 << names.index(name) for name in some) for some in said], np.int64)
    groups = np.bitwise_or.reduceat(bits[blockers.indices.to_numpy()][order], starts)
    distinct, which = np.unique(groups, return_inverse=True)
    joined = ["+".join(name for i, name in enumerate(names) if int(group) >> i & 1) for group in distinct]
    return pa.array(joined, pa.string()).take(pa.array(which))


def _in_order(table: pa.Table, left: Integers, right: Integers) -> pa.Table:
    order = np.lexsort((right, table["rank"].to_numpy(), left))
    return table.take(order).combine_chunks()


def _codes(table: pa.Table) -> tuple[Integers, Integers]:
    """Return numbers of the left ids and of the right ids, in their order as bytes."""
    return _ranks_of(table["left_id"].combine_chunks()), _ranks_of(table["right_id"].combine_chunks())


def _shared_codes(one: pa.Array, other: pa.Array) -> tuple[Integers, Integers]:
    """Return numbers of ids that are of one kind."""
    ranks = _ranks_of(pa.concat_arrays([one, other]))
    return ranks[: len(one)], ranks[len(one) :]


def _ranks_of(texts: pa.Array) -> Integers:
    """Return for each text which of the distinct ones it is, in the order of their bytes."""
    coded = texts.dictionary_encode()
    ranks: Integers = _inverse(pc.sort_indices(coded.dictionary).to_numpy())[coded.indices.to_numpy()]
    return ranks


def _new(*sorted_keys: Integers) -> NDArray[np.bool_]:
    """Return for each row whether another key begins there."""
    new = np.zeros(len(sorted_keys[0]), np.bool_)
    new[:1] = True
    for key in sorted_keys:
        new[1:] |= key[1:] != key[:-1]
    return new


def _firsts(*sorted_keys: Integers) -> Integers:
    """Return where each different key begins."""
    return np.flatnonzero(_new(*sorted_keys))


def _sizes(starts: Integers, n: int) -> Integers:
    return np.diff(np.append(starts, n))
