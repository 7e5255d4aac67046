"""Labels of pairs: which records are known to be one thing, and which are known not to be."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import InputError
from .records import Records

_SHOWN = 3
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


def read_labels(table: pa.Table, left: Records, right: Records | None) -> Labels:
    """Read labels and make sure that they can be learned from.

    Args:
        table: ``left_id``, ``right_id`` and, if not all pairs are matches, ``label``: 1 or true for one thing, 0 or
            false for two.
        left, right: the records; right is None within one table.

    Raises:
        InputError: a column is missing; an id is null or that of no record; a label is neither 0 nor 1; a pair is
            labelled both ways; a record is paired with itself, or is empty.
    """
    for name in ("left_id", "right_id"):
        if table.column_names.count(name) != 1:
            raise InputError(
                "labels have the columns left_id and right_id, each once",
                value=", ".join(table.column_names),
                remedy="Rename the columns of the labels.",
            )
    sides = (left, left if right is None else right)
    places = [_places(table[name], side, name) for name, side in zip(("left_id", "right_id"), sides, strict=True)]
    pairs = np.column_stack(places)
    if right is None:
        itself = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
        if len(itself):
            raise InputError(
                "a label is of two records",
                value=f"{table['left_id'][int(itself[0])].as_py()!r} with itself",
                remedy="Leave such labels out.",
            )
        pairs = np.sort(pairs, axis=1)
    said = _said(table)
    for column, side in enumerate(sides):
        texts = pc.utf8_length(side.texts).to_numpy()
        empty = np.flatnonzero(texts[pairs[:, column]] == 0)
        if len(empty):
            ids = sorted({side.ids[int(pairs[row, column])].as_py() for row in empty})
            raise InputError(
                "records with a label have a value in some column",
                value=f"{len(ids):,} empty {('left', 'right')[column]} records, as {_some(ids)}",
                remedy="Leave their labels out.",
            )
    matches, others = np.unique(pairs[said], axis=0), np.unique(pairs[~said], axis=0)
    both = np.concatenate([matches, others])
    distinct, counts = np.unique(both, axis=0, return_counts=True)
    torn = distinct[counts > 1]
    if len(torn):
        one, other = (side.ids[int(place)].as_py() for side, place in zip(sides, torn[0], strict=True))
        raise InputError(
            "a pair has one label",
            value=f"{len(torn):,} pairs labelled both 0 and 1, the first {one!r} with {other!r}",
            remedy="Decide what they are.",
        )
    return Labels(matches, others)


def _said(table: pa.Table) -> NDArray[np.bool_]:
    """Return which pairs are labelled as matches."""
    if "label" not in table.column_names:
        return np.ones(len(table), np.bool_)
    column = table["label"].combine_chunks()
    kind = column.type
    numbers = (pa.types.is_integer, pa.types.is_boolean, pa.types.is_floating, pa.types.is_null)
    if not any(fits(kind) for fits in numbers):
        raise InputError("labels are 0 or 1", value=f"a column of type {kind}", remedy="Write them as numbers.")
    values = column.cast(pa.float64())
    wrong = values.filter(pc.invert(pc.fill_null(pc.is_in(values, value_set=pa.array([0.0, 1.0])), False)))
    if len(wrong):
        shown = sorted({str(value) for value in wrong.to_pylist()})
        raise InputError("labels are 0 or 1", value=f"{len(wrong):,} others, as {_some(shown)}", remedy="Mend them.")
    said: NDArray[np.bool_] = values.to_numpy() == 1.0
    return said


def _places(column: pa.ChunkedArray, records: Records, name: str) -> NDArray[np.int64]:
    ids = column.combine_chunks().cast(pa.string())
    found = pc.index_in(ids, value_set=records.ids)
    if ids.null_count or found.null_count:
        unknown = sorted({str(value) for value in ids.filter(pc.is_null(found)).to_pylist()})
        raise InputError(
            f"the {name} of each label is that of a record",
            value=f"{len(unknown):,} others, as {_some(unknown)}" if unknown else "nulls",
            remedy="Check that the ids are those of these tables, and which of them is left.",
        )
    places: NDArray[np.int64] = found.to_numpy().astype(np.int64)
    return places


def _some(texts: list[str]) -> str:
    return ", ".join(map(repr, texts[:_SHOWN]))
