"""Values in other types: those of a parent, whose canonical text is that of the child's, in the child's type."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...hashing.errors import InputError
from .canonical import canonical_texts


class CannotRecast(InputError):
    """Values that cannot be given a type."""

    def __init__(self, name: str, column: pa.Array, kind: pa.DataType, why: object) -> None:
        self.name = name
        super().__init__(
            f"values of column {name!r} can be written as {kind}",
            value=f"{column.type}: {str(why).splitlines()[0]}",
            remedy="Leave that table where it is.",
        )


def recast(name: str, column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return values in another type, by their canonical text where the types are of different kinds.

    Args:
        name: of the column.
        column: its values.
        kind: the type.

    Raises:
        CannotRecast: if a value does not fit it.
    """
    try:
        return _recast(name, column, kind)
    except pa.ArrowException as error:
        raise CannotRecast(name, column, kind, error) from error


def _recast(name: str, column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if column.null_count == len(column):
        return pa.nulls(len(column), kind)
    if pa.types.is_dictionary(column.type):
        return _recast(name, column.cast(column.type.value_type), kind)
    if pa.types.is_dictionary(kind):
        return _recast(name, column, kind.value_type).dictionary_encode().cast(kind)
    if pa.types.is_null(kind):
        raise pa.ArrowInvalid("a value that is not null")
    if pa.types.is_nested(kind) or (_is_text(column.type) and _is_text(kind)):
        return column.cast(kind)
    return _parsed(canonical_texts(name, column), kind)


def _parsed(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return values of canonical texts."""
    if not _is_bytes(kind):
        texts = texts.cast(pa.large_string())
    if pa.types.is_duration(kind):
        nanoseconds = pc.replace_substring_regex(texts, "ns$", "").cast(pa.int64()).cast(pa.duration("ns"))
        return nanoseconds.cast(kind)
    if pa.types.is_time(kind):  # Arrow parses no times of the day
        day, nothing = (pa.scalar(text, pa.large_string()) for text in ("1970-01-01T", ""))
        moments = pc.binary_join_element_wise(day, texts, nothing).cast(pa.timestamp("ns"))
        return moments.cast(pa.time64("ns")).cast(kind)
    if pa.types.is_float16(kind):
        return texts.cast(pa.float32()).cast(kind)
    return texts.cast(kind)


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.string_view())


def _is_bytes(kind: pa.DataType) -> bool:
    of = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return kind == pa.binary_view() or any(is_of(kind) for is_of in of)


def same_values(one: pa.Array, other: pa.Array) -> bool:
    """Return whether two columns hold the very same values: zeros with the same sign, too; NaN is NaN."""
    kind = one.type
    if kind != other.type or len(one) != len(other):
        return False
    if not one.is_valid().equals(other.is_valid()):
        return False
    if pa.types.is_dictionary(kind):
        return same_values(one.cast(kind.value_type), other.cast(kind.value_type))
    if pa.types.is_floating(kind):
        return _same_floats(one, other)
    if pa.types.is_struct(kind):
        return all(map(same_values, one.flatten(), other.flatten()))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        sizes = [pc.list_value_length(side) for side in (one, other)]
        return sizes[0].equals(sizes[1]) and same_values(one.flatten(), other.flatten())
    if pa.types.is_nested(kind):
        return repr(one.to_pylist()) == repr(other.to_pylist())
    return bool(one.equals(other))


def _same_floats(one: pa.Array, other: pa.Array) -> bool:
    a, b = (side.drop_null().cast(pa.float64()).to_numpy(zero_copy_only=False) for side in (one, other))
    return bool(np.array_equal(a, b, equal_nan=True) and np.array_equal(np.signbit(a), np.signbit(b)))
