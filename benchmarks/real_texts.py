"""Real texts for the benchmarks: sets in the folder of ``--data``, or the sources of Python's standard library.

No text is shipped with this project.
"""

import csv
import gzip
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tamis.pipeline.text_column import text_buffers

REUTERS = "C-reuters-21578/reuters21578.parquet"

READ_ROWS = 256

PIECE_BYTES = 4_000
"""About how long the documents are that standard library sources are cut into."""


def packed(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of texts and their offsets."""
    return text_buffers(pa.array(texts, pa.large_string()))


def newswire(data: Path) -> Iterator[str]:
    """Yield the bodies of the Reuters newswire."""
    return _column(data / REUTERS, "body")


def books(data: Path) -> Iterator[str]:
    """Yield Arabic books."""
    return _column(data / "B-openiti-ar/openiti_0300AH_dev.parquet", "text")


def poems(data: Path) -> Iterator[str]:
    """Yield Chinese poems."""
    return _column(data / "C-chinese-poetry/chinese_poetry_tang.parquet", "text")


def _column(path: Path, name: str) -> Iterator[str]:
    """Yield the texts of a column, without those that are empty."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(READ_ROWS, columns=[name]):
            yield from (text for text in batch.column(0).to_pylist() if text)


def sentences(data: Path) -> Iterator[str]:
    """Yield both sentences of every pair of the paraphrase corpus, whose lines are not quoted CSV."""
    for part in ("train", "test"):
        with gzip.open(data / f"B-mrpc/msr_paraphrase_{part}.txt.gz", "rt", encoding="utf-8-sig", newline="") as file:
            next(file)
            for line in file:
                yield from line.rstrip("\r\n").split("\t")[3:5]


def titles(data: Path) -> Iterator[str]:
    """Yield the titles of both sides of all tables to be joined."""
    for path in sorted((data / "A-autofj").glob("*/*.csv.gz")):
        if path.name != "gt.csv.gz":
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                yield from (line["title"] for line in csv.DictReader(file) if line["title"])


def real_sets(data: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (source, text) of the English sets: the newswire and, where they are there, the articles."""
    path = data / REUTERS
    if not path.exists():
        raise SystemExit(f"{path} does not exist: name another --data, or none for the standard library's sources")
    yield from (("reuters", body.encode()) for body in newswire(data))
    articles = data / "B-minhash-articles" / "articles_2500.train.gz"
    if articles.exists():
        with gzip.open(articles) as lines:
            yield from (("articles", line.partition(b" ")[2].rstrip(b"\n")) for line in lines)


def standard_library() -> Iterator[tuple[str, bytes]]:
    """Yield (source, text) of pieces of Python sources, cut at blank lines; each top-level package is a source."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if parts[0] in ("site-packages", "dist-packages", "test"):
            continue
        try:
            paragraphs = path.read_text(encoding="utf-8").split("\n\n")
        except UnicodeDecodeError:
            continue
        held: list[str] = []
        for paragraph in paragraphs:
            held.append(paragraph)
            if sum(map(len, held)) >= PIECE_BYTES:
                yield "package" if len(parts) > 1 else "module", "\n\n".join(held).encode()
                held = []
        if "".join(held).strip():
            yield "package" if len(parts) > 1 else "module", "\n\n".join(held).encode()
