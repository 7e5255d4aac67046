"""What an index is: how its texts are hashed, how large its filters are, and which batches it holds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from ...connectors.address import RECORD_BITS
from ...connectors.corpus import plan_splits
from ...connectors.formats import InputFile
from ...connectors.index_store import FileLine, Header, IndexStore
from ...connectors.split import SPLIT_BYTES, Split
from ...connectors.storage import Stored
from ...hashing.bloom_rate import FilterPlan, plan_filter
from ...hashing.errors import ArtefactError, ConfigError
from ...hashing.lsh import Banding
from ...hashing.mix import derive_seed
from ...hashing.redaction import redacted
from ...hashing.sketch import SKETCH_VERSION
from ..config import Near, NewIndex, Pipeline

SHARD_BYTES = 32 << 20
"""Bytes of a part of a filter, about: what a task holds."""


WITNESSED_RATE, FLAGGING_RATE = 1e-2, 1e-8
"""Mistakes of filters that cost a look-up, and those that cost a document."""

ROWS = pa.schema(
    [
        ("seq", pa.int64()),
        ("address", pa.int64()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("bytes", pa.int64()),
        ("tokens", pa.int64()),
        ("hash_high", pa.int64()),
        ("hash_low", pa.int64()),
        ("kept", pa.bool_()),
    ]
)
"""Rows of an index in the order in which they came: of equal texts the first; ``kept`` is false for near copies, whose
keys still stand for the buckets that they were in."""

KEYS = pa.schema([("key", pa.int64()), ("seq", pa.int64())])
"""Band keys of these rows, the first few rows of each key."""


@dataclass(frozen=True)
class Shape:
    """What the keys of an index depend on.

    Attributes:
        profile, unit, shingle, sketch, values, bits, seed, version: of signatures.
        bands, rows: of the bands.
    """

    profile: str
    unit: str
    shingle: int
    sketch: str
    values: int
    bits: int
    seed: int
    version: int
    bands: int
    rows: int

    @classmethod
    def of(cls, near: Near, banding: Banding, seed: int) -> "Shape":
        """Return the shape that a near stage needs."""
        return cls(
            near.profile,
            near.shingle.unit,
            near.shingle.size,
            near.sketch,
            near.values,
            near.bits,
            seed,
            SKETCH_VERSION,
            banding.bands,
            banding.rows,
        )


class OpenIndex:
    """An index as it was after some of its batches.

    Args:
        store: its files.
        header: of these.
        batches: how many of its batches count; later ones are as if they were not there.

    Attributes:
        store, header: as given.
        batches: those that count.
    """

    def __init__(self, store: IndexStore, header: Header, batches: int | None = None) -> None:
        self.store, self.header = store, header
        self.all_batches: list[dict[str, Any]] = header["batches"]
        self.batches = self.all_batches if batches is None else self.all_batches[:batches]

    @property
    def is_last(self) -> bool:
        """Whether no later batch was added."""
        return len(self.batches) == len(self.all_batches)

    @property
    def rows(self) -> int:
        """Rows in it."""
        return int(self.batches[-1]["rows_after"]) if self.batches else 0

    @property
    def witness(self) -> bool:
        """Whether it can name rows."""
        return bool(self.header["witness"])

    @cached_property
    def shape(self) -> Shape:
        """What its keys depend on."""
        return Shape(**self.header["shape"])

    @cached_property
    def plan(self) -> FilterPlan | None:
        """The form of its filters, or None for an index without."""
        found = self.header["bloom"]
        return FilterPlan(**found["plan"]) if found else None

    @property
    def shards(self) -> int:
        """Parts of each filter."""
        return int(self.header["bloom"]["shards"])

    @property
    def salt(self) -> int:
        """Of the hash of keys."""
        return derive_seed(self.shape.seed, "bloom")

    @cached_property
    def files(self) -> tuple[InputFile, ...]:
        """The inputs of all batches that count, by the high part of the addresses of their rows."""
        count = self.batches[-1]["files_after"] if self.batches else 0
        return tuple(_input_file(plain) for plain in self.header["files"][:count])

    @property
    def file_ranges(self) -> list[tuple[int, int, pa.Schema]]:
        """The numbers of the files of each batch, from the first to before the last, and their columns."""
        found, first = [], 0
        for batch in self.batches:
            schema = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(batch["schema"])))
            found.append((first, int(batch["files_after"]), schema))
            first = int(batch["files_after"])
        return found

    def lines(self, kind: str) -> list[FileLine]:
        """Return the lines of files of a kind, "rows", "keys" or "bloom", of the batches that count."""
        return [
            line
            for line in self.header["contents"]
            if line["kind"] == kind and (kind == "bloom" or line["batch"] < len(self.batches))
        ]

    def splits(self, kind: str) -> list[Split]:
        """Return the splits of the tables of a kind."""
        lines = [line for line in self.lines(kind) if line["rows"]]
        return [
            split
            for number, line in enumerate(lines)
            for split in plan_splits(self._table(number, line), split_bytes=SPLIT_BYTES)
        ]

    def _table(self, number: int, line: FileLine) -> InputFile:
        place = str(self.store.path / line["name"])
        return InputFile(number, place, line["name"], "parquet", "", "index", line["size_bytes"], line["sha256"])


def bounds_of(first: int, after: int) -> tuple[int, int]:
    """Return the first address of a range of files, and the one behind its last."""
    return first << RECORD_BITS, after << RECORD_BITS


def _input_file(plain: dict[str, Any]) -> InputFile:
    members = tuple(Stored(**member) for member in plain["members"])
    options = tuple((name, value) for name, value in plain["options"])
    return InputFile(**{**plain, "members": members, "options": options})


def plain_files(files: Sequence[InputFile]) -> list[dict[str, Any]]:
    """Return inputs as a header holds them: without the secrets of their URLs, which leaves such files unreachable."""
    return [asdict(replace(file, path=redacted(file.path), relative=redacted(file.relative))) for file in files]


def new_header(wanted: NewIndex, shape: Shape, config: Pipeline) -> Header:
    """Return the header of an index without rows.

    Raises:
        ConfigError: if it has filters and no capacity.
    """
    near, bloom = config.near or Near(), None
    if wanted.kind == "bloom":
        if wanted.capacity is None:
            raise ConfigError(
                "a Bloom index is made for a number of rows",
                value="no capacity",
                remedy="Say how many rows will ever come in: --capacity 10000000.",
            )
        rate = wanted.rate or (WITNESSED_RATE if wanted.witness else FLAGGING_RATE)
        plan = plan_filter(bands=shape.bands, capacity=wanted.capacity, rate=rate, block_bits=wanted.block_bits)
        shards = max(1, -(-plan.filter_bytes // SHARD_BYTES))
        bloom = {"plan": asdict(plan), "shards": shards}
    return {
        "kind": wanted.kind,
        "witness": wanted.kind == "lsh" or wanted.witness,
        "shape": asdict(shape),
        "max_anchors": near.max_anchors,
        "near": near.model_dump(mode="json", exclude={"index"}),
        "columns": config.columns.model_dump(mode="json"),
        "bloom": bloom,
        "batches": [],
        "files": [],
        "contents": [],
    }


def open_index(config: Pipeline, banding: Banding, run: str) -> OpenIndex | None:
    """Return the index of a pipeline's near stage as it was before this run, or None where none is named.

    An index that already holds this very run is opened as it was before it, so that a repeated run gives the same
    answer and adds nothing.

    Args:
        config: with the near stage.
        banding: of it.
        run: what the run does, whatever the index holds.

    Raises:
        ArtefactError, ConfigError: if there is none, it is damaged, or of another shape.
    """
    near = config.near
    if near is None or near.index is None:
        return None
    store, wanted = IndexStore(near.index.path), Shape.of(near, banding, config.seed)
    if store.exists:
        header = store.header()
    elif near.index.create is not None:
        header = new_header(near.index.create, wanted, config)
    else:
        header = store.header()  # says how to make one
    names = [batch["run"] for batch in header["batches"]]
    before = names.index(run) if run in names and near.index.update else None
    index = OpenIndex(store, header, before)
    _check_shape(index, wanted, near)
    return index


def _check_shape(index: OpenIndex, wanted: Shape, near: Near) -> None:
    have, want = asdict(index.shape), asdict(wanted)
    differing = [name for name in want if have[name] != want[name]]
    if differing:
        raise ArtefactError(
            "an index is asked with the settings that it was made with",
            value=", ".join(f"{name} {have[name]} in the index, {want[name]} in the run" for name in differing),
            remedy="Use the same settings (for bands and rows: the same threshold and recall), or build another index.",
        )
    if near.index and near.index.mode != "insert-kept" and index.witness:
        raise ConfigError(
            "an index with witnesses takes the rows that are kept",
            value=f"mode {near.index.mode}",
            remedy="Use insert-kept; the other modes flag rows by filters alone (--no-witness).",
        )
    if near.max_anchors > index.header["max_anchors"]:
        raise ArtefactError(
            "an index holds as many anchors as a run asks for",
            value=f"{index.header['max_anchors']} in the index, {near.max_anchors} in the run",
            remedy="Lower max_anchors, or build another index.",
        )
