"""Labels of pairs: which records are known to be one thing, and which are known not to be."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import InputError
from ..counted import counted
from .pair_keys import RecordIds, among, distinct
from .records import Records

_SHOWN = 3
_YES, _NO = pa.array(["1", "1.0", "true", "yes"]), pa.array(["0", "0.0", "false", "no"])

Pairs = NDArray[np.int64]
"""int64, shape (n, 2): (place in the left table, place in the right one), each once, ascending."""


@dataclass(frozen=True)
class Labels:
    """Pairs of records of which something is known.

    Attributes:
        matches, others: pairs that are one thing, and pairs that are not. Within one table the lower place is first.
    """

    matches: Pairs
    others: Pairs


def read_labels(table: pa.Table, left_ids: pa.Array, right_ids: pa.Array | None, what: str = "labels") -> Labels:
    """Read labels and make sure that they contradict neither the records nor each other.

    Args:
        table: ``left_id``, ``right_id`` and, if not all pairs are matches, ``label``: see ``meaning``.
        left_ids, right_ids: strings, the ids of all records; right_ids is None within one table.
        what: what the rows are called in messages.

    Raises:
        InputError: a column is missing; an id is null or that of no record; a label says neither; a pair is labelled
            both ways; a record of one table is paired with itself; there are no two records.
    """
    for name in ("left_id", "right_id"):
        if table.column_names.count(name) != 1:
            raise InputError(
                f"{what} have the columns left_id and right_id, each once",
                value=", ".join(table.column_names),
                remedy="Rename the columns of the labels.",
            )
    ids = RecordIds(left_ids, right_ids)
    keys = ids.keys(table, what)
    said = _said(table, what)
    matches, others = distinct(keys[said]), distinct(keys[~said])
    torn = matches[among(matches, others)]
    if len(torn):
        one, other = ids.named(torn[:1])[0]
        raise InputError(
            "a pair has one label",
            value=f"{counted(len(torn), 'pair')} of {what} labelled both 0 and 1, the first {one!r} with {other!r}",
            remedy="Decide what they are.",
        )
    return Labels(*(np.column_stack(np.divmod(some, len(ids.searched))) for some in (matches, others)))


def meaning(labels: pa.Array) -> pa.Array:
    """Return what labels say: true for 1, ``true`` and ``yes``, false for 0, ``false`` and ``no``, else null.

    Args:
        labels: numbers, booleans or text of either case, white space at its ends not counted.
    """
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(labels.cast(pa.string())))
    no = pc.if_else(pc.is_in(texts, value_set=_NO), pa.scalar(False), pa.scalar(None, pa.bool_()))
    return pc.if_else(pc.is_in(texts, value_set=_YES), pa.scalar(True), no)


def _said(table: pa.Table, what: str) -> NDArray[np.bool_]:
    """Return which pairs are labelled as matches."""
    if "label" not in table.column_names:
        return np.ones(len(table), np.bool_)
    column = table["label"].combine_chunks()
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        raise InputError(f"{what} are 0 or 1", value=f"a column of type {column.type}", remedy="Write them as numbers.")
    meant = meaning(column)
    if meant.null_count:
        others = column.filter(meant.is_null())
        shown = sorted(map(str, others.unique().to_pylist()))
        raise InputError(
            f"{what} are 0 or 1",
            value=f"{len(others):,} others, as {_some(shown)}",
            remedy="Mend them, or leave the column out: then all pairs are matches.",
        )
    said: NDArray[np.bool_] = meant.to_numpy(zero_copy_only=False).astype(np.bool_)
    return said


def check_texts(labels: Labels, left: Records, right: Records | None) -> None:
    """Make sure that labels can be learned from.

    Raises:
        InputError: a record with a label is empty.
    """
    pairs = np.concatenate([labels.matches, labels.others])
    for column, side in enumerate((left, left if right is None else right)):
        empty = np.flatnonzero(pc.utf8_length(side.texts).to_numpy()[pairs[:, column]] == 0)
        if len(empty):
            which = f"empty {('left', 'right')[column]} record"
            ids = sorted({side.ids[int(pairs[row, column])].as_py() for row in empty})
            raise InputError(
                "records with a label have a value in some column",
                value=f"{counted(len(ids), which)}, as {_some(ids)}",
                remedy="Leave their labels out.",
            )


def _some(texts: list[str]) -> str:
    return ", ".join(map(repr, texts[:_SHOWN]))
