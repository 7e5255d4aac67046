"""Scores of models on items, from a table: one column a model, or one row a model and item."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...connectors.record_table import read_record_table
from ...hashing.errors import ConfigError, InputError
from ..text_column import is_text

Scores = NDArray[np.float64]

_WORDS = {"true": "1", "yes": "1", "right": "1", "false": "0", "no": "0", "wrong": "0", "": None}


@dataclass(frozen=True)
class ScoreTable:
    """Scores, and what they are of.

    Attributes:
        models: names.
        items: their ids, as they are in the table: in its order if it is wide, else ascending.
        scores: float64, shape (models, items); NaN where there is none.
        texts: of the items, or None.
    """

    models: tuple[str, ...]
    items: pa.Array
    scores: Scores
    texts: list[str | None] | None


def read_scores(
    path: str,
    *,
    item: str | None = None,
    model: str | None = None,
    score: str | None = None,
    text: str | None = None,
    format: str | None = None,
) -> ScoreTable:
    """Read scores.

    Args:
        path: a table, as of ``read_record_table``.
        item: column of the items' ids; default, of a wide table: items are numbered from 0.
        model, score: columns of a long table, both or neither. A wide table has a column a model: all columns that hold
            nothing but numbers, booleans or their names, but ``item`` and ``text``.
        text: column of the items' texts.
        format: of files; default: by ending.

    Raises:
        ConfigError: of ``model`` and ``score`` one is missing, or a long table has no ``item``.
        InputError: a row cannot be read, there is no such column, an item is there twice, or a score is no number.
    """
    if (model is None) != (score is None) or (model is not None and item is None):
        raise ConfigError(
            "a long table has columns of models, items and scores",
            value=f"model {model!r}, item {item!r}, score {score!r}",
            remedy="Name all three; or none of model and score, where each model is a column.",
        )
    read = read_record_table(path, format=format)
    if read.unread:
        _, record, rule = read.unread[0]
        raise InputError("every row can be read", value=f"record {record} of {path}: {rule}", remedy="Mend it.")
    rows = read.rows
    for name in (item, model, score, text):
        if name is not None and name not in rows.column_names:
            raise InputError(
                "columns that are named are there",
                value=f"{name!r}; {path} has {', '.join(rows.column_names[:8])}",
                remedy="Name another.",
            )
    if not rows.num_rows:
        raise InputError("there are scores", value=f"no row in {path}", remedy="Name another table.")
    return _wide(rows, item, text) if model is None or score is None else _long(rows, str(item), model, score, text)


def _wide(rows: pa.Table, item: str | None, text: str | None) -> ScoreTable:
    items = pa.array(range(rows.num_rows), pa.int64()) if item is None else _ids(rows, item)
    _once(items, item or "number")
    columns = {name: _numbers(rows[name], name) for name in rows.column_names if name not in (item, text)}
    scores = {name: values for name, values in columns.items() if isinstance(values, np.ndarray)}
    if len(scores) < 2:
        odd = ", ".join(f"{name!r} has {value!r}" for name, value in columns.items() if isinstance(value, str))
        raise InputError(
            "there is a column of scores for each of two models or more",
            value=f"{len(scores)}" + (f" ({odd})" if odd else ""),
            remedy="Score more models; a table with a row a model and item takes --model, --item and --score.",
        )
    texts = None if text is None else _texts(rows[text])
    return ScoreTable(tuple(scores), items, np.array(list(scores.values())), texts)


def _long(rows: pa.Table, item: str, model: str, score: str, text: str | None) -> ScoreTable:
    values = _numbers(rows[score], score)
    if isinstance(values, str):
        raise InputError("scores are numbers", value=f"{values!r} in column {score!r}", remedy="Mend it.")
    items, item_of = _places(_ids(rows, item))
    models, model_of = _places(_ids(rows, model).cast(pa.large_string()))
    if len(models) < 2:
        raise InputError("there are scores of two models or more", value=len(models), remedy="Score more models.")
    cells = model_of * len(items) + item_of
    order = np.argsort(cells, kind="stable")
    twice = np.flatnonzero(np.diff(cells[order]) == 0)
    if len(twice):
        at = int(order[twice[0] + 1])
        raise InputError(
            "a model has one score for each item",
            value=f"model {models[model_of[at]].as_py()!r} has two for item {items[item_of[at]].as_py()!r}",
            remedy="Leave one out.",
        )
    scores = np.full((len(models), len(items)), np.nan)
    scores[model_of, item_of] = values
    texts: list[str | None] | None = None
    if text is not None:
        texts = [None] * len(items)
        for row, one in zip(item_of[::-1].tolist(), _texts(rows[text])[::-1], strict=True):  # the first row's stands
            texts[row] = one if one is not None else texts[row]
    return ScoreTable(tuple(models.to_pylist()), items, scores, texts)


def _ids(rows: pa.Table, name: str) -> pa.Array:
    ids = rows[name].combine_chunks()
    ids = pa.concat_arrays(ids.chunks) if isinstance(ids, pa.ChunkedArray) else ids
    if ids.null_count:
        row = int(np.flatnonzero(ids.is_null().to_numpy(zero_copy_only=False))[0])
        raise InputError("every row has an id", value=f"row {row} has no {name!r}", remedy="Mend it.")
    return ids


def _once(ids: pa.Array, name: str) -> None:
    counts = pc.value_counts(ids)
    twice = [one["values"] for one in counts.to_pylist() if one["counts"] > 1]
    if twice:
        raise InputError(
            "an item is one row, and a model one column",
            value=f"{name} {twice[0]!r} more than once",
            remedy="Leave one out; a table with a row a model and item takes --model and --score.",
        )


def _places(ids: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return (distinct ids, ascending; the place of each row's)."""
    distinct = pc.unique(ids)
    distinct = distinct.take(pc.sort_indices(distinct))
    return distinct, pc.index_in(ids, distinct).to_numpy(zero_copy_only=False).astype(np.int64)


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    found: list[str | None] = column.cast(pa.large_string()).to_pylist()
    return found


def _numbers(column: pa.ChunkedArray, name: str) -> Scores | str:
    """Return a column as numbers, NaN where it has none; or, if it holds others, the first value that is no number."""
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif is_text(kind):
        words: Sequence[str | None] = column.cast(pa.large_string()).to_pylist()
        said = [None if word is None else _WORDS.get(word.strip().lower(), word) for word in words]
        try:
            return np.array([np.nan if word is None else float(word) for word in said])
        except ValueError:
            return next(word for word in said if word is not None and not _is_number(word))
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return f"type {kind}" if not pa.types.is_null(kind) else "nothing"
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
