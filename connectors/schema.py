"""One schema for many files: columns match by name, types may widen but never lose."""

from collections.abc import Sequence

import pyarrow as pa

from ..hashing.errors import InputError

_INT_BITS = {pa.int8(): 8, pa.int16(): 16, pa.int32(): 32, pa.int64(): 64}


def unify(schemas: Sequence[tuple[str, pa.Schema]]) -> pa.Schema:
    """Return the union of the columns of files, in order of first appearance.

    Args:
        schemas: (path, schema) of each file, in order.

    Raises:
        InputError: if a column has types that do not widen into one another, naming both files.
    """
    fields: dict[str, pa.Field] = {}
    origin: dict[str, str] = {}
    for path, schema in schemas:
        for field in schema:
            known = fields.get(field.name)
            if known is None:
                fields[field.name], origin[field.name] = field, path
            elif known.type != field.type:
                widened = widen(known.type, field.type)
                if widened is None:
                    raise InputError(
                        f"column {field.name!r} has one type in all inputs",
                        value=f"{known.type} in {origin[field.name]} and {field.type} in {path}",
                        remedy="Convert one of them, or leave that file out.",
                    )
                fields[field.name] = known.with_type(widened)
    metadata = [schema.metadata for _, schema in schemas]
    shared = metadata[0] if metadata and all(m == metadata[0] for m in metadata) else None
    nullable = [field if len(schemas) == 1 else field.with_nullable(True) for field in fields.values()]
    return pa.schema(nullable, metadata=shared)


def widen(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """Return a type that holds every value of both without loss, or None."""
    if a == b or pa.types.is_null(b):
        return a
    if pa.types.is_null(a):
        return b
    if a in _INT_BITS and b in _INT_BITS:
        return max(a, b, key=lambda t: _INT_BITS[t])
    if {a, b} == {pa.float32(), pa.float64()}:
        return pa.float64()
    if {a, b} == {pa.int64(), pa.float64()}:
        return pa.float64()  # JSON has one kind of number; integers above 2^53 fail in the cast and are reported
    if {a, b} <= {pa.string(), pa.large_string(), pa.string_view()}:
        return pa.large_string()
    if {a, b} <= {pa.binary(), pa.large_binary(), pa.binary_view()}:
        return pa.large_binary()
    if pa.types.is_struct(a) and pa.types.is_struct(b):
        return _widen_struct(a, b)
    if pa.types.is_list(a) and pa.types.is_list(b):
        inner = widen(a.value_type, b.value_type)
        return None if inner is None else pa.list_(a.value_field.with_type(inner))
    return None


def _widen_struct(a: pa.StructType, b: pa.StructType) -> pa.DataType | None:
    fields = {field.name: field for field in a}
    for field in b:
        if field.name in fields:
            inner = widen(fields[field.name].type, field.type)
            if inner is None:
                return None
            fields[field.name] = field.with_type(inner)
        else:
            fields[field.name] = field
    return pa.struct(list(fields.values()))
