"""One schema for many files: columns match by name, types may widen but never lose."""

from collections import Counter
from collections.abc import Callable, Sequence

import pyarrow as pa

from ..hashing.errors import InputError

_SIGNED = {t.bit_width: t for t in (pa.int8(), pa.int16(), pa.int32(), pa.int64())}

PLACEHOLDER = pa.field("_", pa.null())
"""The one field of a struct that has none anywhere (``{}`` in JSON): Parquet has no structs without fields."""


def unify(schemas: Sequence[tuple[str, pa.Schema]]) -> pa.Schema:
    """Return the union of the columns of files, in order of first appearance.

    A file may come in parts. Where a column of one file holds values that exclude each other, which JSON allows, it has
    the type of those that come first; its other values are bad, and readers say so.

    Args:
        schemas: (path, schema) of each file or part of a file, in order.

    Raises:
        InputError: if a file has two columns of one name, or if a column has types in two files that do not widen into
            one another, naming both.
    """
    files: dict[str, pa.Schema] = {}
    for path, schema in schemas:
        known = files.get(path)
        files[path] = schema if known is None or known == schema else _gather_columns(known, schema)
    fields: dict[str, pa.Field] = {}
    origin: dict[str, str] = {}
    for path, schema in files.items():
        _check_names(path, schema)
        for field in schema:
            field = field.with_type(_settle(field.type))
            _check_storable(path, field)
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
    metadata = [schema.metadata for schema in files.values()]
    shared = metadata[0] if metadata and all(m == metadata[0] for m in metadata) else None
    nullable = [field if len(files) == 1 else field.with_nullable(True) for field in fields.values()]
    return pa.schema([field.with_type(_storable(field.type)) for field in nullable], metadata=shared)


def holds_dictionary(kind: pa.DataType) -> bool:
    """Whether values of a type are places in a dictionary, at whatever depth."""
    children = [kind.field(i).type for i in range(kind.num_fields)]
    return pa.types.is_dictionary(kind) or any(map(holds_dictionary, children))


def _check_names(path: str, schema: pa.Schema) -> None:
    twice = next((name for name, count in Counter(schema.names).items() if count > 1), None)
    if twice is not None:
        raise InputError(
            "the columns of an input have different names",
            value=f"{twice!r} twice in {path}",
            remedy="Rename one of them, or leave that file out.",
        )


def _check_storable(path: str, field: pa.Field) -> None:
    """Refuse what cannot be written in the end, before any work is done."""
    kinds = [field.type]
    for kind in kinds:
        kinds += [kind.field(i).type for i in range(kind.num_fields)]
        is_odd = pa.types.is_dictionary(kind) and pa.types.is_nested(kind.value_type)
        if is_odd or pa.types.is_run_end_encoded(kind) or pa.types.is_interval(kind):
            raise InputError(
                "columns have types that Parquet stores",
                value=f"{field.name!r}: {field.type} in {path}",
                remedy="Convert the column, or leave that file out.",
            )


def widen(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """Return a type that holds every value of both without loss, or None.

    Integers beside floats become float64; those above 2^53 that it would round are refused when they are read.
    """
    if a == b or pa.types.is_null(b):
        return a
    if pa.types.is_null(a):
        return b
    if pa.types.is_dictionary(a) or pa.types.is_dictionary(b):
        return _widen_dictionary(a, b)
    if _is_number(a) and _is_number(b):
        return _widen_number(a, b)
    if {a, b} <= {pa.string(), pa.large_string(), pa.string_view()}:
        return pa.large_string()
    if {a, b} <= {pa.binary(), pa.large_binary(), pa.binary_view()}:
        return pa.large_binary()
    if pa.types.is_struct(a) and pa.types.is_struct(b):
        return _join_structs(a, b, widen)
    if _is_list(a) and _is_list(b):
        return _join_lists(a, b, widen)
    return None


def gather(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    """Return a type for values of both: like ``widen``, but a union of those that exclude each other, first ones first.

    In whatever portions the values of a file are gathered, in their order, the result is the same.
    """
    if a == b or pa.types.is_null(b):
        return a
    if pa.types.is_null(a):
        return b
    kinds = _alternatives(a)
    for new in _alternatives(b):
        for i, old in enumerate(kinds):
            joined = _gather_alike(old, new)
            if joined is not None:
                kinds[i] = joined
                break
        else:
            kinds.append(new)
    return kinds[0] if len(kinds) == 1 else pa.dense_union([pa.field(str(i), kind) for i, kind in enumerate(kinds)])


def _gather_alike(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    if pa.types.is_struct(a) and pa.types.is_struct(b):
        return _join_structs(a, b, gather)
    if _is_list(a) and _is_list(b):
        return _join_lists(a, b, gather)
    return widen(a, b)


def _gather_columns(a: pa.Schema, b: pa.Schema) -> pa.Schema:
    return pa.schema(list(gather(pa.struct(list(a)), pa.struct(list(b)))), metadata=a.metadata)


def _alternatives(kind: pa.DataType) -> list[pa.DataType]:
    return [field.type for field in kind] if pa.types.is_union(kind) else [kind]


def _settle(kind: pa.DataType) -> pa.DataType:
    """Return a type with the first alternative of each union."""
    if pa.types.is_union(kind):
        return _settle(kind.field(0).type)
    return _inside(kind, _settle)


def _storable(kind: pa.DataType) -> pa.DataType:
    """Return a type that Parquet stores, and that has room for the dictionaries of all files together."""
    if pa.types.is_struct(kind) and not kind.num_fields:
        return pa.struct([PLACEHOLDER])
    if pa.types.is_dictionary(kind) and kind.index_type != pa.int64():
        return pa.dictionary(pa.int32(), kind.value_type, kind.ordered)
    return _inside(kind, _storable)


def _inside(kind: pa.DataType, fn: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    """Return a type with the types that it holds mapped."""
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(fn(field.type)) for field in kind])
    if _is_list(kind):
        return _list_like(kind, kind.value_field.with_type(fn(kind.value_type)))
    return kind


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _list_like(kind: pa.DataType, item: pa.Field) -> pa.DataType:
    return pa.large_list(item) if pa.types.is_large_list(kind) else pa.list_(item)


def _widen_dictionary(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """A dictionary is an encoding: it stays if both have one, else only its values matter."""
    if pa.types.is_dictionary(a) and pa.types.is_dictionary(b) and a.value_type == b.value_type:
        index = max(a.index_type, b.index_type, key=lambda t: t.bit_width)
        return pa.dictionary(_SIGNED[max(32, index.bit_width)], a.value_type)
    values = [t.value_type if pa.types.is_dictionary(t) else t for t in (a, b)]
    return widen(*values)


def _widen_number(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    wider, other = (a, b) if a.bit_width >= b.bit_width else (b, a)
    if pa.types.is_floating(a) != pa.types.is_floating(b):
        return pa.float64()
    if pa.types.is_floating(a) or pa.types.is_signed_integer(a) == pa.types.is_signed_integer(b):
        return wider
    signed, unsigned = (a, b) if pa.types.is_signed_integer(a) else (b, a)
    return _SIGNED.get(max(signed.bit_width, 2 * unsigned.bit_width))


_Join = Callable[[pa.DataType, pa.DataType], pa.DataType | None]


def _join_lists(a: pa.DataType, b: pa.DataType, join: _Join) -> pa.DataType | None:
    item = join(a.value_type, b.value_type)
    if item is None:
        return None
    return _list_like(a if pa.types.is_large_list(a) else b, a.value_field.with_type(item).with_nullable(True))


def _join_structs(a: pa.StructType, b: pa.StructType, join: _Join) -> pa.DataType | None:
    fields = {field.name: field for field in a}
    for field in b:
        known = fields.get(field.name)
        kind = field.type if known is None else join(known.type, field.type)
        if kind is None:
            return None
        fields[field.name] = (known or field).with_type(kind)
    return pa.struct([field.with_nullable(True) for field in fields.values()])
