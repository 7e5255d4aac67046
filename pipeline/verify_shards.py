"""What must hold of shards: their shape, their order, their sets, and what they are said to hold."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray
from pydantic import ValidationError

from ..connectors.row_groups import batches_of
from ..hashing.murmur3 import murmur3_all
from .config import Shards
from .counted import counted
from .emission import KEYED, AgainKey, OrderKey, set_names, set_numbers, written_schema
from .layout import SetName, ShardSet
from .manifest import schema_fingerprint
from .mixture import TOKENS, Mixture
from .mixture_file import NAME, training_amounts
from .splits import TRAIN
from .text_column import text_buffers

READ_ROWS = 8192


def shape_faults(out: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Files have the row groups and the columns that the manifest says, and rows are numbered through."""
    sets = {line["name"]: ShardSet.from_dict(line) for line in manifest["sets"]}
    row = file = 0
    for line, of in zip(manifest["sets"], sets.values(), strict=True):
        if line != of.as_dict() or (of.first_row, of.first_file) != (row, file) or of.layout.tail_rows < 0:
            yield f"the set {of.name!r} has fields that contradict one another"
        row, file = row + of.layout.rows, file + of.layout.files + 1
    columns = "".join(f"{field['name']}\t{field['type']}\n" for field in manifest["schema"])
    if hashlib.sha256(columns.encode()).hexdigest() != manifest["schema_fingerprint"]:
        yield "the fingerprint of the schema is of another one"
    row = 0
    for line in manifest["files"]["data"]:
        name, of = line["name"], sets[line["set"]]
        footer = pq.read_metadata(out / "data" / name)
        groups = [footer.row_group(i).num_rows for i in range(footer.num_row_groups)]
        if footer.num_rows != line["rows"]:
            yield f"{name} has {counted(footer.num_rows, 'row')}, not {line['rows']:,} as recorded"
        if line["first_row"] != row:
            yield f"{name} is said to begin at row {line['first_row']}, which is {row}"
        row += footer.num_rows
        layout = of.layout
        filled = [rows for rows in groups if rows]  # a file without rows has a group without rows
        if line["file"] < of.first_file + layout.files and filled != [layout.group_rows] * layout.groups:
            yield f"{name} has row groups of {sorted(set(groups))} rows, not {layout.groups} x {layout.group_rows}"
        if [group["rows"] for group in line["groups"]] != groups or not _groups_agree(footer, line["groups"]):
            yield f"{name} has row groups at other places than recorded"
        if schema_fingerprint(footer.schema.to_arrow_schema()) != manifest["schema_fingerprint"]:
            yield f"{name} has other columns than recorded"
    for of in sets.values():
        held = sum(line["rows"] for line in manifest["files"]["data"] if line["set"] == of.name)
        if held != of.layout.rows:
            yield f"shards of {of.name!r} hold {counted(held, 'row')}, the layout says {of.layout.rows:,}"


def _groups_agree(footer: pq.FileMetaData, recorded: list[dict[str, int]]) -> bool:
    for number, group in enumerate(recorded):
        found = footer.row_group(number)
        columns = [found.column(i) for i in range(found.num_columns)]
        starts = [c.data_page_offset if c.dictionary_page_offset is None else c.dictionary_page_offset for c in columns]
        if (min(starts), sum(c.total_compressed_size for c in columns)) != (group["offset"], group["size_bytes"]):
            return False
    return True


def text_faults(out: Path, manifest: dict[str, Any], index: pa.Table) -> Iterator[str]:
    """Every shard row has the text whose hash and bytes the index has."""
    column = manifest["settings"]["columns"]["text"]
    expected = np.stack([index[name].to_numpy() for name in ("hash_high", "hash_low", "bytes")], axis=1)
    position = 0
    for line in manifest["files"]["data"]:
        wrong = 0
        with pq.ParquetFile(out / "data" / line["name"]) as file:
            for batch in batches_of(file, READ_ROWS, columns=[column]):
                data, offsets = text_buffers(batch.column(0))
                hashes = murmur3_all(data, offsets, np.uint64(0)).view(np.int64)
                found = np.column_stack([hashes, np.diff(offsets)])
                wrong += int(np.any(found != expected[position : position + len(found)], axis=1).sum())
                position += len(found)
        if wrong:
            yield f"{line['name']} has {counted(wrong, 'row')} with another text than the index says"


def place_faults(out: Path, manifest: dict[str, Any], index: pa.Table, edited: pa.Array) -> Iterator[str]:
    """Every row is in the set that its content says, and where the seed puts it.

    Args:
        out, manifest, index: the output.
        edited: addresses of rows whose text was cut: their place is that of the text as it came, which is not here.
    """
    settings = manifest["settings"]
    shards, seed = Shards.model_validate(settings["shards"]), settings["seed"]
    splitting, mixture = shards.splitting(seed), _mixture(settings)
    wanted = set_names(splitting, mixture)
    names = [name.name for name in wanted]
    if wanted != tuple(SetName(line["name"], line["split"], line["phase"]) for line in manifest["sets"]):
        yield f"the sets are {', '.join(line['name'] for line in manifest['sets'])}, not {', '.join(names)}"
        return
    rows = sum(pq.read_metadata(out / "data" / line["name"]).num_rows for line in manifest["files"]["data"])
    if not rows == index.num_rows == sum(line["layout"]["rows"] for line in manifest["sets"]):
        yield f"shards hold {counted(rows, 'row')}, the index has {index.num_rows:,}"
        return
    whole = pc.invert(pc.is_in(index["address"], edited)).to_numpy()
    by_id = settings["columns"]["id"] is not None
    sets = np.repeat(np.arange(len(names)), [line["layout"]["rows"] for line in manifest["sets"]])
    high, low = index["hash_high"].to_numpy(), index["hash_low"].to_numpy()
    phases = len(mixture.phases) if mixture else 0
    found = set_numbers(splitting, high, low)
    said = np.maximum(sets - max(phases - 1, 0), 0)
    if wrong := int(np.sum((found != said) & whole)):
        yield f"{counted(wrong, 'row is', 'rows are')} in another set than the content says"
    key = _order(out, manifest, index, OrderKey(seed, shards.epoch, by_id, splitting))
    checked = np.flatnonzero(whole | by_id)
    first, second = checked[:-1], checked[1:]
    falls = (key[0][first] > key[0][second]) | ((key[0][first] == key[0][second]) & (key[1][first] > key[1][second]))
    if wrong := int(np.sum(falls & (sets[first] == sets[second]))):
        yield f"{counted(wrong, 'row does', 'rows do')} not stand where the seed says"


def _asked(said: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a mixture asks for, or None if it is none."""
    try:
        return Mixture.model_validate(said).as_asked()
    except ValidationError:
        return None


def _mixture(settings: dict[str, Any]) -> Mixture | None:
    return Mixture.model_validate(settings["mixture"]) if settings["mixture"] else None


def _order(
    out: Path, manifest: dict[str, Any], index: pa.Table, key: OrderKey
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what rows are ordered by: (high, low), int64, shape (rows,)."""
    ids = _ids(out, manifest) if key.by_id else pa.chunked_array([pa.nulls(index.num_rows, pa.string())])
    again = AgainKey(key.seed, key.epoch, written_schema(KEYED))
    parts = []
    for batch in index.append_column("id", ids).to_batches(READ_ROWS * 16):
        keyed = key(batch)
        keyed = again(pa.RecordBatch.from_arrays([*keyed.columns, batch.column("epoch")], schema=again.schema))
        parts.append([keyed.column(name).to_numpy() for name in ("order_high", "order_low")])
    empty = np.zeros(0, np.int64)
    high, low = (np.concatenate([empty, *(part[i] for part in parts)]) for i in (0, 1))
    return high, low


def _ids(out: Path, manifest: dict[str, Any]) -> pa.ChunkedArray:
    column = manifest["settings"]["columns"]["id"]
    files = [out / "data" / line["name"] for line in manifest["files"]["data"]]
    columns = [pq.read_table(file, columns=[column])[column].cast(pa.string()) for file in files]
    return pa.chunked_array([chunk for found in columns for chunk in found.chunks], pa.string())


def content_faults(manifest: dict[str, Any], index: pa.Table) -> Iterator[str]:
    """Files hold what the manifest says of each source."""
    counts = [name for name in index.schema.names if name in ("bytes", "tokens") or name.startswith(TOKENS)]
    for line in manifest["files"]["data"]:
        held = index.slice(line["first_row"], line["rows"]).group_by("source")
        found = held.aggregate([("position", "count"), *((name, "sum") for name in counts)])
        sources = {
            row["source"]: {
                "rows": row["position_count"],
                **{name.removeprefix(TOKENS): row[f"{name}_sum"] for name in counts},
            }
            for row in found.to_pylist()
        }
        if sources != line["sources"]:
            yield f"{line['name']} holds other amounts of its sources than recorded"


def mixture_faults(out: Path, manifest: dict[str, Any], index: pa.Table, unsampled: pa.Table | None) -> Iterator[str]:
    """``mixture.yaml`` says what the shards hold, and no row is repeated before all of its source were used."""
    settings = manifest["settings"]
    try:
        said = yaml.safe_load((out / NAME).read_text(encoding="utf-8"))
        sources = {str(name): (share["rows"], share["emitted"]) for name, share in said["sources"].items()}
        unit = str(said["unit"])
    except (OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        yield f"{NAME} cannot be read: {error}"
        return
    measure = {"words": "tokens"}.get(unit, unit)
    amounts = training_amounts(manifest["files"]["data"])
    for name in sorted(sources.keys() | amounts.keys()):
        held = amounts.get(name, {})
        if sources.get(name, (0, 0)) != (held.get("rows", 0), held.get(measure, 0)):
            yield f"{NAME} says {sources.get(name)} of {name!r} (rows, {unit}), the shards hold {held}"
    try:
        mixture = _mixture(settings)
    except ValidationError as error:
        yield f"the mixture of the settings makes no sense: {error.errors()[0]['msg']}"
        return
    if mixture and (asked := _asked(said)) != mixture.as_asked():
        yield f"{NAME} asks for {asked}, the settings for {mixture.as_asked()}"
    first = settings["shards"]["epoch"]
    sizes = [line["layout"]["rows"] for line in manifest["sets"]]
    trained = np.repeat([line["split"] == TRAIN for line in manifest["sets"]], sizes)
    rows = index.append_column("trained", pa.array(trained.astype(np.int64)))
    passes = rows.group_by(["address", "source", "trained"]).aggregate(
        [("epoch", "count"), ("epoch", "min"), ("epoch", "max")]
    )
    count, least, most = (passes[f"epoch_{name}"].to_numpy() for name in ("count", "min", "max"))
    if wrong := int(np.sum((least != first) | (most - least + 1 != count))):
        which = counted(wrong, "row lacks a pass before another, or is", "rows lack a pass before another, or are")
        yield f"{which} in one twice"
    if mixture is None and count.max(initial=1) > 1:
        yield "rows are repeated, and no mixture asks for it"
    trains = passes.filter(pc.equal(passes["trained"], 1)).group_by("source")
    left = set() if unsampled is None else set(unsampled["source"].unique().to_pylist())
    for row in trains.aggregate([("epoch_count", "min"), ("epoch_count", "max")]).to_pylist():
        all_once = row["source"] not in left or settings["shards"]["sample"] < 1
        if row["epoch_count_max"] - (row["epoch_count_min"] if all_once else 0) > 1:
            yield f"rows of {row['source']!r} are repeated before all of them were used"
