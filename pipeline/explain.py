"""Why a record was kept or removed: its decision, its pairs, and how its text compares with what stays in its place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..connectors.address import RECORD_BITS, file_of
from ..hashing.errors import InputError
from ..hashing.fingerprint import fingerprint
from ..hashing.jaccard import jaccard
from ..hashing.lsh import Banding
from ..hashing.shingles import shingle_sets
from ..hashing.sketch import SketchPlan
from .result import Result
from .text_column import text_buffers

MOST = 20
"""Records of one id, and followers and cuts of one record, that are told of."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Relative:
    """A better-ranked record that a verified pair says is like the one in question.

    Attributes:
        address, id: which it is.
        similarity: of the pair.
        semantic: whether that is the cosine of vectors, rather than the share of common shingles.
        decision: what removed it, or None where it stays.
    """

    address: int
    id: str | None
    similarity: float | None
    decision: Row | None
    semantic: bool = False


@dataclass(frozen=True)
class Verdict:
    """What became of one record.

    Attributes:
        address: which record.
        fate: "kept", "removed", "quarantined", "there already" or "not sampled".
        row: the row of ``decisions/`` or ``quarantine/``; empty for others.
        chain: the decisions that follow from its own: a copy's keeper may have gone later, for another one.
        relatives: better-ranked records like it, in rank order.
        followers: some records that were removed in its favour.
        follower_count: how many there are.
        cuts: some rows of ``edits/`` of a kept record: what its shard row is without.
        cut_count: how many there are.
        id: the id that it was asked for by, or None.
    """

    address: int
    fate: str
    row: Row = field(default_factory=dict)
    chain: tuple[Row, ...] = ()
    relatives: tuple[Relative, ...] = ()
    followers: tuple[Row, ...] = ()
    follower_count: int = 0
    cuts: tuple[Row, ...] = ()
    cut_count: int = 0
    id: str | None = None

    @property
    def stays(self) -> int | None:
        """The address of what stays in its place in the end, or None where nothing does."""
        last = (self.row, *self.chain)[-1]
        keeper: int | None = last.get("keeper_address")
        return keeper


def find(result: Result, name: str) -> list[int]:
    """Return the addresses of the records of an id, or of one named as ``PATH:RECORD``.

    Raises:
        InputError: if there is none.
    """
    found = set(_placed(result, name))
    more = ["unsampled"] if result.manifest["files"]["unsampled"] else []
    for table in ("decisions", "quarantine", "clusters", *more):
        found |= {row["address"] for row in _rows(result, table, pc.field("id") == name)}
    if result.manifest["settings"]["columns"]["id"]:
        found |= set(_kept(result, name))
    if not found:
        raise InputError(
            "a record is named by its id, or by path and number as PATH:RECORD",
            value=repr(name),
            remedy="Look it up in decisions/, in the shards, or in the explorer of report.html.",
        )
    return sorted(found)[:MOST]


def _placed(result: Result, name: str) -> list[int]:
    path, colon, record = name.rpartition(":")
    if not colon or not record.isdecimal():
        return []
    lines = result.manifest["inputs"]
    named = [line for line in lines if line["path"] == path and (line["records"] or 1 << 40) > int(record)]
    return [(line["file"] << RECORD_BITS) + int(record) for line in named]


def _rows(result: Result, table: str, condition: pc.Expression) -> list[Row]:
    rows: list[Row] = pq.read_table(result.out / table, filters=condition).to_pylist()
    return rows


def _kept(result: Result, name: str) -> list[int]:
    """Return the addresses of shard rows with an id, which is compared as text."""
    column, position, places = result.manifest["settings"]["columns"]["id"], 0, []
    for batch in result.kept([column]):
        found = pc.equal(batch.column(0).cast(pa.string()), name).fill_null(False)
        places += (np.flatnonzero(found.to_numpy(zero_copy_only=False)) + position).tolist()
        position += batch.num_rows
    if not places:
        return []
    index = pq.read_table(result.out / "index.parquet", columns=["address"])
    found_at: list[int] = index["address"].take(pa.array(places)).to_pylist()
    return found_at


def explain(result: Result, address: int, *, name: str | None = None) -> Verdict:
    """Return what became of one record.

    Args:
        result: of a finished run.
        address: of the record.
        name: what it was asked for by: its id, or its place.

    Raises:
        InputError: if the run has no such record.
    """
    broken = _rows(result, "quarantine", pc.field("address") == address)
    if broken:
        return Verdict(address, "quarantined", broken[0])
    pairs = [row | {"semantic": False} for row in _rows(result, "pairs", pc.field("address") == address)]
    if "semantic_pairs" in result.manifest["files"]:
        found = _rows(result, "semantic_pairs", pc.field("address") == address)
        pairs += [row | {"semantic": True} for row in found]
    removed = {
        row["address"]: row
        for row in _rows(
            result, "decisions", pc.field("address").isin([address, *(pair["better_address"] for pair in pairs)])
        )
    }
    relatives = tuple(
        Relative(
            pair["better_address"],
            pair["better_id"],
            pair["similarity"],
            removed.get(pair["better_address"]),
            pair["semantic"],
        )
        for pair in sorted(pairs, key=lambda pair: (pair["better_rank"], pair["semantic"]))
    )
    followers = _rows(result, "decisions", pc.field("keeper_address") == address)
    verdict = Verdict(
        address,
        "kept",
        relatives=relatives,
        followers=tuple(followers[:MOST]),
        follower_count=len(followers),
        id=None if name is None or address in _placed(result, name) else name,
    )
    if address in removed:
        chain = tuple(_chain(result, removed[address]))
        return replace(verdict, fate="removed", row=removed[address], chain=chain)
    if result.manifest["inputs"][file_of(address)]["reference"]:
        return replace(verdict, fate="there already")
    if result.manifest["files"]["unsampled"] and _rows(result, "unsampled", pc.field("address") == address):
        return replace(verdict, fate="not sampled")
    if not _rows(result, "index.parquet", pc.field("address") == address):
        raise InputError("a run has the record", value=result.where(address), remedy="Check its number.")
    cuts = _rows(result, "edits", pc.field("address") == address) if result.manifest["files"]["edits"] else []
    return replace(verdict, cuts=tuple(cuts[:MOST]), cut_count=len(cuts))


def _chain(result: Result, decision: Row) -> list[Row]:
    """Follow what stays in a record's place while it is removed itself, by a later stage."""
    chain: list[Row] = []
    while decision["keeper_address"] is not None:
        further = _rows(result, "decisions", pc.field("address") == decision["keeper_address"])
        if not further:
            break
        decision = further[0]
        chain.append(decision)
    return chain


@dataclass(frozen=True)
class Comparison:
    """How two texts compare.

    Attributes:
        similarity: exact Jaccard similarity of their shingles.
        shared, all: shingles of both, and of either.
        bands: numbers of the bands whose keys are equal; any one makes the pair a candidate.
        of: how many bands there are.
    """

    similarity: float
    shared: int
    all: int
    bands: tuple[int, ...]
    of: int


def compare(texts: Sequence[str], plan: SketchPlan, banding: Banding | None, seed: int) -> Comparison:
    """Compare two texts as a run does."""
    data, offsets = text_buffers(pa.array(texts, pa.large_string()))
    values, bounds = shingle_sets(data, offsets, plan.unit, plan.shingle, plan.table)
    first, second = values[: bounds[1]], values[bounds[1] : bounds[2]]
    shared = len(np.intersect1d(first, second, assume_unique=True))
    keys = fingerprint(data, offsets, plan, banding=banding, seed=seed).keys
    equal = np.flatnonzero(keys[0] == keys[1]).tolist() if banding else []
    every = len(first) + len(second) - shared
    return Comparison(jaccard(first, second), shared, every, tuple(equal), banding.bands if banding else 0)


def facts_of(verdict: Verdict, where: Callable[[int], str]) -> Row:
    """Return a verdict as plain data, with the place of each record, which ``where`` gives."""

    def placed(row: Row) -> Row:
        plain = {key: value for key, value in row.items() if key != "raw"}
        names = {"where": where(row["address"])} if "address" in row else {}
        if row.get("keeper_address") is not None:
            names["keeper_where"] = where(row["keeper_address"])
        return plain | names

    return {
        "address": verdict.address,
        "where": where(verdict.address),
        "fate": verdict.fate,
        "decision": placed(verdict.row) if verdict.row else None,
        "chain": [placed(row) for row in verdict.chain],
        "relatives": [
            {
                "address": relative.address,
                "where": where(relative.address),
                "id": relative.id,
                "similarity": relative.similarity,
                "semantic": relative.semantic,
                "removed_for": placed(relative.decision) if relative.decision else None,
            }
            for relative in verdict.relatives
        ],
        "followers": [placed(row) for row in verdict.followers],
        "follower_count": verdict.follower_count,
        "cuts": [placed(row) for row in verdict.cuts],
        "cut_count": verdict.cut_count,
    }
