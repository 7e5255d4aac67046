"""Which copy survives: the rank of a row.

A policy turns into columns of int64 that sort ascending, best first, so that no engine ever compares floats or nulls.
Missing values and NaN rank last. After the policy come the 128-bit hash of the text, the id and the address, so ranks
are total and, but for ``first``, do not depend on the order of files.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..hashing.errors import InputError
from .keep import KeepPolicy

_SIGN = np.int64(-(2**63))


class PolicyKey(NamedTuple):
    """Three int64 columns, each of shape (n,), that sort rows ascending from best to worst.

    Attributes:
        missing: 1 where there is nothing to rank by, else 0.
        high, low: the value's order; ``low`` breaks ties of ``high`` (wide decimals).
    """

    missing: NDArray[np.int64]
    high: NDArray[np.int64]
    low: NDArray[np.int64]


def policy_key(
    policy: KeepPolicy, *, sizes: NDArray[np.int64], sources: pa.Array, column: pa.Array | None
) -> PolicyKey:
    """Return the policy's sort key.

    Args:
        policy: which copy is kept.
        sizes: bytes of each text.
        sources: string, the source of each row.
        column: values of ``policy.column``.

    Raises:
        InputError: if the column has no order.
    """
    nothing = np.zeros(len(sizes), np.int64)
    if policy.by == "longest":
        return PolicyKey(nothing, -sizes, nothing)
    if policy.by == "source":
        places = pc.index_in(sources, value_set=pa.array(policy.sources, sources.type))
        missing = places.is_null().to_numpy(zero_copy_only=False).astype(np.int64)
        return PolicyKey(missing, places.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), nothing)
    if column is None:
        return PolicyKey(nothing, nothing, nothing)
    missing, high, low = _ascending(column, policy)
    blank = missing != 0
    return PolicyKey(missing, np.where(blank, 0, ~high), np.where(blank, 0, ~low))


def _ascending(column: pa.Array, policy: KeepPolicy) -> PolicyKey:
    """Return int64 that order as the values of a column do."""
    kind = column.type
    if _is_string(kind):
        column = _present(column)
    missing = column.is_null().to_numpy(zero_copy_only=False).astype(np.int64)
    nothing = np.zeros(len(column), np.int64)
    if _is_string(kind) and policy.by == "quality":
        return _ascending(_numbers(column), policy)
    if _is_string(kind):
        return PolicyKey(missing, _filled(_instants(column)), nothing)
    if pa.types.is_floating(kind):
        values = column.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
        return PolicyKey(missing | np.isnan(values), ordered_bits(values), nothing)
    if pa.types.is_uint64(kind):
        return PolicyKey(missing, column.fill_null(0).to_numpy().view(np.int64) ^ _SIGN, nothing)
    if pa.types.is_decimal(kind):
        words = _decimal_words(column, policy)
        return PolicyKey(missing, words[:, 1], words[:, 0] ^ _SIGN)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return PolicyKey(missing, _filled(column), nothing)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return PolicyKey(missing, _filled(column.cast(pa.int32()) if pa.types.is_date32(kind) else column), nothing)
    raise InputError(
        f"the column of keep: {policy} has numbers, dates or times",
        value=f"{policy.column}: {kind}",
        remedy="Choose another column or policy.",
    )


def _filled(column: pa.Array) -> NDArray[np.int64]:
    """Return a column of integers or instants as int64, nulls as 0."""
    return np.asarray(column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), np.int64)


def _decimal_words(column: pa.Array, policy: KeepPolicy) -> NDArray[np.int64]:
    """Return the low and high word of each unscaled decimal: int64, shape (n, 2)."""
    try:
        wide = column.fill_null(0).cast(pa.decimal128(38, column.type.scale))
    except pa.ArrowInvalid as error:
        raise InputError(
            f"decimals in the column of keep: {policy} have at most 38 digits",
            value=f"{policy.column}: {error}",
            remedy="Convert the column.",
        ) from error
    words = np.frombuffer(wide.buffers()[1], np.int64).reshape(-1, 2)
    return words[wide.offset : wide.offset + len(wide)]


def unusable(policy: KeepPolicy, column: pa.Array | None) -> NDArray[np.bool_] | None:
    """Return which strings a policy cannot rank by, or None where it can rank by all: bool, shape (n,).

    Strings are numbers for ``quality``, and dates or times of ISO 8601 for ``newest``.
    """
    if column is None or not _is_string(column.type):
        return None
    read = _numbers if policy.by == "quality" else _instants
    column = _present(column)
    if _can(read, column):
        return None
    values = column.dictionary_encode()
    fine = [_can(read, values.dictionary.slice(i, 1)) for i in range(len(values.dictionary))]
    bad = pa.array([not is_fine for is_fine in fine], pa.bool_()).take(values.indices).fill_null(False)
    return np.asarray(bad.to_numpy(zero_copy_only=False), np.bool_)


def _can(read: Callable[[pa.Array], pa.Array], values: pa.Array) -> bool:
    try:
        read(values)
    except pa.ArrowInvalid:
        return False
    return True


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _present(column: pa.Array) -> pa.Array:
    """Return a column of strings with blank ones as nulls: formats without nulls have nothing else to write."""
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _numbers(column: pa.Array) -> pa.Array:
    return column.cast(pa.float64())


def _instants(column: pa.Array) -> pa.Array:
    """Read ISO 8601 strings as microseconds; those without a zone count as UTC, each row by itself."""
    zoned = pc.match_substring_regex(column, r"\d([Zz]|[+-]\d\d(:?\d\d)?)$")
    zoned = pc.and_(zoned, pc.match_substring(column, ":"))  # a date ends in digits like a zone: only times have one
    with_zone = pc.if_else(zoned, column, None).cast(pa.timestamp("us", "UTC"))
    without = pc.if_else(zoned, None, column).cast(pa.timestamp("us"))
    return pc.coalesce(with_zone.cast(pa.int64()), without.cast(pa.int64()))


def ordered_bits(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return int64 that order as the floats do; -0.0 equals 0.0.

    >>> bool(np.all(np.diff(ordered_bits(np.array([-np.inf, -1.5, -0.0, 1e-300, 2.0, np.inf]))) > 0))
    True
    """
    bits = (np.ascontiguousarray(values, np.float64) + 0.0).view(np.int64)
    return np.asarray(bits ^ ((bits >> 63) & ~_SIGN), np.int64)
