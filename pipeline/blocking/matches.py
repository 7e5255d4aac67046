"""Known matches, as people have them: a table of two ids, with or without a header, and perhaps a label."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ...connectors.record_table import read_record_table
from ...hashing.errors import InputError
from ..listed import listed
from .labels import Pairs, meaning, read_labels

_LEFT = ("left_id", "ltable_id", "id_l", "d1", "left", "id1")
_RIGHT = ("right_id", "rtable_id", "id_r", "d2", "right", "id2")
_LABELS = ("label", "match", "is_match", "gold")


@dataclass(frozen=True)
class KnownPairs:
    """Pairs of which is known whether they match.

    Attributes:
        matches: ``left_id`` and ``right_id``, strings, each pair once, in the order of the records.
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
        InputError: a row cannot be read, there is no such column, or ``labels.read_labels`` refuses them.
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
        said = _third_column(rows)
    else:
        said = _named_labels(rows, label, path)
    if said is not None:
        table = table.append_column("label", said)
    found = read_labels(table, left_ids, right_ids, f"known matches of {path}")
    return KnownPairs(*(_ids_of(pairs, left_ids, right_side) for pairs in (found.matches, found.others)))


def _ids_of(pairs: Pairs, left_ids: pa.Array, right_ids: pa.Array) -> pa.Table:
    one, other = left_ids.take(pa.array(pairs[:, 0])), right_ids.take(pa.array(pairs[:, 1]))
    return pa.table({"left_id": one.cast(pa.string()), "right_id": other.cast(pa.string())})


def _columns(rows: pa.Table, left: str | None, right: str | None, path: str) -> tuple[str, str]:
    """Return the columns of ids: named, called as usual, or the first that is not the other one's."""
    names: list[str] = rows.column_names
    for name in filter(None, (left, right)):
        if name not in names:
            raise InputError(
                "the columns of known matches are there",
                value=f"{name!r} among {listed(names)} of {path}",
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


def _is_id(name: str, ids: pa.Array) -> bool:
    return bool(pc.any(pc.equal(ids.cast(pa.string()), name)).as_py())


def _third_column(rows: pa.Table) -> pa.Array | None:
    """Return the labels of a third column without a header; None: it is something else, or is not there."""
    if rows.num_columns < 3:
        return None
    labels = pa.concat_arrays([pa.array([rows.column_names[2]]), rows.column(2).combine_chunks().cast(pa.string())])
    return None if meaning(labels).null_count else labels


def _named_labels(rows: pa.Table, label: str | None, path: str) -> pa.ChunkedArray | None:
    """Return the column of labels; None: there is none."""
    name = label or next((name for name in rows.column_names if name.lower() in _LABELS), None)
    if name is None:
        return None
    if name not in rows.column_names:
        raise InputError(
            "the column of labels is there",
            value=f"{name!r} among {listed(rows.column_names)} of {path}",
            remedy="Mend the name.",
        )
    return rows[name]
