"""Sketches of real texts: candidate rates and errors of brute-force pairs, and decisions against brute force.

Pairs come from an inverted index over all shingles, so none is missed and every similarity is exact. The texts are the
sets of ``--data``; none is shipped with this project.
"""

import importlib.util
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from accuracy_random import Row
from numba import njit
from numpy.typing import NDArray
from real_texts import books, newswire, packed, poems, sentences, titles
from text_sets import padded_sets, sketch_sets

import tamis
from tamis.connectors.address import record_of
from tamis.hashing.bands import band_keys
from tamis.hashing.fingerprint import band_seed
from tamis.hashing.lsh import hit_probability, solve_for_recall
from tamis.hashing.sketch import KINDS, SketchPlan, signatures, sketch_plan

SHINGLE = 5
VALUES = 256
THRESHOLD = 0.8

BIN = 0.05
FEWEST_PAIRS = 20
"""Pairs that a bin of similarities must have to be judged."""

LENGTHS = (1, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Where the bins of document length begin, in distinct shingles."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of documents that share a shingle.

    Attributes:
        first, second: int64, numbers of the documents, first < second, sorted by (second, first).
        similarity: float64, exact Jaccard.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)

    def pick(self, which: NDArray[Any]) -> "Pairs":
        """Return some of them, by mask or numbers."""
        return Pairs(self.first[which], self.second[which], self.similarity[which])


@dataclass(frozen=True)
class Shingled:
    """Shingle sets of texts.

    Attributes:
        values: the sorted sets, one after another, and ``ROOM`` zeros behind the last.
        bounds: int64, shape (n + 1,).
    """

    values: NDArray[Any]
    bounds: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Shingled":
        """Shingle texts by the product's kernel."""
        return cls(*padded_sets(*packed(texts), SHINGLE))

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Distinct shingles of each text."""
        return np.diff(self.bounds)

    def pairs(self, least: float) -> Pairs:
        """Return all pairs of at least that similarity (more than 0): every two texts that share a shingle are met."""
        values = self.values[: self.bounds[-1]]
        order = np.argsort(values, kind="stable")  # texts of one shingle stay in order
        owners = np.repeat(np.arange(len(self.sizes)), self.sizes)[order]
        starts = np.flatnonzero(np.concatenate([[True], values[order][1:] != values[order][:-1], [True]]))
        codes, common = np.unique(meetings(owners, starts, len(self.sizes)), return_counts=True)
        second, first = np.divmod(codes, len(self.sizes))
        similarity = common / (self.sizes[first] + self.sizes[second] - common)
        return Pairs(first, second, similarity).pick(similarity >= least)


@njit(nogil=True)
def meetings(owners: NDArray[np.int64], starts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return second * n + first for every two texts in every posting list: int64."""
    total = 0
    for run in range(len(starts) - 1):
        length = starts[run + 1] - starts[run]
        total += length * (length - 1) // 2
    codes, used = np.empty(total, np.int64), 0
    for run in range(len(starts) - 1):
        for i in range(starts[run] + 1, starts[run + 1]):
            for j in range(starts[run], i):
                codes[used] = owners[i] * n + owners[j]
                used += 1
    return codes


TEXTS: dict[str, Callable[[Path], Iterator[str]]] = {
    "Reuters": newswire,
    "OpenITI": books,
    "poems": poems,
    "MRPC": sentences,
    "titles": titles,
}

LONG = ("Reuters", "OpenITI", "poems")
SHORT = ("MRPC", "titles", "poems")


def check_sketches(texts: Sequence[str], sets: Shingled) -> None:
    """Stop if sketching sets of shingles, as is done here, is not what the product does with the texts themselves."""
    some = np.flatnonzero(sets.sizes)[:50]
    for kind in KINDS:
        plan = sketch_plan(kind, values=VALUES, shingle=SHINGLE)
        if not np.array_equal(sketches(sets, some, plan), signatures(*packed([texts[i] for i in some]), plan)):
            raise SystemExit(f"Sketches of shingle sets differ from sketches of texts ({kind}).")


def sketches(sets: Shingled, which: NDArray[np.int64], plan: SketchPlan) -> NDArray[np.uint64]:
    """Return the signatures of some documents: uint64, shape (len(which), plan.values)."""
    return sketch_sets(sets.values, sets.bounds, which, plan)


@njit(nogil=True)
def _keys(signatures: NDArray[np.uint64], bands: int, rows: int, seed: np.uint64) -> NDArray[np.uint64]:
    out = np.empty((len(signatures), bands), np.uint64)
    for n in range(len(signatures)):
        band_keys(signatures[n], rows, seed, out[n])
    return out


def sampled(bins: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many members of each bin, drawn by a fixed seed, as sorted numbers."""
    order = np.random.default_rng(0).permutation(len(bins))
    by_bin = order[np.argsort(bins[order], kind="stable")]
    starts = np.searchsorted(bins[by_bin], bins[by_bin])
    return np.sort(by_bin[np.arange(len(by_bin)) - starts < most])


def curve(data: Path, names: Sequence[str], *, seeds: int, most: int, least: float = 0.2) -> list[Row]:
    """Return candidate rates by similarity, with the default banding.

    Pairs of equal sets are always candidates; they make a bin of their own.

    Args:
        data: the folder of real sets.
        names: of the texts.
        seeds: runs to average over.
        most: pairs of a bin.
        least: similarity of the first bin.
    """
    banding = solve_for_recall(THRESHOLD, VALUES)
    found = []
    for name in names:
        texts = list(TEXTS[name](data))
        sets = Shingled.of(texts)
        check_sketches(texts, sets)
        pairs = sets.pairs(least)
        bins = np.floor(pairs.similarity / BIN + 1e-9).astype(np.int64)
        chosen = sampled(bins, most)
        of_bin, held = bins[chosen], pairs.pick(chosen)
        documents, ends = np.unique(np.concatenate([held.first, held.second]), return_inverse=True)
        first, second = np.split(ends, 2)
        theory = np.array([hit_probability(s, banding.bands, banding.rows) for s in held.similarity])
        hits = {}
        for kind in ("oph", "fss"):
            hits[kind] = np.empty((seeds, len(held)), np.bool_)
            for seed in range(seeds):
                made = sketches(sets, documents, sketch_plan(kind, values=VALUES, shingle=SHINGLE, seed=seed))
                keys = _keys(made, banding.bands, banding.rows, band_seed(seed))
                hits[kind][seed] = (keys[first] == keys[second]).any(axis=1)
        for number in np.unique(of_bin):
            own = of_bin == number
            row: Row = {
                "texts": name,
                "low": float(number * BIN),
                "high": float(min(1.0, (number + 1) * BIN)),
                "pairs": int((bins == number).sum()),
                "sampled": int(own.sum()),
                "similarity": float(held.similarity[own].mean()),
                "shingles": float(np.median(sets.sizes[np.concatenate([held.first[own], held.second[own]])])),
                "theory": float(theory[own].mean()),
            }
            for kind, hit in hits.items():
                rates = hit[:, own].mean(axis=1)
                row[kind], row[f"{kind}_error"] = float(rates.mean()), float(rates.std(ddof=1) / math.sqrt(seeds))
            found.append(row)
    return found


def error(data: Path, names: Sequence[str], *, seeds: int, most: int, least: float = 0.1) -> list[Row]:
    """Return the error of the estimate against exact Jaccard, by document length.

    The length of a pair is the mean of its two documents'; pairs of equal sets, which every sketch gets right, are left
    out.

    Args:
        data: the folder of real sets.
        names: of the texts.
        seeds: runs to average over.
        most: pairs of a bin of lengths and a set of texts.
        least: similarity of a pair.
    """
    lengths, spreads = [], []
    errors: dict[str, list[NDArray[np.float64]]] = {kind: [] for kind in KINDS}
    for name in names:
        texts = list(TEXTS[name](data))
        sets = Shingled.of(texts)
        check_sketches(texts, sets)
        pairs = sets.pairs(least)
        pairs = pairs.pick(pairs.similarity < 1)
        length = (sets.sizes[pairs.first] + sets.sizes[pairs.second]) / 2
        chosen = sampled(np.searchsorted(LENGTHS, length, side="right") - 1, most)
        held = pairs.pick(chosen)
        documents, ends = np.unique(np.concatenate([held.first, held.second]), return_inverse=True)
        first, second = np.split(ends, 2)
        lengths.append(length[chosen])
        spreads.append(held.similarity * (1 - held.similarity))
        for kind in KINDS:
            squares = np.zeros(len(held))
            for seed in range(seeds):
                made = sketches(sets, documents, sketch_plan(kind, values=VALUES, shingle=SHINGLE, seed=seed))
                estimate = np.array([(made[i] == made[j]).mean() for i, j in zip(first, second, strict=True)])
                squares += (estimate - held.similarity) ** 2
            errors[kind].append(squares / seeds)
    return _by_length(
        np.concatenate(lengths), np.concatenate(spreads), {k: np.concatenate(v) for k, v in errors.items()}
    )


def _by_length(
    lengths: NDArray[np.float64], spreads: NDArray[np.float64], squares: dict[str, NDArray[np.float64]]
) -> list[Row]:
    bins = np.searchsorted(LENGTHS, lengths, side="right") - 1
    found = []
    for number in np.unique(bins):
        own = bins == number
        unit = float(spreads[own].mean() / VALUES)
        row: Row = {
            "low": LENGTHS[number],
            "high": LENGTHS[number + 1] if number + 1 < len(LENGTHS) else None,
            "pairs": int(own.sum()),
            "length": float(np.exp(np.log(lengths[own]).mean())),
            "theory": math.sqrt(unit),
        }
        for kind, values in squares.items():
            row[kind], row[f"{kind}_ratio"] = math.sqrt(values[own].mean()), float(values[own].mean() / unit)
        found.append(row)
    return found


def _oracle() -> Any:
    """Return the definitions that the tests hold the kernels to."""
    path = Path(__file__).resolve().parents[1] / "tests/hashing/oracle.py"
    spec = importlib.util.spec_from_file_location("oracle", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is needed for the comparison with brute force.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def exact_shingles(words: Sequence[Sequence[bytes]]) -> Shingled:
    """Return shingle sets without any hash: runs of words are numbered, in pairs, fours and fives.

    A text of fewer words than a shingle has one shingle of all of them, filled up with a number that is no word's.
    """
    numbers: dict[bytes, int] = {}
    filled = [[numbers.setdefault(w, len(numbers) + 1) for w in text] for text in words]
    filled = [text + [0] * (SHINGLE - len(text)) if text else [] for text in filled]
    counts = np.array([len(text) for text in filled])
    ends = np.cumsum(counts)
    tokens = np.fromiter((token for text in filled for token in text), np.int64, int(ends[-1]))
    starts = np.concatenate([np.arange(end - n, end - SHINGLE + 1) for n, end in zip(counts, ends, strict=True) if n])
    owners = np.repeat(np.arange(len(words)), np.maximum(counts - SHINGLE + 1, 0))
    pair = _numbered(tokens[:-1], tokens[1:])
    four = _numbered(pair[:-2], pair[2:])
    five = _numbered(four[:-1], tokens[4:])
    sets = np.unique(owners * (int(five.max()) + 1) + five[starts])
    owner, values = np.divmod(sets, int(five.max()) + 1)
    bounds = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(words)))])
    return Shingled(values, bounds)


def _numbered(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the distinct pairs of two arrays of small numbers."""
    numbers: NDArray[np.int64]
    _, numbers = np.unique(left * (int(right.max(initial=0)) + 1) + right, return_inverse=True)
    return numbers


def greedy(data: Path, names: Sequence[str], *, thresholds: Sequence[float] = (0.8, 0.5)) -> list[Row]:
    """Return what a run with default settings drops, beside what comparing all pairs would, and check its witnesses."""
    oracle = _oracle()
    found = []
    for name in names:
        texts = list(TEXTS[name](data))
        words = [oracle.words(text) for text in texts]
        copies = _copies(texts)
        sets = exact_shingles(words)
        pairs = sets.pairs(min(thresholds))
        pairs = pairs.pick(~(copies[pairs.first] | copies[pairs.second]))
        rows = pa.table({"text": texts})
        for threshold in thresholds:
            held = pairs.pick(pairs.similarity >= threshold)
            best = _decided(held, copies)
            removed = tamis.dedup(rows, threshold=threshold, threads=1, allow_loss=["input.parquet"]).removed
            near = [line for line in removed.to_pylist() if line["stage"] == "near"]
            measured = [
                _similarity(words[record_of(line["address"])], words[record_of(line["keeper_address"])])
                for line in near
            ]
            dropped = {record_of(address) for address in removed["address"].to_pylist()}
            off = [abs(line["similarity"] - exact) for line, exact in zip(near, measured, strict=True)]
            found.append(
                {
                    "texts": name,
                    "threshold": threshold,
                    "rows": len(texts),
                    "exact": int(copies.sum()),
                    "pairs": len(held),
                    "near_decisions": len(near),
                    "below_threshold": sum(similarity < threshold for similarity in measured),
                    "most_off": max(off, default=0.0),
                    "share": len(dropped) / len(texts),
                    "brute_force_share": len(best) / len(texts),
                    "only_ours": len(dropped - best),
                    "only_brute_force": len(best - dropped),
                }
            )
    return found


def _copies(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Mark the texts that equal an earlier one."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(text, i) != i for i, text in enumerate(texts)])


def _decided(pairs: Pairs, copies: NDArray[np.bool_]) -> set[int]:
    """Return the rows that go: copies, and rows that have a pair with an earlier row that stays."""
    gone = copies.copy()
    for better, worse in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):  # sorted by the worse row
        gone[worse] |= not gone[better]
    return set(np.flatnonzero(gone).tolist())


def _similarity(a: Sequence[bytes], b: Sequence[bytes]) -> float:
    """Return the Jaccard similarity of the shingles of two lists of words, by sets of tuples."""
    left, right = ({tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))} for words in (a, b))
    return len(left & right) / len(left | right)
