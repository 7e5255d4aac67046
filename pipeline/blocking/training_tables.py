"""The tables that a learned hash is trained from: their records in order, and what is drawn of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.components import find, unite
from ...hashing.errors import InputError
from ...hashing.mix import derive_seed
from ...hashing.neural.data import HeldOut
from .augmentation import Augmentation, attributes_of, written
from .lexical import lexical_search
from .records import Records
from .search import Found, Search, ranges
from .training_pairs import Places, Split, Text, TrainingPairs


@dataclass(frozen=True)
class TrainingTables:
    """Records in the order of their ids, numbered through: those of the left table, then those of the right one.

    Attributes:
        left, right: the tables; right is None within one table.
        records: the marked text of each record.
        places: int64, of each table: where each record stands now, by its place before.
        text: which text encoders read.
    """

    left: Records
    right: Records | None
    records: list[str]
    places: tuple[Places, ...]
    text: Text

    @classmethod
    def of(cls, left: Records, right: Records | None, text: Text) -> "TrainingTables":
        """Put tables into order.

        Raises:
            InputError: one has fewer than two records.
        """
        sides = [left] if right is None else [left, right]
        for side, name in zip(sides, ("left", "right"), strict=False):
            if len(side) < 2:
                raise InputError(
                    "a table to train from has two records or more",
                    value=f"{len(side)} in the {name} one",
                    remedy="Give more records: with one there is nothing to tell it from.",
                )
        orders = [pc.sort_indices(side.ids) for side in sides]
        ordered = [_taken(side, order) for side, order in zip(sides, orders, strict=True)]
        marked = [text for side in ordered for text in side.marked.to_pylist()]
        places = tuple(np.argsort(order.to_numpy()).astype(np.int64) for order in orders)
        return cls(ordered[0], ordered[1] if len(ordered) > 1 else None, marked, places, text)

    @property
    def searched(self) -> Places:
        """Return the numbers of the records that are searched."""
        start = 0 if self.right is None else len(self.left)
        return np.arange(start, len(self.records))

    def numbered(self, pairs: Places) -> Places:
        """Return pairs of places as pairs of numbers."""
        numbered: Places = pairs + np.array([0, self.searched[0]])
        return numbered

    def groups(self, matches: Places) -> Places:
        """Return the thing of each record: the least record that matches connect it with."""
        parent = np.arange(len(self.records))
        unite(parent, np.ascontiguousarray(matches[:, 0]), np.ascontiguousarray(matches[:, 1]))
        return np.array([find(parent, i) for i in range(len(parent))], np.int64)

    def near(self, search: Search | None, hard: int, skipped: int, groups: Places, closed: NDArray[np.bool_]) -> Places:
        """Return for each record what is near it and another thing: int64, shape (records, hard); -1: none.

        Args:
            search: what finds it, of the records as they stood; None: the lexical blocker.
            hard: so many of each.
            skipped: so many of the nearest are taken for possible matches.
            groups: the thing of each record.
            closed: records that are left out.
        """
        near = np.full((len(self.records), hard), -1, np.int64)
        if not hard:
            return near
        if search is None:
            found = all_found(lexical_search(self.left, self.right, hard + 2 + skipped))
        else:
            found = self._as_they_stand(all_found(search))
        rows = found.rows + self.searched[0]
        fits = (found.ranks > skipped) & (groups[found.queries] != groups[rows]) & ~closed[rows]
        queries, rows = found.queries[fits], rows[fits]
        place = Found(queries, rows, found.scores[fits]).ranks - 1
        few = place < hard
        near[queries[few], place[few]] = rows[few]
        return near

    def _as_they_stand(self, found: Found) -> Found:
        """Return what was found among the records as they stood before."""
        queries, rows = self.places[0][found.queries], self.places[-1][found.rows]
        order = np.lexsort((found.ranks, queries))
        return Found(queries[order], rows[order], found.scores[order])

    def pairs(
        self,
        pairs: Places,
        held: Places,
        near: Places,
        groups: Places,
        closed: NDArray[np.bool_],
        measured: NDArray[np.bool_],
        split: Split,
        augmentation: Augmentation | None,
        told: dict[str, Any],
    ) -> TrainingPairs:
        """Put everything together; records that are measured with later are in nothing."""
        sides = [self.left] if self.right is None else [self.left, self.right]
        columns = [side.columns for side in sides for _ in range(len(side))]
        searched = self.searched
        others = drawn(searched[~closed[searched] & ~measured[searched]], split)
        sought = np.unique(held[:, 1] if self.right is not None else held.ravel())
        places = np.concatenate([sought, others])
        asked = places if self.right is None else np.unique(held[:, 0])
        where = {int(number): i for i, number in enumerate(places)}
        who = {int(number): i for i, number in enumerate(asked)}
        shown = [[self._read(int(i), columns) for i in some] for some in (asked, places)]
        found = np.array([(who[int(a)], where[int(b)]) for a, b in held], np.int64).reshape(-1, 2)
        return TrainingPairs(
            records=self.records,
            columns=columns,
            ids=[one for side in sides for one in side.ids.to_pylist()],
            text=self.text,
            first=np.ascontiguousarray(pairs[:, 0]),
            second=np.ascontiguousarray(pairs[:, 1]),
            negatives=near[pairs[:, 0]],
            groups=groups,
            held_out=HeldOut(shown[0], shown[1], found, dirty=self.right is None),
            augmentation=augmentation,
            views=False,
            seed=derive_seed(split.seed, "views"),
            told=told | {"records": [len(side) for side in sides], "text": self.text, "split": asdict(split)},
        )

    def _read(self, number: int, columns: Sequence[tuple[str, ...]]) -> str:
        return written(attributes_of(self.records[number], columns[number]), self.text == "marked")


def all_found(search: Search) -> Found:
    """Return what all queries find."""
    return Found.of([search(first, last) for first, last in ranges(len(search))])


def held_back(matches: Places, groups: Places, split: Split, what: str) -> tuple[NDArray[np.bool_], Places]:
    """Return (records of the things that are held back, their pairs)."""
    things = np.unique(groups[matches[:, 0]])
    if len(things) < 3:
        raise InputError(
            "there are three things or more: two to tell apart and one to hold back",
            value=f"{len(matches):,} {what} of {len(things):,} things",
            remedy="Give more of them.",
        )
    rng = np.random.Generator(np.random.PCG64(derive_seed(split.seed, "split")))
    count = min(len(things) - 2, max(1, round(split.share * len(things))))
    closed = np.isin(groups, rng.permutation(things)[:count])
    return closed, matches[closed[matches[:, 0]]]


def drawn(records: Places, split: Split) -> Places:
    """Return some of the records as distractors, ascending."""
    rng = np.random.Generator(np.random.PCG64(derive_seed(split.seed, "distractors")))
    return np.sort(rng.permutation(records)[: split.distractors])


def _taken(records: Records, order: pa.Array) -> Records:
    ids, texts, marked = (part.take(order) for part in (records.ids, records.texts, records.marked))
    return Records(ids, texts, marked, records.columns)
