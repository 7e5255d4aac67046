"""What changed between two runs: settings, inputs, amounts, and the fates of records."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import duckdb
import pyarrow as pa

from ..connectors.address import RECORD_BITS
from ..hashing.errors import InputError
from ..pipeline.report.facts import Fact, funnel, source_facts
from ..pipeline.result import Result

FORMAT = "tamis-changes"
FORMAT_VERSION = 1
EXAMPLES = 20
"""Records that are named for each change of fate."""

ABSENT = "not in it"

_RECORD = (1 << RECORD_BITS) - 1
_FATES = {"kept": 0, "removed by filter": 1, "removed by exact": 2, "removed by near": 3}


def changes(first: Result, second: Result, *, by: Literal["place", "id"] = "place", memory_bytes: int) -> Fact:
    """Return how the second run differs from the first.

    A record is the same in both if its file has the same path and size (files that share both are told apart by their
    order), and its number in it is the same; or, by id,
    if its id is the same. Records of what was there already (``against``) are in neither.

    Args:
        first, second: finished runs.
        by: how records are recognised.
        memory_bytes: what the join may take before it spills.

    Raises:
        InputError: if records are recognised by ids that a run has not, or has twice.
    """
    with _database(memory_bytes) as database:
        _register_files(database, first, second)
        for side, result in (("a", first), ("b", second)):
            _register_fates(database, side, result, by)
        if by == "id":
            _check_ids(database)
        database.execute(_BOTH)
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "recognised_by": by,
            "settings": different_settings(first.manifest["settings"], second.manifest["settings"]),
            "inputs": _inputs(first, second),
            "funnel": _side_by_side(funnel(first.ledger), funnel(second.ledger)),
            "sources": _sources(first, second),
            "fates": _fates(database),
            "other_keepers": _one(database, _OTHER_KEEPERS),
            "examples": [_example(row, first, second) for row in database.sql(_EXAMPLES).to_arrow_table().to_pylist()],
        }


@contextmanager
def _database(memory_bytes: int) -> Iterator[duckdb.DuckDBPyConnection]:
    with tempfile.TemporaryDirectory(prefix="tamis-") as spill:
        config: dict[str, Any] = {"memory_limit": f"{max(64, memory_bytes >> 20)}MiB", "temp_directory": spill}
        with duckdb.connect(":memory:", config=config) as database:
            yield database


def _register_files(database: duckdb.DuckDBPyConnection, first: Result, second: Result) -> None:
    """Give files numbers that both runs share: one for each path and size."""
    numbers: dict[tuple[str, int, int], int] = {}
    for side, result in (("a", first), ("b", second)):
        lines = result.manifest["inputs"]
        seen: Counter[tuple[str, int]] = Counter()
        shared = []
        for line in lines:
            same = line["path"], line["size_bytes"]
            shared.append(numbers.setdefault((*same, seen[same]), len(numbers)))  # several may look alike
            seen[same] += 1
        files = pa.table(
            {
                "file": pa.array([line["file"] for line in lines], pa.int64()),
                "shared": pa.array(shared, pa.int64()),
            }
        )
        database.register(f"files_{side}_given", files)
        database.execute(f"CREATE TABLE files_{side} AS FROM files_{side}_given")


_ROWS = """
CREATE TABLE fates_{side} AS
WITH rows AS (
    SELECT address, {id} AS id, source, 'kept' AS fate, NULL::BIGINT AS keeper, NULL::DOUBLE AS similarity,
        bytes, tokens
    FROM {kept} WHERE address NOT IN (SELECT address FROM read_parquet($decisions))
    UNION ALL
    SELECT address, id, source, 'removed by ' || stage, keeper_address, similarity, bytes, tokens
    FROM read_parquet($decisions)
    UNION ALL
    SELECT address, id, source, 'quarantined: ' || rule, NULL, NULL, bytes, tokens FROM read_parquet($quarantine)
)
SELECT {key} AS key, rows.*, k.shared * {span} + (keeper & {record}) AS keeper_place
FROM rows
JOIN files_{side} f ON f.file = rows.address >> {bits}
LEFT JOIN files_{side} k ON k.file = rows.keeper >> {bits}
"""


def _register_fates(database: duckdb.DuckDBPyConnection, side: str, result: Result, by: str) -> None:
    """Make the table of all good and bad records of a run: what became of each, and its key in the comparison."""
    files = result.manifest["files"]
    named = {
        name: [str(result.out / name / line["name"]) for line in files[name]] for name in ("decisions", "quarantine")
    }
    kept, name = "read_parquet($index)", "NULL::VARCHAR"
    given: dict[str, Any] = {**named, "index": str(result.out / "index.parquet")}
    column = result.manifest["settings"]["columns"]["id"]
    if by == "id" and not column:
        raise InputError(
            "records that are recognised by id have ids",
            value=f"{result.out} has no id column",
            remedy="Use --by place.",
        )
    if column:
        quoted = '"' + column.replace('"', '""') + '"'
        shards = f"(SELECT {quoted}::VARCHAR AS name FROM read_parquet($shards))"
        kept, name = f"(FROM read_parquet($index) POSITIONAL JOIN {shards})", "name"
        given["shards"] = [str(path) for path in result.shards]
    place = f"f.shared * {1 << RECORD_BITS} + (rows.address & {_RECORD})"
    query = _ROWS.format(
        side=side,
        id=name,
        kept=kept,
        key=place if by == "place" else "rows.id",
        span=1 << RECORD_BITS,
        record=_RECORD,
        bits=RECORD_BITS,
    )
    database.execute(query, given)


_TWICE = """
SELECT key, count(*) FROM fates_{side} WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1 ORDER BY key LIMIT 1
"""


def _check_ids(database: duckdb.DuckDBPyConnection) -> None:
    for side in ("a", "b"):
        twice = database.execute(_TWICE.format(side=side)).fetchall()
        if twice:
            raise InputError(
                "an id names one record",
                value=f"{twice[0][0]!r} names {twice[0][1]} in the {'first' if side == 'a' else 'second'} run",
                remedy="Use --by place.",
            )


_BOTH = f"""
CREATE TABLE changed AS
SELECT coalesce(a.fate, '{ABSENT}') AS fate_a, coalesce(b.fate, '{ABSENT}') AS fate_b, coalesce(b.id, a.id) AS id,
    coalesce(b.source, a.source) AS source, coalesce(b.bytes, a.bytes) AS bytes, coalesce(b.tokens, a.tokens) AS tokens,
    a.address AS address_a, b.address AS address_b, a.keeper AS keeper_a, b.keeper AS keeper_b,
    a.similarity AS similarity_a, b.similarity AS similarity_b,
    a.keeper_place IS DISTINCT FROM b.keeper_place AS other_keeper
FROM fates_a a FULL OUTER JOIN fates_b b ON a.key = b.key
"""
_OTHER_KEEPERS = """
SELECT count(*) FROM changed WHERE fate_a = fate_b AND keeper_a IS NOT NULL AND other_keeper
"""
_EXAMPLES = f"""
SELECT * EXCLUDE (turn) FROM (
    SELECT *, row_number() OVER (
        PARTITION BY fate_a, fate_b ORDER BY md5(coalesce(address_b, address_a)::VARCHAR), address_a
    ) AS turn
    FROM changed WHERE fate_a <> fate_b
) WHERE turn <= {EXAMPLES} ORDER BY fate_a, fate_b, coalesce(address_b, address_a)
"""


def _fates(database: duckdb.DuckDBPyConnection) -> list[Fact]:
    query = """
        SELECT fate_a AS first, fate_b AS second, count(*) AS rows, sum(bytes)::BIGINT AS bytes,
            sum(tokens)::BIGINT AS tokens FROM changed GROUP BY ALL
    """
    rows: list[Fact] = database.sql(query).to_arrow_table().to_pylist()
    return sorted(rows, key=lambda row: (_fate_order(row["first"]), _fate_order(row["second"])))


def _fate_order(fate: str) -> tuple[int, str]:
    return (9 if fate == ABSENT else _FATES.get(fate, 5)), fate


def _one(database: duckdb.DuckDBPyConnection, query: str) -> int:
    ((value,),) = database.execute(query).fetchall()
    return int(value)


def _example(row: dict[str, Any], first: Result, second: Result) -> Fact:
    def where(result: Result, address: int | None) -> str | None:
        return None if address is None else result.where(address)

    return {
        "first": row["fate_a"],
        "second": row["fate_b"],
        "id": row["id"],
        "source": row["source"],
        "where_first": where(first, row["address_a"]),
        "where_second": where(second, row["address_b"]),
        "keeper_first": where(first, row["keeper_a"]),
        "keeper_second": where(second, row["keeper_b"]),
        "similarity_first": row["similarity_a"],
        "similarity_second": row["similarity_b"],
    }


def different_settings(first: dict[str, Any], second: dict[str, Any]) -> list[Fact]:
    """Return the settings that differ, by dotted name; one that a side has not is null there.

    >>> different_settings({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}})
    [{'name': 'a.c', 'first': 2, 'second': 3}]
    """
    flat_first, flat_second = dict(_flat(first, "")), dict(_flat(second, ""))
    names = [*flat_first, *(name for name in flat_second if name not in flat_first)]
    return [
        {"name": name, "first": flat_first.get(name), "second": flat_second.get(name)}
        for name in names
        if flat_first.get(name) != flat_second.get(name)
    ]


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else key)
    elif name == "stages":
        seen: dict[str, int] = {}
        for stage in value:
            kind = stage["stage"]
            seen[kind] = seen.get(kind, 0) + 1
            inner = {key: item for key, item in stage.items() if key != "stage"}
            yield from _flat({"present": True, **inner}, f"{kind}{seen[kind] if seen[kind] > 1 else ''}")
    else:
        yield name, value


def _inputs(first: Result, second: Result) -> Fact:
    a, b = ({line["path"]: line["size_bytes"] for line in side.manifest["inputs"]} for side in (first, second))
    return {
        "same": sum(b.get(path) == size for path, size in a.items()),
        "changed": sorted(path for path in a.keys() & b.keys() if a[path] != b[path]),
        "only_first": sorted(a.keys() - b.keys()),
        "only_second": sorted(b.keys() - a.keys()),
    }


def _side_by_side(first: list[Fact], second: list[Fact]) -> list[Fact]:
    """Return lines of both funnels, in their order, with nothing where one has none."""
    nothing = {"rows": 0, "bytes": 0, "tokens": 0}
    a, b = ({line["name"]: {key: line[key] for key in nothing} for line in lines} for lines in (first, second))
    names = [name for name in a if name != "kept"] + [name for name in b if name not in a] + ["kept"]
    return [{"name": name, "first": a.get(name, nothing), "second": b.get(name, nothing)} for name in names]


def _sources(first: Result, second: Result) -> list[Fact]:
    def facts(result: Result, name: str) -> Fact | None:
        source = result.ledger.sources.get(name)
        return None if source is None else source_facts(name, source, rings=False)

    lines = []
    for name in sorted(first.ledger.sources.keys() | second.ledger.sources.keys()):
        a, b = facts(first, name), facts(second, name)
        lines.append({"name": name, **{key: _brief(side) for key, side in (("first", a), ("second", b))}})
    return lines


def _brief(source: Fact | None) -> Fact | None:
    if source is None:
        return None
    return {part: source[part]["rows"] for part in ("read", "kept", "lost", "quarantined")}
