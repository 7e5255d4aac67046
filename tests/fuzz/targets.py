"""What is fuzzed: functions of bytes that return what came of them, or raise ``TamisError``.

Anything else that they raise is a fault of the product. Readers read everything several times, in portions of several
sizes, and all must agree.
"""

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tamis.connectors.address import ADDRESS, addresses
from tamis.connectors.batches import RAW, RESERVED, RULE, reading_schema
from tamis.connectors.corpus import InputSpec, open_corpus, plan_splits, read_split, split_schema
from tamis.connectors.formats import InputFile
from tamis.connectors.schema import unify
from tamis.hashing.errors import TamisError
from tamis.hashing.fingerprint import fingerprint
from tamis.hashing.lsh import Banding
from tamis.hashing.shingles import UNITS, shingle_sets
from tamis.hashing.sketch import sketch_plan
from tamis.pipeline.config import Columns, load_config, make_config
from tamis.pipeline.documents import DocumentPass, check_columns
from tamis.pipeline.filters import Filters, plan_filters
from tamis.pipeline.keep import KeepPolicy

CORPUS = Path(__file__).parent / "corpus"

SIZES = ((1 << 24, 1 << 22), (64, 48), (1, 1))
"""(bytes of a split, bytes of a batch) that everything is read with."""

_MAGIC = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst", b"BZh": ".bz2", b"\xfd7zXZ\0": ".xz"}
_PLANS = [sketch_plan(values=8, unit=unit, shingle=size) for unit, size in (("word", 3), ("char", 4), ("byte", 5))]
_BANDING = Banding(4, 2)


def seeds(target: str) -> list[bytes]:
    """Return the corpus of a target, by name."""
    return [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]


def jsonl(data: bytes) -> str:
    """Read JSON Lines, compressed if they begin that way."""
    return _read(data, "jsonl", ".jsonl" + _compression(data))


def csv(data: bytes) -> str:
    """Read CSV, compressed if it begins that way."""
    return _read(data, "csv", ".csv" + _compression(data))


def warc(data: bytes) -> str:
    """Read WARC, compressed if it begins that way."""
    return _read(data, "warc", ".warc" + _compression(data))


def arrow(data: bytes) -> str:
    """Read Arrow IPC, memory-mapped and as from other storage."""
    local = _outcome(lambda: _read(data, "arrow", ".arrow"))
    path = "memory://fuzz/input.arrow"
    fsspec.filesystem("memory").pipe("/fuzz/input.arrow", data)
    remote = _outcome(lambda: _read_path(path, "arrow"))
    if (local[0], isinstance(local[1], TamisError)) != (remote[0], isinstance(remote[1], TamisError)):
        raise AssertionError(f"local {local}, remote {remote}")
    return _value(local)


def parquet(data: bytes) -> str:
    """Read Parquet."""
    return _read(data, "parquet", ".parquet")


def text(data: bytes) -> str:
    """Fingerprint and shingle a text, by itself and beside others."""
    error = _first_error(data)
    parts = [b"", data, data[: len(data) // 2], data]
    bytes_ = np.frombuffer(b"".join(parts) or b"\0", np.uint8)
    offsets = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    for plan in _PLANS:
        found = fingerprint(bytes_, offsets, plan, banding=_BANDING, seed=1)
        alone = fingerprint(np.frombuffer(data or b"\0", np.uint8), offsets[[0, 2]], plan, banding=_BANDING, seed=1)
        for values, value in zip(found, alone, strict=True):
            _check(np.array_equal(values[1], value[0]) and np.array_equal(values[3], value[0]), "neighbours matter")
        _check((found.errors[1] >= 0) == (error >= 0), f"validity: {found.errors[1]} against {error}")
        values, bounds = shingle_sets(bytes_, offsets, plan.unit, plan.shingle, plan.table)
        sets = [values[bounds[i] : bounds[i + 1]] for i in range(4)]
        _check(np.array_equal(sets[1], sets[3]), "equal texts have equal shingles")
        _check(all(bool(np.all(one[1:] > one[:-1])) for one in sets), "shingles ascend")
        some = len(data) > 0 if UNITS[plan.unit] == "byte" else bool(found.tokens[1] > 0)
        _check(error >= 0 or (len(sets[1]) > 0) == some, "what has tokens has shingles")
    return f"{fingerprint(bytes_, offsets, _PLANS[0], banding=None, seed=1).tokens[1]} words, error at {error}"


def config(data: bytes) -> str:
    """Load a configuration, and load it again as it is saved."""
    with _stored(data, ".yaml") as path:
        loaded = load_config(path)
    again = make_config(json.loads(loaded.model_dump_json()))
    _check(again == loaded, "a saved configuration is the same")
    return ", ".join(stage.stage for stage in loaded.stages)


def filter_condition(data: bytes) -> str:
    """Plan a condition and judge records by it, one by one and together."""
    where = data.decode("utf-8", "replace")
    filters = plan_filters([where], _RECORDS.schema)
    again = plan_filters([where], _RECORDS.schema)
    _check(filters == again, "a plan is the same twice")
    whole = _judged(filters, _RECORDS)
    parts = [_judged(filters, _RECORDS.slice(i, 1)) for i in range(_RECORDS.num_rows)]
    if isinstance(whole, TamisError):
        _check(any(isinstance(part, TamisError) for part in parts), f"only all records together fail: {whole}")
        raise whole
    _check(parts == [[answer] for answer in whole], f"{whole} together, {parts} one by one")
    return f"{whole} by {', '.join(filters.columns) or 'nothing'}"


TARGETS: dict[str, Callable[[bytes], str]] = {
    function.__name__: function for function in (jsonl, csv, warc, arrow, parquet, text, config, filter_condition)
}

_RECORDS = pa.RecordBatch.from_pydict(
    {
        "text": pa.array(["a quick brown fox", "", None, "12", "é" * 40]),
        "score": pa.array([0.5, None, float("nan"), -1e300, 3.0]),
        "n": pa.array([1, 2, None, -(2**63), 2**63 - 1], pa.int64()),
        "ok": pa.array([True, False, None, True, False]),
        "tags": pa.array([["a", None], [], None, ["b"], ["a", "b", "c"]]),
        "meta": pa.array([{"lang": "en", "size": 1}, {"lang": None, "size": 2}, None, {"lang": "de", "size": 3}, {}]),
        "when": pa.array([0, 10**15, None, -(10**15), 1], pa.timestamp("us")),
    }
)


def _judged(filters: Filters, records: pa.RecordBatch) -> list[int] | TamisError:
    try:
        return filters.first_failed(records).tolist()
    except TamisError as error:
        return error


def _compression(data: bytes) -> str:
    return next((ending for magic, ending in _MAGIC.items() if data.startswith(magic)), "")


class _stored:
    """A file with some bytes, for as long as it is wanted; a new one each time, as readers may have mapped the last."""

    def __init__(self, data: bytes, ending: str) -> None:
        self.data, self.path = data, f"{tempfile.gettempdir()}/tamis-fuzz-{os.getpid()}{ending}"

    def __enter__(self) -> str:
        Path(self.path).write_bytes(self.data)
        return self.path

    def __exit__(self, *_: object) -> None:
        Path(self.path).unlink()


def _read(data: bytes, kind: str, ending: str) -> str:
    with _stored(data, ending) as path:
        return _read_path(path, kind)


def _read_path(path: str, kind: str) -> str:
    """Read a file with every one of ``SIZES`` and return what it holds, in brief."""
    outcomes = [_outcome(lambda sizes=sizes: _tables(path, kind, *sizes)) for sizes in SIZES]
    first = outcomes[0]
    for sizes, other in zip(SIZES, outcomes, strict=True):
        _check(_alike(first, other), f"{SIZES[0]}: {_brief(first)}\n{sizes}: {_brief(other)}")
    table, facts = _value(first)
    rules = [rule for rule in table[RULE].to_pylist() if rule is not None]
    return f"{table.num_rows} records, {len(rules)} bad {sorted(set(rules))}, facts of {facts}"


def _tables(path: str, kind: str, split_bytes: int, batch_bytes: int) -> tuple[pa.Table, str]:
    """Return the records of a file, and what the first pass finds in them."""
    corpus = open_corpus([InputSpec(path, format=kind)])
    splits = plan_splits(corpus.files[0], split_bytes=split_bytes)
    surveyed = [(split.path, split_schema(split, batch_bytes=batch_bytes)) for split in splits]
    schema = unify([(name, pa.ipc.read_schema(found.serialize())) for name, found in surveyed])
    if set(RESERVED) & set(schema.names):
        return _empty(schema), "reserved names"
    found = [batch for split in splits for batch in read_split(split, schema, full=schema, batch_bytes=batch_bytes)]
    table = pa.Table.from_batches(found, schema=reading_schema(schema)).combine_chunks()
    known = [split.records for split in splits]
    _check(None in known or sum(known) == table.num_rows, f"{known} planned, {table.num_rows} read")
    _check(table[ADDRESS].to_pylist() == addresses(0, 0, table.num_rows).tolist(), "addresses count records")
    _check(table.filter(table[RULE].is_valid())[RAW].null_count == 0, "bad records keep their bytes")
    return table, _facts(table, schema, splits, batch_bytes)


def _empty(schema: pa.Schema) -> pa.Table:
    return pa.table({name: pa.array([], kind) for name, kind in ((ADDRESS, pa.int64()), (RULE, pa.string()))})


def _facts(table: pa.Table, schema: pa.Schema, splits: Iterable, batch_bytes: int) -> str:
    """Run the first pass over the column of texts, if there is one, and write the good records."""
    if "text" not in schema.names:
        return "no text"
    nothing = Filters((), ())
    try:
        columns = check_columns(schema, Columns(), KeepPolicy(), nothing)
    except TamisError:
        return "no texts"
    file = InputFile(0, "input", "input", "parquet", "", "input", 0, "")
    work = DocumentPass(Columns(), KeepPolicy(), _PLANS[0], _BANDING, 0, (file,), nothing, 0, quarantine=True)
    read = [batch for split in splits for batch in read_split(split, columns, full=schema, batch_bytes=batch_bytes)]
    facts = [work(batch) for batch in read]
    numbers = [number for batch in facts for number in batch.column("address").to_pylist()]
    _check(numbers == table[ADDRESS].to_pylist(), "some columns have as many records as all")
    rules = [rule for batch in facts for rule in batch.column("rule").to_pylist()]
    unparsed = table[RULE].to_pylist()
    _check(all(a is None or a == b for a, b in zip(unparsed, rules, strict=True)), "rules stay as they are")
    alone = [table.slice(i, 1) for i, rule in enumerate(rules) if rule is None]  # Arrow cannot filter views
    good = pa.concat_tables([table.slice(0, 0), *alone]).drop_columns(list(RESERVED))
    stored = io.BytesIO()
    pq.write_table(good, stored)
    _check(pq.ParquetFile(io.BytesIO(stored.getvalue())).metadata.num_rows == good.num_rows, "good records are stored")
    hashes = [value for batch in facts for value in batch.column("hash_high").to_pylist()]
    return f"{len(rules) - rules.count(None)} bad, {hash(tuple(hashes)) & 0xFFFF:04x}"


Outcome = tuple[str, object]


def _outcome(work: Callable[[], object]) -> Outcome:
    try:
        return "", work()
    except TamisError as error:
        return type(error).__name__, error


def _value(outcome: Outcome):
    if isinstance(outcome[1], TamisError):
        raise outcome[1]
    return outcome[1]


def _brief(outcome: Outcome) -> str:
    return str(outcome[1])[:2000]


def _alike(one: Outcome, other: Outcome) -> bool:
    if isinstance(one[1], TamisError) or isinstance(other[1], TamisError):
        return one[0] == other[0]
    (a, facts), (b, others) = one[1], other[1]
    return facts == others and a.schema == b.schema and (a.equals(b) or _plain(a) == _plain(b))


def _plain(table: pa.Table) -> str:
    """Return a table's values as text: NaN equals itself there, and strings need not be UTF-8."""
    return repr([_bytes(column.combine_chunks()) for column in table.columns])


def _bytes(array: pa.Array) -> object:
    if isinstance(array, pa.ChunkedArray):
        return [_bytes(chunk) for chunk in array.chunks]
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        wide = pa.types.is_large_string(array.type)
        return array.view(pa.large_binary() if wide else pa.binary()).to_pylist()
    if pa.types.is_struct(array.type):
        return [array.is_valid().to_pylist(), [_bytes(child) for child in array.flatten()]]
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return [array.is_valid().to_pylist(), array.value_lengths().to_pylist(), _bytes(array.flatten())]
    if pa.types.is_dictionary(array.type):
        return [array.indices.to_pylist(), _bytes(array.dictionary)]
    return str(array)


def _first_error(data: bytes) -> int:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return -1


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)
