"""What an index knows of the rows of a run: the old rows that equal one, or share a band with one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...connectors.corpus import InputSpec, open_corpus, plan_splits
from ...connectors.formats import InputFile
from ...connectors.split import SPLIT_BYTES, Split
from ...hashing.bloom import BLOCK_BITS, MAX_BLOCKS
from ...hashing.errors import ArtefactError, TamisError
from ..documents import SCHEMA
from ..engine import Engine, Table
from ..ranked import good_rows
from .form import KEYS, ROWS, OpenIndex
from .shards import ASKED, Asking, Filters, shard_name

_HASH = ("hash_high", "hash_low", "bytes")
_NEEDED = ("address", "bytes", "hash_high", "hash_low", "rule", "filtered", "bands")
_BANDS = pa.schema([("address", pa.int64()), ("bands", pa.binary())])


@dataclass(frozen=True)
class Recalled:
    """Old rows that matter to a run, as if it had read them.

    Attributes:
        documents: them, as the first pass would have given them, but for their keys.
        bands: (address, bands): the keys that they share with new rows; a row may come several times.
        gone: (address) of those that were near copies when they came: they hold places in buckets, and keep nothing.
    """

    documents: Table
    bands: Table
    gone: Table


def filters_of(index: OpenIndex) -> Filters:
    """Return the filters of an index, whole.

    Raises:
        ArtefactError: if a part is damaged.
    """
    plan = index.plan
    if plan is None:
        raise ArtefactError(
            "Bloom indexes have filters", value=f"{index.store.path} is of kind lsh", remedy="Use one of kind bloom."
        )
    lines = index.lines("bloom")
    index.store.check(lines)
    _check_form(index)
    there = {line["name"].rpartition("/")[2]: str(index.store.path / line["name"]) for line in lines}
    parts = plan.bands * index.shards
    paths = tuple(there.get(shard_name(shard, index.shards), "") for shard in range(parts))
    filters = Filters(plan, index.salt, index.shards, paths)
    for shard, path in enumerate(paths):  # kernels read where the form says
        if path and Path(path).stat().st_size != 8 * filters.words_of(shard):
            raise _deformed(index, f"{path} has not the size of its part")
    return filters


def _check_form(index: OpenIndex) -> None:
    plan = index.plan
    if plan is None or plan.bands != index.shape.bands or plan.block_bits not in BLOCK_BITS or plan.hashes < 1:
        raise _deformed(index, f"filters for {index.shape.bands} bands: {plan}")
    if not 1 <= index.shards <= plan.blocks <= MAX_BLOCKS:
        raise _deformed(index, f"{plan.blocks} blocks in {index.shards} parts")


def _deformed(index: OpenIndex, why: str) -> ArtefactError:
    return ArtefactError(
        "the filters of an index have the form that its header says",
        value=f"{index.store.path}: {why}",
        remedy="Do not trust this index; build it again.",
    )


def asked(index: OpenIndex, documents: Table) -> Table:
    """Return (address, key) of good rows whose key may be in an index."""
    good = documents.select(*_NEEDED)
    good = good.map(good_rows, good.schema).select("address", "bands")
    if index.plan is not None:
        return good.map(Asking(filters_of(index)), ASKED)
    return good.explode("bands", into="key", repeated=False)


def recall(engine: Engine, index: OpenIndex, documents: Table) -> Recalled:
    """Return what an index with witnesses knows of the rows of a run.

    Args:
        engine: what runs the verbs.
        index: with witnesses.
        documents: the first pass over new rows.

    Raises:
        ArtefactError: if a file of the index is damaged.
    """
    index.store.check([*index.lines("rows"), *index.lines("keys")])
    rows = _read(engine, index, "rows", ROWS)
    keys = _read(engine, index, "keys", KEYS)
    met = asked(index, documents).select("key").distinct()
    most = int(index.header["max_anchors"])
    hits = keys.join(met, on=["key"]).first(by=["key"], order=["seq"], n=most).save("recalled_keys")
    good = documents.select(*_NEEDED)
    hashes = good.map(good_rows, good.schema).select(*_HASH).distinct()
    same = rows.join(hashes, on=list(_HASH)).select("seq")
    wanted = hits.select("seq").union(same).distinct()
    old = rows.join(wanted, on=["seq"], how="semi").save("recalled_rows")
    packed = hits.join(old.select("seq", "address"), on=["seq"]).select("address", "key")
    return Recalled(
        documents=old.map(as_documents, SCHEMA),
        bands=packed.group(by="address", sort=["key"], fn=pack, schema=_BANDS),
        gone=old.map(_gone, old.schema).select("address"),
    )


def _read(engine: Engine, index: OpenIndex, kind: str, schema: pa.Schema) -> Table:
    splits = index.splits(kind)
    if not splits:
        return engine.table(schema.empty_table())
    return engine.read(splits, schema, full=schema).select(*schema.names)


def as_documents(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows of an index as the first pass would: good, of old age, ranked in the order in which they came."""
    n = batch.num_rows
    zeros = pa.array(np.zeros(n, np.int64))
    derived = {
        "policy_missing": zeros,
        "policy_high": zeros,
        "policy_low": batch.column("seq"),
        "id_missing": batch.column("id").is_null().cast(pa.int64()),
        "id_order": batch.column("id").fill_null(""),
        "filtered": pa.array(np.full(n, -1, np.int64)),
    }
    columns = [
        derived[field.name]
        if field.name in derived
        else (batch.column(field.name) if field.name in ROWS.names else pa.nulls(n, field.type))
        for field in SCHEMA
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Pack the keys of each address into one value, or into several where a batch ends between them."""
    for batch in batches:
        addresses, keys = batch.column("address").to_numpy(), np.ascontiguousarray(batch.column("key").to_numpy())
        starts = np.flatnonzero(np.diff(addresses, prepend=addresses[:1] - 1))
        bounds = np.append(starts, len(addresses)).astype(np.int32) * 8
        packed = pa.BinaryArray.from_buffers(
            pa.binary(), len(bounds) - 1, [None, pa.py_buffer(bounds), pa.py_buffer(keys)]
        )
        yield pa.RecordBatch.from_arrays([pa.array(addresses[starts]), packed], schema=_BANDS)


def _gone(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(pc.invert(batch.column("kept")))


def reachable(files: Sequence[InputFile]) -> tuple[list[Split], list[InputFile]]:
    """Return the splits of old inputs that are as they were, and those that are not."""
    splits: list[Split] = []
    lost = []
    for file in files:
        if _is_there(file):
            splits += plan_splits(file, split_bytes=SPLIT_BYTES)
        else:
            lost.append(file)
    return splits, lost


def _is_there(file: InputFile) -> bool:
    try:
        found = open_corpus([InputSpec(file.path, format=file.format)]).files
    except TamisError:
        return False
    return len(found) == 1 and found[0].fingerprint == file.fingerprint
