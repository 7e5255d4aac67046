"""Sets of texts whose duplicates people have labelled, in the folder of ``--data``."""

import csv
import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

Pair = tuple[int, int]


@dataclass(frozen=True)
class Labelled:
    """Texts and the pairs of them that are duplicates.

    Attributes:
        texts: all of them.
        pairs: numbers of the duplicates, the lower first.
        judged: the pairs that have a label, where not every pair has one.
    """

    texts: list[str]
    pairs: set[Pair]
    judged: set[Pair] | None = None


def ordered(one: int, other: int) -> Pair:
    """Return a pair, the lower number first."""
    return (one, other) if one < other else (other, one)


def _lines(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    with gzip.open(path, "rt", encoding=encoding, newline="") as file:
        for line in file:
            yield line.rstrip("\r\n")


def articles(data: Path) -> Labelled:
    """News articles; the pairs are plagiarised ones, made by the authors of the set."""
    folder = data / "B-minhash-articles"
    names, texts = zip(*(line.split(" ", 1) for line in _lines(folder / "articles_2500.train.gz")), strict=True)
    number = {name: i for i, name in enumerate(names)}
    pairs = {ordered(*(number[name] for name in line.split())) for line in _lines(folder / "articles_2500.truth.gz")}
    return Labelled(list(texts), pairs)


def books(data: Path) -> Labelled:
    """Arabic books; the pairs are editions of one book."""
    folder = data / "B-openiti-ar"
    rows = pq.read_table(folder / "openiti_0300AH_dev.parquet", columns=["path", "text"])
    number = {path: i for i, path in enumerate(rows["path"].to_pylist())}
    with (folder / "same_book_pairs.csv").open(encoding="utf-8", newline="") as file:
        pairs = {ordered(number[line["path_a"]], number[line["path_b"]]) for line in csv.DictReader(file)}
    return Labelled(rows["text"].to_pylist(), pairs)


def papers(data: Path) -> Labelled:
    """Papers in two bibliographies, DBLP and ACM: title, authors, venue and year."""
    folder = data / "A-dblp-acm"
    tables = [list(csv.DictReader(_lines(folder / f"{name}.csv.gz"), delimiter="%")) for name in ("dblp", "acm")]
    number: tuple[dict[str, int], dict[str, int]] = ({}, {})
    texts: list[str] = []
    for side, table in enumerate(tables):
        for line in table:
            number[side][line["id"]] = len(texts)
            texts.append(" ".join(line[name] or "" for name in ("title", "authors", "venue", "year")))
    truth = csv.DictReader(_lines(folder / "gt.csv.gz"), delimiter="%")
    return Labelled(texts, {ordered(number[0][line["D1"]], number[1][line["D2"]]) for line in truth})


def citations(data: Path) -> Labelled:
    """Citations of computer science papers, as they were found (Cora): all fields."""
    folder = data / "A-cora"
    table = list(csv.DictReader(_lines(folder / "cora.csv.gz"), delimiter="|", quoting=csv.QUOTE_NONE))
    fields = ("author", "title", "venue", "year", "pages", "publisher", "address", "editor", "volume")
    texts = [" ".join(line[name] for name in fields if line[name]) for line in table]
    number = {line["Entity Id"]: i for i, line in enumerate(table)}
    truth = (line.split("|") for line in _lines(folder / "cora_gt.csv.gz"))
    return Labelled(texts, {ordered(number[a], number[b]) for a, b in truth if a != b})


def sentences(data: Path) -> Labelled:
    """Pairs of news sentences and whether they say the same (MRPC): only these pairs have a label."""
    number: dict[str, int] = {}
    pairs, judged = set(), set()
    for part in ("train", "test"):
        lines = _lines(data / f"B-mrpc/msr_paraphrase_{part}.txt.gz", "utf-8-sig")
        next(lines)
        for line in lines:
            label, _, _, one, other = line.split("\t")[:5]
            pair = ordered(*(number.setdefault(text, len(number)) for text in (one, other)))
            judged.add(pair)
            if label == "1":
                pairs.add(pair)
    return Labelled(list(number), pairs, judged)


@dataclass(frozen=True)
class Kind:
    """A set and the shingles that suit it.

    Attributes:
        read: reads it.
        what: a text of it, in words.
        shingle: words of a shingle: 5, the default, for long texts, 2 for short ones.
    """

    read: Callable[[Path], Labelled]
    what: str
    shingle: int


SETS = {
    "articles": Kind(articles, "news articles, plagiarised pairs", 5),
    "OpenITI": Kind(books, "Arabic books, editions of one book", 5),
    "DBLP-ACM": Kind(papers, "bibliographic records, two tables", 2),
    "Cora": Kind(citations, "citations, one dirty table", 2),
    "MRPC": Kind(sentences, "pairs of sentences, paraphrases or not", 2),
}
