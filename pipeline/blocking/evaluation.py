"""What several blockers do with the same records, side by side: one result, of numbers that can be counted again."""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.errors import ConfigError
from ...hashing.murmur3 import murmur3_all
from ..text_column import text_buffers
from .curves import Curve, curve_of_flags
from .measures import BUDGETS, By, Measures, measures_of_flags
from .pair_counts import PairCounts, counts_of_keys
from .pair_keys import RecordIds, among
from .pairs import best_order, check_pairs
from .planted import FoundCopies
from .recapture import Recapture, recaptured
from .search import Blocks

FORMAT, FORMAT_VERSION = "tamis-blocking", 1

TARGETS = (0.9, 0.95, 0.98)
"""Recalls for which the smallest K is looked for."""

EXAMPLES = 10
"""Pairs of each kind that are named for each blocker."""


@dataclass(frozen=True)
class Needed:
    """What some recall needs.

    Attributes:
        target: the recall.
        k: the smallest K so that the pairs of ranks 1 to K have it; None: those that were made have not.
        pairs: of these ranks.
    """

    target: float
    k: int | None
    pairs: int | None


@dataclass(frozen=True)
class Example:
    """A pair that is named.

    Attributes:
        left_id, right_id: of its records.
        score, rank: those that the blocker gave it; None: it did not find it.
    """

    left_id: str
    right_id: str
    score: float | None = None
    rank: int | None = None


@dataclass(frozen=True)
class Against:
    """How a blocker does against known matches.

    Attributes:
        measures: PC and the others.
        by_rank, by_score: curves, thinned.
        area: that of the curve by what ``evaluate`` was told, up to the largest of ``BUDGETS``.
        needed: for each of ``TARGETS``.
        alone: matches that no other blocker found.
        missed: some of the matches that it did not find, drawn by a keyed hash of their ids.
        wrong: its pairs of the best scores that are no match, best first.
    """

    measures: Measures
    by_rank: Curve
    by_score: Curve
    area: float
    needed: tuple[Needed, ...]
    alone: int
    missed: tuple[Example, ...]
    wrong: tuple[Example, ...]


@dataclass(frozen=True)
class Evaluated:
    """What one blocker does.

    Attributes:
        name: as it is called in ``evaluate``.
        pairs: how many.
        alone: pairs that no other blocker has.
        left, right: how they are spread over the records; of one table ``left`` alone.
        blocks: what is known of its blocks, if it has some.
        planted: planted copies that it found, if some were planted.
        against: known matches, if there are some.
    """

    name: str
    pairs: int
    alone: int
    left: PairCounts
    right: PairCounts | None
    blocks: Blocks | None
    planted: tuple[FoundCopies, ...]
    against: Against | None


@dataclass(frozen=True)
class Caught:
    """What two blockers say of the matches that both missed, by the known matches that each found.

    Attributes:
        one, other: their names.
        bound: an upper bound of the recall of both together, where known matches are not all there are.
    """

    one: str
    other: str
    bound: Recapture


@dataclass(frozen=True)
class Evaluation:
    """What several blockers do with the same records.

    Attributes:
        left, right: how many records there are; right is None within one table.
        possible: pairs there could be.
        matches: known ones; None: none are known.
        missed_by_all: matches that no blocker found; None: none are known.
        by: which pairs are the best ones.
        blockers: one by one, as given.
        recaptures: of each two blockers that found some known match.
    """

    left: int
    right: int | None
    possible: int
    matches: int | None
    missed_by_all: int | None
    by: By
    blockers: tuple[Evaluated, ...]
    recaptures: tuple[Caught, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return all numbers as ``blocking.json`` holds them."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "records": {"left": self.left, "right": self.right},
            "possible": self.possible,
            "matches": self.matches,
            "missed_by_all": self.missed_by_all,
            "by": self.by,
            "blockers": [_blocker(one, self.possible, self.right is None) for one in self.blockers],
            "recaptures": [{"of": [one.one, one.other], **one.bound.as_json()} for one in self.recaptures],
        }


def evaluate(
    results: Mapping[str, pa.Table],
    gold: pa.Table | None,
    left_ids: pa.Array,
    right_ids: pa.Array | None,
    *,
    by: By = "rank",
    blocks: Mapping[str, Blocks | None] | None = None,
    planted: Mapping[str, tuple[FoundCopies, ...]] | None = None,
    together: Collection[str] = (),
    examples: int = EXAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Measure what blockers found.

    Args:
        results: a table of pairs by name of the blocker; the order of rows does not matter.
        gold: the true matches, as in ``measure_pairs``; None: none are known.
        left_ids, right_ids: the ids of all records; right_ids is None within one table.
        by: which pairs are the best ones, as in ``best_pairs``: for the recall of budgets, and the area.
        blocks: ``Search.blocks`` by name.
        planted: what ``planted.found_copies`` returned, by name.
        together: names of results that are made of the others, and so have nothing alone.
        examples: missed matches and wrong pairs that are named of each blocker.
        seed: draws the missed matches.

    Raises:
        ConfigError: there is no result, blocks or copies are of another name, or a number cannot be.
        InputError: as ``measure_pairs``.
    """
    if not results:
        raise ConfigError("there is at least one blocker to measure", value="none", remedy="Name one or more.")
    if examples < 0 or not 0 <= seed < 1 << 64:
        raise ConfigError(
            "neither the number of examples nor the seed is negative, and a seed has 64 bits",
            value=f"{examples} examples, seed {seed}",
            remedy="Mend these numbers.",
        )
    for name in {**(blocks or {}), **(planted or {})}:
        if name not in results:
            raise ConfigError(
                "blocks and planted copies are of a blocker that is measured",
                value=f"{name!r} beside {', '.join(map(repr, results))}",
                remedy="Name blockers equally.",
            )
    for pairs in results.values():
        check_pairs(pairs)
    ids = RecordIds(left_ids, right_ids)
    said = {name: ids.pairs(pairs) for name, pairs in results.items()}
    apart = [keys for name, keys in said.items() if name not in together]
    found, often = np.unique(np.concatenate(apart or list(said.values())), return_counts=True)
    single = found[often == 1]
    true = None if gold is None else ids.matches(gold)
    blockers = []
    for name, pairs in results.items():
        is_alone = among(said[name], single[:0] if name in together else single)
        against = None if true is None else _against(pairs, said[name], true, is_alone, ids, by, examples, seed)
        left, right = counts_of_keys(said[name], ids)
        known = (blocks or {}).get(name), (planted or {}).get(name, ())
        blockers.append(Evaluated(name, len(pairs), int(is_alone.sum()), left, right, *known, against))
    return Evaluation(
        len(left_ids),
        None if right_ids is None else len(right_ids),
        ids.possible,
        None if true is None else len(true),
        None if true is None else int((~among(true, found)).sum()),
        by,
        tuple(blockers),
        _recaptures({name: keys for name, keys in said.items() if name not in together}, true),
    )


def _recaptures(said: Mapping[str, NDArray[np.int64]], true: NDArray[np.int64] | None) -> tuple[Caught, ...]:
    if true is None:
        return ()
    matches = {name: np.sort(keys[among(keys, true)]) for name, keys in said.items()}
    return tuple(
        Caught(one, other, recaptured(len(first), len(second), int(among(first, second).sum())))
        for (one, first), (other, second) in itertools.combinations(matches.items(), 2)
        if len(first) + len(second)
    )


def _against(
    pairs: pa.Table,
    said: NDArray[np.int64],
    true: NDArray[np.int64],
    is_alone: NDArray[np.bool_],
    ids: RecordIds,
    by: By,
    examples: int,
    seed: int,
) -> Against:
    is_match = among(said, true)
    ranked = curve_of_flags(pairs, is_match, len(true), "rank")
    scored = curve_of_flags(pairs, is_match, len(true), "score")
    chosen = ranked if by == "rank" else scored
    return Against(
        measures_of_flags(pairs, is_match, len(true), ids, by),
        ranked.thinned(),
        scored.thinned(),
        chosen.area(max(BUDGETS) * len(ids.left)),
        tuple(_needed(ranked, target) for target in TARGETS),
        int((is_match & is_alone).sum()),
        _missed(ids.named(true[~among(true, np.sort(said))]), examples, seed),
        _wrong(pairs, is_match, examples),
    )


def _needed(ranked: Curve, target: float) -> Needed:
    place = ranked.first_with(target)
    return (
        Needed(target, None, None)
        if place is None
        else Needed(target, int(ranked.cuts[place]), int(ranked.pairs[place]))
    )


def _missed(matches: list[tuple[str, str]], most: int, seed: int) -> tuple[Example, ...]:
    texts = pa.array([f"{left}\0{right}" for left, right in matches], pa.large_string())
    hashes = murmur3_all(*text_buffers(texts), np.uint64(seed))
    drawn = np.lexsort((hashes[:, 1], hashes[:, 0]))[:most]
    return tuple(Example(*matches[i]) for i in drawn.tolist())


def _wrong(pairs: pa.Table, is_match: NDArray[np.bool_], most: int) -> tuple[Example, ...]:
    best = best_order(pairs, "score")
    rows = pairs.take(pa.array(best[~is_match[best]][:most]))
    return tuple(Example(**row) for row in rows.select(["left_id", "right_id", "score", "rank"]).to_pylist())


def _blocker(one: Evaluated, possible: int, dirty: bool) -> dict[str, Any]:
    return {
        "name": one.name,
        "pairs": one.pairs,
        "alone": one.alone,
        "cssr": one.pairs / possible,
        "reduction_ratio": 1.0 - one.pairs / possible,
        "left": one.left.as_json(),
        "right": one.right.as_json() if one.right else None,
        "blocks": _blocks(one.blocks, dirty) if one.blocks else None,
        "planted": [found.as_json() for found in one.planted],
        "against": _measured(one.against) if one.against else None,
    }


def _measured(against: Against) -> dict[str, Any]:
    m = against.measures
    return {
        "found": m.found,
        "missed": m.matches - m.found,
        "alone": against.alone,
        "pc": m.pc,
        "pc_low": m.pc_low,
        "pc_high": m.pc_high,
        "pq": m.pq,
        "f1": m.f1,
        "recall_at": [{"times": times, "recall": recall} for times, recall in m.recall_at.items()],
        "area": against.area,
        "needed": [{"target": one.target, "k": one.k, "pairs": one.pairs} for one in against.needed],
        "by_rank": against.by_rank.as_json(),
        "by_score": against.by_score.as_json(),
        "missed_examples": [{"left_id": one.left_id, "right_id": one.right_id} for one in against.missed],
        "wrong_examples": [
            {"left_id": one.left_id, "right_id": one.right_id, "score": one.score, "rank": one.rank}
            for one in against.wrong
        ],
    }


def _blocks(blocks: Blocks, dirty: bool) -> dict[str, Any]:
    largest = [
        {
            "key": block.key,
            "left": block.left,
            "right": block.right,
            "pairs": block.left * (block.left - 1) // 2 if dirty else block.left * block.right,
            "purged": block.purged,
        }
        for block in blocks.largest
    ]
    return {
        "count": blocks.count,
        "purged": blocks.purged,
        "purged_pairs": blocks.purged_pairs,
        "largest": largest,
    }
