"""Rows as 128-bit fingerprints that do not depend on how values are stored.

A value is compared by its canonical text, so that a number is the same whether a file holds it as an integer, a decimal
or a float, and a CSV, which has no types, can be compared with Parquet:

=====================  =============================================================================
integers, decimals     decimal digits, without zeros at the end of a fraction
floats                 integral ones as integers; others as the shortest decimal of the float64, without exponent;
                       ``-0`` is ``0``, ``NaN`` equals ``NaN``
timestamps             ``2026-01-31T12:00:00.5Z``: in UTC where they have a zone, without ``Z`` where they have none
dates, times           ``2026-01-31``, ``12:00:00.5``; durations in nanoseconds, as ``5ns``
booleans               ``true``, ``false``
strings, bytes         as they are; ``trim`` takes white space away from both ends
lists, structs, maps   JSON with sorted keys, of canonical values
null                   equals null, and no text
=====================  =============================================================================

The fingerprint of a row is the sum of a keyed hash of each cell, the name of its column being the key. So it does not
depend on the order of columns, and that of a projection is made of the same cells.
"""

import base64
import json
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.cells import LIMIT, float_cells, integer_cells, scaled_cells, text_cells
from ...hashing.errors import InputError
from ...hashing.instants import instant_texts
from ...hashing.mix import GOLDEN_GAMMA, derive_seed
from ...hashing.murmur3 import murmur3_all
from ..text_column import text_buffers

_NULL = b"\xff null"
"""What a null is hashed as: no text holds such a byte."""

_INTEGRAL = float(2**63)

_IN_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
"""A text that is a number in a delimited file; one that begins with a zero, as codes do, is none."""


def row_fingerprints(
    columns: Sequence[tuple[str, pa.Array]], rows: int, *, trim: bool = False, typed: bool = False
) -> NDArray[np.uint64]:
    """Return the fingerprint of each row: uint64, shape (rows, 2).

    Args:
        columns: names and values.
        rows: their number, which says it where there are no columns.
        trim: whether white space around texts counts for nothing.
        typed: whether texts that are numbers are those numbers, and empty ones null.
    """
    total = np.zeros((rows, 2), np.uint64)
    for name, column in columns:
        total += cell_hashes(name, column, trim=trim, typed=typed)
    return total


def contents_of(prints: NDArray[np.uint64]) -> tuple[int, int]:
    """Return the fingerprint of rows as a bag: two numbers below 2^64, each a sum modulo 2^64.

    Sums of batches add up to that of all rows, in whatever order they come. The fingerprint of a row is a sum over its
    cells, so it is mixed first, both halves into each other: else cells that change places between rows would change
    nothing.

    Args:
        prints: uint64, shape (n, 2): fingerprints of rows, repeated ones as often as they are there.

    >>> one, two = np.array([[1, 2]], np.uint64), np.array([[3, 4]], np.uint64)
    >>> contents_of(np.concatenate([one, two])) == contents_of(np.concatenate([two, one])) != contents_of(one + two)
    True
    """
    high = _mixed(prints[:, 0] ^ _mixed(prints[:, 1] + GOLDEN_GAMMA))
    low = _mixed(prints[:, 1] + high)
    return int(high.sum(dtype=np.uint64)), int(low.sum(dtype=np.uint64))


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the MurmurHash3 finaliser of each."""
    for factor in (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)):
        x = (x ^ (x >> np.uint64(33))) * factor
    return x ^ (x >> np.uint64(33))


def cell_hashes(name: str, column: pa.Array, *, trim: bool = False, typed: bool = False) -> NDArray[np.uint64]:
    """Return the keyed hash of each value of a column: uint64, shape (n, 2).

    Args:
        name: of the column.
        column: its values.
        trim: whether white space around texts counts for nothing.
        typed: whether texts that are numbers are those numbers, and empty ones null.

    Raises:
        InputError: if values of this type have no canonical text.
    """
    kind = column.type
    if (pa.types.is_string(kind) or pa.types.is_large_string(kind)) and not trim and not typed:
        return _text_hashes(column, _seed(name, "cell"))
    seed = _seed(name, "nested" if pa.types.is_nested(kind) else "cell")  # no text is a list
    if pa.types.is_dictionary(kind) and not column.dictionary.null_count:
        values = cell_hashes(name, column.dictionary, trim=trim, typed=typed)
        hashes = (
            values[column.indices.fill_null(0).to_numpy()] if len(values) else np.zeros((len(column), 2), np.uint64)
        )
        return _with_nulls(hashes, column, seed)
    fast = _fast(column, seed)
    if fast is None:
        return _text_hashes(_texts(name, column, trim, typed), seed)
    hashes, left = fast
    left &= column.is_valid().to_numpy(zero_copy_only=False)
    if left.any():
        hashes[left] = _text_hashes(_texts(name, column.filter(pa.array(left)), trim, typed), seed)
    return _with_nulls(hashes, column, seed)


def _texts(name: str, column: pa.Array, trim: bool, typed: bool) -> pa.Array:
    texts = canonical_texts(name, column, trim=trim)
    return _typed(texts) if typed else texts


def _text_hashes(texts: pa.Array, seed: np.uint64) -> NDArray[np.uint64]:
    data, offsets = text_buffers(texts) if not pa.types.is_large_binary(texts.type) else _bytes_buffers(texts)
    return _with_nulls(text_cells(data, offsets, seed), texts, seed)


def _with_nulls(hashes: NDArray[np.uint64], column: pa.Array, seed: np.uint64) -> NDArray[np.uint64]:
    if not column.null_count:
        return hashes
    null = murmur3_all(np.frombuffer(_NULL, np.uint8), np.array([0, len(_NULL)]), seed)[0]
    return np.where(column.is_null().to_numpy(zero_copy_only=False)[:, None], null, hashes)


def _fast(column: pa.Array, seed: np.uint64) -> tuple[NDArray[np.uint64], NDArray[np.bool_]] | None:
    """Return the hashes of values of some types, and which of them only their text tells; None for other types."""
    kind = column.type
    if pa.types.is_integer(kind):
        values = column.fill_null(0).to_numpy(zero_copy_only=False)
        large = values >= LIMIT if kind == pa.uint64() else np.zeros(len(values), np.bool_)
        hashes, left = integer_cells(values.astype(np.int64), seed)
        return hashes, left | large
    if pa.types.is_floating(kind):
        return float_cells(column.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False), seed)
    if pa.types.is_decimal(kind) and kind.scale >= 0 and not pa.types.is_decimal256(kind):
        return _decimal_cells(column, seed)
    if pa.types.is_boolean(kind):
        both = _text_hashes(pa.array(["false", "true"]), seed)
        hashes = both[column.fill_null(False).to_numpy(zero_copy_only=False).astype(np.int64)]
        return hashes, np.zeros(len(column), np.bool_)
    if pa.types.is_timestamp(kind):
        units = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        texts, offsets, left = instant_texts(units, _IN_SECOND[kind.unit], kind.tz is not None)
        return text_cells(texts, offsets, seed), left
    return None


def _decimal_cells(column: pa.Array, seed: np.uint64) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return the same of decimals: those of 64 bits or less are integers of the scale."""
    scale = column.type.scale
    wide = column.cast(pa.decimal128(38, scale))
    words = np.frombuffer(wide.buffers()[1], np.int64, 2 * (wide.offset + len(wide))).reshape(-1, 2)[wide.offset :]
    low, high = np.ascontiguousarray(words[:, 0]), words[:, 1]
    hashes, left = scaled_cells(low, scale, seed)
    return hashes, left | (high != low >> 63)


def text_seed(name: str) -> np.uint64:
    """Return the key of a column's texts that are hashed as they are."""
    return _seed(name, "cell")


@lru_cache(1 << 16)
def _seed(name: str, kind: str) -> np.uint64:
    """Return the key of a column's cells; a lake has few names."""
    return np.uint64(derive_seed(0, f"{kind} {name}"))


def _bytes_buffers(column: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return (bytes, offsets) of a large_binary column; nulls are empty."""
    sizes = pc.fill_null(pc.binary_length(column), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return np.frombuffer(b"".join(value or b"" for value in column.to_pylist()) or b"\0", np.uint8), offsets


def canonical_texts(name: str, column: pa.Array, *, trim: bool = False) -> pa.Array:
    """Return the canonical text of each value: string, large_string or large_binary, null for null.

    Args:
        name: of the column, for messages.
        column: its values.
        trim: whether white space around texts counts for nothing.

    Raises:
        InputError: if values of this type have none.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return canonical_texts(name, column.cast(kind.value_type), trim=trim)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        texts = column.cast(pa.large_string()) if kind == pa.string_view() else column
        return pc.utf8_trim_whitespace(texts) if trim else texts
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return column.cast(pa.large_binary())
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.large_string())
    if pa.types.is_decimal(kind) and kind.scale >= 0:
        return _without_end_zeros(_decimals(column))
    if pa.types.is_floating(kind):
        return _floats(column.cast(pa.float64()))
    if pa.types.is_timestamp(kind):
        return _instants(column)
    if pa.types.is_date(kind):
        return column.cast(pa.date32()).cast(pa.large_string())
    if pa.types.is_time(kind):
        return _without_end_zeros(column.cast(pa.large_string()))
    if pa.types.is_duration(kind):
        return _durations(column)
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.large_string())
    if pa.types.is_nested(kind):
        return _nested(name, column, trim)
    raise InputError(
        "values of a compared column have a canonical text",
        value=f"{name!r} of type {kind}",
        remedy="Ignore the column.",
    )


def _typed(texts: pa.Array) -> pa.Array:
    """Return what the texts of a delimited file are the canonical texts of: numbers, null where empty, or texts."""
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)
    numbers = pc.fill_null(pc.match_substring_regex(texts, _NUMBER), False)
    plain = pc.fill_null(pc.match_substring_regex(texts, r"^(0|-?[1-9][0-9]*)$"), False)
    others = pc.and_(numbers, pc.invert(plain))
    if not pc.any(others).as_py():
        return texts
    written = [_number_text(text) for text in texts.filter(others).to_pylist()]
    return pc.replace_with_mask(texts, others, pa.array(written, texts.type))


def _number_text(text: str) -> str:
    """Return the canonical text of a number; one whose exponent is beyond any float's stays as it is written."""
    if "e" in text or "E" in text:
        value = Decimal(text)
        if value and not -400 < value.adjusted() < 400:
            return text
        text = format(value, "f")
    whole, point, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return "0" if not fraction and whole == "-0" else f"{whole}.{fraction}" if fraction else whole


def _without_end_zeros(texts: pa.Array) -> pa.Array:
    """Take zeros from the end of fractions, and the point where nothing is left behind it."""
    shorter = pc.replace_substring_regex(texts, r"(\.\d*?)0+$", r"\1")
    return pc.replace_substring_regex(shorter, r"\.$", "")


def _followed(texts: pa.Array, end: str) -> pa.Array:
    last, between = (pa.scalar(text, pa.large_string()) for text in (end, ""))
    return pc.binary_join_element_wise(texts, last, between)


def _durations(column: pa.Array) -> pa.Array:
    """Return nanoseconds; they need not fit an integer of 64 bits."""
    units = column.cast(pa.int64())
    zeros = {"s": "0" * 9, "ms": "0" * 6, "us": "0" * 3, "ns": ""}[column.type.unit]
    texts = _followed(units.cast(pa.large_string()), f"{zeros}ns")
    return pc.if_else(pc.equal(units, 0), pa.scalar("0ns", pa.large_string()), texts)


def _decimals(column: pa.Array) -> pa.Array:
    """Return decimals as text; Arrow writes small ones with an exponent."""
    texts = column.cast(pa.large_string())
    odd = pc.fill_null(pc.match_substring(texts, "E"), False)
    if not pc.any(odd).as_py():
        return texts
    written = [format(value, "f") for value in column.filter(odd).to_pylist()]
    return pc.replace_with_mask(texts, odd, pa.array(written, pa.large_string()))


def _floats(column: pa.Array) -> pa.Array:
    values = column.fill_null(0.0).to_numpy(zero_copy_only=False)
    whole = np.isfinite(values) & (values == np.trunc(values)) & (np.abs(values) < _INTEGRAL)
    texts = pa.array(np.where(whole, values, 0).astype(np.int64)).cast(pa.large_string())
    if not whole.all():
        others = pa.array(values[~whole]).cast(pa.large_string())  # the shortest, as repr gives it
        odd = pc.match_substring_regex(others, "[^-0-9.]").to_numpy(zero_copy_only=False)
        if odd.any():
            written = [_float_text(value) for value in values[~whole][odd].tolist()]
            others = pc.replace_with_mask(others, pa.array(odd), pa.array(written, pa.large_string()))
        texts = pc.replace_with_mask(texts, pa.array(~whole), others)
    return pc.if_else(column.is_valid(), texts, pa.scalar(None, pa.large_string()))


def _float_text(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    return str(int(value)) if value == int(value) else np.format_float_positional(value, trim="-")


def _instants(column: pa.Array) -> pa.Array:
    zone = column.type.tz
    naive = column.cast(pa.timestamp(column.type.unit))
    texts = _without_end_zeros(naive.cast(pa.large_string()))
    texts = pc.replace_substring(texts, " ", "T")
    return _followed(texts, "Z") if zone else texts


def _nested(name: str, column: pa.Array, trim: bool) -> pa.Array:
    """Return JSON; leaves are canonical texts themselves, so that they are told apart as those of flat columns are."""
    values = _plain(name, column, trim)
    texts = [None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True) for value in values]
    return pa.array(texts, pa.large_string())


def _plain(name: str, column: pa.Array, trim: bool) -> list[Any]:
    """Return the values of a column as texts, lists and mappings."""
    kind = column.type
    if pa.types.is_struct(kind):
        fields = {f.name: _plain(name, child, trim) for f, child in zip(kind, column.flatten(), strict=True)}
        rows = [dict(zip(fields, row, strict=True)) for row in zip(*fields.values(), strict=True)]
        rows = rows or [{} for _ in range(len(column))]
        return [row if valid else None for row, valid in zip(rows, column.is_valid().to_pylist(), strict=True)]
    if pa.types.is_map(kind):
        pairs = pa.ListArray.from_arrays(
            column.offsets, pa.StructArray.from_arrays([column.keys, column.items], ["k", "v"])
        )
        listed = [
            None if not valid else found
            for valid, found in zip(column.is_valid().to_pylist(), _lists(name, pairs, trim), strict=True)
        ]
        return [None if one is None else sorted(one, key=lambda pair: json.dumps(pair["k"])) for one in listed]
    if pa.types.is_nested(kind):
        return _lists(name, column, trim)
    texts = canonical_texts(name, column, trim=trim)
    if pa.types.is_large_binary(texts.type):
        return [
            None if value is None else {"\0base64": base64.b64encode(value).decode()} for value in texts.to_pylist()
        ]
    return list(texts.to_pylist())


def _lists(name: str, column: pa.Array, trim: bool) -> list[Any]:
    inner = _plain(name, column.flatten(), trim)
    sizes = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(sizes)
    found = [inner[end - size : end] for end, size in zip(ends.tolist(), sizes.tolist(), strict=True)]
    return [one if valid else None for one, valid in zip(found, column.is_valid().to_pylist(), strict=True)]
