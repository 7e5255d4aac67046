"""Make a benchmark corpus as Parquet: renamed replicas of real text with planted copies, or rows of one template.

    python benchmarks/corpus.py --out out/bench-corpus --size 1GB
    python benchmarks/corpus.py --out out/bench-template --template 1000000

Real text is read from ``--data`` (folders ``C-reuters-21578`` and ``B-minhash-articles``) or, without it, from the
sources of Python's standard library. Equal settings and text make equal rows. What is planted is listed in
``_planted.parquet``, which no reader takes for input.
"""

import argparse
import json
import os
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from real_texts import real_sets, standard_library
from renamed_text import Edits, Text, analyse, render

from tamis.pipeline.config import parse_size

LEVELS = (0.95, 0.85, 0.75, 0.6)
"""Similarities of the planted near copies, in equal shares."""

SHINGLE = 5
PLANTED_WORDS = 60
"""Words that a document has at least to be copied with edits."""

PART_BYTES, GROUP_BYTES = 128_000_000, 16_000_000
TEMPLATE_WORDS, TEMPLATE_EDITS = 120, 3
SAMPLED_PAIRS = 100

SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("source", pa.string())])
PLANTED = pa.schema([("id", pa.string()), ("original", pa.string()), ("kind", pa.string()), ("target", pa.float64())])
"""``target``: the similarity aimed at; 1 for exact copies."""


@dataclass(frozen=True)
class Base:
    """The real text that replicas are made of.

    Attributes:
        text: the documents.
        sources: where each comes from.
        origin: in words.
    """

    text: Text
    sources: list[str]
    origin: str


@dataclass(frozen=True)
class Batch:
    """Some rows of the corpus and what was planted in them."""

    rows: pa.Table
    planted: pa.Table


def load_base(data: Path | None, *, join: int, seed: int) -> Base:
    """Read the real text, in random order, and join texts of one source to documents of ``join`` texts each."""
    texts = list(real_sets(data) if data else standard_library())
    rng = np.random.default_rng([seed, 0])
    by_source: dict[str, list[bytes]] = {}
    for i in rng.permutation(len(texts)).tolist():
        by_source.setdefault(texts[i][0], []).append(texts[i][1])
    documents = [
        (source, b"\n\n".join(some[i : i + join]))
        for source, some in by_source.items()
        for i in range(0, len(some), join)
    ]
    shuffled = [documents[i] for i in rng.permutation(len(documents)).tolist()]
    origin = ", ".join(f"{source} ({len(some):,} texts)" for source, some in sorted(by_source.items()))
    joined = f", {join} texts to a document" if join > 1 else ""
    return Base(analyse([text for _, text in shuffled]), [source for source, _ in shuffled], origin + joined)


@dataclass(frozen=True)
class Replicas:
    """A corpus of replicas; each is a batch.

    Attributes:
        base: the real text.
        near_share, exact_share: shares of the rows that are planted copies.
        seed: of everything.
        size: bytes of text wanted.
    """

    base: Base
    near_share: float
    exact_share: float
    seed: int
    size: int

    @property
    def _document_bytes(self) -> float:
        """Bytes that one original brings, with its share of copies."""
        sizes = self.base.text.sizes
        near = self.near_share * sizes[self._copied].mean() if self.near_share else 0.0
        originals = 1 - self.near_share - self.exact_share
        return float(near + (originals + self.exact_share) * sizes.mean()) / originals

    @property
    def _copied(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.base.text.word_counts >= PLANTED_WORDS)

    @property
    def documents(self) -> int:
        """Originals in the whole corpus."""
        return max(1, round(self.size / self._document_bytes))

    @property
    def batches(self) -> int:
        """Replicas, the last one cut short."""
        return -(-self.documents // len(self.base.sources))

    def batch(self, number: int) -> Batch:
        """Make one replica, with copies of documents of it or of an earlier one, in random order."""
        text, every = self.base.text, len(self.base.sources)
        rng = np.random.default_rng([self.seed, 1, number])
        count = min(every, self.documents - number * every)
        older = int(rng.integers(0, number)) if number else 0
        available = count if older == number else every
        per_original = 1 / (1 - self.near_share - self.exact_share)
        exact = rng.choice(available, min(available, round(count * self.exact_share * per_original)), replace=False)
        copied = self._copied[self._copied < available]
        near = rng.choice(copied, min(len(copied), round(count * self.near_share * per_original)), replace=False)
        levels = np.resize(LEVELS, len(near))

        documents = np.concatenate([np.arange(count), exact, near])
        kinds = np.repeat([0, 1, 2], [count, len(exact), len(near)])
        targets = np.concatenate([np.ones(count + len(exact)), levels])
        order = rng.permutation(len(documents))
        documents, kinds, targets = documents[order], kinds[order], targets[order]

        renamings = np.stack([self._renaming(number), self._renaming(older)])
        edits = _edits(text, documents, targets, rng)
        texts = render(text, documents, renamings, (kinds > 0).astype(np.int64), edits)
        originals = [f"{older:05d}-{document:06d}" for document in documents.tolist()]
        ids = [
            f"{number:05d}-{document:06d}" if kind == 0 else f"{original}-{number:05d}-{'xn'[kind - 1]}{target:.2f}"
            for document, original, kind, target in zip(
                documents.tolist(), originals, kinds.tolist(), targets.tolist(), strict=True
            )
        ]
        sources = [self.base.sources[document] for document in documents.tolist()]
        return Batch(_rows(ids, texts, sources), _planted(ids, originals, kinds, targets))

    def _renaming(self, number: int) -> NDArray[np.int64]:
        return self.base.text.vocabulary.renaming(np.random.default_rng([self.seed, 2, number]))


def _rows(ids: list[str], texts: pa.StringArray, sources: list[str]) -> pa.Table:
    return pa.Table.from_arrays([pa.array(ids), texts, pa.array(sources)], schema=SCHEMA)


def _planted(ids: list[str], originals: list[str], kinds: NDArray[np.int64], targets: NDArray[np.float64]) -> pa.Table:
    names = pa.array(["", "exact", "near"]).take(pa.array(kinds))
    return pa.Table.from_arrays([pa.array(ids), pa.array(originals), names, pa.array(targets)], schema=PLANTED).filter(
        pa.array(kinds > 0)
    )


def _edits(text: Text, documents: NDArray[np.int64], targets: NDArray[np.float64], rng: np.random.Generator) -> Edits:
    """Edit the rows whose target is below 1."""
    counts, places = np.zeros(len(documents), np.int64), []
    for row in np.flatnonzero(targets < 1).tolist():
        words = text.words_of(int(documents[row]))
        places.append(words[edited_words(len(words), float(targets[row]), rng)])
        counts[row] = len(places[-1])
    joined = np.concatenate(places) if places else np.empty(0, np.int64)
    new = rng.choice(text.vocabulary.letters, len(joined))
    return Edits(np.concatenate([[0], np.cumsum(counts)]), joined, new)


def edited_words(words: int, similarity: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose the words whose replacement leaves a text at a similarity.

    Of S shingles, d must go so that (S - d) / (S + d) is the similarity. A word far from its neighbours' edits and from
    both ends takes ``SHINGLE`` shingles with it, the last word one: d is met exactly, if no shingle occurs twice.
    """
    shingles = words - SHINGLE + 1
    lost = max(1, round(shingles * (1 - similarity) / (1 + similarity)))
    inner, last = divmod(lost, SHINGLE)
    room = words - last - 2 * (SHINGLE - 1)
    step = room // max(1, inner)
    jitter = rng.integers(0, max(1, step - SHINGLE + 1), inner)
    return np.concatenate([SHINGLE - 1 + np.arange(inner) * step + jitter, np.arange(words - last, words)])


@dataclass(frozen=True)
class Template:
    """A corpus of one template: each row has a number of its own and up to ``TEMPLATE_EDITS`` other words.

    Attributes:
        base: the real text that the template comes from.
        rows: how many.
        seed: of everything.
    """

    base: Base
    rows: int
    seed: int
    batch_rows = 16_384

    @property
    def batches(self) -> int:
        """Batches of rows."""
        return -(-self.rows // self.batch_rows)

    def batch(self, number: int) -> Batch:
        """Make some rows."""
        text, rng = self._text(), np.random.default_rng([self.seed, 3, number])
        first = number * self.batch_rows
        rows = min(self.batch_rows, self.rows - first)
        # One stretch of words for each edit and one, the middle, for the number: edits of a row never meet.
        step = TEMPLATE_WORDS // (TEMPLATE_EDITS + 1)
        places = np.arange(TEMPLATE_EDITS + 1) * step + rng.integers(0, step, (rows, TEMPLATE_EDITS + 1))
        middle = (TEMPLATE_EDITS + 1) // 2
        places[:, middle] = middle * step
        words = rng.choice(text.vocabulary.letters, places.shape)
        words[:, middle] = rng.integers(len(self.base.text.vocabulary), len(text.vocabulary), rows)
        wanted = np.arange(TEMPLATE_EDITS) < rng.integers(0, TEMPLATE_EDITS + 1, rows)[:, None]
        chosen = np.insert(rng.permuted(wanted, axis=1), middle, True, axis=1)
        bounds = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))])
        edits = Edits(bounds, text.words[places[chosen]], words[chosen])
        zeros = np.zeros(rows, np.int64)
        texts = render(text, zeros, np.arange(len(text.vocabulary))[None, :], zeros, edits)
        ids = [f"t-{row:09d}" for row in range(first, first + rows)]
        return Batch(_rows(ids, texts, ["template"] * rows), PLANTED.empty_table())

    def _text(self) -> Text:
        """Return the template as a text of one document, its vocabulary with numbers at the end."""
        base = self.base.text
        document = int(np.flatnonzero(base.word_counts > TEMPLATE_WORDS)[0])
        start, end = base.bounds[document], base.words_of(document)[TEMPLATE_WORDS]
        vocabulary = base.vocabulary.plus([b"%d" % i for i in range(100_000, 200_000)])
        pieces = base.pieces[start:end]
        return Text(
            vocabulary=vocabulary,
            pieces=pieces,
            shapes=base.shapes[start:end],
            bounds=np.array([0, end - start]),
            words=base.words_of(document)[:TEMPLATE_WORDS] - start,
            word_bounds=np.array([0, TEMPLATE_WORDS]),
            sizes=np.diff(vocabulary.offsets)[pieces].sum(keepdims=True),
        )


def in_order(make: Callable[[int], Batch], count: int, threads: int) -> Iterator[Batch]:
    """Make batches in threads and yield them in order."""
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque(pool.submit(make, number) for number in range(min(count, threads + 1)))
        for number in range(count):
            batch = waiting.popleft().result()
            if number + threads + 1 < count:
                waiting.append(pool.submit(make, number + threads + 1))
            yield batch


def row_groups(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables of about ``GROUP_BYTES`` of text."""
    held: list[pa.Table] = []
    size = 0
    for table in tables:
        ends = np.concatenate([[0], np.cumsum(pc.binary_length(table["text"]).to_numpy())])
        start = 0
        while (stop := int(np.searchsorted(ends, ends[start] + GROUP_BYTES - size))) <= table.num_rows:
            yield pa.concat_tables([*held, table.slice(start, stop - start)])
            held, size, start = [], 0, stop
        if start < table.num_rows:
            held.append(table.slice(start))
            size += int(ends[-1] - ends[start])
    if held:
        yield pa.concat_tables(held)


def write_parts(groups: Iterator[pa.Table], out: Path) -> Counter[str]:
    """Write row groups to files of about ``PART_BYTES`` of text; return counts of rows, bytes and sources."""
    counts: Counter[str] = Counter()
    writer, room = None, 0
    for group in groups:
        if writer is None or room < GROUP_BYTES // 2:
            if writer:
                writer.close()
            path = out / f"part-{counts['files']:05d}.parquet"
            writer = pq.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=["source"])
            counts["files"] += 1
            room = PART_BYTES
        writer.write_table(group, row_group_size=group.num_rows)
        size = pc.sum(pc.binary_length(group["text"])).as_py()
        room -= size
        counts.update(rows=group.num_rows, bytes=size)
        sources = pc.value_counts(group["source"]).to_pylist()
        counts.update({f"source {line['values']}": line["counts"] for line in sources})
    if writer:
        writer.close()
    counts["stored"] = sum(path.stat().st_size for path in out.glob("part-*.parquet"))
    return counts


def similarity(a: str, b: str) -> float:
    """Return the Jaccard similarity of the word shingles of two texts, by brute force."""
    if a == b:
        return 1.0
    sets = []
    for text in (a, b):
        words = re.findall(r"\w+", text.lower())
        sets.append({tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)})
    return len(sets[0] & sets[1]) / max(1, len(sets[0] | sets[1]))


def measured(first: Batch) -> dict[float, list[float]]:
    """Return the sorted similarities of some planted pairs of the first batch, by target."""
    texts = dict(zip(first.rows["id"].to_pylist(), first.rows["text"].to_pylist(), strict=True))
    found: dict[float, list[float]] = {}
    for row in first.planted.to_pylist():
        values = found.setdefault(row["target"], [])
        if len(values) < SAMPLED_PAIRS:
            values.append(similarity(texts[row["id"]], texts[row["original"]]))
    return {target: sorted(values) for target, values in sorted(found.items())}


def make(corpus: Replicas | Template, out: Path, threads: int) -> dict[str, Any]:
    """Write a corpus and what is planted in it; return the facts."""
    planted: list[pa.Table] = []
    firsts: list[Batch] = []

    def tables() -> Iterator[pa.Table]:
        for batch in in_order(corpus.batch, corpus.batches, threads):
            planted.append(batch.planted)
            if not firsts:
                firsts.append(batch)
            yield batch.rows

    counts = write_parts(row_groups(tables()), out)
    listed = pa.concat_tables(planted)
    pq.write_table(listed, out / "_planted.parquet", compression="zstd")
    kinds = Counter(listed["kind"].to_pylist())
    return {
        "rows": counts["rows"],
        "text_bytes": counts["bytes"],
        "stored_bytes": counts["stored"],
        "files": counts["files"],
        "sources": {name.removeprefix("source "): n for name, n in counts.items() if name.startswith("source ")},
        "batches": corpus.batches,
        "planted": {"near": kinds["near"], "exact": kinds["exact"]},
        "measured": {
            f"{target:.2f}": {"pairs": len(v), "least": v[0], "median": float(np.median(v)), "most": v[-1]}
            for target, v in measured(firsts[0]).items()
        },
        "origin": corpus.base.origin,
    }


def describe(facts: dict[str, Any], template: bool) -> str:
    """Say in words what was made."""
    lines = [
        f"{facts['text_bytes'] / 1e6:,.1f} MB of text in {facts['rows']:,} rows and {facts['files']} files"
        f" ({facts['stored_bytes'] / 1e6:,.1f} MB as stored), made of {facts['origin']}.",
    ]
    if template:
        lines.append(
            f"All rows are one template of {TEMPLATE_WORDS} words; each has one of 100,000 numbers in the middle and"
            f" 0 to {TEMPLATE_EDITS} other words replaced."
        )
        return "\n".join(lines)
    near, exact, rows = facts["planted"]["near"], facts["planted"]["exact"], facts["rows"]
    lines += [
        f"{facts['batches']} replicas, the last one cut short. In each, words are renamed by a random bijection",
        "among words of the same length and kind: lengths, punctuation, repetition and word frequencies are those of",
        "the real text; it is not meaningful, and replicas share shingles only by accident. The copies that the real",
        "text has of its own are in every replica.",
        f"Planted: {exact:,} exact copies ({exact / rows:.1%} of the rows) and {near:,} copies with words replaced"
        f" ({near / rows:.1%}),\nof documents of an earlier replica.",
        "Similarity of planted pairs (Jaccard, word 5-grams, brute force on a sample):",
    ]
    for target, line in facts["measured"].items():
        spread = f"{line['least']:.3f} to {line['most']:.3f}"
        lines.append(f"  aimed at {target}: median {line['median']:.3f}, {spread}, {line['pairs']} pairs")
    return "\n".join(lines)


def clear(out: Path) -> None:
    """Make the folder, or empty it if an earlier corpus is in it and nothing else."""
    out.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in out.iterdir()}
    ours = {
        name
        for name in names
        if name in ("_corpus.json", "_planted.parquet") or re.fullmatch(r"part-\d+\.parquet", name)
    }
    if names - ours:
        raise SystemExit(f"{out} holds other files than a corpus: {', '.join(sorted(names - ours)[:3])}")
    for name in ours:
        (out / name).unlink()


def _size(value: str) -> int:
    size = parse_size(value)
    return size if isinstance(size, int) else int(value)


def main() -> None:
    """Read the arguments and make the corpus."""
    data = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the corpus; an earlier corpus is replaced")
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA, or none")
    parser.add_argument("--size", type=_size, default="1GB", help="text bytes, as 1GB or 200MB")
    parser.add_argument("--join", type=int, default=1, metavar="N", help="join N real texts to one document")
    parser.add_argument("--planted-share", type=float, default=0.1, help="share of rows that are edited copies")
    parser.add_argument("--exact-share", type=float, default=0.05, help="share of rows that are exact copies")
    parser.add_argument("--template", type=int, metavar="N", help="make N rows of one template instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    args = parser.parse_args()
    if args.planted_share + args.exact_share > 0.5:
        parser.error("at most half of the rows are copies")

    start = time.monotonic()
    base = load_base(args.data, join=args.join, seed=args.seed)
    corpus: Replicas | Template
    if args.template:
        corpus = Template(base, args.template, args.seed)
    else:
        corpus = Replicas(base, args.planted_share, args.exact_share, args.seed, args.size)
    clear(args.out)
    facts = make(corpus, args.out, args.threads)
    settings = {
        "seed": args.seed,
        "join": args.join,
        "planted_share": args.planted_share,
        "exact_share": args.exact_share,
    }
    (args.out / "_corpus.json").write_text(json.dumps(facts | {"settings": settings}, indent=1) + "\n")
    print(describe(facts, bool(args.template)))
    print(f"Made in {time.monotonic() - start:.1f} s.")


if __name__ == "__main__":
    main()
