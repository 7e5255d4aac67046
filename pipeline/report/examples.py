"""Examples for the explorer: some removals, spread over sources, stages and similarities, with both texts.

Texts have to be read again from the inputs. So that this costs little, examples are taken where both records lie in
few splits, chosen by a keyed hash: the same for equal runs.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...connectors.address import ADDRESS, file_of, record_of
from ...connectors.formats import InputFile
from ...connectors.row_groups import batches_of
from ...connectors.split import Split, bounds
from ...hashing.murmur3 import murmur3_all
from ..engine import Engine
from ..inputs import Inputs
from ..settings.outputs import Report
from .facts import BIN

READ_BYTES = 64 << 20
"""Bytes of inputs, as stored, that are read again at most (or one split)."""

TEXT_CHARACTERS = 2_000
PAGE_BYTES = 3 << 20
"""Bytes of all texts on a page."""

_COLUMNS = ["address", "id", "source", "stage", "keeper_address", "keeper_id", "similarity"]
_TEXTS = pa.schema([("address", pa.int64()), ("text", pa.large_string()), ("characters", pa.int64())])


@dataclass(frozen=True)
class Examples:
    """Removals to look at.

    Attributes:
        available: removals with a witness.
        pairs: some of them, as plain data: of both records address, place, id and text (null where it is not shown),
            and stage, source, similarity.
        why: why there are no texts, or "".
    """

    available: int
    pairs: list[dict[str, Any]]
    why: str = ""


def examples(inputs: Inputs, folder: Path, *, files: Sequence[InputFile], seed: int, wanted: Report) -> Examples:
    """Return examples with their texts.

    Args:
        inputs: texts are read from.
        folder: of the output, with ``decisions/``.
        files: of the inputs, by their number.
        seed: of the run.
        wanted: how many, and whether they have their texts; without, nothing is read again, and all removals are in
            question.
    """
    chosen = choose_splits(inputs.splits, seed) if wanted.text else list(inputs.splits)
    available, rows = choose(folder, chosen, seed, wanted.examples)
    places = sorted({row["address"] for row in rows} | {row["keeper_address"] for row in rows}) if wanted.text else []
    found = read_texts(inputs.engine, places, splits=chosen, text=inputs.text, full=inputs.schema)
    shown = []
    left = PAGE_BYTES
    for row in rows:
        gone = _side(row["address"], row["id"], found, files)
        kept = _side(row["keeper_address"], row["keeper_id"], found, files)
        left -= sum(len((side["text"] or "").encode()) for side in (gone, kept))
        if left < 0:
            break
        similarity = None if row["similarity"] is None else round(row["similarity"], 4)
        shown.append(
            {"stage": row["stage"], "source": row["source"], "similarity": similarity, "gone": gone, "kept": kept}
        )
    return Examples(available, shown, "" if wanted.text else "Texts were left out, as asked.")


def _side(
    address: int, name: str | None, texts: dict[int, tuple[str, int]], files: Sequence[InputFile]
) -> dict[str, Any]:
    text, characters = texts.get(address, (None, None))
    where = f"{files[file_of(address)].relative}:{record_of(address)}"
    return {"address": address, "where": where, "id": name, "text": text, "characters": characters}


def choose_splits(splits: Sequence[Split], seed: int) -> list[Split]:
    """Return splits of few bytes, in address order, chosen by a keyed hash of their first address."""
    order = np.argsort(address_hashes(bounds(splits)[0], seed), kind="stable")
    chosen: list[int] = []
    left = READ_BYTES
    for i in order.tolist():
        left -= splits[i].size_bytes
        if left < 0 and chosen:
            break
        chosen.append(i)
    return [splits[i] for i in sorted(chosen)]


def address_hashes(addresses: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """Return a keyed hash of each address: uint64, shape (n,). It orders records as a uniform sample would."""
    data = np.ascontiguousarray(addresses).view(np.uint8)
    offsets = np.arange(len(data) // 8 + 1, dtype=np.int64) * 8
    return murmur3_all(data, offsets, np.uint64(seed))[:, 0]


def choose(folder: Path, splits: Sequence[Split], seed: int, pairs: int) -> tuple[int, list[dict[str, Any]]]:
    """Return how many removals have a witness, and some whose records both lie in some splits.

    They are taken by turns from strata of stage, source and similarity; within one, by a keyed hash.
    """
    if not pairs:
        return sum(batch.num_rows for batch in _decisions(folder)), []
    available = 0
    strata: dict[tuple[str, str, int], list[tuple[int, int, dict[str, Any]]]] = {}
    for batch in _decisions(folder):
        available += batch.num_rows
        inside = _inside(batch.column("address"), splits) & _inside(batch.column("keeper_address"), splits)
        rows = batch.filter(pa.array(inside))
        hashes = address_hashes(rows.column("address").to_numpy(), seed).tolist()
        for low, row in zip(hashes, rows.to_pylist(), strict=True):
            similarity = row["similarity"]
            stratum = (row["stage"], row["source"], -1 if similarity is None else int(similarity / BIN + 1e-9))
            heap = strata.setdefault(stratum, [])
            item = (-low, row["address"], row)  # a heap of the lowest hashes, the highest of them on top
            if len(heap) < pairs:
                heapq.heappush(heap, item)
            elif item > heap[0]:
                heapq.heapreplace(heap, item)
    turns = [
        (turn, stratum, item[2])
        for stratum, heap in strata.items()
        for turn, item in enumerate(sorted(heap, reverse=True))
    ]
    turns.sort(key=lambda entry: entry[:2])
    rows = [row for _, _, row in turns[:pairs]]
    return available, sorted(rows, key=lambda row: (row["stage"] != "near", row["similarity"] or 0, row["address"]))


def _decisions(folder: Path) -> Iterator[pa.RecordBatch]:
    for path in sorted((folder / "decisions").glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in batches_of(file, 131_072, columns=_COLUMNS):
                yield batch.filter(pc.is_valid(batch.column("keeper_address")))


def _inside(addresses: pa.Array, splits: Sequence[Split]) -> NDArray[np.bool_]:
    """Return which addresses lie in splits that are in address order."""
    values = addresses.to_numpy()
    starts, stops = bounds(splits)
    if not len(starts):
        return np.zeros(len(values), np.bool_)
    place = np.searchsorted(starts, values, "right") - 1
    inside: NDArray[np.bool_] = (place >= 0) & (values < stops[place])
    return inside


@dataclass(frozen=True)
class Head:
    """Cuts texts short; plain data.

    Attributes:
        text: the column.
        characters: how many stay, or None for all.
    """

    text: str
    characters: int | None

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return address, the beginning of the text, and how many characters it has."""
        texts = batch.column(self.text).cast(pa.large_string())
        cut = texts if self.characters is None else pc.utf8_slice_codeunits(texts, 0, self.characters)
        lengths = pc.utf8_length(texts).cast(pa.int64())
        return pa.RecordBatch.from_arrays([batch.column(ADDRESS), cut, lengths], schema=_TEXTS)


def read_texts(
    engine: Engine,
    addresses: Sequence[int],
    *,
    splits: Sequence[Split],
    text: str,
    full: pa.Schema,
    characters: int | None = TEXT_CHARACTERS,
) -> dict[int, tuple[str, int]]:
    """Return (beginning of the text, or all of it, characters of the whole) by address; good rows only."""
    if not addresses:
        return {}
    only = engine.table(pa.table({ADDRESS: pa.array(addresses, pa.int64())}))
    column = pa.schema([full.field(text)])
    found = engine.read(splits, column, full=full, only=only).map(Head(text, characters), _TEXTS).collect()
    return {row["address"]: (row["text"], row["characters"]) for row in found.to_pylist()}
