"""Statistics of tables as JSON, so that a scan can remember them: values keep their type."""

import base64
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa

from ...connectors.parquet_statistics import ColumnStatistics, TableStatistics


def statistics_json(known: TableStatistics | None) -> str:
    """Return what ``statistics_of`` reads again."""
    if known is None:
        return "null"
    columns = {
        name: {
            "kind": None if column.kind is None else _kind_text(column.kind),
            "low": _tagged(column.low),
            "high": _tagged(column.high),
            "exact": [column.low_exact, column.high_exact],
            "nulls": column.nulls,
        }
        for name, column in known.columns.items()
    }
    return json.dumps({"rows": known.rows, "columns": columns})


def statistics_of(text: str) -> TableStatistics | None:
    """Return the statistics that a text holds."""
    known = json.loads(text)
    if known is None:
        return None
    return TableStatistics(known["rows"], {name: _column(column) for name, column in known["columns"].items()})


def _column(known: dict[str, Any]) -> ColumnStatistics:
    kind = None if known["kind"] is None else _kind(known["kind"])
    low_exact, high_exact = known["exact"]
    return ColumnStatistics(kind, _value(known["low"]), _value(known["high"]), low_exact, high_exact, known["nulls"])


def _kind_text(kind: pa.DataType) -> str:
    return base64.b64encode(pa.schema([("value", kind)]).serialize().to_pybytes()).decode()


def _kind(text: str) -> pa.DataType:
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text))).field(0).type


def _tagged(value: Any) -> list[Any] | None:
    """Return a value and the name of its type.

    Raises:
        TypeError: of a type that no statistics have.
    """
    match value:
        case None:
            return None
        case bool() | int() | str():
            return [type(value).__name__, value]
        case float():
            return ["float", value.hex()]
        case Decimal():
            return ["Decimal", str(value)]
        case bytes():
            return ["bytes", base64.b64encode(value).decode()]
    raise TypeError(f"a bound of type {type(value).__name__}")


def _value(tagged: list[Any] | None) -> Any:
    if tagged is None:
        return None
    kind, value = tagged
    match kind:
        case "float":
            return float.fromhex(value)
        case "Decimal":
            return Decimal(value)
        case "bytes":
            return base64.b64decode(value)
    return value
