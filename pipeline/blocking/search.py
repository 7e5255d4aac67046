"""What every blocker is: an index of the records that are searched, asked about one record after another.

A blocker prepares both sides once, where the run is driven. What it prepares, a ``Search``, can be asked about any
range of its queries, by any thread or worker, and answers the same: so engines need only deal ranges out.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .pairs import pairs_of_rows
from .records import Records


@dataclass(frozen=True)
class Found:
    """What some queries found.

    Attributes:
        queries: int64, ascending: which record asks, by its place among all of its table.
        rows: int64: what it found, by its place among the searched records; of one query none twice, the best first.
        scores: float64, descending within a query.
    """

    queries: NDArray[np.int64]
    rows: NDArray[np.int64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def ranks(self) -> NDArray[np.int64]:
        """Return the place of each among those of its query, from 1."""
        new = np.ones(len(self.queries), np.bool_)
        new[1:] = self.queries[1:] != self.queries[:-1]
        starts = np.flatnonzero(new)
        return np.arange(len(new)) - np.repeat(starts, np.diff(np.append(starts, len(new)))) + 1

    @classmethod
    def of(cls, parts: Sequence["Found"]) -> "Found":
        """Return what consecutive ranges of queries found as one."""
        return cls(
            np.concatenate([np.empty(0, np.int64), *(part.queries for part in parts)]),
            np.concatenate([np.empty(0, np.int64), *(part.rows for part in parts)]),
            np.concatenate([np.empty(0, np.float64), *(part.scores for part in parts)]),
        )


@dataclass(frozen=True)
class Block:
    """Records that share a key.

    Attributes:
        key: what they share, for people.
        left, right: how many records of each side; within one table the same number twice.
        purged: whether it was too large to be used.
    """

    key: str
    left: int
    right: int
    purged: bool


@dataclass(frozen=True)
class Blocks:
    """What is known of the blocks of a blocker that has some.

    Attributes:
        count: blocks in which a pair is.
        purged: how many of them were too large to be used.
        purged_pairs: pairs of these, repeated ones as often as they are there.
        largest: the largest ones, those with the most pairs first; then by key.
    """

    count: int
    purged: int
    purged_pairs: int
    largest: tuple[Block, ...]


class Search(Protocol):
    """An index of the records that are searched, and the records that ask; plain data that can be pickled.

    Within one table (dirty) both are the same records; then no record finds itself, and a pair may be found from both
    of its ends, or from one: ``pairs.pairs_of_one_table`` makes one of them.
    """

    @property
    def name(self) -> str:
        """What the blocker is called in tables of pairs."""

    @property
    def blocks(self) -> Blocks | None:
        """What is known of its blocks; None: it has none."""

    def __len__(self) -> int:
        """Return how many records ask."""

    def __call__(self, first: int, last: int) -> Found:
        """Return what the queries of a range of places found; it depends on nothing else that was asked."""


QUERIES = 256
"""Queries of one task: some milliseconds of work, and little to wait for at the end."""


def found_pairs(search: Search, left: Records, right: Records | None, *, threads: int | None = None) -> pa.Table:
    """Ask for all records, by threads of this process, and return the pairs.

    Args:
        search: what a blocker prepared of these records.
        left, right: the records; right is None within one table.
        threads: default: one a processor. They change no result.

    Returns:
        a table of ``pairs.PAIRS``, in the order of ``pairs_table``.
    """
    with ThreadPoolExecutor(threads or len(os.sched_getaffinity(0)), thread_name_prefix=f"tamis-{search.name}") as pool:
        parts = list(pool.map(lambda part: search(*part), ranges(len(search))))
    return pairs_of(search.name, Found.of(parts), left, right)


def ranges(queries: int) -> list[tuple[int, int]]:
    """Return the ranges in which queries are asked."""
    return [(first, min(queries, first + QUERIES)) for first in range(0, queries, QUERIES)]


def pairs_of(name: str, found: Found, left: Records, right: Records | None) -> pa.Table:
    """Return what a blocker found as a table of pairs: of one table each once, with the better rank."""
    ids = None if right is None else right.ids
    return pairs_of_rows(left.ids, ids, found.queries, found.rows, found.scores, found.ranks, name)
