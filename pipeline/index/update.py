"""Adding the rows of a run to an index: files are written while the run goes on, the header when it has succeeded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...connectors.formats import InputFile
from ...connectors.index_store import FileLine, Header
from ...hashing.errors import ArtefactError
from ..engine import Table
from ..written import write_sorted
from .form import KEYS, ROWS, OpenIndex, plain_files
from .recall import filters_of
from .shards import DEALT, FILLED, Dealing, Filling

_FACTS = ("address", "id", "source", "bytes", "tokens", "hash_high", "hash_low")


@dataclass(frozen=True)
class Batch:
    """What a run adds.

    Attributes:
        run: its name: the same inputs and settings are added once.
        entered: (row, ...) ranked new rows that are no exact copies, saved.
        removed: (row) of those that were removed later.
        bands: (address, bands) of all new rows.
        files: all inputs of the run, those of the index first.
        schema: columns of the new ones.
        text: the column of texts.
        inserts_all: whether rows that were removed later are inserted, too.
    """

    run: str
    entered: Table
    removed: Table
    bands: Table
    files: tuple[InputFile, ...]
    schema: pa.Schema
    text: str
    inserts_all: bool = False


@dataclass(frozen=True)
class Numbered:
    """Gives rows their place in the index; plain data.

    Attributes:
        before: rows that were in.
    """

    before: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``ROWS`` for numbered rows with ``removed``, null for kept ones."""
        seq = pa.array(batch.column("number").to_numpy() + self.before)
        kept = batch.column("removed").is_null()
        return pa.RecordBatch.from_arrays([seq, *(batch.column(name) for name in _FACTS), kept], schema=ROWS)


def write_batch(index: OpenIndex, batch: Batch) -> Header:
    """Write the files of a batch beside those of the index, and return the header that would name them.

    Raises:
        ArtefactError: if the index is too small for it.
    """
    number = len(index.batches)
    entered = batch.entered.select("row", *_FACTS).number(order=["row"], name="number")
    gone = batch.removed.select("row").map(_marked, pa.schema([("row", pa.int64()), ("removed", pa.bool_())]))
    rows = entered.join(gone, on=["row"], how="left").map(Numbered(index.rows), ROWS).save("index_rows")
    count = _count(rows)
    inserted = rows if index.witness or batch.inserts_all else rows.map(_kept, ROWS)
    _check_capacity(index, _count(inserted) if not index.witness else count)
    bands = batch.bands.join(inserted.select("address", "seq"), on=["address"]).select("seq", "bands")
    lines: list[FileLine] = []
    name = f"batch-{number:05d}"
    with index.store.writing(name) as folder:
        if index.witness:
            lines += _tables(rows, bands, folder, name, number, int(index.header["max_anchors"]))
        if index.plan is not None:
            lines += _filters(index, bands, folder, name)
    added = {
        "run": batch.run,
        "rows": count,
        "rows_after": index.rows + (count if index.witness else _count(inserted)),
        "files_after": len(batch.files),
        "schema": batch.schema.serialize().to_pybytes().hex(),
        "text": batch.text,
    }
    written = {line["name"].rpartition("/")[2] for line in lines if line["kind"] == "bloom"}
    kept = [
        line
        for line in index.header["contents"]
        if line["kind"] != "bloom" or line["name"].rpartition("/")[2] not in written
    ]
    return {
        **{key: value for key, value in index.header.items() if key != "checksum"},
        "batches": [*index.batches, added],
        "files": plain_files(batch.files),
        "contents": [*kept, *lines],
    }


def _marked(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([batch.column(0), pa.repeat(True, batch.num_rows)], names=["row", "removed"])


def _kept(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(batch.column("kept"))


def _count(table: Table) -> int:
    return int(table.aggregate(by=[], rows=("count", "seq")).collect()["rows"][0].as_py())


def check_capacity(index: OpenIndex, entered: Table) -> None:
    """Make sure that (row, ...) have room in an index with witnesses, before anything is compared.

    Raises:
        ArtefactError: with both numbers.
    """
    if index.plan is not None:
        _check_capacity(index, int(entered.aggregate(by=[], rows=("count", "row")).collect()["rows"][0].as_py()))


def _check_capacity(index: OpenIndex, new: int) -> None:
    plan = index.plan
    if plan is not None and index.rows + new > plan.capacity:
        raise ArtefactError(
            "a Bloom index holds at most the rows that it was made for",
            value=f"{index.rows:,} and {new:,} more, made for {plan.capacity:,}",
            remedy="Build a larger one from the inputs: beyond its capacity it would flag rows by mistake.",
        )


def _tables(rows: Table, bands: Table, folder: Path, name: str, number: int, max_anchors: int) -> list[FileLine]:
    """Write the rows, and the first few rows of each key."""
    keys = bands.explode("bands", into="key", repeated=False).select(*KEYS.names)
    first = keys.first(by=["key"], order=["seq"], n=max_anchors)
    lines = []
    for kind, table, order in (("rows", rows, ["seq"]), ("keys", first, ["key", "seq"])):
        for line in write_sorted(table, order, folder / kind):
            lines.append({**_plain(line), "name": f"{name}/{kind}/{line['name']}", "kind": kind, "batch": number})
    return lines


def _plain(line: dict[str, Any]) -> dict[str, Any]:
    return {key: line[key] for key in ("rows", "size_bytes", "sha256")}


def _filters(index: OpenIndex, bands: Table, folder: Path, name: str) -> list[FileLine]:
    """Write the parts of filters that get keys."""
    filters = filters_of(index)
    (folder / "bloom").mkdir()
    keys = bands.select("bands").map(Dealing(filters), DEALT)
    fill = Filling(filters, str(folder / "bloom"))
    hold = 4 * max(filters.words_of(shard) for shard in range(index.shards)) * 8
    filled = keys.group(by="shard", sort=[], fn=fill, schema=FILLED, hold=hold).collect().sort_by("shard").to_pylist()
    return [
        {
            "name": f"{name}/bloom/{line['name']}",
            "size_bytes": line["size_bytes"],
            "sha256": line["sha256"],
            "kind": "bloom",
        }
        for line in filled
    ]
