"""What the parts of ``kernels.py`` share: the texts, turns, tables, and the yardstick."""

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray
from real_texts import books, poems, real_sets, sentences, standard_library

from tamis.hashing.lsh import Banding
from tamis.pipeline.text_column import text_buffers

Found = dict[str, Any]
Times = dict[str, list[float]]
Contestants = dict[str, Callable[[], object]]

VALUES, SHINGLE = 256, 5
BANDING = Banding(28, 9)

OTHERS = {"Chinese poems": poems, "Arabic books": books, "MRPC sentences": sentences}
"""Sets beside the English ones."""

TURN_SECONDS = 0.05
"""A turn repeats what is shorter until it takes about as long."""


@dataclass(frozen=True)
class Texts:
    """A set of texts as the kernels take them.

    Attributes:
        name: of the set.
        column: large_string.
        data, offsets: its bytes.
    """

    name: str
    column: pa.Array
    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many texts."""
        return len(self.column)

    @property
    def size(self) -> int:
        """Bytes of UTF-8."""
        return int(self.offsets[-1] - self.offsets[0])

    @classmethod
    def of(cls, name: str, texts: Iterable[str], limit: int) -> "Texts":
        """Take texts until there are ``limit`` bytes."""
        kept, size = [], 0
        for text in texts:
            if size >= limit:
                break
            kept.append(text)
            size += len(text.encode())
        column = pa.array(kept, pa.large_string())
        return cls(name, column, *text_buffers(column))


def load(data: Path | None, limit: int) -> list[Texts]:
    """Read the sets, English first; ``limit`` is in bytes for each."""
    if not data:
        library = (text.decode() for _, text in standard_library())
        return [Texts.of("English", library, limit)]
    read = [(source, text.decode(errors="replace")) for source, text in real_sets(data)]
    newswire = Texts.of("Reuters", (text for source, text in read if source == "reuters"), limit)
    articles = Texts.of("articles", (text for source, text in read if source == "articles"), limit)
    both = Texts.of("English", newswire.column.to_pylist() + articles.column.to_pylist(), 2 * limit)
    others = [Texts.of(name, _present(read, data), limit) for name, read in OTHERS.items()]
    return [texts for texts in (both, newswire, articles, *others) if texts.rows]


def _present(read: Callable[[Path], Iterator[str]], data: Path) -> Iterator[str]:
    """Yield the texts of a set, none where it is missing."""
    with suppress(FileNotFoundError):
        yield from read(data)


def newswire_of(sets: Sequence[Texts]) -> Texts:
    """Return the Reuters set, or what stands in for it."""
    return next((texts for texts in sets if texts.name == "Reuters"), sets[0])


def take_turns(contestants: Contestants, rounds: int, label: str) -> Times:
    """Return seconds of one call of each contestant, for each round."""
    repeats = {}
    for name, call in contestants.items():
        call()
        start = time.perf_counter()
        call()
        repeats[name] = max(1, math.ceil(TURN_SECONDS / (time.perf_counter() - start)))
    seconds: Times = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        print(f"{label}: round {number + 1} of {rounds}", file=sys.stderr)
        first = number * len(names) // rounds
        order = names[first:] + names[:first]
        for name in order if number % 2 else reversed(order):
            start = time.perf_counter()
            for _ in range(repeats[name]):
                contestants[name]()
            seconds[name].append((time.perf_counter() - start) / repeats[name])
    return seconds


def medians(times: Times) -> dict[str, float]:
    """Return the median of the rounds of each contestant."""
    return {name: float(median(seconds)) for name, seconds in times.items()}


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> list[str]:
    """Return the lines of a Markdown table whose first ``words`` columns are words and the others numbers."""
    marks = ["---"] * words + ["---:"] * (len(head) - words)
    return ["", *("| " + " | ".join(cells) + " |" for cells in (head, marks, *rows)), ""]


def verdict(value: float, bar: float) -> str:
    """Say whether a bar is met."""
    return "met" if value >= bar else "**missed**"


@njit(nogil=True)
def hash_serially(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash each text as FNV-1a does, byte after byte: the yardstick."""
    out = np.empty(len(offsets) - 1, np.uint64)
    for i in range(len(offsets) - 1):
        h = np.uint64(0xCBF29CE484222325)
        for at in range(offsets[i], offsets[i + 1]):
            h = (h ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
        out[i] = h
    return out
