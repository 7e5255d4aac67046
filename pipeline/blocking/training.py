"""Where the pairs come from that a learned hash is trained with.

Labels; silver pairs, which the lexical blocker is sure of; or two views of each record. All records are first put into
the order of their ids, so that the order of files changes nothing. What is held back to measure with shares no thing
with what is trained with: pairs are split by connected components of matches, not one by one.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.components import find, unite
from ...hashing.errors import ConfigError, InputError
from ...hashing.mix import derive_seed
from ...hashing.murmur3 import murmur3_bytes
from ...hashing.neural.data import Examples, HeldOut
from .augmentation import Augmentation, attributes_of, augmented, written
from .labels import read_labels
from .lexical import lexical_search
from .records import Records
from .search import Found, Search, ranges

Text = Literal["marked", "texts"]
Places = NDArray[np.int64]
_HELD_VIEW = 1 << 32
"""The epoch of which views are held out: none that is trained."""


@dataclass(frozen=True)
class Split:
    """How much is held back, and how it is searched.

    Attributes:
        share: of the things, at least one; above 0 and below 1.
        distractors: other records among those that are searched, at most.
        seed: of the choice, and of all that is drawn here.
    """

    share: float = 0.15
    distractors: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 0.0 < self.share < 1.0 or self.distractors < 0 or self.seed < 0:
            raise ConfigError(
                "a share above 0 and below 1 is held back, with at least 0 distractors and a seed of at least 0",
                value=f"share {self.share}, distractors {self.distractors}, seed {self.seed}",
                remedy="Mend these numbers.",
            )


@dataclass(frozen=True)
class TrainingPairs:
    """Pairs to train with; a ``TrainData`` of ``hashing.neural.train``.

    Records are numbered through: those of the left table in the order of their ids, then those of the right one.

    Attributes:
        records: the marked text of each record.
        columns: of each record.
        ids: of each record.
        marked: whether encoders read the names of columns.
        first, second: int64, shape (n,): records that are one thing; with views both are the same.
        negatives: int64, shape (n, h): what is not the first one's thing; -1: none.
        groups: int64, one a record: the thing that it is, as far as is known.
        held_out: what is held back.
        augmentation: changes of texts, anew in each epoch; None: none.
        views: whether the texts of a pair are two views of one record.
        seed: of the views.
        told: what the card says.
    """

    records: Sequence[str]
    columns: Sequence[tuple[str, ...]]
    ids: Sequence[str]
    marked: bool
    first: Places
    second: Places
    negatives: Places
    groups: Places
    held_out: HeldOut
    augmentation: Augmentation | None
    views: bool
    seed: int
    told: dict[str, Any]

    def examples(self, epoch: int) -> Examples:
        """Return what an epoch trains with; see ``TrainData``."""
        if self.views:
            n = len(self.records)
            texts = [*self._texts(epoch, 0), *self._texts(epoch, 1)]
            negatives = np.where(self.negatives >= 0, self.negatives + n, -1)
            return Examples(texts, self.first, self.second + n, negatives, np.tile(self.groups, 2))
        return Examples(self._texts(epoch, 0), self.first, self.second, self.negatives, self.groups)

    def summary(self) -> dict[str, Any]:
        """Return what the card says of these pairs."""
        how = None if self.augmentation is None else asdict(self.augmentation)
        return self.told | {"pairs": len(self.first), "held_out_pairs": len(self.held_out.pairs), "augmentation": how}

    def _texts(self, epoch: int, view: int) -> list[str]:
        used = np.zeros(len(self.records), np.bool_)
        for some in (self.first, self.second, self.negatives[self.negatives >= 0]):
            used[some] = True
        return [self.text(i, epoch, view) if used[i] else "" for i in range(len(self.records))]

    def text(self, record: int, epoch: int, view: int) -> str:
        """Return a text of a record: a view of it where there is an augmentation."""
        attributes = attributes_of(self.records[record], self.columns[record])
        if self.augmentation is not None:
            key = murmur3_bytes(self.ids[record].encode())[0]
            rng = np.random.Generator(np.random.PCG64([self.seed, key, epoch, view]))
            attributes = augmented(attributes, self.augmentation, rng)
        return written(attributes, self.marked)


def pairs_from_labels(
    left: Records,
    right: Records | None,
    labels: pa.Table,
    *,
    test: pa.Table | None = None,
    text: Text = "marked",
    split: Split | None = None,
    negatives: Literal["search", "labels"] = "search",
    hard: int = 2,
    search: Search | None = None,
    augmentation: Augmentation | None = None,
) -> TrainingPairs:
    """Return pairs from labels.

    Args:
        left, right: the records; right is None within one table.
        labels: a table as ``labels.read_labels`` takes it.
        test: labels that are measured with later: no record of a thing in their matches is trained with.
        text: which text encoders read.
        split: what is held back.
        negatives: hard negatives are the nearest that are known to be no match, or the pairs labelled 0.
        hard: so many a pair.
        search: what is near, of the same records in the order of their ids; default: the lexical blocker.
        augmentation: changes of texts in training.

    Raises:
        InputError: labels that ``read_labels`` refuses; a table of one record; too few matches to hold some back;
            pairs labelled 0 are asked for and there are none.
        ConfigError: ``hard`` is below 0.
    """
    split = split or Split()
    tables = _Tables.of(left, right, text)
    known = read_labels(labels, tables.left, tables.right)
    tested = read_labels(test, tables.left, tables.right).matches if test is not None else np.empty((0, 2), np.int64)
    _check_hard(hard)
    if negatives == "labels" and not len(known.others):
        raise InputError(
            "labels tell matches from others",
            value=f"{len(known.matches):,} matches and no pair labelled 0",
            remedy="Label pairs that are no match, or train with `negatives: search`.",
        )
    matches, others = tables.numbered(known.matches), tables.numbered(known.others)
    groups = tables.groups(np.concatenate([matches, tables.numbered(tested)]))
    measured = np.isin(groups, groups[tables.numbered(tested).ravel()])
    usable = matches[~measured[matches[:, 0]]]
    closed, held = _held_back(usable, groups, split, "matches")
    closed |= measured
    pairs = usable[~closed[usable[:, 0]]]
    apart = groups[others[:, 0]] != groups[others[:, 1]]
    if negatives == "labels":
        near = _of_labels(others[apart], len(groups), hard, split.seed)
    else:
        near = tables.near(search, hard, 0, groups, closed)
    told = {
        "source": "labels",
        "labelled_matches": len(matches),
        "labelled_others": len(others),
        "others_within_a_thing": int((~apart).sum()),
        "matches_kept_for_tests": len(matches) - len(usable),
        "hard_negatives": negatives,
    }
    return tables.pairs(pairs, held, near, groups, closed, measured, split, augmentation, told)


def silver_pairs(
    left: Records,
    right: Records | None,
    *,
    text: Text = "marked",
    split: Split | None = None,
    quantile: float = 0.2,
    hard: int = 2,
    search: Search | None = None,
    augmentation: Augmentation | None = None,
) -> TrainingPairs:
    """Return pairs that the lexical blocker is sure of: each is the other's nearest, and nothing else is near.

    Args:
        left, right: the records; right is None within one table.
        text, split, search, augmentation: as ``pairs_from_labels``.
        quantile: mutual nearest ones are kept whose score, and whose distance from the second best of either side, are
            no less than this quantile of theirs; from 0 to below 1.
        hard: so many negatives a pair: what the first one finds from the second place on.

    Raises:
        InputError: a table of one record, or too few such pairs.
        ConfigError: ``hard`` or ``quantile`` cannot be.
    """
    split = split or Split()
    _check_hard(hard)
    if not 0.0 <= quantile < 1.0:
        raise ConfigError("a quantile is at least 0 and below 1", value=quantile, remedy="Mend the number.")
    tables = _Tables.of(left, right, text)
    matches = tables.numbered(_mutual(tables, quantile))
    groups = tables.groups(matches)
    closed, held = _held_back(matches, groups, split, "silver pairs")
    near = tables.near(search, hard, 1, groups, closed)
    told = {"source": "silver", "silver_pairs": len(matches), "quantile": quantile}
    pairs = matches[~closed[matches[:, 0]]]
    return tables.pairs(pairs, held, near, groups, closed, np.zeros_like(closed), split, augmentation, told)


def pairs_of_views(
    left: Records,
    right: Records | None,
    *,
    text: Text = "marked",
    split: Split | None = None,
    hard: int = 2,
    search: Search | None = None,
    augmentation: Augmentation | None = None,
) -> TrainingPairs:
    """Return pairs of two views of each record: self-supervision, which needs no label.

    Args: as ``silver_pairs``; the augmentation has a default. Hard negatives are for records of the left table what
        they find from the second place on.

    Raises:
        InputError: a table of one record, or fewer than two records with a value.
        ConfigError: ``hard`` is below 0.
    """
    split = split or Split()
    _check_hard(hard)
    tables = _Tables.of(left, right, text)
    there = np.flatnonzero([bool(one) for one in tables.records])
    matches = np.column_stack([there, there])
    groups = np.arange(len(tables.records))
    closed, held = _held_back(matches, groups, split, "records with a value")
    near = tables.near(search, hard, 1, groups, closed)
    made = tables.pairs(
        matches[~closed[there]],
        held[:0],
        near,
        groups,
        closed,
        np.zeros_like(closed),
        split,
        augmentation or Augmentation(),
        {"source": "views"},
    )
    queries = [made.text(i, _HELD_VIEW, 0) for i in held[:, 0]]
    others = _drawn(there[~closed[there]], split)
    searched = [written(attributes_of(made.records[i], made.columns[i]), made.marked) for i in (*held[:, 0], *others)]
    pairs = np.column_stack([np.arange(len(held)), np.arange(len(held))])
    return replace(made, views=True, held_out=HeldOut(queries, searched, pairs))


@dataclass(frozen=True)
class _Tables:
    """Records in the order of their ids, numbered through."""

    left: Records
    right: Records | None
    records: list[str]
    text: Text

    @classmethod
    def of(cls, left: Records, right: Records | None, text: Text) -> "_Tables":
        sides = [left] if right is None else [left, right]
        for side, name in zip(sides, ("left", "right"), strict=False):
            if len(side) < 2:
                raise InputError(
                    "a table to train from has two records or more",
                    value=f"{len(side)} in the {name} one",
                    remedy="Give more records: with one there is nothing to tell it from.",
                )
        ordered = [_in_order(side) for side in sides]
        marked = [text for side in ordered for text in side.marked.to_pylist()]
        return cls(ordered[0], ordered[1] if len(ordered) > 1 else None, marked, text)

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
        """Return for each record what is near it and another thing: int64, shape (records, hard); -1: none."""
        near = np.full((len(self.records), hard), -1, np.int64)
        if not hard:
            return near
        asked = search or lexical_search(self.left, self.right, hard + 2 + skipped)
        found = _all(asked)
        rows = found.rows + self.searched[0]
        fits = (found.ranks > skipped) & (groups[found.queries] != groups[rows]) & ~closed[rows]
        queries, rows = found.queries[fits], rows[fits]
        place = Found(queries, rows, found.scores[fits]).ranks - 1
        few = place < hard
        near[queries[few], place[few]] = rows[few]
        return near

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
        others = _drawn(searched[~closed[searched] & ~measured[searched]], split)
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
            marked=self.text == "marked",
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


def _in_order(records: Records) -> Records:
    order = pc.sort_indices(records.ids)
    return Records(records.ids.take(order), records.texts.take(order), records.marked.take(order), records.columns)


def _held_back(matches: Places, groups: Places, split: Split, what: str) -> tuple[NDArray[np.bool_], Places]:
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


def _drawn(records: Places, split: Split) -> Places:
    rng = np.random.Generator(np.random.PCG64(derive_seed(split.seed, "distractors")))
    return np.sort(rng.permutation(records)[: split.distractors])


def _of_labels(others: Places, records: int, hard: int, seed: int) -> Places:
    """Return for each record some of those that it is labelled not to be, both ways round."""
    both = np.concatenate([others, others[:, ::-1]])
    drawn = np.random.Generator(np.random.PCG64(derive_seed(seed, "negatives"))).permutation(len(both))
    order = np.lexsort((drawn, both[:, 0]))
    found = Found(both[order, 0], both[order, 1], np.zeros(len(order)))
    place = found.ranks - 1
    few = place < hard
    near = np.full((records, hard), -1, np.int64)
    near[found.queries[few], place[few]] = found.rows[few]
    return near


def _mutual(tables: _Tables, quantile: float) -> Places:
    """Return the pairs of places that are sure."""
    best, score, ahead = _nearest(lexical_search(tables.left, tables.right, 2))
    if tables.right is None:
        back, other = best, ahead
    else:
        back, _, other = _nearest(lexical_search(tables.right, tables.left, 2))
    asking = np.flatnonzero(best >= 0)
    asking = asking[back[best[asking]] == asking]
    if tables.right is None:
        asking = asking[asking < best[asking]]
    if not len(asking):
        return np.empty((0, 2), np.int64)
    scores, margins = score[asking], np.minimum(ahead[asking], other[best[asking]])
    sure = (scores >= np.quantile(scores, quantile)) & (margins >= np.quantile(margins, quantile))
    pairs: Places = np.column_stack([asking, best[asking]])[sure]
    return pairs


def _nearest(search: Search) -> tuple[Places, NDArray[np.float64], NDArray[np.float64]]:
    """Return for each query (its nearest or -1, the score, how far the second is behind)."""
    found, n = _all(search), len(search)
    best, score, second = np.full(n, -1, np.int64), np.zeros(n), np.zeros(n)
    top, then = found.ranks == 1, found.ranks == 2
    best[found.queries[top]] = found.rows[top]
    score[found.queries[top]] = found.scores[top]
    second[found.queries[then]] = found.scores[then]
    return best, score, score - second


def _all(search: Search) -> Found:
    return Found.of([search(first, last) for first, last in ranges(len(search))])


def _check_hard(hard: int) -> None:
    if hard < 0:
        raise ConfigError("there are at least 0 hard negatives a pair", value=hard, remedy="Mend `hard`.")
