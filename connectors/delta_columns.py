"""The columns of a Delta table, and what its data files call them.

With column mapping, files have physical names (mode ``name``) or field ids (mode ``id``), so that a column can be
renamed or dropped without writing files anew.
"""

from typing import Any

import pyarrow as pa

from ..hashing.errors import InputError

_PHYSICAL = b"delta.columnMapping.physicalName"
_ID = b"delta.columnMapping.id"
_FILE_ID = b"PARQUET:field_id"


def plain(kind: pa.DataType) -> pa.DataType:
    """Return a type whose fields, at whatever depth, may be null and say nothing else of themselves."""
    if isinstance(kind, pa.BaseExtensionType):
        return plain(kind.storage_type)
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, plain(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(plain(kind.key_type), plain(kind.item_type))
    if pa.types.is_list(kind):
        return pa.list_(plain(kind.value_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(plain(kind.value_type))
    return kind


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return a schema of plain types."""
    return pa.schema([pa.field(field.name, plain(field.type)) for field in schema])


def mapping_mode(table: Any) -> str:
    """Return the column mapping of an open table: "none", "name" or "id".

    Raises:
        InputError: if it is none that is known, or one by ids of a table with nested columns.
    """
    mode = str(table.metadata().configuration.get("delta.columnMapping.mode") or "none")
    nested = [field.name for field in pa.schema(table.schema().to_arrow()) if field.type.num_fields]
    if mode not in ("none", "name", "id") or (mode == "id" and nested):
        raise InputError(
            "the column mapping of a Delta table is none, by names, or by ids of columns that are not nested",
            value=f"{table.table_uri}: columnMapping {mode}, nested: {', '.join(nested) or 'none'}",
            remedy="Write a copy without it, or leave the table out.",
        )
    return mode


def physical_type(kind: pa.DataType) -> pa.DataType:
    """Return a type with the physical names of the fields of structs, which are in their metadata."""
    if pa.types.is_struct(kind):
        return pa.struct([(_physical_name(field), physical_type(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(physical_type(kind.key_type), physical_type(kind.item_type))
    if pa.types.is_list(kind):
        return pa.list_(physical_type(kind.value_type))
    return kind


def _physical_name(field: pa.Field) -> str:
    named: bytes = (field.metadata or {}).get(_PHYSICAL, field.name.encode())
    return named.decode()


def name_in_file(field: pa.Field, stored: pa.Schema, mode: str) -> str | None:
    """Return the name of a column in a data file, or None if the file has none: it is older than the column.

    Args:
        field: of the table's schema, with its metadata.
        stored: schema of the file.
        mode: of the column mapping.

    Raises:
        InputError: if the file has it in other letters of case only, which readers take for the same or for none.
    """
    if mode == "id":
        wanted = (field.metadata or {}).get(_ID)
        return next((one.name for one in stored if wanted and (one.metadata or {}).get(_FILE_ID) == wanted), None)
    name = _physical_name(field) if mode == "name" else field.name
    if name in stored.names:
        return name
    alike = [other for other in stored.names if other.casefold() == name.casefold()]
    if alike:
        raise InputError(
            "data files spell the columns of a Delta table as its schema does",
            value=f"{alike[0]!r} for {name!r}",
            remedy="Write the file anew.",
        )
    return None


def logical(array: pa.Array, field: pa.Field, mode: str) -> pa.Array:
    """Return a column of a data file in the type of the table's schema, names of nested fields included.

    Raises:
        pyarrow.ArrowException: if a value does not fit.
    """
    kind = plain(field.type)
    if mode != "name" or not field.type.num_fields:
        return array if array.type == kind else array.cast(kind)
    stored = physical_type(field.type)
    return array.cast(stored).view(kind) if stored != kind else array.cast(kind)
