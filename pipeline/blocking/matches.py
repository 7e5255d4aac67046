"""Known matches, as people have them: a table of two ids, with or without a header, and perhaps a label."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ...connectors.record_table import read_record_table
from ...hashing.errors import InputError

_LEFT = ("left_id", "ltable_id", "id_l", "d1", "left", "id1")
_RIGHT = ("right_id", "rtable_id", "id_r", "d2", "right", "id2")
_LABELS = ("label", "match", "is_match", "gold")
_YES, _NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")


@dataclass(frozen=True)
class KnownPairs:
    """Pairs of which is known whether they match.

    Attributes:
        matches: ``left_id`` and ``right_id``, strings, each pair once.
        others: pairs that are known to be none, likewise; empty where the table has no labels.
    """

    matches: pa.Table
    others: pa.Table

    @property
    def labels(self) -> pa.Table:
        """Both in one table with ``label``, 1 or 0: as ``labels.read_labels`` takes it."""
        parts = [(self.matches, 1), (self.others, 0)]
        return pa.concat_tables(
            [part.append_column("label", pa.array([label] * part.num_rows, pa.int64())) for part, label in parts]
        )


def read_known_pairs(
    path: str,
    left_ids: pa.Array,
    right_ids: pa.Array | None,
    *,
    left: str | None = None,
    right: str | None = None,
    label: str | None = None,
) -> KnownPairs:
    """Read the known matches of some records.

    The columns of ids are those that are named; or those called ``left_id`` and ``right_id``, or by another common
    name; or the first two. Where the names of these two are themselves ids of both sides, the table has no header, and
    they are its first match, and a third column of nothing but labels has the labels. A column of labels (``label``)
    says 1 or 0.

    Args:
        path: a table, as of ``read_record_table``.
        left_ids, right_ids: the ids of all records; right_ids is None within one table.
        left, right, label: names of columns; default: found as above.

    Raises:
        InputError: a row cannot be read, there is no such column, an id is that of no record, a label is neither, or a
            pair has both labels.
    """
    known = read_record_table(path)
    if known.unread:
        _, record, rule = known.unread[0]
        raise InputError(
            "every known match can be read",
            value=f"{len(known.unread):,} cannot, the first is record {record} of {path}: {rule}",
            remedy="Mend them, or leave them out.",
        )
    rows = known.rows
    right_side = left_ids if right_ids is None else right_ids
    one, other = _columns(rows, left, right, path)
    table = pa.table({"left_id": _ids_as(rows[one], left_ids), "right_id": _ids_as(rows[other], right_side)})
    if left is None and right is None and _is_id(one, left_ids) and _is_id(other, right_side):
        head = pa.table({"left_id": [one], "right_id": [other]}, table.schema)
        table = pa.concat_tables([head, table])
        said = _said_without_header(rows, table.num_rows)
    else:
        name = label or next((name for name in rows.column_names if name.lower() in _LABELS), None)
        said = _all_match(table.num_rows) if name is None else _said(rows, name, path)
    _check_ids(table["left_id"], left_ids, "left", path)
    _check_ids(table["right_id"], right_side, "right", path)
    matches, others = _distinct(table.filter(said)), _distinct(table.filter(pc.invert(said)))
    _check_agreement(matches, others, path, dirty=right_ids is None)
    return KnownPairs(matches, others)


def _columns(rows: pa.Table, left: str | None, right: str | None, path: str) -> tuple[str, str]:
    """Return the columns of ids: named, called as usual, or the first that is not the other one's."""
    names: list[str] = rows.column_names
    for name in filter(None, (left, right)):
        if name not in names:
            raise InputError(
                "the columns of known matches are there",
                value=f"{name!r} among {', '.join(names)} of {path}",
                remedy="Mend the name.",
            )
    if len(names) < 2:
        raise InputError(
            "known matches are two ids each",
            value=f"columns {', '.join(names)} of {path}",
            remedy="Give a table with a column for each id.",
        )
    one, other = left or _usual(names, _LEFT), right or _usual(names, _RIGHT)
    one = one or next(name for name in names if name != other)
    return one, other or next(name for name in names if name != one)


def _usual(names: list[str], usual: tuple[str, ...]) -> str | None:
    return next((name for low in usual for name in names if name.lower() == low), None)


def _ids_as(column: pa.ChunkedArray, ids: pa.Array) -> pa.ChunkedArray:
    """Return ids as they are written, or without white space at their ends where only so they are those of records."""
    exact = column.cast(pa.string())
    there = pc.is_in(exact, value_set=ids.cast(pa.string()))
    return pc.if_else(there, exact, pc.utf8_trim_whitespace(exact))


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(column.cast(pa.string()))


def _is_id(name: str, ids: pa.Array) -> bool:
    return bool(pc.any(pc.equal(ids.cast(pa.string()), name)).as_py())


def _check_ids(column: pa.ChunkedArray, ids: pa.Array, side: str, path: str) -> None:
    wrong = column.filter(pc.invert(pc.is_in(column, value_set=ids.cast(pa.string()))))
    if len(wrong):
        raise InputError(
            f"the {side} id of a known match is that of a record",
            value=f"{len(wrong):,} others in {path}, the first {wrong[0].as_py()!r}",
            remedy="Check that these are the matches of these tables, and which of the ids is left.",
        )


def _all_match(n: int) -> pa.Array:
    return pa.array([True] * n, pa.bool_())


def _said_without_header(rows: pa.Table, n: int) -> pa.Array:
    """Return the labels of a third column; where that is something else, or is not there, all pairs match."""
    if rows.num_columns < 3:
        return _all_match(n)
    third = pa.chunked_array([[rows.column_names[2]], *_texts(rows.column(2)).chunks], pa.string())
    said = pc.utf8_lower(pc.utf8_trim_whitespace(third)).combine_chunks()
    if pc.all(pc.is_in(said, value_set=pa.array(_YES + _NO))).as_py():
        return pc.is_in(said, value_set=pa.array(_YES))
    return _all_match(n)


def _said(rows: pa.Table, name: str, path: str) -> pa.Array:
    if name not in rows.column_names:
        raise InputError(
            "the column of labels is there",
            value=f"{name!r} among {', '.join(rows.column_names)} of {path}",
            remedy="Mend the name.",
        )
    said = pc.utf8_lower(_texts(rows[name])).combine_chunks()
    yes, no = (pc.is_in(said, value_set=pa.array(some)) for some in (_YES, _NO))
    neither = said.filter(pc.invert(pc.or_(yes, no)))
    if len(neither):
        raise InputError(
            "a label is 1 or 0",
            value=f"{neither[0].as_py()!r} in column {name!r} of {path}",
            remedy="Mend it, or leave the column out: then all pairs are matches.",
        )
    return yes


def _distinct(table: pa.Table) -> pa.Table:
    return table.group_by(["left_id", "right_id"], use_threads=False).aggregate([])


def _check_agreement(matches: pa.Table, others: pa.Table, path: str, *, dirty: bool) -> None:
    def keys(table: pa.Table) -> set[tuple[str, str]]:
        pairs = zip(table["left_id"].to_pylist(), table["right_id"].to_pylist(), strict=True)
        return {(min(pair), max(pair)) if dirty else pair for pair in pairs}

    both = sorted(keys(matches) & keys(others))
    if both:
        raise InputError(
            "a pair has one label",
            value=f"{len(both):,} pairs of {path} have both, the first {both[0]}",
            remedy="Mend the labels.",
        )
