"""From matches to clusters: which records are one, which of them stays, and by which match each other one goes.

Rules:

- ``greedy``: records in rank order; a record goes if and only if it has a match that stays, and its keeper is the
  best-ranked such match. The rule of documents: no chains, every removal has a match as its witness.
- ``components``: what matches lead to, over however many steps, is one; the best-ranked record stays. The witness is
  the match by which a record is one step nearer to its keeper, of several the one with the best-ranked record.
- ``one-to-one``, of two tables: matches from the highest score down, each taken if both records are still free (unique
  mapping clustering); of equal scores the better-ranked records first.
- ``mutual``, of two tables: matches in which each record is the best match of the other, by the same order.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.components import labels, unite
from ...hashing.errors import ConfigError
from ...hashing.greedy import decide
from ...hashing.pairing import take_free
from ...hashing.steps import steps_from
from .ranked_records import ONLY, RankedRecords

Rule = Literal["greedy", "components", "one-to-one", "mutual"]
RULES: tuple[Rule, ...] = get_args(Rule)

Integers = NDArray[np.int64]

DECISIONS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("side", pa.string(), nullable=False),
        pa.field("keeper_id", pa.string(), nullable=False),
        pa.field("keeper_side", pa.string(), nullable=False),
        pa.field("via_id", pa.string(), nullable=False),
        pa.field("via_side", pa.string(), nullable=False),
        pa.field("similarity", pa.float64(), nullable=False),
        pa.field("blocker", pa.string(), nullable=False),
    ]
)
"""Records that go, in rank order. ``similarity`` and ``blocker`` are those of the match of ``id`` with ``via_id``: the
witness. ``via_id`` is the keeper, but under ``components`` it may be a record that leads there."""


@dataclass(frozen=True)
class Clustering:
    """Which records are one.

    Attributes:
        records: all of them, in rank order.
        keeper: int64, shape (n,): for each the row of the record that stays for it; its own where it stays.
        witness: int64, shape (n,): the row of the match by which it goes; -1 where it stays.
        via: int64, shape (n,): the row of the other record of that match; its own where it stays.
    """

    records: RankedRecords
    keeper: Integers
    witness: Integers
    via: Integers

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether each record stays."""
        stays: NDArray[np.bool_] = self.keeper == np.arange(len(self.keeper))
        return stays


@dataclass(frozen=True)
class _Matches:
    """Matches by rows, in the order of (worse, better).

    Attributes:
        rows: number of records.
        better, worse: int64: the rows of each match, ``better[i] < worse[i]``.
        scores: float64.
        places: int64: where each stands in its table of pairs.
    """

    rows: int
    better: Integers
    worse: Integers
    scores: NDArray[np.float64]
    places: Integers


def clustered(matches: pa.Table, records: RankedRecords, rule: Rule) -> Clustering:
    """Make clusters of matches.

    Args:
        matches: a table of pairs, each of them a match.
        records: all records, those without a match too.
        rule: see above.

    Raises:
        ConfigError: the rule is unknown, or is one for two tables and there is one.
        InputError: as ``RankedRecords.rows_of``.
    """
    if rule not in RULES:
        raise ConfigError("a rule makes clusters", value=rule, remedy=f"Name one of {', '.join(RULES)}.")
    if rule in ("one-to-one", "mutual") and pc.any(pc.equal(records.sides, ONLY)).as_py():
        raise ConfigError(
            f"the rule {rule} is for two tables", value="one table", remedy="Choose greedy or components."
        )
    found = _matches(matches, records)
    keeper, witness, via = np.arange(len(records)), np.full(len(records), -1, np.int64), np.arange(len(records))
    if rule == "components":
        keeper, goes, towards, deciding = _components(found)
    else:
        deciding = _deciding(found, rule)
        goes, towards = found.worse[deciding], found.better[deciding]
        keeper[goes] = towards
    witness[goes], via[goes] = found.places[deciding], towards
    return Clustering(records, keeper, witness, via)


def decisions(clusters: Clustering, matches: pa.Table) -> pa.Table:
    """Return the records that go, each with its keeper and its witness.

    Args:
        clusters: what ``clustered`` made of the matches.
        matches: the same table of pairs.
    """
    goes = np.flatnonzero(~clusters.kept)
    ids, sides = clusters.records.ids, clusters.records.sides
    found = matches.take(pa.array(clusters.witness[goes]))
    columns = [
        some.take(pa.array(rows[goes]))
        for rows in (np.arange(len(ids)), clusters.keeper, clusters.via)
        for some in (ids, sides)
    ]
    return pa.table([*columns, found["score"], found["blocker"]], DECISIONS)


def _matches(pairs: pa.Table, records: RankedRecords) -> _Matches:
    left, right = records.rows_of(pairs)
    better, worse = np.minimum(left, right), np.maximum(left, right)
    scores = pairs["score"].to_numpy()
    # within one table a pair may be there both ways round: the higher score first, of equal ones the better left record
    order = np.lexsort((left, -scores, better, worse))
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(worse[order]) != 0) | (np.diff(better[order]) != 0)
    order = order[first]
    return _Matches(len(records), better[order], worse[order], scores[order], order)


def _deciding(found: _Matches, rule: Rule) -> Integers:
    """Return the matches that decide, at most one for each record that goes."""
    if rule == "greedy":
        return np.flatnonzero(decide(found.worse, found.better, np.zeros(found.rows, np.uint8)))
    best = np.lexsort((found.worse, found.better, -found.scores))
    if rule == "one-to-one":
        return np.sort(best[take_free(found.better[best], found.worse[best], found.rows)])
    ends = np.stack([found.better[best], found.worse[best]], axis=1)
    _, first = np.unique(ends.ravel(), return_index=True)  # where each record stands first: its best match
    times = np.bincount(first // 2, minlength=len(best))
    return np.sort(best[times == 2])


def _components(found: _Matches) -> tuple[Integers, Integers, Integers, Integers]:
    """Return (the best record of each one's component; the records that go, where their witnesses lead, these)."""
    parent = np.arange(found.rows, dtype=np.int64)
    unite(parent, found.better, found.worse)
    keeper = labels(parent)
    ends, others = np.concatenate([found.worse, found.better]), np.concatenate([found.better, found.worse])
    which = np.tile(np.arange(len(found.worse)), 2)
    order = np.lexsort((others, ends))
    ends, others, which = ends[order], others[order], which[order]
    steps = steps_from(np.searchsorted(ends, np.arange(found.rows + 1)), others, np.unique(keeper))
    nearer = np.flatnonzero(steps[others] < steps[ends])
    goes, first = np.unique(ends[nearer], return_index=True)
    return keeper, goes, others[nearer[first]], which[nearer[first]]
