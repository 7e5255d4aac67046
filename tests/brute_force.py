"""What a run must decide, by Python sets and plain loops: every text is compared with every better-ranked one.

Written from the design, not from the pipeline. All it takes from a library is MurmurHash3 (``mmh3``), which ranks are
defined by. Characters are classed by this Python's ``unicodedata``: give it only text on which that agrees with Unicode
15.0.
"""

import datetime
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import mmh3

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
LONE_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR")


class Row(NamedTuple):
    """A record: where it stands and what it holds."""

    address: int
    text: str
    id: str | None = None
    source: str = "web"
    quality: float | None = None
    time: datetime.datetime | None = None


class Decision(NamedTuple):
    """Why a row goes: the stage that drops it, the row that stays in its place, and how similar they are."""

    stage: str
    keeper: int
    similarity: float | None


Pairs = Mapping[tuple[int, int], float | None]
"""Similarity by (worse address, better address)."""


def tokens(text: str) -> list[str]:
    """Return the case-folded words, and the characters of scripts that put no spaces between words."""
    return "".join(map(_spaced, text)).split()


@cache
def _spaced(character: str) -> str:
    if unicodedata.category(character)[0] not in "LMN" and character != "_":
        return " "
    if unicodedata.name(character, "").startswith(LONE_SCRIPTS):
        return f" {character} "
    return character.casefold()


def characters(text: str) -> list[str]:
    """Return the characters of the words, and a space where there is anything else between two of them."""
    found: list[str] = []
    gap = False
    for character in text:
        if _spaced(character) == " ":
            gap = bool(found)
            continue
        found += [" "] * gap + list(_spaced(character).strip(" "))
        gap = False
    return found


@lru_cache(10_000)  # most texts are asked for several times, by every threshold and stage
def shingles(text: str, size: int = 5, unit: str = "word") -> frozenset[tuple[object, ...]]:
    """Return the runs of ``size`` tokens; fewer make one shingle of all; a text without words has none."""
    words = tokens(text)
    if not words:
        return frozenset()
    parts: Sequence[object] = words if unit == "word" else characters(text) if unit == "char" else text.encode()
    return frozenset(tuple(parts[i : i + size]) for i in range(max(1, len(parts) - size + 1)))


def jaccard(a: frozenset[tuple[object, ...]], b: frozenset[tuple[object, ...]]) -> float:
    """Return |a ∩ b| / |a ∪ b| of two sets that are not both empty."""
    return len(a & b) / len(a | b)


def in_rank_order(rows: Iterable[Row], keep: str) -> list[Row]:
    """Return the rows, the best one first."""
    return sorted(rows, key=lambda row: (row.address,) if keep == "first" else _rank(row, keep))


def _rank(row: Row, keep: str) -> tuple[object, ...]:
    high, low = mmh3.hash64(row.text.encode(), 0, signed=True)
    missing, value = _policy(row, keep)
    return missing, value, high, low, row.id is None, (row.id or "").encode(), row.address


def _policy(row: Row, keep: str) -> tuple[bool, float]:
    """Return (missing, value), of which the least is the best."""
    policy, _, argument = keep.partition(":")
    if policy == "longest":
        return False, -len(row.text.encode())
    if policy == "source":
        listed = argument.split(",")
        return row.source not in listed, listed.index(row.source) if row.source in listed else 0
    value = getattr(row, argument)
    if value is None or value != value:
        return True, 0
    if isinstance(value, datetime.datetime):
        return False, -((value - EPOCH) // datetime.timedelta(microseconds=1))
    return False, -value


def exact_decisions(rows: Iterable[Row], keep: str) -> dict[int, Decision]:
    """Return what the exact stage drops: all but the best-ranked of equal texts."""
    best: dict[str, int] = {}
    dropped = {}
    for row in in_rank_order(rows, keep):
        if best.setdefault(row.text, row.address) != row.address:
            dropped[row.address] = Decision("exact", best[row.text], 1.0)
    return dropped


def verified_pairs(
    rows: Sequence[Row], *, keep: str, threshold: float, size: int = 5, unit: str = "word"
) -> dict[tuple[int, int], float]:
    """Return the similar pairs among the rows that the exact stage keeps and that have tokens."""
    copies = exact_decisions(rows, keep)
    ranked = [row for row in in_rank_order(rows, keep) if row.address not in copies]
    sets = [(row.address, shingles(row.text, size, unit)) for row in ranked]
    sets = [(address, found) for address, found in sets if found]
    return {
        (worse, better): similarity
        for i, (worse, a) in enumerate(sets)
        for better, b in sets[:i]
        if (similarity := jaccard(a, b)) >= threshold
    }


def decide_pairs(rows: Sequence[Row], pairs: Pairs, *, keep: str) -> dict[int, Decision]:
    """Return the decisions of both stages, given the verified pairs: in rank order, a row with a kept partner goes."""
    decisions = exact_decisions(rows, keep)
    kept: list[int] = []
    for row in in_rank_order(rows, keep):
        if row.address in decisions:
            continue
        keeper = next((better for better in kept if (row.address, better) in pairs), None)
        if keeper is None:
            kept.append(row.address)
        else:
            decisions[row.address] = Decision("near", keeper, pairs[row.address, keeper])
    return decisions


def decide(rows: Sequence[Row], *, keep: str = "first", threshold: float, size: int = 5) -> dict[int, Decision]:
    """Return the decision about every row that goes, by address."""
    return decide_pairs(rows, verified_pairs(rows, keep=keep, threshold=threshold, size=size), keep=keep)


def clusters(rows: Sequence[Row], pairs: Pairs, *, keep: str) -> dict[int, set[int]]:
    """Return the groups of two or more rows that copies and pairs connect, by the address of the best-ranked one."""
    neighbours: dict[int, set[int]] = {row.address: set() for row in rows}
    copies = [(address, decision.keeper) for address, decision in exact_decisions(rows, keep).items()]
    for a, b in [*copies, *pairs]:
        neighbours[a].add(b)
        neighbours[b].add(a)
    found: dict[int, set[int]] = {}
    seen: set[int] = set()
    for row in in_rank_order(rows, keep):
        reached, waiting = set(), [row.address]
        while waiting:
            address = waiting.pop()
            if address not in seen:
                seen.add(address)
                reached.add(address)
                waiting.extend(neighbours[address])
        if len(reached) > 1:
            found[row.address] = reached
    return found
