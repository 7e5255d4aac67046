"""Ids of clusters that stay from run to run.

Rules:

- A record has a place: the order in which records appeared, over all runs; new ones in the order of their table, the
  left one first. One that was away in a run is new.
- A cluster is called after its earliest record: by its id within one table, of two with the side before (``left:17``).
- An id is kept by the cluster that has the earliest of its former records that are still there.
- A cluster that could keep several ids keeps the oldest: the one born in the earliest run, of equal ones that whose
  first record is the earliest. The others become aliases of it.
- A cluster that keeps none is new. Where the name of its earliest record was ever an id, the run is written behind:
  ``17@4``. So no id comes back as another cluster.
- Records that are no longer in the cluster that has their former id are listed as a split.
- An id whose records are all gone becomes an alias of nothing. Aliases lead to ids of clusters, never to aliases.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import InputError
from .clusters import Clustering
from .ranked_records import ONLY, names_of

CLUSTERS = pa.schema(
    [
        pa.field("cluster_id", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("side", pa.string(), nullable=False),
        pa.field("kept", pa.bool_(), nullable=False),
        pa.field("born", pa.int64(), nullable=False),
        pa.field("place", pa.int64(), nullable=False),
    ]
)
"""Every record once, in the order of (first place of its cluster, place). ``born``: the run in which the cluster got
its id, from 1. ``place``: the order in which records appeared, from 0."""

ALIASES = pa.schema(
    [
        pa.field("alias", pa.string(), nullable=False),
        pa.field("cluster_id", pa.string()),
        pa.field("run", pa.int64(), nullable=False),
    ]
)
"""Former ids, in order: the cluster that each one's records became part of, null where these are gone; and the run in
which it ceased to be an id."""

SPLITS = pa.schema(
    [
        pa.field("cluster_id", pa.string(), nullable=False),
        pa.field("split_from", pa.string(), nullable=False),
        pa.field("run", pa.int64(), nullable=False),
    ]
)
"""Clusters that took records of another one, in the order of (run, split_from, cluster_id), with the ids of then."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Identified:
    """Clusters with their ids, after some runs.

    Attributes:
        run: how many runs, from 1.
        clusters: a table of ``CLUSTERS``.
        aliases: a table of ``ALIASES``: all former ids.
        splits: a table of ``SPLITS``: of all runs.
    """

    run: int
    clusters: pa.Table
    aliases: pa.Table
    splits: pa.Table

    def resolved(self, cluster_id: str) -> str | None:
        """Return what an id is called now: itself, or the cluster it became part of; None: its records are gone.

        Raises:
            InputError: it never was an id.
        """
        row = pc.index(self.aliases["alias"], cluster_id).as_py()
        if row >= 0:
            found: str | None = self.aliases["cluster_id"][row].as_py()
            return found
        if pc.index(self.clusters["cluster_id"], cluster_id).as_py() < 0:
            raise InputError("an id is that of a cluster", value=cluster_id, remedy="Check the id.")
        return cluster_id

    @property
    def names(self) -> pa.Array:
        """What the records are called, in the order in which they appeared."""
        some = self.clusters.take(pc.sort_indices(self.clusters["place"])).combine_chunks()
        return names_of(some["id"].combine_chunks(), some["side"].combine_chunks())


@dataclass(frozen=True)
class _Before:
    """What the run before left, by numbers.

    Attributes:
        ids: string, shape (n_old,): ids of clusters.
        born, first: int64, shape (n_old,): run and place that each began with.
        cluster, place: int64, shape (n_records,): of each record now: its old cluster, -1 for new records; its place.
        became: int64, shape (n_old,): the new cluster that keeps the id or takes it as an alias; -1: records are gone.
    """

    ids: pa.Array
    born: Integers
    first: Integers
    cluster: Integers
    place: Integers
    became: Integers


def stable_clusters(found: Clustering, previous: Identified | None) -> Identified:
    """Return clusters with their ids.

    Args:
        found: the clusters of this run.
        previous: what this function returned of the run before, if there was one.

    Raises:
        InputError: the run before was of one table and this one is of two, or the other way round.
    """
    run = 1 if previous is None else previous.run + 1
    number, label = np.unique(found.keeper, return_inverse=True)
    old = _before(found, label, len(number), previous)
    keeps = _kept_ids(old, len(number))
    earliest = _earliest(label, old.place)
    names = found.records.names.take(pa.array(earliest)).to_pylist()
    used = set(old.ids.to_pylist())
    if previous is not None:
        used |= set(previous.aliases["alias"].to_pylist())
    fresh = np.flatnonzero(keeps < 0)
    new = _fresh([names[c] for c in fresh[np.argsort(old.place[earliest[fresh]])]], used, run)
    at = np.empty(len(number), np.int64)
    at[keeps >= 0] = keeps[keeps >= 0]
    at[fresh[np.argsort(old.place[earliest[fresh]])]] = len(old.ids) + np.arange(len(fresh))
    ids = pa.concat_arrays([old.ids, pa.array(new, pa.string())]).take(pa.array(at))
    born = np.where(keeps >= 0, old.born[keeps] if len(old.born) else run, run)
    return Identified(
        run,
        _table(found, label, old.place, ids, born),
        _aliases(old, keeps, ids, run, previous),
        _splits(old, label, ids, run, previous),
    )


def _before(found: Clustering, label: Integers, clusters: int, previous: Identified | None) -> _Before:
    names = found.records.names
    if previous is None or not len(previous.clusters):
        none = np.empty(0, np.int64)
        place = found.records.tables
        return _Before(pa.array([], pa.string()), none, none, np.full(len(names), -1, np.int64), place, none)
    past = previous.clusters.combine_chunks()
    _check_kind(found.records.sides, past["side"].combine_chunks())
    coded = past["cluster_id"].combine_chunks().dictionary_encode()
    codes, places = coded.indices.to_numpy().astype(np.int64), past["place"].to_numpy()
    begins = _earliest(codes, places)
    row = pc.index_in(names, value_set=names_of(past["id"].combine_chunks(), past["side"].combine_chunks()))
    row = pc.fill_null(row, -1).to_numpy().astype(np.int64)
    known = row >= 0
    cluster, place = np.full(len(names), -1, np.int64), np.empty(len(names), np.int64)
    cluster[known], place[known] = codes[row[known]], places[row[known]]
    new = np.flatnonzero(~known)
    place[new[np.argsort(found.records.tables[new])]] = places.max() + 1 + np.arange(len(new))
    survivors = np.flatnonzero(known)
    heirs = survivors[_earliest(cluster[survivors], place[survivors])]
    became = np.full(len(begins), -1, np.int64)
    became[cluster[heirs]] = label[heirs]
    return _Before(coded.dictionary, past["born"].to_numpy()[begins], places[begins], cluster, place, became)


def _check_kind(now: pa.Array, before: pa.Array) -> None:
    one = [bool(pc.any(pc.equal(sides, ONLY)).as_py()) for sides in (now, before)]
    if len(now) and one[0] != one[1]:
        raise InputError(
            "ids of clusters go on where runs are all of one table, or all of two",
            value=" after ".join("one table" if only else "two tables" for only in one),
            remedy="Start without the run before.",
        )


def _earliest(groups: Integers, places: Integers) -> Integers:
    """Return for each group, in order, where its lowest place stands."""
    order = np.lexsort((places, groups))
    _, first = np.unique(groups[order], return_index=True)
    return order[first]


def _kept_ids(old: _Before, clusters: int) -> Integers:
    """Return the old cluster whose id each new one keeps, -1 for none: int64, shape (clusters,)."""
    keeps = np.full(clusters, -1, np.int64)
    there = np.flatnonzero(old.became >= 0)
    order = there[np.lexsort((old.first[there], old.born[there], old.became[there]))]
    some, first = np.unique(old.became[order], return_index=True)
    keeps[some] = order[first]
    return keeps


def _fresh(names: list[str], used: set[str], run: int) -> list[str]:
    """Return an id for each name that was never one: names that are free first, so that none of them is taken."""
    taken = used | {name for name in names if name not in used}
    ids = []
    for name in names:
        given = name
        if name in used:
            while given in taken:
                given = f"{given}@{run}"
            taken.add(given)
        ids.append(given)
    return ids


def _table(found: Clustering, label: Integers, place: Integers, ids: pa.Array, born: Integers) -> pa.Table:
    records = found.records
    first = place[_earliest(label, place)] if len(place) else place
    order = pa.array(np.lexsort((place, first[label])))
    labels = pa.array(label)
    columns = [ids.take(labels), records.ids, records.sides, pa.array(found.kept), born[label], place]
    return pa.table(columns, CLUSTERS).take(order).combine_chunks()


def _aliases(old: _Before, keeps: Integers, ids: pa.Array, run: int, previous: Identified | None) -> pa.Table:
    """Return all former ids: those of before, led on, and those that ceased now."""
    now = ids.take(pa.array(old.became, mask=old.became < 0))
    ceased = np.ones(len(old.ids), np.bool_)
    ceased[keeps[keeps >= 0]] = False
    mask = pa.array(ceased)
    table = pa.table([old.ids.filter(mask), now.filter(mask), np.full(int(ceased.sum()), run)], ALIASES)
    if previous is not None:
        before = previous.aliases["cluster_id"].combine_chunks()
        led = now.take(pc.index_in(before, value_set=old.ids, skip_nulls=True))
        table = pa.concat_tables([previous.aliases.set_column(1, ALIASES.field("cluster_id"), led), table])
    return table.sort_by("alias").combine_chunks()


def _splits(old: _Before, label: Integers, ids: pa.Array, run: int, previous: Identified | None) -> pa.Table:
    """Return all splits: those of before, and those of now."""
    rows = np.flatnonzero(old.cluster >= 0)
    apart = rows[old.became[old.cluster[rows]] != label[rows]]
    pairs = np.unique(np.stack([label[apart], old.cluster[apart]], axis=1), axis=0)
    some = [ids.take(pa.array(pairs[:, 0])), old.ids.take(pa.array(pairs[:, 1])), np.full(len(pairs), run)]
    table = pa.table(some, SPLITS).sort_by([("split_from", "ascending"), ("cluster_id", "ascending")])
    if previous is not None:
        table = pa.concat_tables([previous.splits, table])
    return table.combine_chunks()
