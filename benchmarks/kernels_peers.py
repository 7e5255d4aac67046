"""Time text to signatures against datasketch and rensa, with the error of each."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import pyarrow as pa
from kernels_turns import (
    SHINGLE,
    VALUES,
    Contestants,
    Found,
    Texts,
    medians,
    newswire_of,
    table,
    take_turns,
    verdict,
)
from numpy.typing import NDArray
from real_texts import packed
from text_sets import padded_sets, similar_pairs, sketch_sets

from tamis.hashing.sketch import KINDS, SketchPlan, signatures, sketch_plan

PEER_BARS = {"datasketch": 50.0, "rensa": 15.0}
"""How many times faster than the fastest call of a library that reads every shingle."""

ERROR_PAIRS, ERROR_SEEDS = 200, 5


def shingled(text: str) -> list[str]:
    """Return the shingles of a text as users make them for these libraries, in the fastest way that they do."""
    words = text.lower().split()
    return [" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))]


def encoded(text: str) -> list[bytes]:
    """Return the shingles of a text as bytes."""
    return [shingle.encode() for shingle in shingled(text)]


@dataclass(frozen=True)
class Peer:
    """One way to get signatures.

    Attributes:
        library: which.
        call: how it is called.
        prepare: a text to what the library takes.
        sketch: some of these, and a seed, to signatures.
        rows: signatures to an array of shape (n, values).
        samples: whether it leaves shingles out.
    """

    library: str
    call: str
    prepare: Callable[[str], Sequence[Any]]
    sketch: Callable[[Iterable[Sequence[Any]], int], Any]
    rows: Callable[[Any], NDArray[Any]]
    samples: bool = False

    @property
    def name(self) -> str:
        """The library and the call."""
        return f"{self.library} `{self.call}`"

    def from_text(self, texts: Iterable[str], seed: int) -> Any:
        """Return the signatures of texts."""
        return self.sketch(map(self.prepare, texts), seed)


def datasketch_peers() -> list[Peer]:
    """Return the ways to use datasketch."""
    from datasketch import MinHash

    def one_by_one(documents: Iterable[Sequence[bytes]], seed: int) -> list[Any]:
        made = []
        for document in documents:
            made.append(MinHash(num_perm=VALUES, seed=seed))
            for shingle in document:
                made[-1].update(shingle)
        return made

    def batches(documents: Iterable[Sequence[bytes]], seed: int) -> list[Any]:
        made = []
        for document in documents:
            made.append(MinHash(num_perm=VALUES, seed=seed))
            made[-1].update_batch(document)
        return made

    def bulk(documents: Iterable[Sequence[bytes]], seed: int) -> list[Any]:
        return list(MinHash.bulk(documents, num_perm=VALUES, seed=seed))

    def rows(made: list[Any]) -> NDArray[Any]:
        return np.array([sketch.hashvalues for sketch in made])

    ways = {"MinHash.update": one_by_one, "MinHash.update_batch": batches, "MinHash.bulk": bulk}
    return [Peer("datasketch", name, encoded, way, rows) for name, way in ways.items()]


def rensa_peers() -> list[Peer]:
    """Return the ways to use rensa."""
    from rensa import CMinHash, RMinHash

    def each(kind: Any, documents: Iterable[Sequence[str]], seed: int) -> list[Any]:
        made = []
        for document in documents:
            made.append(kind(num_perm=VALUES, seed=seed))
            made[-1].update(document)
        return made

    def at_once(call: Callable[..., Any], documents: Iterable[Sequence[Any]], seed: int) -> Any:
        return call(list(documents), VALUES, seed)

    def digests(made: list[Any]) -> NDArray[Any]:
        return np.array([sketch.digest() for sketch in made])

    def matrix(made: Any) -> NDArray[Any]:
        return np.array(made.to_rows())

    sets, of_bytes = RMinHash.digest_matrix_from_token_sets, RMinHash.digest_matrix_from_token_byte_sets
    sampled = RMinHash.digest_matrix_from_token_sets_rho
    return [
        Peer("rensa", "RMinHash.update", shingled, partial(each, RMinHash), digests),
        Peer("rensa", "RMinHash.from_token_sets", shingled, partial(at_once, RMinHash.from_token_sets), digests),
        Peer("rensa", "RMinHash.digest_matrix_from_token_sets", shingled, partial(at_once, sets), matrix),
        Peer("rensa", "RMinHash.digest_matrix_from_token_byte_sets", encoded, partial(at_once, of_bytes), matrix),
        Peer("rensa", "RMinHash.digest_matrix_from_token_sets_rho", shingled, partial(at_once, sampled), matrix, True),
        Peer("rensa", "CMinHash.update", shingled, partial(each, CMinHash), digests),
    ]


def peers() -> list[Peer]:
    """Return the peers that are installed."""
    found = [*(datasketch_peers() if find_spec("datasketch") else []), *(rensa_peers() if find_spec("rensa") else [])]
    if len({peer.library for peer in found}) < 2:
        print("peers: without datasketch or rensa; install the extra `bench`", file=sys.stderr)
    return found


def own_plans(seed: int = 0) -> dict[str, SketchPlan]:
    """Return the plans that stand against the peers."""
    return {
        f"tamis `{kind}`, {bits} bits": sketch_plan(kind, values=VALUES, bits=bits, shingle=SHINGLE, seed=seed)
        for kind in KINDS
        for bits in (64, 32)
    }


def from_strings(texts: list[str], plan: SketchPlan) -> NDArray[np.uint64]:
    """Return the signatures of Python strings, as the peers are given them."""
    return signatures(*packed(texts), plan)


def measure_peers(sets: Sequence[Texts], args: argparse.Namespace) -> Found:
    """Time text to signatures, shingles to signatures and hashes to signatures; and the error of each."""
    texts, others = newswire_of(sets), peers()
    chosen = np.sort(np.random.default_rng(0).permutation(texts.rows)[: args.documents])
    sample = Texts.of("sample", texts.column.take(pa.array(chosen)).to_pylist(), texts.size)
    given = sample.column.to_pylist()
    whole: Contestants = {name: partial(from_strings, given, p) for name, p in own_plans().items()}
    ready: Contestants = {"shingling in Python": lambda: [shingled(text) for text in given]}
    ready["shingling in Python, bytes"] = lambda: [encoded(text) for text in given]
    ways: list[Callable[[str], Sequence[Any]]] = [shingled, encoded]
    prepared = {prepare: [prepare(text) for text in given] for prepare in ways}
    for peer in others:
        whole[peer.name] = partial(peer.from_text, given, 1)
        ready[peer.name] = partial(peer.sketch, prepared[peer.prepare], 1)
    times = {
        "text": take_turns(whole, args.rounds, "peers, from text"),
        "shingles": take_turns(ready, args.rounds, "peers, from shingles"),
        "hashes": take_turns(from_hashes(sample), args.rounds, "peers, from hashes"),
    }
    return {
        "text": texts.name,
        "rows": sample.rows,
        "bytes": sample.size,
        "shingles": sum(map(len, prepared[shingled])),
        "libraries": {peer.name: peer.library for peer in others if not peer.samples},
        "seconds": times,
        "median": {start: medians(some) for start, some in times.items()},
        "errors": errors(texts, others),
    }


def from_hashes(sample: Texts) -> Contestants:
    """Return what makes signatures of shingles that are hashed already, for all libraries that can."""
    values, bounds = padded_sets(sample.data, sample.offsets, SHINGLE)
    every = np.arange(sample.rows)
    found: Contestants = {name: partial(sketch_sets, values, bounds, every, p) for name, p in own_plans().items()}
    if find_spec("datasketch"):
        from datasketch import MinHash

        low = [(values[bounds[i] : bounds[i + 1]] >> np.uint64(32)).tolist() for i in range(sample.rows)]
        found["datasketch `MinHash.bulk`, hashfunc=int"] = lambda: MinHash.bulk(low, num_perm=VALUES, hashfunc=int)
    if find_spec("rensa"):
        from rensa import RMinHash

        flat, ends = values[: bounds[-1]].copy(), bounds.astype(np.uint64)
        for name in ("digest_matrix_from_flat_token_hashes", "digest_matrix_from_flat_token_hashes_rho"):
            found[f"rensa `RMinHash.{name}`"] = partial(getattr(RMinHash, name), flat, ends, VALUES, 1)
    return found


def errors(texts: Texts, others: Sequence[Peer]) -> Found:
    """Return the root mean square error of each contestant's estimates over ``ERROR_PAIRS`` pairs and several seeds.

    Each is measured against the exact similarity of the shingles that it was given, and beside the error that as many
    independent values have.
    """
    first, second, similarity = similar_pairs(texts.data, texts.offsets, VALUES, SHINGLE)
    near = np.flatnonzero((similarity >= 0.3) & (similarity < 1))
    near = np.random.default_rng(0).permutation(near)[:ERROR_PAIRS]
    rows, places = np.unique(np.concatenate([first[near], second[near]]), return_inverse=True)
    left, right = places[: len(near)], places[len(near) :]
    given = texts.column.take(pa.array(rows)).to_pylist()
    found: Found = {"pairs": len(near), "seeds": ERROR_SEEDS, "rmse": {}, "bias": {}, "expected": {}}
    if not len(near):
        return found

    def note(name: str, exact: NDArray[np.float64], estimates: Sequence[NDArray[np.float64]]) -> None:
        error = np.array(estimates) - exact
        found["rmse"][name] = float(np.sqrt(np.mean(error**2)))
        found["bias"][name] = float(error.mean())
        found["expected"][name] = float(np.sqrt(np.mean(exact * (1 - exact)) / VALUES))

    for name in own_plans():
        made = (from_strings(given, own_plans(seed)[name]) for seed in range(ERROR_SEEDS))
        note(name, similarity[near], [(m[left] == m[right]).mean(axis=1) for m in made])
    sets = [set(shingled(text)) for text in given]
    exact = np.array([len(sets[i] & sets[j]) / len(sets[i] | sets[j]) for i, j in zip(left, right, strict=True)])
    for peer in others:
        made = (peer.rows(peer.from_text(given, seed)) for seed in range(1, ERROR_SEEDS + 1))
        note(peer.name, exact, [agreement_of(m[left], m[right]) for m in made])
    return found


def agreement_of(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Return the share of equal values in each row, without places that are empty in both (all ones, 32 bits)."""
    held = (a != 0xFFFFFFFF) | (b != 0xFFFFFFFF)
    return np.asarray(((a == b) & held).sum(axis=1) / held.sum(axis=1), np.float64)


def show_peers(found: Found) -> list[str]:
    """Return the report on ``peers``."""
    n, size, middle, off = found["rows"], found["bytes"], found["median"], found["errors"]
    own = {kind: middle["text"][f"tamis `{kind}`, 64 bits"] for kind in KINDS}
    head = ["", "docs/s", "MB/s", *(f"{kind} is faster" for kind in KINDS)]
    columns = ["from shingles docs/s", "RMSE", "expected", "ratio", "bias"]
    rows = []
    for name, seconds in middle["text"].items():
        ready = middle["shingles"].get(name)
        cells = [f"{n / seconds:,.0f}", f"{size / 1e6 / seconds:,.2f}", *(f"{seconds / s:,.2f}x" for s in own.values())]
        cells.append(f"{n / ready:,.0f}" if ready else "")
        if name in off["rmse"]:
            rmse, expected = off["rmse"][name], off["expected"][name]
            cells += [f"{rmse:.4f}", f"{expected:.4f}", f"{rmse / expected:.2f}", f"{off['bias'][name]:+.4f}"]
        rows.append([name, *cells, *[""] * (len(head) + len(columns) - 1 - len(cells))])
    only = {name: seconds for name, seconds in middle["shingles"].items() if "Python" in name}
    reading = [[name, f"{n / s:,.0f}", f"{size / 1e6 / s:,.2f}", f"{s / own['oph']:.2f}x"] for name, s in only.items()]
    return [
        f"Text to signatures of {VALUES} values: {n:,} documents of {found['text']}, {size / 1e6:.1f} MB,"
        f" {found['shingles'] / n:.0f} shingles each. All start with Python strings.",
        "The peers' shingles are `text.lower().split()` joined to 5-grams. Calls with `_rho` leave shingles out.",
        f"RMSE of the estimates over {off['pairs']} pairs of similarity 0.3 to 1, {off['seeds']} seeds; expected:"
        f" that of {VALUES} independent values.",
        *table([*head, *columns], rows),
        *table(["only shingling", "docs/s", "MB/s", "oph, all of it, is faster"], reading),
        "From hashes of shingles (uint64, made before) to signatures:",
        *table(["", "docs/s", "ns a shingle", "oph is faster"], _hashed(found)),
        *_peer_bars(found),
    ]


def _hashed(found: Found) -> Iterator[list[str]]:
    middle = found["median"]["hashes"]
    for name, seconds in middle.items():
        ratio = seconds / middle["tamis `oph`, 64 bits"]
        yield [name, f"{found['rows'] / seconds:,.0f}", f"{seconds / found['shingles'] * 1e9:.1f}", f"{ratio:,.2f}x"]


def _peer_bars(found: Found) -> list[str]:
    middle, rows = found["median"]["text"], []
    for library, bar in PEER_BARS.items():
        calls = {middle[name]: name for name, of in found["libraries"].items() if of == library}
        if calls:
            best = min(calls)
            ratios = [best / middle[f"tamis `{kind}`, 64 bits"] for kind in KINDS]
            cells = [f"{ratio:,.1f}x, {verdict(ratio, bar)}" for ratio in ratios]
            rows.append([calls[best], f"{bar:.0f}x", *cells])
    return table(["fastest call that reads every shingle", "bar", *KINDS], rows)
