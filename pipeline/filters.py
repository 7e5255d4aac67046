"""Filters: SQL conditions over the columns of a record, judged by DuckDB a batch at a time.

A condition sees one record and nothing else: no subquery, no aggregate, nothing that depends on the time, on chance or
on this machine. So its answer is the same whatever engine asks and however rows are cut into batches.
"""

import difflib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.errors import ConfigError, InputError
from .listed import listed

_FORBIDDEN = {
    "SUBQUERY": "a subquery",
    "WINDOW": "a window function",
    "STAR": "*",
    "PARAMETER": "a parameter",
    "DEFAULT": "DEFAULT",
    "POSITIONAL_REFERENCE": "a position",
}
_RECORDS = "records"
_local = threading.local()


def _cursor() -> Any:
    """Return a cursor on this thread's database: empty, closed to files and networks, in UTC, with one thread.

    DuckDB is loaded for the first condition: runs without one may need it for nothing.
    """
    if not hasattr(_local, "connection"):
        import duckdb

        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": 1,
            "enable_external_access": False,
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "python_enable_replacements": False,
        }
        connection = duckdb.connect(":memory:", config=config)
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
        _local.connection = connection
    return _local.connection.cursor()


def _query(where: str) -> str:
    return f"SELECT ({where}\n) FROM {_RECORDS}"  # the newline ends a comment in the condition


def _tree(where: str) -> dict[str, Any]:
    """Return the one expression that a condition is, as DuckDB parses it.

    Raises:
        ConfigError: if it is anything else.
    """
    parsed = _parsed(_query(where))
    if parsed["error"]:
        raise _refused(where, str(parsed["error_message"]).splitlines()[0])
    nodes = [statement["node"] for statement in parsed["statements"]]
    plain = len(nodes) == 1 and nodes[0]["type"] == "SELECT_NODE" and len(nodes[0]["select_list"]) == 1
    whole = plain and nodes[0]["from_table"].get("table_name") == _RECORDS and not nodes[0].get("where_clause")
    if not whole or nodes[0]["modifiers"] or nodes[0]["group_expressions"]:
        raise _refused(where, "more than one expression")
    tree: dict[str, Any] = nodes[0]["select_list"][0]
    return tree


def _parsed(query: str) -> dict[str, Any]:
    with _cursor() as cursor:
        found: dict[str, Any] = json.loads(cursor.execute("SELECT json_serialize_sql(?)", [query]).fetchall()[0][0])
    return found


def _refused(where: str, why: str) -> ConfigError:
    return ConfigError(
        "a filter is one SQL condition over the columns of a record",
        value=f"{where!r}: {why}",
        remedy="Write it as in: - filter: lang = 'en' AND length(text) > 200",
    )


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from _nodes(item)


def _bound(tree: object) -> set[str]:
    """Return the names that lambdas in an expression give to their arguments."""
    names = set()
    for node in _nodes(tree):
        if node["class"] == "LAMBDA":
            names |= {inner["column_names"][0] for inner in _nodes(node["lhs"]) if inner["class"] == "COLUMN_REF"}
    return names


@cache
def _unsteady(name: str) -> bool:
    """Whether a function may answer differently for equal arguments, or is none of rows."""
    query = "SELECT function_type, stability, macro_definition FROM duckdb_functions() WHERE function_name = ?"
    with _cursor() as cursor:
        rows = cursor.execute(query, [name.lower()]).fetchall()
    for kind, stability, definition in rows:
        if kind == "macro":
            called = [node for node in _nodes(_parsed(f"SELECT {definition}")) if node["class"] == "FUNCTION"]
            if any(_unsteady(node["function_name"]) for node in called):
                return True
        elif kind != "scalar" or stability != "CONSISTENT":
            return True
    return False


def columns_of(where: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that a condition reads, in the order of ``names``.

    Args:
        where: the condition.
        names: columns that there are; as in SQL, case does not matter where it does not have to.

    Raises:
        ConfigError: for what a condition may not do.
        InputError: for a column that there is not.
    """
    tree = _tree(where)
    bound = _bound(tree)
    found = set()
    for node in _nodes(tree):
        if node["class"] in _FORBIDDEN:
            raise _refused(where, f"it has {_FORBIDDEN[node['class']]}")
        if node["class"] == "FUNCTION" and _unsteady(node["function_name"]):
            raise _refused(where, f"{node['function_name']} is no steady function of one record")
        if node["class"] == "COLUMN_REF" and node["column_names"][0] not in bound:
            found.add(_column(where, node["column_names"][0], names))
    return tuple(name for name in names if name in found)


def _column(where: str, wanted: str, names: Sequence[str]) -> str:
    if wanted in names:
        return wanted
    alike = [name for name in names if name.casefold() == wanted.casefold()]
    if len(alike) == 1:
        return alike[0]
    near = difflib.get_close_matches(wanted, names, n=1)
    raise InputError(
        "the columns of a filter are in the inputs",
        value=f"{wanted!r} in {where!r}, among {listed(names)}",
        remedy=f"Did you mean {near[0]!r}?" if near else "Check the name; text goes in single quotes.",
    )


@dataclass(frozen=True)
class Filters:
    """Conditions that a record must meet, in order; plain data.

    Attributes:
        conditions: SQL.
        columns: what they read.
    """

    conditions: tuple[str, ...]
    columns: tuple[str, ...]

    def first_failed(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        """Return, for each record, the number of the first condition that does not hold, or -1: int64, shape (n,).

        A condition that is null does not hold.

        Raises:
            InputError: if a condition cannot be judged for some record, as when text is cast to a number.
        """
        failed = np.full(batch.num_rows, -1, np.int64)
        rows = pa.table({name: batch.column(name) for name in self.columns} or {"": pa.nulls(batch.num_rows)})
        for number, where in enumerate(self.conditions):
            holds = _judged(where, rows)
            failed[(failed < 0) & ~holds] = number
        return failed


def _judged(where: str, rows: pa.Table) -> NDArray[np.bool_]:
    import duckdb

    unjudged = (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException)
    cursor = _cursor()
    cursor.register(_RECORDS, rows)
    try:
        answer = cursor.sql(_query(where)).to_arrow_table().column(0)
    except (*unjudged, UnicodeDecodeError) as error:  # DuckDB cuts the values in its messages anywhere
        raise InputError(
            "a filter can be judged for every record",
            value=f"{where!r}: {_message(error)}",
            remedy="Use TRY_CAST, or say in the condition what to do with such values.",
        ) from error
    finally:
        cursor.close()
    return np.asarray(answer.fill_null(False).to_numpy(), np.bool_)


def _message(error: Exception) -> str:
    return "a value of another type" if isinstance(error, UnicodeDecodeError) else str(error).splitlines()[0]


def plan_filters(conditions: Sequence[str], schema: pa.Schema) -> Filters:
    """Return the filters for records of a schema, after trying them on none.

    Raises:
        ConfigError: if one is no condition.
        InputError: if it names a column that there is not.
    """
    if not conditions:
        return Filters((), ())
    import duckdb

    read = {name for where in conditions for name in columns_of(where, schema.names)}
    columns = tuple(name for name in schema.names if name in read)
    rows = pa.schema([schema.field(name) for name in columns] or [("", pa.null())]).empty_table()
    for where in conditions:
        cursor = _cursor()
        cursor.register(_RECORDS, rows)
        try:
            kind = cursor.execute(_query(where)).description[0][1]
        except (duckdb.Error, UnicodeDecodeError) as error:
            raise _refused(where, _message(error)) from error
        finally:
            cursor.close()
        if str(kind) != "BOOLEAN":
            raise _refused(where, f"it is of type {kind}")
    return Filters(tuple(conditions), columns)
