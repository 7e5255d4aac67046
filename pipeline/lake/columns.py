"""The columns of a table, in a form that costs little to hand around: unpacked only where rows are read."""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Columns:
    """All columns of a table.

    Attributes:
        names: in order.
        types: of each, as text.
        packed: the schema, serialised.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    packed: bytes

    @classmethod
    def of(cls, schema: pa.Schema) -> "Columns":
        """Return the columns of a schema."""
        return cls(tuple(schema.names), tuple(map(str, schema.types)), schema.serialize().to_pybytes())

    def schema(self) -> pa.Schema:
        """Return the schema."""
        return unpacked(self.packed)


def unpacked(packed: bytes) -> pa.Schema:
    """Return a schema that was serialised."""
    return pa.ipc.read_schema(pa.py_buffer(packed))
