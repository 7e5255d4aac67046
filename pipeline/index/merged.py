"""Two indexes made into one: the rows of the first, then those of the second."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...connectors.address import RECORD_BITS
from ...connectors.formats import InputFile
from ...connectors.index_store import FileLine, IndexStore, file_line
from ...connectors.parquet_output import write_parquet
from ...connectors.row_groups import batches_of
from ...hashing.errors import ArtefactError, ConfigError
from .form import KEYS, ROWS, OpenIndex, plain_files
from .recall import filters_of
from .shards import shard_name

_BATCH_ROWS = 131_072


def merge(first: OpenIndex, second: OpenIndex, target: IndexStore) -> OpenIndex:
    """Write an index that holds the rows of two, and return it.

    Rows that are alike in both stay both: merging compares nothing. A Bloom filter of both is the union of the two,
    bit for bit what inserting all keys into one would have given.

    Raises:
        ArtefactError: if their shapes differ, or the rows of both are more than the filters are made for.
        ConfigError: if there is an index at the target.
    """
    if target.exists:
        raise ConfigError("a merged index is a new one", value=target.path, remedy="Name another --out.")
    _check(first, second)
    for index in (first, second):
        index.store.check(index.header["contents"])
    lines: list[FileLine] = []
    files, offset = [*first.files], len(first.files)
    files += [_moved(file, offset) for file in second.files]
    with target.alone():
        with target.writing("batch-00000") as folder:
            for kind, schema in (("rows", ROWS), ("keys", KEYS)):
                lines += _tables(first, folder, kind, schema, 0, 0, 0)
                lines += _tables(second, folder, kind, schema, first.rows, offset, len(first.batches))
            if first.plan is not None:
                lines += _union(first, second, folder)
        batches = [*first.batches]
        for batch in second.batches:
            after = {"rows_after": batch["rows_after"] + first.rows, "files_after": batch["files_after"] + offset}
            batches.append({**batch, **after})
        header = {key: value for key, value in first.header.items() if key != "checksum"}
        target.commit(header | {"batches": batches, "files": plain_files(files), "contents": lines})
    return OpenIndex(target, target.header())


def _moved(file: InputFile, offset: int) -> InputFile:
    return replace(file, ordinal=file.ordinal + offset)


def _check(first: OpenIndex, second: OpenIndex) -> None:
    both = {batch["run"] for batch in first.batches} & {batch["run"] for batch in second.batches}
    if both:
        raise ArtefactError(
            "indexes that are merged share no batch",
            value=f"{len(both)} are in {first.store.path} and in {second.store.path}",
            remedy="Add what is missing to one of them.",
        )
    for name in ("kind", "witness", "shape", "max_anchors", "bloom", "near", "columns"):
        mine, its = first.header[name], second.header[name]
        if mine != its:
            raise ArtefactError(
                "indexes that are merged are of one shape",
                value=f"{name}: {mine} in {first.store.path}, {its} in {second.store.path}",
                remedy="Build them with the same settings and capacity.",
            )
    plan = first.plan
    if plan is not None and first.rows + second.rows > plan.capacity:
        raise ArtefactError(
            "a Bloom index holds at most the rows that it was made for",
            value=f"{first.rows:,} and {second.rows:,}, made for {plan.capacity:,}",
            remedy="Build both for the capacity of all.",
        )


def _tables(
    index: OpenIndex, folder: Path, kind: str, schema: pa.Schema, rows: int, files: int, batch: int
) -> list[FileLine]:
    """Copy the tables of an index with its rows, files and batches numbered on."""
    lines = []
    for line in index.lines(kind):
        name = f"{batch + line['batch']:05d}-{Path(line['name']).name}"
        place = folder / kind / name
        place.parent.mkdir(exist_ok=True)
        write_parquet(place, _numbered_on(index.store.path / line["name"], schema, rows, files), schema)
        facts = {"kind": kind, "batch": batch + line["batch"], "rows": line["rows"]}
        lines.append(file_line(place, f"batch-00000/{kind}/{name}", **facts))
    return lines


def _numbered_on(place: Path, schema: pa.Schema, rows: int, files: int) -> Iterator[pa.Table]:
    with pq.ParquetFile(place) as source:
        for batch in batches_of(source, _BATCH_ROWS, columns=schema.names):
            moved = {"seq": pa.array(batch.column("seq").to_numpy() + rows)}
            if "address" in schema.names:
                moved["address"] = pa.array(batch.column("address").to_numpy() + (files << RECORD_BITS))
            columns = [moved.get(name, batch.column(name)) for name in schema.names]
            yield pa.Table.from_batches([pa.RecordBatch.from_arrays(columns, schema=schema)])


def _union(first: OpenIndex, second: OpenIndex, folder: Path) -> list[FileLine]:
    (folder / "bloom").mkdir()
    one, two = filters_of(first), filters_of(second)
    lines = []
    for shard, paths in enumerate(zip(one.paths, two.paths, strict=True)):
        there = [path for path in paths if path]
        if not there:
            continue
        words = np.fromfile(there[0], np.uint64)
        for path in there[1:]:
            one.part(shard, words).merge(one.part(shard, np.fromfile(path, np.uint64)))
        name = shard_name(shard, first.shards)
        words.tofile(folder / "bloom" / name)
        lines.append(file_line(folder / "bloom" / name, f"batch-00000/bloom/{name}", kind="bloom"))
    return lines


def export(index: OpenIndex, folder: Path) -> list[Path]:
    """Write each filter whole, as bits, and what is needed to ask it; return the files.

    Bit i of a filter is bit ``i % 8`` of byte ``i // 8``, the lowest first: what ``bitarray(endian="little")`` reads.

    Raises:
        ArtefactError: if the index has no filters, or is damaged.
    """
    filters = filters_of(index)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError("filters are written to a new or empty folder", value=folder, remedy="Name another --out.")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for band in range(filters.plan.bands):
        place = folder / f"band-{band:03d}.bits"
        with open(place, "wb") as stream:
            for shard in range(band * index.shards, (band + 1) * index.shards):
                path = filters.paths[shard]
                stream.write(Path(path).read_bytes() if path else bytes(filters.words_of(shard) * 8))
        written.append(place)
    facts = {"plan": asdict(filters.plan), "salt": filters.salt, "shape": asdict(index.shape), "rows": index.rows}
    (folder / "filters.json").write_text(json.dumps(facts, indent=1) + "\n")
    return [*written, folder / "filters.json"]
