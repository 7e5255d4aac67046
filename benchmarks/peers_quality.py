"""How good a removal is, beside all similar pairs of the corpus found exactly."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from accuracy_texts import Pairs, Shingled
from numpy.typing import NDArray
from similar_pairs import all_pairs, pairs_of, rows_with_partner
from text_sets import merge_plainly

NUMBER = re.compile(r"\d+(?:[.,/:]\d+)*")
DATE = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september"
    r"|october|november|december)\b"
)
"""What datatrove takes out of a text before it compares: numbers, weekdays and months are all alike to it."""


@dataclass(frozen=True)
class Truth:
    """What is to be found in a corpus.

    Attributes:
        ids: of the rows.
        sizes: distinct shingles of each row.
        copies: number of the first row with the same text, for each row.
        pairs: all pairs at or above the threshold.
        alike: the same with one word for all numbers and one for all weekdays and months.
        planted: (first, second) of the planted pairs at or above it, exact copies included.
    """

    ids: pa.Array
    sizes: NDArray[np.int64]
    copies: NDArray[np.int64]
    pairs: Pairs
    alike: Pairs
    planted: tuple[NDArray[np.int64], NDArray[np.int64]]

    @classmethod
    def of(cls, rows: pa.Table, planted: pa.Table, threshold: float) -> "Truth":
        """Find the pairs of a corpus; similarities are over the shingles that Tamis defines."""
        texts = rows["text"].to_pylist()
        sets = Shingled.of(texts)
        number = {key: i for i, key in enumerate(rows["id"].to_pylist())}
        first = np.array([number[key] for key in planted["original"].to_pylist()], np.int64)
        second = np.array([number[key] for key in planted["id"].to_pylist()], np.int64)
        similar = merge_plainly(sets.values, sets.bounds, first, second) >= threshold
        firsts: dict[str, int] = {}
        copies = np.array([firsts.setdefault(text, i) for i, text in enumerate(texts)])
        ids, planted_pairs = rows["id"].combine_chunks(), (first[similar], second[similar])
        alike = all_pairs([DATE.sub("date", NUMBER.sub("0", text.lower())) for text in texts], threshold)
        return cls(ids, sets.sizes, copies, pairs_of(sets, threshold), alike, planted_pairs)

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
        wrong = ~kept & ~justified
        first, second = self.planted
        return {
            "kept": int(kept.sum()),
            "removed": int((~kept).sum()),
            "planted": len(first),
            "planted_found": int((~(kept[first] & kept[second])).sum()),
            "pairs": len(self.pairs),
            "pairs_found": int((~(kept[self.pairs.first] & kept[self.pairs.second])).sum()),
            "false_removals": int(wrong.sum()),
            "false_alike": int((wrong & rows_with_partner(self.alike, kept)).sum()),
            "false_short": int((wrong & (self.sizes <= 1)).sum()),
        }


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
