"""Where the pairs come from that a learned hash is trained with.

Labels; silver pairs, which the lexical blocker is sure of; or two views of each record. All records are first put into
the order of their ids, so that the order of files changes nothing. What is held back to measure with shares no thing
with what is trained with: pairs are split by connected components of matches, not one by one.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
import pyarrow as pa

from ...hashing.errors import ConfigError, InputError
from ...hashing.mix import derive_seed
from ...hashing.neural.data import HeldOut
from ..counted import counted
from .augmentation import Augmentation, attributes_of, written
from .labels import Labels, check_texts, read_labels
from .records import Records
from .search import Found, Search
from .silver import mutual_pairs
from .training_pairs import Places, Split, Text, TrainingPairs
from .training_tables import TrainingTables, drawn, held_back

_HELD_VIEW = 1 << 32
"""The epoch of which views are held out: none that is trained."""


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
        search: what is near, prepared of these records; default: the lexical blocker.
        augmentation: changes of texts in training.

    Raises:
        InputError: labels that ``read_labels`` refuses, or of an empty record; a table of one record; too few matches
            to hold some back; pairs labelled 0 are asked for and there are none.
        ConfigError: ``hard`` is below 0.
    """
    split = split or Split()
    tables = TrainingTables.of(left, right, text)
    known = _learnable(labels, tables)
    tested = np.empty((0, 2), np.int64) if test is None else _learnable(test, tables).matches
    _check_hard(hard)
    if negatives == "labels" and not len(known.others):
        raise InputError(
            "labels tell matches from others",
            value=f"{counted(len(known.matches), 'match', 'matches')} and no pair labelled 0",
            remedy="Label pairs that are no match, or train with `negatives: search`.",
        )
    matches, others = tables.numbered(known.matches), tables.numbered(known.others)
    groups = tables.groups(np.concatenate([matches, tables.numbered(tested)]))
    measured = np.isin(groups, groups[tables.numbered(tested).ravel()])
    usable = matches[~measured[matches[:, 0]]]
    closed, held = held_back(usable, groups, split, "matches")
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
    tables = TrainingTables.of(left, right, text)
    matches = tables.numbered(mutual_pairs(tables.left, tables.right, quantile))
    groups = tables.groups(matches)
    closed, held = held_back(matches, groups, split, "silver pairs")
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
    tables = TrainingTables.of(left, right, text)
    there = np.flatnonzero([bool(one) for one in tables.records])
    matches = np.column_stack([there, there])
    groups = np.arange(len(tables.records))
    closed, held = held_back(matches, groups, split, "records with a value")
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
    queries = [made.text_of(i, _HELD_VIEW, 0) for i in held[:, 0]]
    others = drawn(there[~closed[there]], split)
    searched = [
        written(attributes_of(made.records[i], made.columns[i]), text == "marked") for i in (*held[:, 0], *others)
    ]
    pairs = np.column_stack([np.arange(len(held)), np.arange(len(held))])
    return replace(made, views=True, held_out=HeldOut(queries, searched, pairs))


def _learnable(labels: pa.Table, tables: TrainingTables) -> Labels:
    found = read_labels(labels, tables.left.ids, None if tables.right is None else tables.right.ids)
    check_texts(found, tables.left, tables.right)
    return found


def _of_labels(others: Places, records: int, hard: int, seed: int) -> Places:
    """Return for each record some of those that it is labelled not to be, both ways round."""
    both = np.concatenate([others, others[:, ::-1]])
    turns = np.random.Generator(np.random.PCG64(derive_seed(seed, "negatives"))).permutation(len(both))
    order = np.lexsort((turns, both[:, 0]))
    found = Found(both[order, 0], both[order, 1], np.zeros(len(order)))
    place = found.ranks - 1
    few = place < hard
    near = np.full((records, hard), -1, np.int64)
    near[found.queries[few], place[few]] = found.rows[few]
    return near


def _check_hard(hard: int) -> None:
    if hard < 0:
        raise ConfigError("there are at least 0 hard negatives a pair", value=hard, remedy="Mend `hard`.")
