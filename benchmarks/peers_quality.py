"""How good a removal is, beside all similar pairs of the corpus found exactly."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from accuracy_texts import Pairs
from numpy.typing import NDArray
from similar_pairs import SimilarSets, rows_with_partner
from text_sets import merge_plainly

NUMBER = re.compile(r"\d+(?:[.,/:]\d+)*")
DATE = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september"
    r"|october|november|december)\b"
)
"""What datatrove takes out of a text before it compares: numbers, weekdays and months are all alike to it."""

READ_ROWS = 8_192
DIGEST_BYTES = 16


@dataclass(frozen=True)
class Truth:
    """What is to be found in a corpus.

    Attributes:
        ids: of the rows.
        copies: number of the first row with the same text, for each row.
        sets: the shingle sets of the rows.
        pairs: all pairs at or above the threshold.
        alike: the sets with one word for all numbers and one for all weekdays and months.
        planted: (first, second) of the planted pairs at or above it, exact copies included.
    """

    ids: pa.Array
    copies: NDArray[np.int64]
    sets: SimilarSets
    pairs: Pairs
    alike: SimilarSets
    planted: tuple[NDArray[np.int64], NDArray[np.int64]]

    @classmethod
    def of(cls, files: Sequence[Path], planted: pa.Table, threshold: float, folder: Path) -> "Truth":
        """Find the pairs of a corpus; similarities are over the shingles that Tamis defines.

        Texts are read in batches, and their sets go to files of ``folder``: 8 bytes a shingle, twice.
        """
        ids = pa.concat_arrays([column.cast(pa.string()) for column in _columns(files, "id")])
        sets = SimilarSets.of(_columns(files, "text"), threshold, folder / "sets.u64")
        alike = SimilarSets.of(map(_without_numbers, _columns(files, "text")), threshold, folder / "sets-alike.u64")
        number = {key: i for i, key in enumerate(ids.to_pylist())}
        first = np.array([number[key] for key in planted["original"].to_pylist()], np.int64)
        second = np.array([number[key] for key in planted["id"].to_pylist()], np.int64)
        similar = merge_plainly(sets.values, sets.bounds, first, second) >= threshold
        return cls(ids, _copies(files), sets, sets.pairs(), alike, (first[similar], second[similar]))

    def judge(self, kept_ids: pa.Array) -> dict[str, Any]:
        """Say what a run that kept these rows found and what it removed wrongly."""
        kept = np.zeros(len(self.ids), np.bool_)
        places = pa.compute.index_in(kept_ids, self.ids)
        if places.null_count:
            raise SystemExit(f"{places.null_count} rows were kept that are not in the corpus")
        kept[places.to_numpy(zero_copy_only=False)] = True
        equal_stays = np.zeros(len(kept), np.bool_)
        equal_stays[self.copies[kept]] = True
        justified = rows_with_partner(self.pairs, kept) | equal_stays[self.copies]
        wrong = np.flatnonzero(~kept & ~justified)
        first, second = self.planted
        return {
            "kept": int(kept.sum()),
            "removed": int((~kept).sum()),
            "planted": len(first),
            "planted_found": int((~(kept[first] & kept[second])).sum()),
            "pairs": len(self.pairs),
            "pairs_found": int((~(kept[self.pairs.first] & kept[self.pairs.second])).sum()),
            "false_removals": len(wrong),
            "false_alike": int(self.alike.with_partner(wrong, kept).sum()),
            "false_short": int((self.sets.sizes[wrong] <= 1).sum()),
        }


def _columns(files: Sequence[Path], name: str) -> Iterator[pa.Array]:
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(READ_ROWS, columns=[name]):
                yield batch.column(0)


def _without_numbers(texts: pa.Array) -> pa.Array:
    return pa.array([DATE.sub("date", NUMBER.sub("0", text.lower())) for text in texts.to_pylist()], pa.large_string())


def _copies(files: Sequence[Path]) -> NDArray[np.int64]:
    """Return the number of the first row with the same text, for each row; texts are told apart by a digest."""
    firsts: dict[bytes, int] = {}
    found: list[int] = []
    for column in _columns(files, "text"):
        for text in column.cast(pa.large_binary()).to_pylist():
            digest = hashlib.blake2b(text, digest_size=DIGEST_BYTES).digest()
            found.append(firsts.setdefault(digest, len(found)))
    return np.array(found, np.int64)


def kept_ids(folder: Path) -> pa.Array:
    """Return the ids of the rows that a contestant left: Parquet files, or a folder saved by ``datasets``."""
    found = [chunk for part in _id_columns(folder) for chunk in part.chunks]
    return pa.concat_arrays([chunk.cast(pa.string()) for chunk in found]) if found else pa.array([], pa.string())


def _id_columns(folder: Path) -> Iterator[pa.ChunkedArray]:
    for path in sorted(folder.rglob("*.parquet")):
        yield pq.read_table(path, columns=["id"])["id"]
    for path in sorted(folder.rglob("*.arrow")):
        with pa.OSFile(str(path)) as file:
            yield pa.ipc.open_stream(file).read_all()["id"]
